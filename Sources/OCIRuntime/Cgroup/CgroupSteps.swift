import Glibc
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
        case .startScope:
            guard let scope else { throw .refused("there is no scope to start") }
            let holder = try scope.start()
            let pid = holder.pid
            scopeHolder = consume holder
            try cgroup?.adopt(from: pid)
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

    /// Ends what has kept the scope alive, once the init is in it: systemd stops a scope that is
    /// empty. An init that was not born there (cgroup v1) moves itself in its first step.
    mutating func endScopeHolder() {
        guard let holder = scopeHolder.take() else { return }
        if pid > 0, !prepared.cgroupTasks.isEmpty, let cgroup {
            let deadline = Deadline(seconds: 5)
            while (try? cgroup.verify(pid)) == nil, deadline.milliseconds > 0,
                (try? poll(pidfd, Int32(POLLIN), milliseconds: 1)) == 0
            {}
        }
        Scope.end(holder)
    }
}

extension Runtime {
    /// The cgroup that a config names, as the container of that config has it already.
    func cgroup(for config: Config, id: String) throws(PlanError) -> Cgroup {
        let isUser = HostFacts.isRootless
        let path = try CgroupPath(
            config.linux.cgroupsPath, id: id,
            manager: CgroupPath.isSystemdStyle(config.linux.cgroupsPath ?? "")
                ? .systemd : cgroupManager,
            systemd: SystemdInstance(
                isUser: isUser,
                controlGroup: isUser ? (try? Systemd(isUser: true).controlGroup()) ?? "" : ""))
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
