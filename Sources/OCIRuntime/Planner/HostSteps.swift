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
        try openResctrlGroup()
        try openMountSources()
        try connectConsole(for: config.process)
        if options.listensForStart {
            host("", .listenForStart)
            if !facts.has(.sysPtrace) { host("", .listenForExec(namespaces.types)) }
        }
        openHookOutput()
        try loadSeccomp()
        if let process = config.process { raiseLimits(for: process) }
        clone()
    }

    private mutating func prepareCgroup() throws(PlanError) {
        let path =
            options.cgroupManager == .disabled
            ? CgroupPath.own
            : try CgroupPath(
                config.linux.cgroupsPath, id: options.id, manager: options.cgroupManager,
                systemd: options.systemd, subgroup: annotations.subgroup)
        var layout = CgroupLayout.none
        if options.cgroupManager != .disabled {
            layout = facts.cgroups()
            cgroup = (layout, path)
        }
        let planned = try CgroupPlanner.plan(
            for: config.linux.resources, path: path, layout: layout, manager: options.cgroupManager,
            isRootless: isRootless)
        steps += planned.steps
        warnings += planned.warnings
        try checkSubCgroups(layout)
        if layout.isUnified, isPrivileged, let owner = cgroupOwner {
            host(cgroupPlace, .delegateCgroup(to: owner))
        }
    }

    private mutating func checkSubCgroups(_ layout: CgroupLayout) throws(PlanError) {
        for (key, path) in [
            (Annotations.subgroup, annotations.subgroup),
            (Annotations.delegated, annotations.delegated),
        ] where !path.isEmpty {
            let place = Annotations.place(key)
            if options.cgroupManager == .disabled {
                throw PlanError(place, "needs a cgroup of the container's own")
            }
            if key == Annotations.subgroup, options.cgroupManager != .systemd {
                warn(place, "ignored: without systemd there is no scope")
            } else if !layout.isUnified {
                throw PlanError(place, "needs cgroup v2")
            }
        }
    }

    /// The host's uid of the program, where it may have its cgroup: in a user and a cgroup namespace
    /// of its own, with a view of it that can be written to.
    private var cgroupOwner: UInt32? {
        guard namespaces.isNew(.user), namespaces.isNew(.cgroup), let process = config.process,
            let user = config.linux.uidMappings.hostID(of: process.user.uid), user != 0,
            config.mounts.contains(where: {
                $0.type == "cgroup" && !MountOptions($0).isReadOnly
            })
        else { return nil }
        return user
    }

    /// Whether a source is opened with the host's rights, because the init will not have them; or
    /// because it is in the container already, where the path means another file.
    func opensSource(_ mount: Mount, _ options: MountOptions) -> Bool {
        (hasUserNamespace || isLive) && isPrivileged && options.isBind(mount)
            && !options.isRemount
    }

    mutating func openMountSources() throws(PlanError) {
        for (index, mount) in config.mounts.enumerated()
        where hasUserNamespace || isLive || mount.mayBringMappings {
            let options = MountOptions(mount)
            let opens = opensSource(mount, options)
            let idMap = options.idMap(of: mount)
            guard opens || idMap != nil else { continue }
            let place = "/mounts/" + String(index)
            if opens {
                host(
                    place,
                    .openMountSource(
                        mount: index, source: try bindSource(mount, place),
                        recursive: options.isRecursiveBind,
                        followingLink: !options.sourceNoFollow && !options.copySymlink))
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

    mutating func connectConsole(for process: Process?) throws(PlanError) {
        if let process {
            try checkTerminal(process)
            if process.terminal, let path = options.consoleSocket {
                host("/process/terminal", .connect(.console, path: path))
            }
        }
    }

    private mutating func openHookOutput() {
        let hooks = config.hooks
        if config.annotations.isEmpty || hooks == Hooks() { return }
        for stream in HookStream.allCases {
            guard let path = config.annotations[stream.annotation] else { continue }
            host(
                Annotations.place(stream.annotation),
                .openHookOutput(stream, path: path.below(options.bundle)))
        }
    }

    /// The filter, and the agent that it asks.
    mutating func loadSeccomp() throws(PlanError) {
        let seccomp = config.linux.seccomp
        if let filter = annotations.filter {
            let receiver = seccomp?.listenerPath ?? config.annotations[Annotations.receiver]
            if let receiver { try connectAgent(receiver) }
            hasSeccomp = true
            host(
                Annotations.place(Annotations.filter),
                .takeSeccomp(
                    SeccompCompiler.program(
                        filter, notifies: receiver != nil,
                        seccomp ?? Seccomp(defaultAction: .allow))))
            return
        }
        guard let seccomp else { return }
        hasSeccomp = true
        if annotations.failsOnUnknownCalls { try SeccompCompiler.checkNames(of: seccomp) }
        if let path = seccomp.listenerPath,
            seccomp.syscalls.contains(where: { $0.action == .notify })
        {
            try connectAgent(path)
        }
        host("/linux/seccomp", .loadSeccomp(seccomp))
    }

    private mutating func connectAgent(_ path: String) throws(PlanError) {
        let isAnnotated =
            config.annotations[Annotations.receiver]?.utf8.elementsEqual(path.utf8) == true
        let place =
            isAnnotated ? Annotations.place(Annotations.receiver) : "/linux/seccomp/listenerPath"
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw PlanError(place, "must be an absolute path, and is \(quoted(path))")
        }
        asksAgent = true
        host(place, .connect(.seccompListener, path: path))
    }

    func checkTerminal(_ process: Process) throws(PlanError) {
        if process.terminal && options.detached && options.consoleSocket == nil {
            throw PlanError(
                "/process/terminal",
                "cannot allocate tty if swrunc will detach without setting console socket",
                hint: "give --console-socket, or run in the foreground")
        }
        if !process.terminal && options.consoleSocket != nil {
            throw PlanError(
                "/process/terminal",
                "cannot use console socket if swrunc will not detach or allocate tty",
                hint: "leave --console-socket out, or set /process/terminal")
        }
    }

    private mutating func clone() {
        if hasUserNamespace, let score = config.process?.oomScoreAdj {
            host("/process/oomScoreAdj", .setOOMScoreAdj(score))
        }
        let offsets = config.linux.timeOffsets.entries.map {
            TimeOffsetEntry(clock: $0.key, offset: $0.value)
        }
        host(
            "/linux/namespaces",
            .clone(
                new: namespaces.new.filter { !namespaces.ofInit.contains($0) },
                join: namespaces.order.beforeClone,
                timeOffsets: offsets))
        if namespaces.isNew(.user) {
            host(
                "/linux/uidMappings",
                .writeIDMappings(uid: config.linux.uidMappings, gid: config.linux.gidMappings))
        }
        joinResctrlGroup()
        for device in config.linux.netDevices.entries {
            host(
                "/linux/netDevices/" + escapePointer(device.key),
                .moveNetDevice(device.key, to: device.value.name))
        }
    }
}
