import Foundation
import Testing

/// A dockerd, with the containerd that it starts itself, whose default runtime is the one asked for.
class DockerEngine: Engine {
    let place: EnginePlace
    let runtime: String
    private(set) var daemon: Daemon
    private let start: () throws -> Daemon

    required init(runtime: String, place: EnginePlace) throws {
        self.place = place
        self.runtime = runtime
        let environment = try BuildKit.environment(runtime: runtime, place: place)
        let arguments = Self.arguments(runtime: runtime, place: place) + Self.options
        start = { try place.start("dockerd", arguments, environment: environment) }
        daemon = try start()
        try awaitDaemon()
        try docker("import", try place.makeImage(), "box").mustSucceed()
    }

    private static func arguments(runtime: String, place: EnginePlace) -> [String] {
        let directory = place.directory
        return [
            "/usr/sbin/dockerd", "--host", "unix://\(directory)/docker.sock",
            "--data-root", directory + "/data", "--exec-root", directory + "/exec",
            "--pidfile", directory + "/docker.pid", "--cgroup-parent", place.cgroupParent,
            "--exec-opt", "native.cgroupdriver=" + EnginePlace.cgroupDriver,
            "--add-runtime", "tested=" + runtime, "--default-runtime", "tested",
        ]
    }

    private func awaitDaemon() throws {
        try daemon.ready { self.docker("version").succeeded }
    }

    /// Ends the daemon, lets `body` look, and starts it again.
    func withoutDaemon(_ body: () throws -> Void) throws {
        daemon.end()
        defer {
            do {
                daemon = try start()
                try awaitDaemon()
            } catch { Issue.record(error) }
        }
        try body()
    }

    /// What a daemon of another kind is started with besides.
    class var options: [String] { [] }

    func end() { place.end() }

    /// The client by its path: another one may be first on the PATH.
    @discardableResult
    func docker(
        _ arguments: [String], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        place.run(client + arguments, options, sourceLocation: sourceLocation)
    }

    @discardableResult
    func docker(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation)
        -> Outcome
    {
        docker(arguments, sourceLocation: sourceLocation)
    }

    var client: [String] {
        ["/usr/bin/docker", "--host", "unix://\(place.directory)/docker.sock"]
    }

    /// What a script prints in a container of its own, in the foreground.
    func run(_ flags: String..., script: String) throws -> String {
        try docker(["run", "--rm"] + flags + ["box", "sh", "-c", script]).mustSucceed().trimmed
    }

    /// A container that runs a script in the background, by its name, until `body` is over.
    func withContainer(
        _ flags: String..., script: String = "exec sleep 600", _ body: (String) throws -> Void
    ) throws {
        let name = Workspace.nextName()
        defer { docker("rm", "--force", "--volumes", name) }
        try docker(
            ["run", "--detach", "--name", name] + flags + ["box", "sh", "-c", script]
        ).mustSucceed()
        try body(name)
    }

    /// What a script prints that is executed in a running container.
    func exec(_ name: String, _ script: String) throws -> String {
        try docker("exec", name, "sh", "-c", script).mustSucceed().trimmed
    }

    /// A part of `docker inspect`, as a Go template.
    func inspect(_ name: String, _ format: String) throws -> String {
        try docker("inspect", "--format", format, name).mustSucceed().trimmed
    }

    func pid(_ name: String) throws -> pid_t {
        let pid = pid_t(try inspect(name, "{{.State.Pid}}")) ?? 0
        try verify(pid > 0, "\(name) has no process")
        return pid
    }

    /// Waits until the container's shell has executed its last command.
    func executes(_ name: String, _ commandLine: String) throws {
        let pid = try pid(name)
        let isThere = eventually { readText("/proc/\(pid)/cmdline") == commandLine }
        try verify(isThere, "\(name) executes \(readText("/proc/\(pid)/cmdline"))")
    }

    func waitsFor(_ name: String, status: String) throws {
        let reached = eventually {
            (try? self.inspect(name, "{{.State.Status}}")) == status
        }
        try verify(reached, "\(name) does not become \(status): \(docker("inspect", name))")
    }

    /// Waits until the container has printed `text`.
    func waitsFor(_ name: String, toPrint text: String) throws {
        let printed = eventually {
            self.docker("logs", name).stdout.contains(text)
        }
        try verify(printed, "\(name) does not print \(text): \(docker("logs", name))")
    }

    func cgroup(_ name: String) throws -> String {
        place.cgroup(of: try inspect(name, "{{.Id}}"), scope: "docker")
    }

    /// Makes sure of what a file of the container's cgroup reads.
    /// - Parameter v2: on cgroup v2, where that is not the same.
    func mustRead(_ name: String, _ file: ControlFile, _ expected: String, v2: String? = nil)
        throws
    {
        let expected = Host.isUnified ? v2 ?? expected : expected
        let found = file.read(in: try cgroup(name))
        let path = Host.isUnified ? file.v2 : file.v1.file
        try verify(found == expected, "\(path) is \(found), not \(expected)")
    }

    /// What is answered over HTTP to somebody on the daemon's host.
    func http(_ url: String) throws -> String {
        try place.run(["curl", "--silent", "--show-error", "--max-time", "30", url]).mustSucceed()
            .trimmed
    }

    /// A session at a terminal: `body` types and reads; gives back what the client ended with.
    func atTerminal(_ arguments: [String], _ body: @escaping (Terminal) throws -> Void) throws
        -> Outcome
    {
        let (terminal, slave) = try Terminal.make(rows: 33, columns: 101)
        var options = LaunchOptions()
        options.terminal = slave
        var failure: (any Error)?
        options.whileRunning = { pid in
            do { try body(terminal) } catch {
                failure = error
                kill(pid, SIGKILL)
            }
        }
        let outcome = docker(arguments, options)
        if let failure { throw failure }
        return outcome
    }
}

extension Terminal {
    /// Types a command and waits for its answer.
    func types(_ line: String, expecting answer: String) throws {
        type(line + "\n")
        try verify(
            prints(answer), "no \(answer) after \(line), but \(text.debugDescription)")
    }

    /// Resizes it until a shell inside has the size: a client that has just begun may miss it once.
    func resizesInside(rows: UInt16, columns: UInt16) throws {
        let size = "\(rows) \(columns)"
        type("until stty size | grep '\(size)'; do sleep 0.1; done\n")
        let follows = eventually {
            resize(rows: rows, columns: columns + 1)
            resize(rows: rows, columns: columns)
            return prints(size + "\r\n", within: 0.5)
        }
        try verify(follows, "it does not become \(size): \(text.debugDescription)")
    }
}

extension Trait where Self == EngineTrait<DockerEngine> {
    static var dockerEngine: Self { EngineTrait() }
}

extension Engines {
    @Suite(.dockerEngine)
    struct Docker {}
}
