import Arguments

/// `ps`: list the processes of a container.
struct PsCommand: Verb, Equatable {
    static let name = CommandName.ps

    let id: String
    var format = ListFormat.table
    /// Arguments for ps(1).
    var arguments: [String] = []

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        throw .notImplemented
    }
}

extension PsCommand {
    init(_ parsed: Parsed) {
        self.init(
            id: parsed.positionals[0], format: ListFormat(parsed),
            arguments: Array(parsed.positionals.dropFirst()))
    }

    static let command = Command(
        name.rawValue, summary: "list the processes of a container",
        positionals: [SharedFlags.id, Positional("ARG", .any, help: "arguments for ps(1)")],
        flags: [SharedFlags.format], order: .beforePositionals, hidden: true)
}
