import Arguments
import OCIRuntime

/// `start`: let the program of a created container go.
struct StartCommand: Verb, Equatable {
    static let name = CommandName.start

    let id: String

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let id = self.id
        let warnings = try session.perform { (runtime) throws(RuntimeError) in
            try runtime.start(id)
        }
        session.warn(warnings)
        return 0
    }
}

extension StartCommand {
    init(_ parsed: Parsed) {
        self.init(id: parsed.positionals[0])
    }

    static let command = Command(
        name.rawValue, summary: "execute the program of a created container",
        positionals: [SharedFlags.id])
}
