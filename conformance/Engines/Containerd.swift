import Foundation
import Testing

/// A containerd with its CRI plugin. `ctr` names the runtime by `--runc-binary`, CRI by the options
/// of containerd's shim (`BinaryName`).
final class Containerd: Engine {
    let place: EnginePlace
    let runtime: String
    private let socket: String
    private let daemon: Daemon
    /// Names the container's cgroups as well: without systemd they are below `/NAMESPACE`.
    let namespace: String

    static let image = "localhost/box:latest"
    static let cri = "io.containerd.grpc.v1.cri"

    init(runtime: String, place: EnginePlace) throws {
        self.place = place
        self.runtime = runtime
        socket = place.directory + "/containerd.sock"
        namespace = String(place.cgroup.dropFirst())
        let config = place.directory + "/config.toml"
        try writeText(Self.config(runtime: runtime, place), to: config)
        try writeText(Self.network(place), to: place.directory + "/cni.conflist")
        // With --uidmap ctr forgets all options of the runtime, and the shim looks for `runc`.
        let path = place.directory + "/tmp"
        symlink(runtime, path + "/runc")
        daemon = try place.start(
            "containerd", ["containerd", "--config", config],
            environment: [
                "PATH": path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
            ])
        try daemon.ready { self.ctr("version").succeeded }
        let archive = try place.makeArchive(Self.image)
        for namespace in [namespace, "k8s.io"] {
            try ctr(["images", "import", archive], namespace: namespace).mustSucceed()
        }
    }

    func end() { place.end() }

    private static func config(runtime: String, _ place: EnginePlace) -> String {
        let directory = place.directory
        return """
            version = 2
            root = "\(directory)/root"
            state = "\(directory)/state"
            disabled_plugins = ["io.containerd.internal.v1.opt"]
            [grpc]
            address = "\(directory)/containerd.sock"
            [ttrpc]
            address = "\(directory)/containerd.sock.ttrpc"
            [plugins."\(cri)"]
            sandbox_image = "\(image)"
            restrict_oom_score_adj = true
            stream_server_address = "127.0.0.1"
            stream_server_port = "0"
            [plugins."\(cri)".cni]
            bin_dir = "/usr/lib/cni"
            conf_dir = "\(directory)"
            [plugins."\(cri)".containerd]
            default_runtime_name = "runc"
            [plugins."\(cri)".containerd.runtimes.runc]
            runtime_type = "io.containerd.runc.v2"
            [plugins."\(cri)".containerd.runtimes.tested]
            runtime_type = "io.containerd.runc.v2"
            [plugins."\(cri)".containerd.runtimes.tested.options]
            BinaryName = "\(runtime)"
            SystemdCgroup = \(Host.hasSystemd)
            """
    }

    /// A bridge in the place's network namespace, for pods that do not use the host's network.
    private static func network(_ place: EnginePlace) -> String {
        """
        {"cniVersion": "0.4.0", "name": "pods", "plugins": [{
            "type": "bridge", "bridge": "pods0", "isGateway": true,
            "ipam": {
                "type": "host-local", "subnet": "10.88.0.0/16",
                "dataDir": "\(place.directory)/addresses"
            }
        }]}
        """
    }

    @discardableResult
    func ctr(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) -> Outcome {
        ctr(arguments, sourceLocation: sourceLocation)
    }

    @discardableResult
    func ctr(
        _ arguments: [String], namespace: String? = nil, options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        place.run(
            command(namespace: namespace) + arguments, options, sourceLocation: sourceLocation)
    }

    /// The command line up to ctr's command.
    func command(namespace: String? = nil) -> [String] {
        ["ctr", "--address", socket, "--namespace", namespace ?? self.namespace]
    }

    /// The command line of `ctr run` up to the flags for the container that is to have this id.
    func runCommand(_ id: String) -> [String] {
        let systemd = ["--runc-systemd-cgroup", "--cgroup", "\(place.cgroupParent):ctr:\(id)"]
        return ["run", "--runc-binary", runtime] + (Host.hasSystemd ? systemd : [])
    }

