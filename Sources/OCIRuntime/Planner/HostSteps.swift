import Init
import Spec
import Sys

/// The host's steps up to the clone, and the one right after it.
extension Planner {
    mutating func prepareOnHost() throws(PlanError) {
        try prepareCgroup()
        for (type, path, place) in namespaces.joined {
            host(place, .openNamespace(type, path: path))
        }
        try openMountSources()
        try connectSockets(for: config.process)
        if options.listensForStart { host("", .listenForStart) }
        if let seccomp = config.linux.seccomp { host("/linux/seccomp", .loadSeccomp(seccomp)) }
        if let process = config.process { raiseLimits(for: process) }
        clone()
    }

    private mutating func prepareCgroup() throws(PlanError) {
        let linux = config.linux
        let path = try CgroupPath(linux.cgroupsPath, id: options.id)
        var layout = CgroupLayout.none
        if options.cgroupManager == .cgroupfs {
            layout = facts.cgroups()
            cgroup = (layout, path)
        }
        let planned = try CgroupPlanner.plan(
            for: linux.resources, path: path, layout: layout, manager: options.cgroupManager,
            isRootless: !isPrivileged || facts.inUserNamespace)
        steps += planned.steps
        warnings += planned.warnings
    }

    /// Whether a source is opened with the host's rights, because the init will not have them.
    func opensSource(_ index: Int) -> Bool {
        let options = mountOptions[index]
        return hasUserNamespace && isPrivileged && options.isBind(config.mounts[index])
            && !options.isRemount
    }

    private mutating func openMountSources() throws(PlanError) {
        for (index, mount) in config.mounts.enumerated() {
            let options = mountOptions[index]
            let opens = opensSource(index)
            let idMap = options.idMap(of: mount)
            guard opens || idMap != nil else { continue }
            let place = "/mounts/" + String(index)
            if opens {
                host(
                    place,
                    .openMountSource(
                        mount: index, source: try bindSource(mount, place),
                        recursive: options.isRecursiveBind))
            }
            guard let idMap else { continue }
            let (uid, gid) = try idMappings(of: mount, place)
            host(
                place,
                opens
                    ? .mapMountSource(
                        mount: index, uid: uid, gid: gid, recursive: idMap == .recursive)
                    : .openIDMap(mount: index, uid: uid, gid: gid))
        }
    }

    mutating func connectSockets(for process: Process?) throws(PlanError) {
        if let process {
            try checkTerminal(process)
            if process.terminal, let path = options.consoleSocket {
                host("/process/terminal", .connect(.console, path: path))
            }
        }
        if let seccomp = config.linux.seccomp, let path = seccomp.listenerPath,
            seccomp.syscalls.contains(where: { $0.action == .notify })
        {
            host("/linux/seccomp/listenerPath", .connect(.seccompListener, path: path))
        }
    }

    func checkTerminal(_ process: Process) throws(PlanError) {
        if process.terminal && options.detached && options.consoleSocket == nil {
            throw PlanError(
                "/process/terminal", "needs a console socket to send the terminal to",
                hint: "give --console-socket, or run in the foreground")
        }
        if !process.terminal && options.consoleSocket != nil {
            throw PlanError(
                "/process/terminal", "is false, so there is nothing to send to the console socket")
        }
    }

    private mutating func clone() {
        if hasUserNamespace, let score = config.process?.oomScoreAdj {
            host("/process/oomScoreAdj", .setOOMScoreAdj(score))
        }
        let offsets = config.linux.timeOffsets.map {
            TimeOffsetEntry(clock: $0.key, offset: $0.value)
        }
        host(
            "/linux/namespaces",
            .clone(
                new: namespaces.new.filter { $0 != .cgroup },
                join: namespaces.order.beforeClone,
                timeOffsets: offsets))
        if namespaces.isNew(.user) {
            host(
                "/linux/uidMappings",
                .writeIDMappings(uid: config.linux.uidMappings, gid: config.linux.gidMappings))
        }
    }
}
