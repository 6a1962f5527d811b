/// One command of the program, with all that parsing, help, man pages and completions need.
package struct Command: Sendable {
    /// Where flags may stand.
    package enum Order: Sendable {
        /// Flags may stand before, between and after the positional arguments.
        case anywhere
        /// Everything from the first positional argument on is taken as it is, because the rest
        /// is another program's command line.
        case beforePositionals
        /// Anywhere; and after the first positional argument `-9` means the number 9, a signal.
        case anywhereWithSignals
    }

    package let name: String
    /// One line in lower case, without a full stop.
    package let summary: String
    /// Paragraphs separated by an empty line; lines that start with two spaces are kept as they
    /// are, all others are wrapped.
    package let description: String
    package let positionals: [Positional]
    /// The command's own flags; `--help` is added by the parser and the renderers.
    package let flags: [Flag]
    package let order: Order
    /// What the exit status says, where it is more than 0 for success and 1 for failure.
    package let exitStatus: String?
    /// Whether help and completions leave the command out.
    package let hidden: Bool

    package init(
        _ name: String, summary: String, description: String = "", positionals: [Positional] = [],
        flags: [Flag] = [], order: Order = .anywhere, exitStatus: String? = nil,
        hidden: Bool = false
    ) {
        self.name = name
        self.summary = summary
        self.description = description
        self.positionals = positionals
        self.flags = flags
        self.order = order
        self.exitStatus = exitStatus
        self.hidden = hidden
    }
}

/// A positional argument of a command.
package struct Positional: Sendable {
    package enum Arity: Sendable {
        case required
        case optional
        /// None, one or many.
        case any
    }

    /// What a shell offers in its place.
    package enum Values: Sendable {
        /// Only the caller knows.
        case any
        /// The ids of containers that exist.
        case containers
        /// The names of the program's commands.
        case commands
        case files
        /// One of a few words; the parser takes no other.
        case words([String])
    }

    package let name: String
    package let arity: Arity
    package let values: Values
    package let help: String

    package init(
        _ name: String, _ arity: Arity = .required, _ values: Values = .any, help: String
    ) {
        self.name = name
        self.arity = arity
        self.values = values
        self.help = help
    }
}

/// The program as a whole: the flags before the command, and the commands.
package struct Program: Sendable {
    package let name: String
    package let summary: String
    package let description: String
    package let flags: [Flag]
    package let groups: [CommandGroup]

    package var commands: [Command] { groups.flatMap(\.commands) }

    package init(
        _ name: String, summary: String, description: String, flags: [Flag],
        groups: [CommandGroup]
    ) {
        self.name = name
        self.summary = summary
        self.description = description
        self.flags = flags
        self.groups = groups
    }
}

/// Commands that belong together, under a heading of the program's help.
package struct CommandGroup: Sendable {
    package let title: String
    package let commands: [Command]

    package init(_ title: String, _ commands: [Command]) {
        self.title = title
        self.commands = commands
    }
}
