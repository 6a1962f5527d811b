import Arguments
import OCIRuntime
import Spec
import Sys

/// `ps`: list the processes of a container.
struct PsCommand: Verb, Equatable {
    static let name = CommandName.ps

    let id: String
    var format = ListFormat.table
    /// Arguments for ps(1).
    var arguments: [String] = []

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let id = self.id
        let pids = try session.perform { (runtime) throws(RuntimeError) in
            try runtime.processes(of: id)
        }
        switch format {
        case .json:
            var writer = JSONWriter()
            writer.array { array in
                for pid in pids {
                    array.element()
                    array.integer(pid)
                }
            }
            try session.print(writer.bytes)
        case .table:
            let listing = try Self.listing(arguments)
            try session.printText(try Self.lines(of: listing, about: pids))
        }
        return 0
    }

    /// What ps(1) prints about all processes.
    private static func listing(_ arguments: [String]) throws(Failure) -> String {
        let result: (output: [UInt8], status: ExitStatus)
        do throws(SysError) {
            result = try output(of: ["ps"] + (arguments.isEmpty ? ["-ef"] : arguments))
        } catch {
            throw Failure("\(error)")
        }
        let text = String(decoding: result.output, as: UTF8.self)
        if result.status == .exited(0) { return text }
        let reason = text.split(whereSeparator: \.isNewline).prefix(4).joined(separator: " | ")
        throw Failure("ps ended with status \(result.status.code): \(reason)")
    }

    /// The heading, and the lines whose column PID has one of `pids`.
    static func lines(of listing: String, about pids: [Int32]) throws(Failure) -> String {
        let lines = listing.split(whereSeparator: \.isNewline)
        let words = { (line: Substring) in line.split(whereSeparator: \.isWhitespace) }
        guard let heading = lines.first, let column = words(heading).firstIndex(of: "PID") else {
            throw Failure("couldn't find PID field in ps output")
        }
        let chosen = lines.dropFirst().filter { line in
            let fields = words(line)
            guard column < fields.count, let pid = Int32(fields[column]) else { return false }
            return pids.contains(pid)
        }
        return ([heading] + chosen).map { $0 + "\n" }.joined()
    }
}

extension PsCommand {
    init(_ parsed: Parsed) {
        // Some callers end the flags of this program before those of ps.
        let rest = parsed.positionals.dropFirst()
        self.init(
            id: parsed.positionals[0], format: ListFormat(parsed),
            arguments: Array(rest.first == "--" ? rest.dropFirst() : rest))
    }

    static let command = Command(
        name.rawValue, summary: "list the processes of a container",
        description: """
            The table is that of ps(1), which is executed with the arguments after ID, or with -ef;
            it has to have a column PID. With --format json it is the list of the process ids.
            """,
        positionals: [SharedFlags.id, Positional("ARG", .any, help: "arguments for ps(1)")],
        flags: [SharedFlags.format], order: .beforePositionals)
}
