import Glibc
import Sys

/// Who makes the containers' cgroups.
public enum CgroupManager: String, Sendable {
    /// The runtime, in the cgroup file system.
    case cgroupfs
    /// systemd, over D-Bus.
    case systemd
    /// Nobody: containers stay in the caller's.
    case disabled
}

/// Whether a cgroup that the caller may not make is gone without, where the config names none.
public enum RootlessCgroups: String, Sendable {
    /// Always.
    case yes = "true"
    /// Never: it is an error.
    case no = "false"
    /// For an ordinary user, and for root of a user namespace other than the first.
    case auto

    var goesWithout: Bool {
        switch self {
        case .yes: true
        case .no: false
        case .auto: effectiveUser != 0 || !HostFacts.isFirstUserNamespace()
        }
    }
}

/// An OCI runtime: creates containers from bundles and drives their life.
///
/// Every operation is synchronous and runs in the calling process, which must have one thread: a
/// process with several may not enter user namespaces (`setns(2)`). The container's init goes on in a
/// clone of the caller; see ``SelfExecutable`` for what its executable has to be protected from.
public struct Runtime: Sendable {
    /// The directory of the containers' states.
    public let root: String
    /// Who makes the containers' cgroups.
    public let cgroupManager: CgroupManager
    /// Whether a cgroup that the caller may not make is gone without.
    public let rootless: RootlessCgroups
    /// The descriptor of the mount that the executable was started through, see ``SelfExecutable``.
    let executableMount: Int32

    /// - Parameters:
    ///   - root: the directory of the containers' states, made where it is missing; nil for
    ///     ``defaultRoot``.
    ///   - cgroupManager: who makes the containers' cgroups.
    ///   - rootless: whether a cgroup that the caller may not make is gone without.
    ///   - executableMount: the descriptor of the mount that the executable was started through, for the
    ///     runtime to close; -1 where there is none.
    /// - Throws: where `root` is not usable as a directory name, and where there is no `/proc`: every
    ///   container would look as if it had stopped.
    public init(
        root: String? = nil, cgroupManager: CgroupManager = .cgroupfs,
        rootless: RootlessCgroups = .auto, executableMount: Int32 = -1
    ) throws(RuntimeError) {
        do throws(SysError) {
            _ = try readLink("/proc/self")
        } catch {
            throw RuntimeError(
                "/proc is not mounted, or not readable: the runtime needs the host's procfs")
        }
        self.executableMount = executableMount
        self.cgroupManager = cgroupManager
        self.rootless = rootless
        self.root = try absolutePath(root ?? Self.defaultRoot)
        if self.root == "/" {
            throw RuntimeError("Option --root argument should not be set to /")
        }
    }

    /// `/run/swrunc`; for a user without privileges `$XDG_RUNTIME_DIR/swrunc`, and also for one who
    /// is root in a user namespace of its own, as under rootless Podman.
    public static var defaultRoot: String {
        let isOrdinary =
            effectiveUser != 0
            || environmentVariable("USER") != "root" && !HostFacts.isFirstUserNamespace()
        if isOrdinary, let directory = environmentVariable("XDG_RUNTIME_DIR") {
            return "\(directory)/swrunc"
        }
        return "/run/swrunc"
    }
}

/// `path` from the file system's root, without `.`, `..` and doubled slashes; symbolic links stay.
func absolutePath(_ path: String) throws(RuntimeError) -> String {
    guard !path.isEmpty else { throw RuntimeError("an empty path names no file") }
    var full = path
    if path.utf8.first != UInt8(ascii: "/") {
        do throws(SysError) {
            full = "\(try currentDirectory())/\(path)"
        } catch {
            throw RuntimeError(error)
        }
    }
    if isPlain(full) { return full }
    var parts: [Substring] = []
    for part in full.split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}

/// Whether an absolute path has no empty part, no `.` at a part's beginning and no slash at its end:
/// then it is what it would become, and nothing is copied on the start-up path.
private func isPlain(_ path: String) -> Bool {
    let slash = UInt8(ascii: "/")
    var previous: UInt8 = 0
    for byte in path.utf8 {
        if previous == slash, byte == slash || byte == UInt8(ascii: ".") { return false }
        previous = byte
    }
    return previous != slash
}
