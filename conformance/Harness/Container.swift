import Foundation
import Testing

/// One container of a test: its bundle, its own `--root`, and the runtime's commands on it.
final class Container {
    let id: String
    /// Everything of this test lies below; removed at its end.
    let directory: String
    let bundle: String
    let rootfs: String
    /// The runtime's `--root`.
    let root: String
    let cgroupsPath: String
    var config: JSON
    /// Global flags between the runtime's name and the command.
    var globals: [String]
    /// The executable driven; a clause that attacks it works on a copy.
    var binary = Runtime.binary
    /// What the runtime's commands run in; see `Sandbox`.
    var sandbox: [String] = []
    private(set) var logs = 0

    init() throws {
        id = Workspace.nextName()
        let number = id.split(separator: "-").last.map(String.init) ?? id
        directory = "\(Workspace.path)/\(number)"
        bundle = directory + "/b"
        rootfs = bundle + "/rootfs"
        root = directory + "/r"
        cgroupsPath = "/" + id
        config = defaultConfig(cgroupsPath: cgroupsPath)
        globals = ["--root", root]
        mkdir(directory, 0o755)
        mkdir(bundle, 0o755)
        try Workspace.makeRootfs(at: rootfs)
    }

    /// Writes the config as it is now into the bundle.
    func writeConfig() throws { try writeText(config.text, to: bundle + "/config.json") }

    /// Any command of the runtime, with this container's `--root`.
    @discardableResult
    func runtime(
        _ arguments: [String], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        launch(sandbox + [binary] + globals + arguments, options, sourceLocation: sourceLocation)
    }

    @discardableResult
    func runtime(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation)
        -> Outcome
    {
        runtime(arguments, sourceLocation: sourceLocation)
    }

    /// `create` with the config as it is now. The container's own output lands in `output`.
    @discardableResult
    func create(
        _ flags: [String] = [], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try writeConfig()
        return runtime(
            ["create", "--bundle", bundle] + flags + [id], intoFiles(options),
            sourceLocation: sourceLocation)
    }

    @discardableResult
    func start(sourceLocation: SourceLocation = #_sourceLocation) -> Outcome {
        runtime(["start", id], sourceLocation: sourceLocation)
    }

    /// Foreground `run` with the config as it is now.
    @discardableResult
    func run(
        _ flags: [String] = [], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try writeConfig()
        return runtime(
            ["run", "--bundle", bundle] + flags + [id], options, sourceLocation: sourceLocation)
    }

    /// `run --detach`; the container's own output lands in `output`.
    @discardableResult
    func runDetached(
        _ flags: [String] = [], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try run(["--detach"] + flags, intoFiles(options), sourceLocation: sourceLocation)
    }

    /// Foreground `run` of a shell script; expects it to succeed and gives back what it printed.
    func sh(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        config.shell(script)
        let outcome = try run(sourceLocation: sourceLocation)
        #expect(outcome.succeeded, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.trimmed
    }

    /// `exec` of a program in the running container.
    @discardableResult
    func exec(
        _ flags: [String] = [], _ arguments: String..., options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        runtime(["exec"] + flags + [id] + arguments, options, sourceLocation: sourceLocation)
    }

    /// `exec` of a shell script; expects it to succeed and gives back what it printed.
    func execSh(_ script: String, sourceLocation: SourceLocation = #_sourceLocation) -> String {
        let outcome = exec([], "sh", "-c", script, sourceLocation: sourceLocation)
        #expect(outcome.succeeded, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.trimmed
    }

    func state(sourceLocation: SourceLocation = #_sourceLocation) -> JSON {
        let outcome = runtime(["state", id], sourceLocation: sourceLocation)
        return (try? JSON(parsing: outcome.stdout)) ?? .null
    }

    var status: String { state().status.string ?? "none" }
    var pid: pid_t { pid_t(state().pid.int ?? 0) }

    @discardableResult
    func kill(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) -> Outcome
    {
        runtime(["kill", id] + arguments, sourceLocation: sourceLocation)
    }

    @discardableResult
    func delete(_ flags: String..., sourceLocation: SourceLocation = #_sourceLocation) -> Outcome {
        runtime(["delete"] + flags + [id], sourceLocation: sourceLocation)
    }

    func becomes(_ status: String) -> Bool { eventually { self.status == status } }

    /// What a created or detached container has printed on stdout so far.
    var output: String {
        readText(directory + "/out").trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Waits until the container has printed `text`.
    func prints(_ text: String) -> Bool { eventually { self.output.contains(text) } }

    /// A pipe would end with the container, not with the command: files can be read at any time.
    func intoFiles(_ options: LaunchOptions) -> LaunchOptions {
        var options = options
        if case .pipe = options.stdout { options.stdout = .file(directory + "/out") }
        if case .pipe = options.stderr {
            logs += 1
            options.stderr = .file(directory + "/err\(logs)")
        }
        return options
    }

    /// Deletes the container, checks that nothing is left, and removes what is.
    fileprivate func end(_ leaks: LeakCheck, _ sourceLocation: SourceLocation) {
        if exists(root + "/" + id) {
            let outcome = runtime(["delete", "--force", id])
            if leaks == .checked {
                #expect(
                    outcome.succeeded, "the last delete --force: \(outcome)",
                    sourceLocation: sourceLocation)
            }
        }
        if leaks == .checked { expectNothingLeft(sourceLocation: sourceLocation) }
        Leaks.removeCgroups(cgroupsPath)
        Workspace.remove(directory)
    }

    /// No process, no cgroup, no mount and no state of this container is left.
    func expectNothingLeft(sourceLocation: SourceLocation = #_sourceLocation) {
        let gone = eventually {
            Leaks.cgroups(cgroupsPath).isEmpty
                && Leaks.processes(mentioning: id).isEmpty
        }
        if !gone {
            Issue.record(
                """
                left behind: processes \(Leaks.processes(mentioning: id)), \
                cgroups \(Leaks.cgroups(cgroupsPath))
                """, sourceLocation: sourceLocation)
        }
        let mounts = Leaks.mounts(below: directory)
        #expect(mounts.isEmpty, "mounts left behind", sourceLocation: sourceLocation)
        #expect(
            !exists(root + "/" + id), "state left behind", sourceLocation: sourceLocation)
    }
}

enum LeakCheck { case checked, unchecked }

/// Gives `body` a container whose bundle is ready, and afterwards, whatever happened, removes it
/// and checks that nothing of it is left.
func withContainer(
    leaks: LeakCheck = .checked, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Container) throws -> Void
) throws {
    let container = try Container()
    defer { container.end(leaks, sourceLocation) }
    try body(container)
}

/// A running container whose program sleeps, ready for `exec`.
func withRunningContainer(
    leaks: LeakCheck = .checked, sourceLocation: SourceLocation = #_sourceLocation,
    edit: (inout JSON) -> Void = { _ in }, _ body: (Container) throws -> Void
) throws {
    try withContainer(leaks: leaks, sourceLocation: sourceLocation) { container in
        container.config.program("sleep", "600")
        edit(&container.config)
        let outcome = try container.runDetached(sourceLocation: sourceLocation)
        try #require(outcome.succeeded, "\(outcome)", sourceLocation: sourceLocation)
        try body(container)
    }
}
