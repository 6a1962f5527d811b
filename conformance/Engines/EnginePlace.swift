import Foundation
import Testing

/// Where an engine lives: a directory, and mount and network namespaces in which it finds its own
/// `/run` (where systemd is the init, with its sockets), and copies of `/etc` and `/var/lib` that it
/// may write to. An engine of another ``Debian`` finds a copy of all of that Debian's files. Bridges,
/// firewall rules, sysctls of the network and mounts end with them; the host sees nothing of it but,
/// with systemd, units.
final class EnginePlace {
    let directory: String
    /// The parent cgroup of the containers, with systemd a slice: what is left there is found and
    /// removed.
    let cgroup: String
    private var daemons: [Daemon] = []
    /// Sleeps as long as the place is used, to hold the namespaces.
    private var holder: Daemon?

    init() throws {
        let name = Workspace.nextName()
        directory = "\(Workspace.path)/e" + (name.split(separator: "-").last ?? "")
        // A dash would put the slice into another.
        cgroup = "/" + (Host.hasSystemd ? name.replacing("-", with: "_") + ".slice" : name)
        mkdir(directory, 0o755)
        let layers = ["etc", "lib", "top"].flatMap { [$0, $0 + "-work"] }
        for sub in layers + ["root", "log", "run", "tmp"] {
            mkdir("\(directory)/\(sub)", 0o755)
        }
        let holder = try Daemon(
            "holder", in: self,
            ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-ec"]
                + [Self.script, directory, Debian.root ?? ""] + Self.shared)
        self.holder = holder
        try holder.ready() { exists(self.directory + "/ready") }
    }

    /// Makes the place: `$0` is its directory, `$1` the root file system of another Debian or empty.
    /// In the end `/` is shared, as systemd makes it.
    private static let script = """
        mount -t tmpfs -o mode=755 run "$0/run"
        for of in systemd dbus user; do
            [ -e /run/systemd/private ] && [ -d /run/$of ] || continue
            mkdir "$0/run/$of"
            mount --rbind /run/$of "$0/run/$of"
        done
        mount --no-mtab --move "$0/run" /run
        copy() { mount -t overlay -o "lowerdir=$1,upperdir=$0/$2,workdir=$0/$2-work" own "$3"; }
        if [ -z "$1" ]; then
            copy /etc etc /etc
            copy /var/lib lib /var/lib
        else
            copy "$1" top "$0/root"
            shift
            for of in /dev /proc /sys /run; do mount --rbind $of "$0/root$of"; done
            for of; do
                mkdir -p "$0/root$of"
                mount --bind "$of" "$0/root$of"
            done
            cd "$0/root"
            pivot_root . .
            umount --lazy .
            cd /
        fi
        mount --make-rshared /
        ip link set lo up
        touch "$0/ready"
        exec sleep infinity
        """

    /// Of this machine's files what another Debian's engines need: their places, and the runtime.
    private static let shared: [String] = {
        let runtime = URL(fileURLWithPath: EngineRuntime.tested).deletingLastPathComponent().path
        return [Workspace.path] + (EngineRuntime.tested == EngineRuntime.control ? [] : [runtime])
    }()

    /// The command line that runs a command in the place's namespaces.
    func inside(_ arguments: [String]) -> [String] {
        guard let holder else { return arguments }
        // A directory of the caller's may not be in another Debian.
        let clean = ["env", "-u", "TMPDIR"]
        return ["nsenter", "--target", "\(holder.pid)", "--mount", "--net", "--"] + clean
            + arguments
    }

    /// Runs a command in the place to its end.
    @discardableResult
    func run(
        _ arguments: [String], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        launch(inside(arguments), options, sourceLocation: sourceLocation)
    }

