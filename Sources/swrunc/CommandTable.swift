import Arguments

/// The commands of the program, in the order in which help lists them.
enum CommandTable {
    static let verbs: [any Verb.Type] = [
        CreateCommand.self, StartCommand.self, RunCommand.self, StateCommand.self,
        ExecCommand.self, KillCommand.self, DeleteCommand.self, ListCommand.self,
        SpecCommand.self, FeaturesCommand.self, PlanCommand.self, HelpCommand.self,
        PauseCommand.self, ResumeCommand.self, PsCommand.self, UpdateCommand.self,
    ]

    /// The command of that name.
    static func verb(_ name: String) -> (any Verb.Type)? {
        verbs.first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The whole table, for help and for suggestions.
    static var program: Program {
        Program(
            Program.name, summary: "run containers from OCI bundles",
            description: """
                A bundle is a directory with a config.json (see the OCI runtime specification) and
                the root file system it names. `\(Program.name) spec` writes a config.json to start
                from, `\(Program.name) run ID` creates a container from the bundle in the current
                directory, starts it and waits for it.
                """,
            flags: GlobalOptions.flags, commands: verbs.map { $0.command })
    }
}

extension Program {
    /// What the program calls itself.
    static let name = "swrunc"
}
