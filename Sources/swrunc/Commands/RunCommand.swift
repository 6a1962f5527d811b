import Arguments
import OCIRuntime

/// `run`: create a container, start it and wait for its program.
struct RunCommand: Verb, Equatable {
    static let name = CommandName.run

    let options: CreationOptions
    var detach = false
    var keep = false
    var noSubreaper = false

    var preservedDescriptors: Int32? { options.preserveFds }

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let options = options.forRuntime(session.inherited)
        var how = RunOptions()
        how.detach = detach
        how.keep = keep
        how.noSubreaper = noSubreaper
        let wanted = how
        try session.explain(options)
        let result = try session.performProtected { (runtime) throws(RuntimeError) in
            try runtime.run(options, wanted)
        }
        session.warn(result.warnings)
        return result.status
    }
}

extension RunCommand {
    init(_ parsed: Parsed) {
        self.init(
            options: CreationOptions(parsed), detach: parsed.isOn(SharedFlags.detach),
            keep: parsed.isOn(Self.keepFlag), noSubreaper: parsed.isOn(SharedFlags.noSubreaper))
    }

    private static let keepFlag = Flag(
        "keep", help: "do not delete the container when it has ended")

    static let command = Command(
        name.rawValue, summary: "create and start a container, wait for its program and delete it",
        description: """
            Signals that \(Program.name) receives are passed on to the program. With --detach the
            container goes on alone, and is deleted with `\(Program.name) delete`.
            """,
        positionals: [SharedFlags.newID],
        flags: CreationOptions.flags + [SharedFlags.detach, keepFlag, SharedFlags.noSubreaper],
        exitStatus: """
            That of the program, or 128 and the number of the signal that killed it; 1 when the
            container could not be created or started; with --detach 0 for success.
            """)
}
