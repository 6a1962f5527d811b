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
        for tasks in prepared.cgroupTasks {
            do throws(SysError) {
                try Fd.writeOnce(tasks, "0")
            } catch {
                let file = (try? readLink(at: prepared.procfs, "self/fd/\(tasks)")) ?? "tasks"
                throw SysError(
                    "write(\(quoted(file)), \"0\")", error.errno,
                    hint: error.errno == EAGAIN ? "the cgroup's pids.max is used up" : nil)
            }
        }
    }

    /// Enters the namespaces that the clone could not enter.
    func joinNamespaces(_ types: [NamespaceType]) throws(SysError) {
        if prepared.containerInit >= 0 {
            // One call for all of them (Linux 5.8), so that their order does not matter.
            let flags = types.reduce(0 as Int32) { $0 | $1.kind.rawValue }
            try joinNamespace(prepared.containerInit, flags)
            return
        }
        for (kind, fd) in prepared.namespaces { try joinNamespace(fd, kind.rawValue) }
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
