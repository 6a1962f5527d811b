import Arguments
import Sys

/// `help`: show the help of the program or of a command.
struct HelpCommand: Verb, Equatable {
    static let name = CommandName.help

    /// The command asked about, or nil.
    var topic: String?

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let text =
            topic.flatMap(CommandName.init(rawValue:))?.verb.command.help(program: Program.name)
            ?? CommandName.program.help
        do throws(SysError) {
            try write(Array(text.utf8), to: 1)
        } catch {
            throw Failure(error.description)
        }
        return 0
    }
}

extension HelpCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        self.init(topic: parsed.positionals.first)
        if let topic, CommandName(named: topic) == nil {
            throw .unknownCommand(topic, program: CommandName.program)
        }
    }

    static let command = Command(
        name.rawValue, summary: "show the help of a command",
        positionals: [Positional("COMMAND", .optional, .commands, help: "the command")])
}