    /// `ctr run` with the runtime, to the program's end.
    @discardableResult
    func run(
        _ flags: [String] = [], _ program: String..., options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        let id = Workspace.nextName()
        return ctr(
            runCommand(id) + ["--rm"] + flags + [Self.image, id] + program, options: options,
            sourceLocation: sourceLocation)
    }

    /// What a shell script prints, in a container with the flags.
    func sh(_ script: String, _ flags: [String] = []) throws -> String {
        try run(flags, "sh", "-c", script).mustSucceed().trimmed
    }

    /// Gives `body` the id of a running container, and removes it.
    func running(
        _ flags: [String] = [], _ program: [String] = ["sleep", "600"],
        _ body: (String) throws -> Void
    ) throws {
        let id = Workspace.nextName()
        let run = runCommand(id) + ["--detach"] + flags + [Self.image, id]
        try ctr(run + program).mustSucceed()
        defer {
            ctr("task", "kill", "--signal", "KILL", id)
            _ = eventually { self.status(of: id) != "RUNNING" }
            ctr("task", "rm", id)
            ctr("container", "rm", id)
        }
        try body(id)
    }

    func status(of id: String) -> String {
        let line = ctr("task", "ls").lines.first { $0.hasPrefix(id) }
        return line?.split(separator: " ").last.map(String.init) ?? "none"
    }

    func cgroup(of id: String) -> String { place.cgroup(of: id, scope: "ctr") }

    func cgroupFile(_ id: String, _ file: ControlFile) -> String { file.read(in: cgroup(of: id)) }

    /// The processes in its cgroup.
    func processes(_ id: String) throws -> [pid_t] {
        let pids = cgroupFile(id, .processes).split(separator: "\n").compactMap { pid_t($0) }
        try verify(!pids.isEmpty, "there is no process in \(cgroup(of: id))")
        return pids
    }

    /// The kubelet's side of CRI.
    func runtimeService(_ method: String, _ request: Proto = [:]) throws -> ProtoFields {
        try GRPCClient(place: place, socket: socket, service: "runtime.v1.RuntimeService")
            .call(method, request)
    }
}

extension Trait where Self == EngineTrait<Containerd> {
    static var containerd: Self { EngineTrait() }
}

extension EnginePlace {
    /// A docker-archive of the image (`docker save`), which is all that `images import` needs.
    func makeArchive(_ name: String) throws -> String {
        let directory = directory + "/archive"
        mkdir(directory, 0o755)
        try launch(["mv", makeImage(), directory + "/layer.tar"]).mustSucceed()
        let digest = try launch(["sha256sum", directory + "/layer.tar"]).mustSucceed()
            .stdout.prefix(64)
        let architecture = try launch(["dpkg", "--print-architecture"]).mustSucceed().trimmed
        let config: JSON = [
            "architecture": .string(architecture), "os": "linux",
            "config": ["Env": ["PATH=/bin:/usr/bin"], "Cmd": ["sleep", "600"]],
            "rootfs": ["type": "layers", "diff_ids": ["sha256:\(String(digest))"]],
        ]
        let manifest: JSON = [
            ["Config": "config.json", "RepoTags": [.string(name)], "Layers": ["layer.tar"]]
        ]
        try writeText(config.text, to: directory + "/config.json")
        try writeText(manifest.text, to: directory + "/manifest.json")
        let archive = self.directory + "/archive.tar"
        try launch([
            "tar", "-C", directory, "-cf", archive, "manifest.json", "config.json", "layer.tar",
        ]).mustSucceed()
        Workspace.remove(directory)
        return archive
    }
}

extension EnginePlace {
    /// What a command prints at a terminal of 31 rows and 91 columns.
    func runAtTerminal(_ arguments: [String]) throws -> String {
        let (terminal, slave) = try Terminal.make(rows: 31, columns: 91)
        var text = ""
        var options = LaunchOptions()
        options.terminal = slave
        options.whileRunning = { _ in text = terminal.readToEnd() }
        let outcome = run(arguments, options)
        try verify(outcome.succeeded, "\(outcome), at the terminal: \(text)")
        return text
    }
}

extension Terminal {
    /// For `sh -c`: prints the terminal's name, and its size once the engine has set it.
    static let script = "tty; until stty size 2> /dev/null | grep '31 91'; do sleep 0.05; done"
}
