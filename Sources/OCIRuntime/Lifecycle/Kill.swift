import Glibc
import Spec
import Sys

extension Runtime {
    /// Sends a signal to a container's process (runtime-spec `runtime.md`, Kill), through a pidfd, so
    /// that it never reaches a recycled pid.
    /// - Parameters:
    ///   - signal: its number.
    ///   - all: to every process in the container's cgroup, also after its init has ended, and
    ///     if there is none.
    /// - Throws: `container not running` where it has neither been created nor is running.
    public func kill(_ id: String, signal: Int32, all: Bool = false) throws(RuntimeError) {
        let container = try Container(root: root, id: id)
        let cgroup = Cgroup(directories: container.record.cgroups)
        do throws(SysError) {
            // Without a pid namespace of its own the init's end is not the end of the others.
            let isForAll = all || (!container.record.hasPidNamespace && signal == SIGKILL)
            if isForAll {
                let pids = try cgroup.pids()
                let strays = try container.strays(besides: pids)
                // Engines clean up with `--all` after the container's end: nothing left is fine.
                if pids.isEmpty, strays.isEmpty, !all {
                    throw SysError("kill(\(container.record.pid))", ESRCH)
                }
                try cgroup.signalAll(signal)
                for stray in strays { try stray.signal(signal) }
            } else {
                let process = try container.identity.open()
                try process.signal(signal)
            }
            if signal == SIGKILL { try cgroup.thawAll() }
        } catch  where error.errno == ESRCH {
            throw RuntimeError("container not running")
        } catch {
            throw RuntimeError(error)
        }
    }
}
