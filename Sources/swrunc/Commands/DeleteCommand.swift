import Arguments
import OCIRuntime

/// `delete`: remove what is left of a container.
struct DeleteCommand: Verb, Equatable {
    static let name = CommandName.delete

    /// The container, or with `regex` a pattern of ids.
    let id: String
    var force = false
    var regex = false

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let force = self.force
        try session.forEach(id, isPattern: regex) { (session, id) throws(Failure) in
            session.warn(
                try session.perform { (runtime) throws(RuntimeError) in
                    try runtime.delete(id, force: force)
                })
        }
        return 0
    }
}

extension DeleteCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        self.init(
            id: parsed.positionals[0], force: parsed.isOn(Self.forceFlag),
            regex: parsed.isOn(SharedFlags.regex))
        if regex { _ = try Pattern(id) }
    }

    private static let forceFlag = Flag(
        "force", "f", help: "kill the container first; not an error when there is none")

    static let command = Command(
        name.rawValue, summary: "remove a container that has ended",
        description: """
            Its cgroup, its mounts and its state are removed, and its poststop hooks are executed.
            """,
        positionals: [SharedFlags.id], flags: [forceFlag, SharedFlags.regex])
}
