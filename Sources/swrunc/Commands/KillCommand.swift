import Arguments
import OCIRuntime

/// `kill`: send a signal to a container.
struct KillCommand: Verb, Equatable {
    static let name = CommandName.kill

    /// The container, or with `regex` a pattern of ids.
    let id: String
    /// 0 to 64.
    var signal: Int32 = 15
    var all = false
    var regex = false

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let (signal, all) = (self.signal, self.all)
        try session.forEach(id, isPattern: regex) { (session, id) throws(Failure) in
            try session.perform { (runtime) throws(RuntimeError) in
                try runtime.kill(id, signal: signal, all: all)
            }
        }
        return 0
    }
}

extension KillCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        self.init(
            id: parsed.positionals[0],
            signal: try signalNumber(
                parsed.positionals.count > 1 ? parsed.positionals[1] : "SIGTERM"),
            all: parsed.isOn(Self.allFlag), regex: parsed.isOn(SharedFlags.regex))
        if regex { _ = try Pattern(id) }
    }

    private static let allFlag = Flag(
        "all", "a", help: "signal every process of the container, not just the first")

    static let command = Command(
        name.rawValue, summary: "send a signal to the first process of a container",
        positionals: [
            SharedFlags.id,
            Positional(
                "SIGNAL", .optional,
                help: "the signal's number, or its name with or without SIG (default: SIGTERM)"),
        ],
        flags: [allFlag, SharedFlags.regex], order: .anywhereWithSignals)
}
