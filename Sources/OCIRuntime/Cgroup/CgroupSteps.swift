import Init
import Spec
import Sys

extension HostPerformer {
    /// The host's steps about the container's cgroup.
    mutating func performCgroup(_ step: Step) throws(SysError) {
        switch step.action {
        case .createCgroup:
            // A user without rights over cgroups gets those that are delegated to it, unless the
            // config names one.
            try cgroup?.create(toleratingRefusal: effectiveUser != 0 && step.place.isEmpty)
        case .setCgroup(let controller, let file, let value):
            try cgroup?.set(controller, file, value)
        case .restrictDevices(let rules):
            try cgroup?.restrictDevices(rules)
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
