import Glibc
import Init
import Spec
import Sys

/// A namespace to join, open.
typealias JoinedNamespace = (kind: NamespaceKind, fd: Int32)

/// Clones the init into its namespaces.
///
/// One `clone3` does for everything but three cases that the kernel decides:
/// - a pid namespace is joined by the *children* of whoever calls `setns`: the host calls it, clones,
///   and goes back, which is allowed because its own pid namespace never changed;
/// - a time namespace takes its offsets before the first process enters it: likewise;
/// - namespaces made beside a *joined* user namespace must belong to it, and a *new* user namespace
///   has no rights over joined ones: a process in between enters what is joined and clones the init
///   with `CLONE_PARENT`. So it does for root of a user namespace, who may not go back, and where
///   clocks are shifted in a new user namespace, whose they are.
struct Launch {
    var new: [NamespaceType]
    var timeOffsets: [TimeOffsetEntry] = []
    /// The directory for `CLONE_INTO_CGROUP`, or -1.
    var cgroup: Int32 = -1
    /// Whether `clone3(2)` is available: `clone(2)` has no flag for a time namespace.
    var hasClone3 = true
    /// Whether the caller's additional groups go along into a user namespace that is joined.
    var keepsGroups = false

    /// Whether a clone failed for want of `clone3(2)`: `clone(2)` cannot do the same.
    func lacksClone3(_ error: SysError) -> Bool {
        hasClone3 && (cgroup >= 0 || new.contains(.time)) && [ENOSYS, E2BIG].contains(error.errno)
    }

    /// - Parameters:
    ///   - joined: namespaces to join.
    ///   - procfs: the host's `/proc`.
    ///   - body: the init; it gets the namespaces that are left for it to join.
    func clone(
        joining joined: [JoinedNamespace], procfs: Int32,
        _ body: (_ left: [JoinedNamespace]) -> Never
    ) throws(SysError) -> ClonedProcess {
        let pid = joined.first { $0.kind == .pid }
        let time = joined.first { $0.kind == .time }
        // Who lives in a namespace that is joined may look at the clone from its first moment on.
        if effectiveUser == 0, pid != nil || joined.contains(where: { $0.kind == .user }) {
            try processControl(.setDumpable, 0)
        }
        let joinsUser = joined.contains { $0.kind == .user }
        let changesTime = time != nil || unsharesTime
        if joinsUser || (new.contains(.user) && (!joined.isEmpty || changesTime)) {
            return try cloneInside(joined, procfs, body)
        }
        // Root of another user namespace may enter what belongs to that, and could not come back.
        if pid != nil || changesTime, !HostFacts.isFirstUserNamespace() {
            return try cloneInside(joined, procfs, body)
        }
        let left = joined.filter { $0.kind != .pid && $0.kind != .time }
        return try returning(to: .pid, if: pid != nil, procfs) { (ownPid) throws(SysError) in
            if let pid { try joinNamespace(pid.fd, NamespaceKind.pid.rawValue) }
            return try returning(to: .time, if: changesTime, procfs) { (ownTime) throws(SysError) in
                var flags = cloneFlags
                if let time {
                    try joinNamespace(time.fd, NamespaceKind.time.rawValue)
                } else {
                    flags = try unshareTime(flags, procfs)
                }
                return try Sys.clone(flags: flags, cgroup: cgroup) {
                    if ownPid >= 0 { closeDescriptor(ownPid) }
                    if ownTime >= 0 { closeDescriptor(ownTime) }
                    body(left)
                }
            }
        }
    }

    /// Whether a time namespace is made before the clone.
    private var unsharesTime: Bool {
        !timeOffsets.isEmpty || !hasClone3 && new.contains(.time)
    }

    private var cloneFlags: UInt64 {
        new.reduce(0) { $0 | $1.kind.bit }
    }

