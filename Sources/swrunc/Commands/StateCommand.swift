import Arguments
import OCIRuntime
import Spec

/// `state`: show the state of a container.
struct StateCommand: Verb, Equatable {
    static let name = CommandName.state

    let id: String

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let id = self.id
        let status = try session.perform { (runtime) throws(RuntimeError) in try runtime.state(id) }
        try session.print(status.json(.spaces(2)))
        return 0
    }
}

extension StateCommand {
    init(_ parsed: Parsed) {
        self.init(id: parsed.positionals[0])
    }

    static let command = Command(
        name.rawValue, summary: "show the state of a container as JSON",
        positionals: [SharedFlags.id])
}
