import Glibc
import Spec
import Sys

extension Runtime {
    /// Stops all processes of a container, and waits until they are.
    /// - Throws: `container not running` where it is neither created nor running. Where a process
    ///   cannot be stopped in time all go on.
    public func pause(_ id: String) throws(RuntimeError) {
        let container = try Container(root: root, id: id)
        try container.directory.lock(id)
        switch try container.status {
        case .created, .running: break
        case .paused: throw RuntimeError("container not running", hint: "it is paused already")
        default: throw RuntimeError("container not running")
        }
        let cgroup = Cgroup(directories: container.record.cgroups)
        do throws(SysError) {
            if let place = cgroup.placeOutside(of: container.record.pid) {
                throw SysError.refused(
                    "the container's first process would go on: it has left the container's cgroup for "
                        + place)
            }
            try cgroup.freeze()
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Lets the processes of a paused container go on.
    /// - Throws: `container not paused`.
    public func resume(_ id: String) throws(RuntimeError) {
        let container = try Container(root: root, id: id)
        try container.directory.lock(id)
        guard try container.status == .paused else { throw RuntimeError("container not paused") }
        do throws(SysError) {
            try Cgroup(directories: container.record.cgroups).thaw()
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The pids of a container's processes, in order, as this process sees them.
    public func processes(of id: String) throws(RuntimeError) -> [Int32] {
        let container = try Container(root: root, id: id)
        let cgroup = Cgroup(directories: container.record.cgroups)
        guard cgroup.hasDirectories else {
            throw RuntimeError(
                "the container has no cgroup that would tell its processes",
                hint: "it was created without one: by --cgroup-manager disabled, or by a user who "
                    + "may not make cgroups")
        }
        do throws(SysError) {
            let pids = try cgroup.pids()
            return (pids + (try container.strays(besides: pids)).map(\.pid)).sorted()
        } catch {
            throw RuntimeError(error)
        }
    }
}
