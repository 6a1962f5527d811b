/// What a config asks for and cannot have, and where it asks.
public struct PlanError: Error, Sendable, Equatable {
    /// The place as a JSON pointer (RFC 6901), such as `/hostname`; empty for the whole config.
    public var place: String
    /// What is wrong there, in a few words without a full stop.
    public var message: String
    /// What may help, or nil.
    public var hint: String?

    /// Makes an error.
    public init(_ place: String, _ message: String, hint: String? = nil) {
        self.place = place
        self.message = message
        self.hint = hint
    }
}

extension PlanError: CustomStringConvertible {
    /// `place: message; hint`, without the parts that are empty.
    public var description: String {
        (place.isEmpty ? "" : place + ": ") + message + (hint.map { "; " + $0 } ?? "")
    }
}
