import Arguments
import OCIRuntime
import Spec
import Sys

/// `exec`: execute another program in a running container.
struct ExecCommand: Verb, Equatable {
    static let name = CommandName.exec
    /// As runc's, so that it is told from a failure of the program.
    static let failureStatus: Int32 = 255

    let id: String
    let process: Source
    var consoleSocket: String?
    var pidfdSocket: String?
    var pidFile: String?
    var detach = false
    /// `-t`; nil when not given. A process file has a setting of its own.
    var terminal: Bool?
    var preserveFds: Int32 = 0
    var cgroups: [SubCgroup] = []
    var ignorePaused = false
    /// Warnings about what changes nothing.
    var ignored: [String] = []

    /// What to execute.
    enum Source: Equatable {
        /// The `process` of the specification in a file.
        case file(String)
        /// The `process` of the container's configuration with changes.
        case changes(ProcessChanges)
    }

    var preservedDescriptors: Int32? { preserveFds }

    /// The process to execute, with what the flags say about it.
    private func process(_ session: inout Session) throws(Failure) -> Process {
        var process: Process
        switch self.process {
        case .file(let path):
            process = try readProcess(path)
        case .changes(let changes):
            let id = self.id
            let base = try session.perform { (runtime) throws(RuntimeError) in
                try runtime.process(of: id)
            }
            process = changes.applied(to: base ?? Process())
        }
        if let terminal { process.terminal = terminal }
        return process
    }

    private func readProcess(_ path: String) throws(Failure) -> Process {
        let bytes: [UInt8]
        do throws(SysError) {
            bytes = try readFile(path == "-" ? "/proc/self/fd/0" : path, limit: 16 << 20)
        } catch {
            throw Failure("--process: \(RuntimeError(error.explaining(path)))")
        }
        do throws(ConfigError) {
            return try Process(parsing: bytes)
        } catch {
            let place = error.place.isEmpty ? path : "\(error.place) in \(path)"
            throw Failure(
                "\(ConfigError(place: place, message: error.message, hint: error.hint))")
        }
    }

    private var origin: ProcessOrigin {
        switch process {
        case .file(let path): .file(path)
        case .changes(let changes):
            .commandLine(
                changes.places + (terminal == nil ? [] : [("/process/terminal", "--tty")]))
        }
    }

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        try session.protect()
        let process = try process(&session)
        var options = ExecOptions(id: id, process: process)
        options.consoleSocket = consoleSocket
        options.pidfdSocket = pidfdSocket
        options.pidFile = pidFile
        options.detach = detach
        options.preservedFds = session.inherited.listening + session.inherited.preserved
        options.subCgroups = cgroups.map { (controllers: $0.controllers, path: $0.path) }
        options.ignorePaused = ignorePaused
        options.origin = origin
        let wanted = options
        let result = try session.perform { (runtime) throws(RuntimeError) in
            try runtime.exec(wanted)
        }
        session.warn(ignored + result.warnings)
        return result.status
    }
}

extension ExecCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        self.init(
            id: parsed.positionals[0], process: try Self.source(parsed),
            consoleSocket: parsed.text(SharedFlags.consoleSocket),
            pidfdSocket: parsed.text(SharedFlags.pidfdSocket),
            pidFile: parsed.text(SharedFlags.pidFile), detach: parsed.isOn(SharedFlags.detach),
            terminal: parsed.boolean(Self.tty),
            preserveFds: parsed.number(SharedFlags.preserveFds) ?? 0,
            cgroups: try SubCgroup.list(parsed.texts(Self.cgroup)),
            ignorePaused: parsed.isOn(Self.ignorePausedFlag), ignored: Self.ignored(parsed))
    }

    private static func source(_ parsed: Parsed) throws(UsageError) -> Source {
        let arguments = Array(parsed.positionals.dropFirst())
        guard let file = parsed.text(processFile) else {
            if arguments.isEmpty {
                throw UsageError("exec args cannot be empty: COMMAND or --process is missing")
            }
            return .changes(try ProcessChanges(parsed, arguments: arguments))
        }
        return .file(file)
    }

    /// The file alone counts, as with runc.
    private static func ignored(_ parsed: Parsed) -> [String] {
        guard parsed.text(processFile) != nil else { return [] }
        let given = ProcessChanges.flags.filter { parsed.lastGiven($0) != nil }.map {
            "--" + $0.name
        }
        let arguments = parsed.positionals.dropFirst().map { "\"\($0)\"" }
        return (given + arguments).map { "\($0) is ignored beside --process" }
    }
}

extension ExecCommand {
    private static let processFile = Flag(
        "process", "p", .path("FILE"),
        help: """
            execute what this file says, which holds the process object of a configuration; - \
            reads standard input
            """)
    private static let tty = Flag("tty", "t", help: "give the program a terminal")
    private static let cgroup = Flag(
        "cgroup", "", .text("[CONTROLLER[,...]:]PATH"), repeats: true,
        help: "run below the container's cgroup, in one that exists")
    private static let ignorePausedFlag = Flag(
        "ignore-paused", help: "go ahead although the container is paused")

    static let command = Command(
        name.rawValue, summary: "execute a program in a running container",
        description: """
            The program gets the settings of the container's own, changed by the flags. All after ID
            belongs to the program.
            """,
        positionals: [
            SharedFlags.id,
            Positional("COMMAND", .optional, help: "the program, unless --process is given"),
            Positional("ARG", .any, help: "its arguments"),
        ],
        flags: ProcessChanges.flags + [
            tty, processFile, SharedFlags.detach, SharedFlags.pidFile, SharedFlags.consoleSocket,
            SharedFlags.pidfdSocket, SharedFlags.preserveFds, cgroup, ignorePausedFlag,
        ],
        order: .beforePositionals,
        exitStatus: """
            That of the program, or 128 and the number of the signal that killed it; 255 when it
            could not be executed; with --detach 0 for success.
            """)
}
