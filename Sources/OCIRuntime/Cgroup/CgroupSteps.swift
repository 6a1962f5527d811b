import Init
import Spec
import Sys

extension HostPerformer {
    /// The host's steps about the container's cgroup.
    mutating func performCgroup(_ step: Step) throws(SysError) {
        switch step.action {
        case .createCgroup:
            // Without a path in the config any cgroup will do, the runtime's own if need be.
            try cgroup?.create(toleratingRefusal: step.place.isEmpty)
        case .setCgroup(let controller, let file, let value):
            try cgroup?.set(controller, file, value)
        case .restrictDevices(let rules):
            try cgroup?.restrictDevices(rules)
        case .delegateCgroup(let user):
            try cgroup?.delegate(to: user)
        default:
            throw .refused("not a step about a cgroup")
        }
    }
}

extension Runtime {
    /// The cgroup that a config names, as the container of that config has it already.
    func cgroup(for config: Config, id: String) throws(PlanError) -> Cgroup {
        let path = try CgroupPath(config.linux.cgroupsPath, id: id)
        return Cgroup(layout: .gather(), path: path, exists: true)
    }
}

extension Runtime {
    /// Where a process that joins a container goes.
    func cgroup(
        for options: ExecOptions, in container: borrowing Container
    ) throws(RuntimeError) -> Cgroup {
        let cgroup = Cgroup(directories: container.record.cgroups)
        do throws(SysError) {
            if options.subCgroups.isEmpty { return try cgroup.following(container.record.pid) }
            return try cgroup.descending(to: options.subCgroups)
        } catch {
            throw RuntimeError(error)
        }
    }
}
