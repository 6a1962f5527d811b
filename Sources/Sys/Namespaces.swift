import CSys
import Glibc

/// The eight kinds of namespace, by their `CLONE_NEW*` bit (`namespaces(7)`).
package enum NamespaceKind: Int32, CaseIterable, Sendable {
    case time = 0x80
    case mount = 0x20000
    case cgroup = 0x2000000
    case uts = 0x4000000
    case ipc = 0x8000000
    case user = 0x1000_0000
    case pid = 0x2000_0000
    case network = 0x4000_0000

    /// The bit among the flags of `clone3(2)`.
    package var bit: UInt64 { UInt64(UInt32(bitPattern: rawValue)) }

    /// The file's name below `/proc/PID/ns`.
    package var file: String {
        switch self {
        case .time: "time"
        case .mount: "mnt"
        case .cgroup: "cgroup"
        case .uts: "uts"
        case .ipc: "ipc"
        case .user: "user"
        case .pid: "pid"
        case .network: "net"
        }
    }
}

/// Opens a namespace file and makes sure that it is one of the right kind (`ioctl_ns(2)`).
package func openNamespace(_ path: String, _ kind: NamespaceKind) throws(SysError) -> Fd {
    let fd = try openFile(path, O_RDONLY)
    let type = csys_ns_type(fd.raw)
    guard type == Int(kind.rawValue) else {
        let other = NamespaceKind.allCases.first { Int($0.rawValue) == type }
        throw SysError(
            "ioctl(\(quoted(path)), NS_GET_NSTYPE) for \(kind.file)", EINVAL,
            hint: other.map { "it is a \($0.file) namespace" } ?? "it is no namespace")
    }
    return fd
}

/// `setns(2)`. `flags` is one kind's bit for a namespace file, or several for a pidfd.
package func joinNamespace(_ fd: Int32, _ flags: Int32) throws(SysError) {
    try check(
        csys_setns(fd, flags), "setns(\(named(fd)), \(hex(UInt64(UInt32(bitPattern: flags)))))")
}

/// Joins several namespaces. The user namespace takes rights over the namespaces outside it away, and
/// gives rights over those that belong to it: what is refused before is tried again after it.
package func joinNamespaces(
    _ namespaces: [(kind: NamespaceKind, fd: Int32)]
) throws(SysError) {
    var later: [(kind: NamespaceKind, fd: Int32)] = []
    for (kind, fd) in namespaces where kind != .user {
        do throws(SysError) {
            try joinNamespace(fd, kind.rawValue)
        } catch  where error.errno == EPERM {
            later.append((kind, fd))
        }
    }
    for (kind, fd) in namespaces where kind == .user { try joinNamespace(fd, kind.rawValue) }
    for (kind, fd) in later { try joinNamespace(fd, kind.rawValue) }
}

package func unshare(_ flags: Int32) throws(SysError) {
    try check(csys_unshare(flags), "unshare(\(hex(UInt64(UInt32(bitPattern: flags)))))")
}

/// A child made by `clone3(2)`: its pid in this process's pid namespace, and the pidfd that keeps
/// the pid from being mistaken for another.
package struct ClonedProcess: ~Copyable {
    package let pid: Int32
    package let pidfd: Fd

    package init(pid: Int32, pidfd: consuming Fd) {
        self.pid = pid
        self.pidfd = pidfd
    }
}

/// `clone3(2)` without `CLONE_VM`: `body` runs in the child, which goes on in Swift, single-threaded
/// as its parent, and never returns. It must not capture an owner such as ``Fd``, only numbers: with
/// no return to reach, the compiler may destroy what is captured before its last use.
/// - Parameters:
///   - flags: `CLONE_*` bits.
///   - cgroup: a cgroup v2 directory for `CLONE_INTO_CGROUP`, or -1.
///   - exitSignal: the signal to the parent, usually `SIGCHLD`; 0 with `CLONE_PARENT`.
package func clone(
    flags: UInt64, cgroup: Int32 = -1, exitSignal: Int32 = SIGCHLD, _ body: () -> Never
) throws(SysError) -> ClonedProcess {
    guard let process = try cloneHere(flags: flags, cgroup: cgroup, exitSignal: exitSignal) else {
        body()
    }
    return process
}

/// A child of this process's parent (`CLONE_PARENT`); nil in that child, which goes on from here.
package func cloneSibling() throws(SysError) -> ClonedProcess? {
    let parent: UInt64 = 0x8000
    return try cloneHere(flags: parent, cgroup: -1, exitSignal: 0)
}

/// Where `clone3(2)` is not available, `clone(2)` does it. What that cannot do fails with ENOSYS.
private func cloneHere(
    flags: UInt64, cgroup: Int32, exitSignal: Int32
) throws(SysError) -> ClonedProcess? {
    var pidfd: Int32 = -1
    var result = NewerCall.clone3.answer(
        unsafe csys_clone3(flags, &pidfd, cgroup, exitSignal))
    let isForClone3 = cgroup >= 0 || flags & NamespaceKind.time.bit != 0
    if result == -Int(ENOSYS) {
        if isForClone3 { throw NewerCall.clone3.unavailable("clone3(\(hex(flags)))") }
        result = unsafe csys_clone(flags, &pidfd, exitSignal)
    }
    let pid = try check(result, "clone3(\(hex(flags)))")
    if pid == 0 { return nil }
    return ClonedProcess(pid: Int32(truncatingIfNeeded: pid), pidfd: Fd(owning: pidfd))
}
