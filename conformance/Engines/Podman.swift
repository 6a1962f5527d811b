import Foundation
import Testing

/// Podman with its own storage; it has no daemon.
class Podman: Engine {
    let place: EnginePlace
    let runtime: String

    static let image = "localhost/box"

    required init(runtime: String, place: EnginePlace) throws {
        self.place = place
        self.runtime = runtime
        try writeText(Self.config, to: place.directory + "/containers.conf")
        mkdir(storage, 0o755)
        try prepare()
        let image = try place.makeImage()
        try podman("import", "--change", "ENV PATH=/bin:/usr/bin", image, Self.image).mustSucceed()
    }

    func end() { place.end() }

    /// What a host may not have: limits above the caller's (CAP_SYS_RESOURCE), systemd, a journal.
    /// Buildah 1.39 knows no empty list of limits, and Podman 4.3 sets none other for a pod.
    private static let config = """
        [containers]
        default_ulimits = [\(Debian.version < 13 ? "" : #""nofile=1024:4096", "nproc=1024:4096""#)]
        log_driver = "k8s-file"
        [engine]
        cgroup_manager = "\(EnginePlace.cgroupDriver)"
        events_logger = "file"
        [network]
        network_backend = "\(Debian.hasCNI ? "cni" : "netavark")"
        """

    var storage: String { place.directory + "/storage" }

    /// Before the first command.
    func prepare() throws {}

    /// The command line up to Podman's command.
    func prefix(_ program: String = "podman") -> [String] {
        let storage = ["--root", storage + "/root", "--runroot", storage + "/run"]
        return [
            "env", "CONTAINERS_CONF=\(place.directory)/containers.conf",
            "TMPDIR=\(place.directory)/tmp", program,
        ] + storage
    }

    /// Where `run`, `create` and `pod create` put the container.
    var placement: [String] { ["--cgroup-parent", place.cgroupParent] }

    @discardableResult
    func podman(
        _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        podman(arguments, sourceLocation: sourceLocation)
    }

    @discardableResult
    func podman(
        _ arguments: [String], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        place.run(
            prefix() + ["--runtime", runtime] + arguments, options, sourceLocation: sourceLocation)
    }

    /// `podman run --rm` to the program's end, without a network unless the flags say which.
    @discardableResult
    func run(
        _ flags: [String] = [], _ program: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        podman(
            ["run", "--rm"] + network(flags) + placement + flags + [Self.image] + program,
            sourceLocation: sourceLocation)
    }

    /// What a shell script prints, in a container with the flags.
    func sh(_ script: String, _ flags: [String] = []) throws -> String {
        try run(flags, "sh", "-c", script).mustSucceed().trimmed
    }

    /// Gives `body` the name of a running container, and removes it.
    func running(
        _ flags: [String] = [], _ program: [String] = ["sleep", "600"],
        _ body: (String) throws -> Void
    ) throws {
        let name = Workspace.nextName()
        let run = ["run", "--detach", "--name", name] + network(flags) + placement + flags
        defer { podman("rm", "--force", "--time", "0", name) }
        try podman(run + [Self.image] + program).mustSucceed()
        try body(name)
    }

    private func network(_ flags: [String]) -> [String] {
        let isGiven = flags.contains { $0 == "--pod" || $0.hasPrefix("--network") }
        return isGiven ? [] : ["--network", "none"]
    }

    func inspect(_ name: String, _ format: String) -> String {
        podman("inspect", "--format", format, name).trimmed
    }

    /// Gives `body` the name of a pod without a network, and removes it.
    func withPod(_ flags: [String], _ body: (String) throws -> Void) throws {
        let name = Workspace.nextName()
        let create = [
            "pod", "create", "--name", name, "--network", "none", "--hostname", "pod-host",
        ]
        defer { podman("pod", "rm", "--force", "--time", "0", name) }
        try podman(create + placement + flags).mustSucceed()
        try body(name)
    }

    /// What a shell script prints in a running container.
    @discardableResult
    func execSh(_ name: String, _ script: String, _ flags: [String] = []) throws -> String {
        try podman(["exec"] + flags + [name, "sh", "-c", script]).mustSucceed().trimmed
    }

    /// The container's cgroup.
    func cgroup(id: String) -> String {
        Host.hasSystemd
            ? place.cgroup(of: id, scope: "libpod") : "\(place.cgroup)/libpod-\(id)"
    }

    func cgroupFile(_ name: String, _ file: ControlFile) -> String {
        file.read(in: cgroup(id: inspect(name, "{{.Id}}")))
    }
}

/// Podman as an ordinary user runs it, whose accounts and subordinate ids are in the place's `/etc`.
/// With systemd it is the user that has one.
final class RootlessPodman: Podman {
    private static let user = "engines"
    static let uid = Host.usersSystemd?.uid ?? 4711

    private var home: String { place.directory + "/home" }

    override var storage: String { home + "/storage" }
    /// An ordinary user has no cgroup to put containers in.
    override var placement: [String] { [] }

    override func prepare() throws {
        let script = """
            umask 022
            sed -i /:x:\(Self.uid):/d /etc/passwd /etc/group
            echo "\(Self.user):x:\(Self.uid):\(Self.uid)::$0:/bin/sh" >> /etc/passwd
            echo "\(Self.user):x:\(Self.uid):" >> /etc/group
            echo "\(Self.user):700000:65536" | tee /etc/subuid > /etc/subgid
            mkdir -p "$0/run"
            chmod 700 "$0" "$0/run"
            # For everybody, as udev has them.
            for device in fuse net/tun; do
                node="$0/${device##*/}"
                mknod -m 666 "$node" c $((0x$(stat -c %t /dev/$device))) $((0x$(stat -c %T /dev/$device)))
                mount --bind "$node" /dev/$device
            done
            chown -R \(Self.uid):\(Self.uid) "$0"
            # Podman copies mounts of its own out of its namespace.
            mount --make-rshared /
            """
        try place.run(["sh", "-ec", script, home]).mustSucceed()
        chmod(place.directory + "/tmp", 0o1777)
    }

    private var runtimeDirectory: String { Host.usersSystemd?.directory ?? home + "/run" }

    override func cgroup(id: String) -> String {
        let user = Self.uid
        return "/user.slice/user-\(user).slice/user@\(user).service/user.slice/libpod-\(id).scope"
    }

    override func end() {
        // The process that keeps the user namespace would outlive everything else.
        if let pid = pid_t(readText(runtimeDirectory + "/libpod/tmp/pause.pid")) {
            kill(pid, SIGKILL)
        }
        super.end()
    }

    override func prefix(_ program: String = "podman") -> [String] {
        [
            "setpriv", "--reuid", "\(Self.uid)", "--regid", "\(Self.uid)", "--clear-groups",
            "env", "--chdir", home, "HOME=\(home)", "USER=\(Self.user)",
            "XDG_RUNTIME_DIR=\(runtimeDirectory)",
        ] + super.prefix(program)
    }
}

extension Trait where Self == EngineTrait<Podman> {
    static var podman: Self { EngineTrait() }
}

extension Trait where Self == EngineTrait<RootlessPodman> {
    static var rootlessPodman: Self { EngineTrait() }
}
