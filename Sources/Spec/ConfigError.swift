/// What is wrong with a JSON document of the spec, and where.
public struct ConfigError: Error, Sendable, Equatable {
    /// The place as a JSON pointer (RFC 6901): `/mounts/3/options/0`, or `""` for the document.
    public var place: String
    /// What is wrong there, in a few words without a full stop.
    public var message: String
    /// What may help, or nil.
    public var hint: String?

    /// Makes an error.
    public init(place: String, message: String, hint: String? = nil) {
        self.place = place
        self.message = message
        self.hint = hint
    }
}

extension ConfigError: CustomStringConvertible {
    /// `place: message; hint`, without the parts that are empty.
    public var description: String {
        (place.isEmpty ? "" : place + ": ") + message + (hint.map { "; " + $0 } ?? "")
    }
}

/// A finding that does not stop the container: to be logged as a warning.
public struct ConfigWarning: Sendable, Equatable {
    /// The place as a JSON pointer (RFC 6901).
    public var place: String
    /// What was found there, in a few words without a full stop.
    public var message: String

    /// Makes a warning.
    public init(place: String, message: String) {
        self.place = place
        self.message = message
    }
}

extension ConfigWarning: CustomStringConvertible {
    /// `place: message`.
    public var description: String { place + ": " + message }
}
