import Arguments
import OCIRuntime

/// `resume`: let the processes of a paused container go on.
struct ResumeCommand: Verb, Equatable {
    static let name = CommandName.resume

    let id: String

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let id = self.id
        try session.perform { (runtime) throws(RuntimeError) in try runtime.resume(id) }
        return 0
    }
}

extension ResumeCommand {
    init(_ parsed: Parsed) {
        self.init(id: parsed.positionals[0])
    }

    static let command = Command(
        name.rawValue, summary: "let the processes of a paused container go on",
        positionals: [SharedFlags.id])
}
