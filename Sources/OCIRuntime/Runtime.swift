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

    /// - Parameters:
    ///   - root: the directory of the containers' states, made where it is missing; nil for
    ///     ``defaultRoot``.
    ///   - cgroupManager: who makes the containers' cgroups.
    /// - Throws: where `root` is not usable as a directory name.
    public init(
        root: String? = nil, cgroupManager: CgroupManager = .cgroupfs
    ) throws(RuntimeError) {
        self.cgroupManager = cgroupManager
        self.root = try absolutePath(root ?? Self.defaultRoot)
        if self.root == "/" {
            throw RuntimeError("the root directory of the file system is no place for --root")
        }
    }

    /// `/run/swrunc`; for a user without privileges `$XDG_RUNTIME_DIR/swrunc`.
    ///
    /// Root in a user namespace is such a user as well, unless `$USER` says root: rootless engines
    /// call the runtime from a user namespace of theirs.
    public static var defaultRoot: String {
        guard let directory = environmentVariable("XDG_RUNTIME_DIR"),
            effectiveUser != 0
                || !HostFacts.isFirstUserNamespace() && environmentVariable("USER") != "root"
        else { return "/run/swrunc" }
        return "\(directory)/swrunc"
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
