import Arguments

/// `pause`: freeze the processes of a container.
struct PauseCommand: Verb, Equatable {
    static let name = CommandName.pause

    let id: String

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        throw .notImplemented
    }
}

extension PauseCommand {
    init(_ parsed: Parsed) {
        self.init(id: parsed.positionals[0])
    }

    static let command = Command(
        name.rawValue, summary: "freeze all processes of a container",
        positionals: [SharedFlags.id], hidden: true)
}
