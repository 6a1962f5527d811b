import Sys

extension Container {
    /// The processes that no cgroup of the container's tells of, because its init has moved itself out of
    /// them all: the init, what descends from it, and what is in a pid namespace that is the container's own.
    /// - Parameter pids: those that are in the container's cgroup.
    func strays(besides pids: [Int32]) throws(SysError) -> [ProcessIdentity] {
        guard !pids.contains(record.pid), try identity.isAlive else { return [] }
        let processes = try ProcessIdentity.all().filter { $0.identity.pid != processID }
        var strays: Set<Int32> = [record.pid]
        if record.hasPidNamespace, let namespace = try? readLink("/proc/\(record.pid)/ns/pid") {
            for (process, _) in processes
            where (try? readLink("/proc/\(process.pid)/ns/pid")) == namespace {
                strays.insert(process.pid)
            }
        }
        // A process that has lost its parent is its namespace's init's: the generations end.
        var count = 0
        while count != strays.count {
            count = strays.count
            for (process, parent) in processes where strays.contains(parent) {
                strays.insert(process.pid)
            }
        }
        return processes.map(\.identity).filter {
            strays.contains($0.pid) && !pids.contains($0.pid)
        }
    }
}
