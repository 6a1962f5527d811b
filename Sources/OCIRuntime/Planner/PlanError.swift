import Spec

/// What a config asks for and cannot have, and where it asks: the same as any other fault of a config.
package typealias PlanError = ConfigError

extension ConfigError {
    init(_ place: String, _ message: String, hint: String? = nil) {
        self.init(place: place, message: message, hint: hint)
    }
}
