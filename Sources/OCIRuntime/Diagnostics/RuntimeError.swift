import Init
import Spec
import Sys

/// Why an operation on a container failed, in one line that a person can act on.
public struct RuntimeError: Error, Sendable {
    /// The step of the plan, such as `mount /mounts/3 (/data)`; nil where no step was under way.
    public let step: String?
    /// The JSON pointer of the part of the config that asked for it; empty where nothing in it did.
    public let place: String
    /// The call with its arguments and its errno in words, or the reason in words.
    public let cause: String
    /// What to look at.
    public let hint: String?
    /// Warnings that had come up before.
    public var warnings: [String] = []

    /// An error without a step.
    public init(_ cause: String, place: String = "", hint: String? = nil) {
        step = nil
        self.place = place
        self.cause = place.isEmpty ? cause : "\(place): \(cause)"
        self.hint = hint
    }

    package init(step: Step, _ error: SysError) {
        self.init(step: FailedStep(index: 0, step), error)
    }

    package init(step: FailedStep, _ error: SysError) {
        place = error.place ?? step.place
        self.step = step.name.isEmpty ? nil : stepTitle(step.name, place, step.subject)
        cause = error.description
        hint = error.hint
    }

    package init(_ error: SysError) {
        self.init(error.description, hint: error.hint)
    }

    package init(_ error: ConfigError) {
        self.init(
            error.place.isEmpty ? "config.json: \(error.message)" : error.message,
            place: error.place, hint: error.hint)
    }
}

extension RuntimeError: CustomStringConvertible {
    /// `mount /mounts/3 (/data): open_tree("/srv/data"): No such file or directory; the bind …`
    public var description: String {
        var text = step.map { "\($0): " } ?? ""
        text += cause
        if let hint { text += "; \(hint)" }
        return text
    }
}
