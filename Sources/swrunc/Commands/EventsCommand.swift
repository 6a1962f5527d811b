import Arguments
import OCIRuntime
import Spec
import Sys

/// `events`: show what a container uses, and that it runs out of memory.
struct EventsCommand: Verb, Equatable {
    static let name = CommandName.events

    let id: String
    /// Milliseconds.
    var interval: Int64 = 5000
    /// Once, and no events.
    var stats = false

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let (id, interval) = (self.id, self.interval)
        if stats {
            let event = try session.perform { (runtime) throws(RuntimeError) in
                try runtime.statistics(of: id)
            }
            try session.print(event.json())
            return 0
        }
        try session.perform { (runtime) throws(RuntimeError) in
            try runtime.events(of: id, every: interval) { (event) throws(RuntimeError) in
                do throws(SysError) {
                    try write(event.json() + [UInt8(ascii: "\n")], to: 1)
                } catch {
                    throw RuntimeError("\(error)")
                }
            }
        }
        return 0
    }
}

extension EventsCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        let text = parsed.text(Self.intervalFlag)
        self.init(
            id: parsed.positionals[0],
            interval: try text.map { (text) throws(UsageError) in
                try duration(text, Self.intervalFlag)
            } ?? 5000,
            stats: parsed.isOn(Self.statsFlag))
        if interval <= 0 { throw UsageError("duration interval must be greater than 0") }
    }

    private static let intervalFlag = Flag(
        "interval", "", .text("TIME"), default: "5s",
        help: "the time between two events stats, such as 500ms or 1m30s")
    private static let statsFlag = Flag("stats", help: "show what the container has used, and end")

    static let command = Command(
        name.rawValue, summary: "show what a container uses, and when it runs out of memory",
        description: """
            Each line is a JSON object with type, id and data: an event stats after every interval,
            an event oom at once. The stream ends with the container.
            """,
        positionals: [SharedFlags.id], flags: [intervalFlag, statsFlag])
}
