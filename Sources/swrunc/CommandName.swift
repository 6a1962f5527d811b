import Arguments

/// The commands of the program.
enum CommandName: String, CaseIterable {
    case create, start, run, exec, kill, delete
    case state, list, ps
    case pause, resume, update, events, mounts, checkpoint, restore
    case spec, plan, features, completion, help
    case complete = "__complete"
    case man = "__man"

    /// The command of that name.
    init?(named name: String) {
        // As runc has it.
        let name = name == "h" ? "help" : name
        // `rawValue:` would first make a table of all names: on the start-up path that is waste.
        guard let command = Self.allCases.first(where: { $0.rawValue == name }) else { return nil }
        self = command
    }

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
        case .mounts: MountsCommand.self
        case .checkpoint: CheckpointCommand.self
        case .restore: RestoreCommand.self
        case .completion: CompletionCommand.self
        case .complete: CompleteCommand.self
        case .man: ManCommand.self
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
            flags: GlobalOptions.flags,
            groups: groups.map { CommandGroup($0.title, $0.commands.map { $0.verb.command }) })
    }

    /// All commands, as help shows them.
    private static var groups: [(title: String, commands: [CommandName])] {
        [
            ("Containers", [.create, .start, .run, .exec, .kill, .delete]),
            ("What there is", [.list, .state, .ps]),
            (
                "While one runs",
                [
                    .pause, .resume, .update, .events, .mounts, .checkpoint,
                    .restore,
                ]
            ),
            (
                "Without a container",
                [.spec, .plan, .features, .completion, .help, .complete, .man]
            ),
        ]
    }
}

extension Program {
    /// What the program calls itself.
    static let name = "swrunc"
}
