import Init
import Spec

/// Where the `process` of an `exec` comes from: an error names that, and not a place in a config that
/// the caller has never seen.
public enum ProcessOrigin: Sendable, Equatable {
    /// The container's config.
    case config
    /// A file that holds a process object alone.
    case file(String)
    /// The command line: what stands there for a place in the config, such as `COMMAND` for
    /// `/process/args`.
    case commandLine([(place: String, name: String)])

    /// Paths are compared by their bytes.
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.config, .config): true
        case (.file(let one), .file(let other)): one.utf8.elementsEqual(other.utf8)
        case (.commandLine(let one), .commandLine(let other)):
            one.elementsEqual(other) { $0 == $1 }
        default: false
        }
    }

    /// A place in the config, or in its process object, as the caller knows it.
    func naming(_ place: String) -> String {
        let process = "/process"
        guard place.hasPrefix("\(process)/") else { return place }
        switch self {
        case .config: return place
        case .file(let name): return "\(place.dropFirst(process.count)) in \(name)"
        case .commandLine(let names):
            let found = names.first { place == $0.place || place.hasPrefix("\($0.place)/") }
            return found?.name ?? place
        }
    }

    func naming(_ plan: Plan) -> Plan {
        var plan = plan
        plan.steps = plan.steps.map { Step($0.actor, naming($0.place), $0.action) }
        return plan
    }

    func naming(_ error: ConfigError) -> ConfigError {
        ConfigError(place: naming(error.place), message: error.message, hint: error.hint)
    }

    /// - Parameter error: of a process object by itself, whose place begins there.
    func naming(inProcess error: ConfigError) -> ConfigError {
        naming(
            ConfigError(place: "/process\(error.place)", message: error.message, hint: error.hint))
    }

    func naming(_ warning: ConfigWarning) -> ConfigWarning {
        ConfigWarning(place: naming("/process\(warning.place)"), message: warning.message)
    }
}
