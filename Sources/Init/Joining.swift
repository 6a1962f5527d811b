import Glibc
import Spec
import Sys

extension Performer {
    /// Moves this process into the container's v1 cgroups by writing `0` to each `tasks` file: a
    /// single-threaded process that moves itself does not wait for an RCU grace period, while being
    /// moved through `cgroup.procs` does (about 10 ms on an idle host).
    func joinCgroup() throws(SysError) {
        // Closed at once: nothing of the host's stays open longer than it is needed.
        defer { for tasks in prepared.cgroupTasks { closeDescriptor(tasks) } }
        for tasks in prepared.cgroupTasks { try join(tasks) }
    }

    /// Moves this process into the first of the v2 cgroups that takes it: one below which controllers are
    /// enabled does not.
    func joinUnifiedCgroup() throws(SysError) {
        defer { for file in prepared.unifiedCgroups { closeDescriptor(file) } }
        var refusal: SysError?
        for file in prepared.unifiedCgroups {
            do throws(SysError) {
                return try join(file)
            } catch {
                refusal = refusal ?? error
            }
        }
        if let refusal, !prepared.unifiedMayRefuse { throw refusal }
    }

    private func join(_ file: Int32) throws(SysError) {
        do throws(SysError) {
            try Fd.writeOnce(file, "0")
        } catch {
            let path = (try? readLink(at: prepared.procfs, "self/fd/\(file)")) ?? "tasks"
            throw SysError(
                "write(\(quoted(path)), \"0\")", error.errno,
                hint: error.errno == EAGAIN ? "the cgroup's pids.max is used up" : nil)
        }
    }

    /// Enters the namespaces that the clone could not enter. Of a pid namespace only children become
    /// members (``enterPidNamespace()``). Those that are open already go first.
    func joinNamespaces(_ types: [NamespaceType]) throws(SysError) {
        if types.contains(.user), !plan.keepsGroups { try leaveGroups() }
        if prepared.containerInit < 0 || !prepared.namespaces.isEmpty {
            try Sys.joinNamespaces(prepared.namespaces)
        } else if prepared.containerInitIsPidfd {
            // One call for all of them (Linux 5.8), so that their order does not matter.
            let flags = types.reduce(0 as Int32) { $0 | $1.kind.rawValue }
            try joinNamespace(prepared.containerInit, flags)
        } else {
            // From within one of them another could be out of reach: all are opened first.
            let namespaces = try openNamespaces(
                types.map(\.kind), ofDirectory: prepared.containerInit)
            defer { for (_, fd) in namespaces { closeDescriptor(fd) } }
            try Sys.joinNamespaces(namespaces)
        }
    }

    private func sibling() throws(SysError) -> ClonedProcess? {
        do throws(SysError) {
            return try cloneSibling()
        } catch  where error.errno == EAGAIN {
            throw error.hinting("the cgroup's pids.max or the user's RLIMIT_NPROC is used up")
        }
    }

    /// The child goes on with the plan; this process tells the host of it, and ends. CAP_SYS_PTRACE in
    /// the container reaches every process that is seen there, also one that is not dumpable: so
    /// what is seen has nothing of the host's open, and has joined all that it is to join.
    mutating func enterPidNamespace() throws(SysError) {
        try cutOff()
        // Only this process learns the pid that a seccomp agent is told.
        let pair = prepared.seccomp?.notify == nil ? nil : try socketPair()
        guard let child = try sibling() else {
            if let pair {
                let (ours, theirs) = pair.release()
                closeDescriptor(ours)
                let said = try receive(theirs, limit: 16)
                closeDescriptor(theirs)
                hostPid = Int32(String(decoding: said.bytes, as: UTF8.self)) ?? 0
            }
            hasMoved = true
            return
        }
        try channel.send(.moved(pid: child.pid), passing: child.pidfd.raw)
        if let pair { try send(pair.ours.raw, Array("\(child.pid)".utf8)) }
        exitNow(0)
    }
}

extension NamespaceType {
    /// The kernel's bit for it.
    package var kind: NamespaceKind {
        switch self {
        case .pid: .pid
        case .network: .network
        case .mount: .mount
        case .ipc: .ipc
        case .uts: .uts
        case .user: .user
        case .cgroup: .cgroup
        case .time: .time
        }
    }
}
