import Arguments
import OCIRuntime

/// `pause`: freeze the processes of a container.
struct PauseCommand: Verb, Equatable {
    static let name = CommandName.pause

    let id: String

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let id = self.id
        try session.perform { (runtime) throws(RuntimeError) in try runtime.pause(id) }
        return 0
    }
}

extension PauseCommand {
    init(_ parsed: Parsed) {
        self.init(id: parsed.positionals[0])
    }

    static let command = Command(
        name.rawValue, summary: "freeze all processes of a container",
        positionals: [SharedFlags.id])
}
