import Arguments

/// The commands of the program, in the order in which help lists them.
enum CommandName: String, CaseIterable {
    case create, start, run, state, exec, kill, delete, list, ps, pause, resume, update, events
    case spec, features, plan, help

    /// What carries the command out.
    var verb: any Verb.Type {
        switch self {
        case .create: CreateCommand.self
        case .start: StartCommand.self
        case .run: RunCommand.self
        case .state: StateCommand.self
        case .exec: ExecCommand.self
        case .kill: KillCommand.self
        case .delete: DeleteCommand.self
        case .list: ListCommand.self
        case .ps: PsCommand.self
        case .pause: PauseCommand.self
        case .resume: ResumeCommand.self
        case .update: UpdateCommand.self
        case .events: EventsCommand.self
        case .spec: SpecCommand.self
        case .features: FeaturesCommand.self
        case .plan: PlanCommand.self
        case .help: HelpCommand.self
        }
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
            flags: GlobalOptions.flags, commands: allCases.map { $0.verb.command })
    }
}

extension Program {
    /// What the program calls itself.
    static let name = "swrunc"
}
