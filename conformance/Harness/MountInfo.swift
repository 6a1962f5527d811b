import Testing

/// A line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
struct MountInfo {
    let point: String
    let root: String
    /// The mount's own options.
    let options: Set<String>
    /// `shared:N`, `master:N`, `unbindable`.
    let propagation: [String]
    let type: String
    let source: String
    /// The file system's options.
    let superOptions: Set<String>

    init?(line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard let dash = fields.firstIndex(of: "-"), dash + 3 < fields.count else { return nil }
        point = fields[4]
        root = fields[3]
        options = Set(fields[5].split(separator: ",").map(String.init))
        propagation = Array(fields[6..<dash])
        type = fields[dash + 1]
        source = fields[dash + 2]
        superOptions = Set(fields[dash + 3].split(separator: ",").map(String.init))
    }

    static func all(_ text: String) -> [MountInfo] {
        text.split(separator: "\n").compactMap { MountInfo(line: $0) }
    }
}

extension Container {
    /// Runs the container as it is configured and reads its mount table from inside; `script`
    /// runs first.
    func mountTable(_ script: String = ":") throws -> [MountInfo] {
        config.shell("\(script)\ncat /proc/self/mountinfo")
        let outcome = try run()
        if !outcome.succeeded { throw HarnessError("\(outcome)") }
        return MountInfo.all(outcome.stdout)
    }

    /// The topmost mount at `point`, seen from inside.
    func mount(at point: String) throws -> MountInfo {
        let table = try mountTable()
        guard let found = table.last(where: { $0.point == point }) else {
            throw HarnessError("nothing is mounted at \(point): \(table.map(\.point))")
        }
        return found
    }

    /// Foreground `run` in a mount namespace of its own that `script` has prepared; `$DIR` is
    /// this test's directory.
    func run(inPrivateMounts script: String) throws -> Outcome {
        try writeConfig()
        var options = LaunchOptions()
        options.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DIR": directory]
        return launch(
            [
                "unshare", "--mount", "--propagation", "private", "sh", "-ec",
                script + "\nexec \"$@\"", "sh",
            ] + sandbox + [Runtime.binary, "--root", root, "run", "-b", bundle, id], options)
    }
}
