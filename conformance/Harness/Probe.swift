import Testing

/// What `probe` (conformance/probe/probe.c) found: `key=value` lines.
struct ProbeReport {
    let values: [String: String]

    init(_ text: String) {
        var values: [String: String] = [:]
        for line in text.split(separator: "\n") {
            guard let equals = line.firstIndex(of: "=") else { continue }
            values[String(line[..<equals])] = String(line[line.index(after: equals)...])
        }
        self.values = values
    }

    subscript(key: String) -> String { values[key] ?? "" }
}

extension Container {
    /// Runs `probe` as the container's program and reads its report.
    func probe(_ arguments: String...) throws -> ProbeReport { try probe(arguments) }

    func probe(_ arguments: [String]) throws -> ProbeReport {
        config.process.args = JSON(["/bin/probe"] + arguments)
        return ProbeReport(try run().stdout)
    }

    func execProbe(_ flags: [String] = [], _ arguments: [String] = []) -> ProbeReport {
        ProbeReport(runtime(["exec"] + flags + [id, "/bin/probe"] + arguments).stdout)
    }
}
