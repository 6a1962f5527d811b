import Arguments
import OCIRuntime
import Spec

/// `list`: show the containers below the root directory.
struct ListCommand: Verb, Equatable {
    static let name = CommandName.list

    var format = ListFormat.table
    var quiet = false

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        var warnings: [String] = []
        let containers = try session.perform { (runtime) throws(RuntimeError) in
            try runtime.list(warnings: &warnings)
        }
        session.warn(warnings)
        if quiet {
            try session.printText(containers.map { $0.state.id + "\n" }.joined())
        } else if format == .json {
            var writer = JSONWriter()
            writer.array { array in
                for container in containers {
                    array.element()
                    container.write(to: &array)
                }
            }
            try session.print(writer.bytes)
        } else {
            try session.printText(Self.table(containers.map(Row.init)))
        }
        return 0
    }
}

extension ListCommand {
    init(_ parsed: Parsed) {
        self.init(format: ListFormat(parsed), quiet: parsed.isOn(Self.quietFlag))
    }

    private static let quietFlag = Flag("quiet", "q", help: "show only the ids, one a line")

    static let command = Command(
        name.rawValue, summary: "list the containers below --root",
        flags: [SharedFlags.format, quietFlag])

    /// One line of the list.
    struct Row: Equatable {
        let id: String
        /// 0 for a container whose first process has ended.
        let pid: Int32
        let status: String
        let bundle: String
        /// RFC 3339.
        let created: String
        let owner: String
    }

    /// The list as text, with a heading.
    static func table(_ rows: [Row]) -> String {
        var table = TextTable(header: ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])
        for row in rows {
            table.append(
                [row.id, String(row.pid), row.status, row.bundle, row.created, row.owner])
        }
        return table.text
    }
}

extension ListCommand.Row {
    init(_ container: ContainerStatus) {
        self.init(
            id: container.state.id, pid: container.state.pid ?? 0,
            status: container.state.status.rawValue, bundle: container.state.bundle,
            created: container.created, owner: container.owner)
    }
}