    /// Starts a daemon in the place; its output goes to a log file. It is ended with the place.
    func start(
        _ name: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Daemon {
        let daemon = try Daemon(name, in: self, inside(arguments), environment: environment)
        daemons.append(daemon)
        return daemon
    }

    /// A tar file with a busybox root file system, for `import`.
    func makeImage(_ edit: (_ rootfs: String) throws -> Void = { _ in }) throws -> String {
        let rootfs = directory + "/image"
        try Workspace.makeRootfs(at: rootfs)
        try edit(rootfs)
        try launch(["tar", "-C", rootfs, "-cf", directory + "/image.tar", "."]).mustSucceed()
        Workspace.remove(rootfs)
        return directory + "/image.tar"
    }

    /// Ends the daemons, last started first, what they have started, and removes the directory.
    func end() {
        for daemon in daemons.reversed() { daemon.end() }
        // Shims and monitors outlive their daemon on purpose; they name the place they belong to.
        let left = Leaks.processes(mentioning: directory + "/").filter { $0 != getpid() }
        for pid in left { kill(pid, SIGKILL) }
        if Host.hasSystemd { launch(["systemctl", "stop", cgroupParent]) }
        Leaks.removeCgroups(cgroup)
        holder?.end()
        Workspace.remove(directory)
    }
}

// MARK: - Cgroups

/// Engines are told to use systemd where it is the init, as is usual, and cgroupfs elsewhere.
extension EnginePlace {
    static let cgroupDriver = Host.hasSystemd ? "systemd" : "cgroupfs"

    /// ``cgroup`` as engines want it: a slice by its name.
    var cgroupParent: String { Host.hasSystemd ? String(cgroup.dropFirst()) : cgroup }

    /// The cgroup of a container.
    /// - Parameter prefix: of the scopes of an engine.
    func cgroup(of id: String, scope prefix: String) -> String {
        Host.hasSystemd ? "\(cgroup)/\(prefix)-\(id).scope" : "\(cgroup)/\(id)"
    }

    /// What stays of the cgroup of a container that is no more, and of its units.
    func left(of id: String, at cgroup: String) -> [String] {
        let units = ["systemctl", "list-units", "--all", "--plain", "--no-legend", "*\(id)*"]
        var left: [String] = []
        _ = eventually {
            left = Leaks.cgroups(cgroup) + (Host.hasSystemd ? launch(units).lines : [])
            return left.isEmpty
        }
        return left
    }
}

/// Whether `/proc/self/cgroup` says so in a container. On v2 most engines give it a cgroup namespace,
/// in which its own cgroup is the root, and others begin with `/..`.
func isOwnCgroup(_ text: String, of id: String) -> Bool {
    text.contains(id) || text.split(separator: "\n").contains("0::/")
}

/// A program that goes on in the background until it is ended, and its log.
final class Daemon {
    let name: String
    let log: String
    private(set) var pid: pid_t
    private var ended = false

    fileprivate init(
        _ name: String, in place: EnginePlace, _ arguments: [String],
        environment: [String: String] = [:]
    ) throws {
        self.name = name
        log = "\(place.directory)/log/\(name)"
        var options = LaunchOptions()
        options.stdout = .file(log)
        options.stderr = .file(log)
        options.environment = ProcessInfo.processInfo.environment
            .merging(environment) { $1 }
            .filter { $0.key != "NOTIFY_SOCKET" }
        var child = Child(arguments: arguments, options: options)
        guard child.spawn() else { throw CheckFailure("\(arguments[0]): \(child.error)") }
        pid = child.pid
    }

    /// Waits until it answers; if it does not, or is gone, the end of its log is in the error.
    func ready(_ answers: () -> Bool) throws {
        let isReady = eventually { self.isGone || answers() }
        try verify(isReady && !ended, "\(name) does not answer; its log ends with\n\(tail)")
    }

    var tail: String {
        readText(log).split(separator: "\n").suffix(20).joined(separator: "\n")
    }

    /// SIGTERM, and where that does not end it SIGKILL.
    func end() {
        guard !ended else { return }
        kill(pid, SIGTERM)
        if !eventually({ self.isGone }) {
            kill(pid, SIGKILL)
            _ = eventually { self.isGone }
        }
    }

    private var isGone: Bool {
        var status: Int32 = 0
        if !ended, waitpid(pid, &status, WNOHANG) != 0 { ended = true }
        return ended
    }
}