    /// Calls `work`, which leaves the namespace that this process's children are in, and comes back. Not
    /// to is an error: hooks would run in the container's.
    /// - Parameter work: gets this process's own namespace, for a child to close; -1 where it stays.
    private func returning<Result: ~Copyable>(
        to kind: NamespaceKind, if leaves: Bool, _ procfs: Int32,
        _ work: (_ own: Int32) throws(SysError) -> Result
    ) throws(SysError) -> Result {
        if !leaves { return try work(-1) }
        // Opened first: a time namespace is at once this process's own as well (setns(2)), whose clock
        // would tell when other processes have started.
        let own = try openFile(at: procfs, "self/ns/\(kind.file)", O_RDONLY)
        let result: Result
        do throws(SysError) {
            result = try work(own.raw)
        } catch {
            try? joinNamespace(own.raw, kind.rawValue)
            throw error
        }
        try joinNamespace(own.raw, kind.rawValue)
        return result
    }

    /// Makes the time namespace of the next child, with its offsets: one line each of clock, seconds and
    /// nanoseconds (`time_namespaces(7)`), negative ones included. It belongs to the user namespace, so
    /// a new one of those is made with it.
    /// - Parameters:
    ///   - procfs: the host's: in a joined mount namespace `/proc` may be anything.
    ///   - file: the file of the offsets, where it had to be opened before.
    /// - Returns: what is left for the clone to make.
    private func unshareTime(
        _ flags: UInt64, _ procfs: Int32, _ file: consuming Fd? = nil
    ) throws(SysError) -> UInt64 {
        if !unsharesTime { return flags }
        let made = flags & (NamespaceKind.time.bit | NamespaceKind.user.bit)
        try Sys.unshare(Int32(truncatingIfNeeded: made))
        if !timeOffsets.isEmpty {
            let offsets = if let file { file } else { try openOffsets(procfs) }
            do throws(SysError) {
                try offsets.writeOnce(timeOffsets.map(\.line).joined())
            } catch {
                throw TimeOffsetEntry.explain(error, timeOffsets, offsets.raw)
            }
        }
        return flags & ~made
    }

    private func openOffsets(_ procfs: Int32) throws(SysError) -> Fd {
        try openFile(at: procfs, "self/timens_offsets", O_WRONLY)
    }

    /// Through a process that has entered the joined namespaces; it reports the init's pid and hands
    /// over its pidfd, and ends.
    private func cloneInside(
        _ joined: [JoinedNamespace], _ procfs: Int32,
        _ body: (_ left: [JoinedNamespace]) -> Never
    ) throws(SysError) -> ClonedProcess {
        let (ours, end) = try socketPair().release()
        let reading = Fd(owning: ours)
        let theirs = Fd(owning: end)
        // By the clone this process stays dumpable, which an ordinary user needs to have the ids mapped.
        let outer = joined.isEmpty ? cloneFlags & NamespaceKind.user.bit : 0
        let between = try Sys.clone(flags: outer, cgroup: cgroup) {
            do throws(SysError) {
                // Once in a user namespace that is joined, only root may open the file. An ordinary user
                // has the right to write to it as the owner of that namespace, from outside.
                let isOpenedFirst = !timeOffsets.isEmpty && effectiveUser != 0
                let offsets = isOpenedFirst ? try openOffsets(procfs) : nil
                if !keepsGroups, joined.contains(where: { $0.kind == .user }) { try leaveGroups() }
                try joinNamespaces(joined)
                let parent: UInt64 = 0x8000
                let flags = try unshareTime(cloneFlags & ~outer | parent, procfs, offsets)
                let process = try Sys.clone(flags: flags, exitSignal: 0) { body([]) }
                try send(
                    end, Array("\(process.pid)".utf8), passing: process.pidfd.raw)
                exitNow(0)
            } catch {
                try? send(end, Message.failed(FailedStep(index: 0), error).bytes)
                exitNow(1)
            }
        }
        // Open here too, it would not tell of the other process's death.
        _ = consume theirs
        let reply = try receive(reading.raw, limit: Message.limit)
        _ = try wait(pidfd: between.pidfd.raw)
        if reply.fd >= 0, let pid = Int32(String(decoding: reply.bytes, as: UTF8.self)) {
            return ClonedProcess(pid: pid, pidfd: Fd(owning: reply.fd))
        }
        if case .failed(_, let error)? = Message(reply.bytes) { throw error }
        throw .refused("the process that enters the joined namespaces ended early")
    }
}
