import Glibc
import Init
import Spec
import Sys

extension Runtime {
    /// Makes a container of the files that ``checkpoint(_:_:)`` wrote: it runs as if nothing had
    /// happened. In the foreground its program is waited for as in ``run(_:_:)``.
    public func restore(
        _ options: RestoreOptions, _ how: RunOptions = RunOptions()
    ) throws(RuntimeError) -> RunResult {
        var options = options
        options.container.detached = how.detach
        try prepareForeground(how)
        var creation = try Creation(self, options.container, starting: .channel)
        try creation.restore(options)
        creation.directory.unlock()
        if how.detach { return RunResult(status: 0, warnings: creation.host.warnings) }
        return try finish(creation, how, nil)
    }
}

extension Creation {
    /// Has CRIU make the container's processes. What of its plan is about the host, this process
    /// performs; the rest is in the images.
    fileprivate mutating func restore(_ options: RestoreOptions) throws(RuntimeError) {
        do throws(RuntimeError) {
            try write(StateDirectory.configFile, bundle.bytes)
            if NotifySocket.requested != nil { try directory.makeNotifyDirectory() }
            try host.perform { $0.isOfHost }
            try makeMountPoints()
            try restoreProcesses(options)
        } catch {
            throw undo(because: error)
        }
    }

    /// Makes what the mounts are put on, where it is missing: CRIU does not. For what is below other
    /// mounts, and for bind mounts, these are made as well, in a mount namespace that ends with it.
    private mutating func makeMountPoints() throws(RuntimeError) {
        let steps = host.plan.steps.compactMap { step -> Step? in
            switch step.action {
            case .mount(let mount):
                mount.isRemount ? nil : Step(.`init`, step.place, .mount(mount.stub))
            case .openRoot, .makeDevice, .makeSymlink, .bindDevice: step
            default: nil
            }
        }
        let first: [Step] = [
            Step(.host, "", .clone(new: [.mount], join: [], timeOffsets: [])),
            Step(.`init`, "", .setPropagation(flags: MountFlags.isSlave | MountFlags.recursive)),
        ]
        try perform(first + steps)
    }

    private mutating func restoreProcesses(_ options: RestoreOptions) throws(RuntimeError) {
        let configFile = try CRIUConfigFile(bundle.config.annotations)
        let images = try Images(options.images, making: false, log: "restore.log")
        let streams = try StandardStreams(from: images.directory.raw)
        let log = images.log()
        let root = try directory.makeRestoreRoot()
        defer { directory.removeRestoreRoot() }
        var request = CRIUOptions()
        let criu = try startCRIU(options.images.criu, streams, root, &request)
        try criu.checkVersion(for: options.images, atLeast: options.least, log)
        let seen = try Images(images, asSeenBy: criu.pid)
        seen.describe(options.images, &request)
        if let file = configFile.path { request.set(.configFile, file) }
        request.add(options)
        request.set(.root, root)
        try criu.ask(
            CRIURequest(kind: .restore, options: request), to: "restore the container", log
        ) { (notification, fd) throws(RuntimeError) in
            try follow(notification, fd)
        }
        try criu.end(log)
    }

    /// In the container's cgroup, so that this limits the restored memory from the beginning.
    private mutating func startCRIU(
        _ program: String, _ streams: StandardStreams, _ root: String,
        _ request: inout CRIUOptions
    ) throws(RuntimeError) -> CRIU {
        do throws(SysError) {
            let null = try openFile("/dev/null", O_RDWR)
            for (key, fd) in try streams.replacements(null: null.raw) {
                request.add(inherited: key, fd)
            }
            try describe(&request)
            let hasTerminal = bundle.config.process?.terminal == true
            var place = CRIU.Place(
                streams: hasTerminal ? (null.raw, null.raw, null.raw) : (0, 1, 2))
            place.passed = inheritedNamespaces.map(\.fd) + [null.raw]
            place.cgroupFiles = try host.cgroup?.openJoinFiles(withoutClone: true) ?? []
            place.root = (bundle.rootfs, root)
            let files = place.cgroupFiles
            defer {
                for file in files { closeDescriptor(file) }
                host.endScopeHolder()
            }
            let criu = try CRIU(program, place)
            try host.holdScope(with: criu.pid)
            try request.addCgroups(of: criu.pid, host.cgroup != nil)
            return criu
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The joined namespaces that are not in the images.
    private var inheritedNamespaces: [JoinedNamespace] {
        host.prepared.namespaces.filter { $0.kind == .network || $0.kind == .pid }
    }

    /// What there is on the host for the container.
    private func describe(_ request: inout CRIUOptions) throws(SysError) {
        var names: [String] = []
        for mount in ExternalMount.all(host.plan.steps) where !names.contains(mount.name) {
            names.append(mount.name)
            request.add(externalMount: mount.name, mount.source)
        }
        for namespace in bundle.config.linux.namespaces {
            guard let path = namespace.path else { continue }
            let kind = namespace.type.kind
            if let key = namespace.type.externalKey {
                let fd = inheritedNamespaces.first { $0.kind == kind }?.fd ?? -1
                request.add(inherited: key, fd)
            } else if !namespace.type.isJoinedByCRIU {
                throw .refused("CRIU cannot restore into a \(kind.file) namespace that is joined")
            } else {
                request.add(joinedNamespace: kind.file, path)
            }
        }
    }

    /// What CRIU has come to.
    private mutating func follow(
        _ notification: CRIUResponse.Notification, _ fd: Int32
    ) throws(RuntimeError) {
        do throws(SysError) {
            switch notification.script {
            case "setup-namespaces":
                try host.adopt(notification.pid)
                try bringUpLoopback()
            case "orphan-pts-master":
                if host.prepared.consoleSocket < 0 {
                    host.terminal = fd
                    return
                }
                try send(host.prepared.consoleSocket, Array("/dev/ptmx".utf8), passing: fd)
            case "post-restore":
                if host.pid != notification.pid { try host.adopt(notification.pid) }
                try keepTimeNamespace()
            default: break
            }
        } catch {
            throw RuntimeError(error)
        }
        if fd >= 0 { closeDescriptor(fd) }
        if notification.script == "setup-namespaces" { try host.perform { $0.isOfInit } }
        if notification.script == "post-restore" {
            try protectMounts()
            try prepareState()
            host.owesPoststop = true
            try announce()
        }
    }

    /// Gives the external mounts their attributes back, before a process of the container runs.
    private mutating func protectMounts() throws(RuntimeError) {
        var steps: [Step] = [
            Step(.host, "", .clone(new: [], join: [], timeOffsets: [])),
            Step(.`init`, "", .joinNamespaces([.mount])), Step(.`init`, "", .changeRoot),
        ]
        do throws(SysError) {
            let root = RootDirectory(try openFile("/proc/\(host.pid)/root", O_PATH | O_DIRECTORY))
            for mount in ExternalMount.all(host.plan.steps) {
                guard let plan = try mount.remount(in: root) else { continue }
                steps.append(Step(.`init`, "", .mount(plan)))
            }
        } catch {
            throw RuntimeError(error)
        }
        if steps.count > 3 { try perform(steps, in: host.pidfd) }
    }

    /// Performs steps in a process that ends with them, in the container of `containerInit` or on the
    /// host.
    private mutating func perform(
        _ steps: [Step], in containerInit: Int32 = -1
    ) throws(RuntimeError) {
        let plan = Plan(
            state: host.plan.state, steps: steps + [Step(.`init`, "", .waitForStart)], process: nil)
        var prepared = Prepared()
        prepared.procfs = host.prepared.procfs
        prepared.containerInit = containerInit
        prepared.containerPid = host.pid
        var performer = HostPerformer(
            plan: plan, prepared: prepared, cgroup: nil, seccompCache: host.seccompCache,
            stateDirectory: directory.path, lock: directory.fd.raw)
        defer { performer.killInit() }
        _ = try performer.perform()
    }

    /// CRIU makes a new network namespace empty.
    private func bringUpLoopback() throws(SysError) {
        let isNew = bundle.config.linux.namespaces.contains {
            $0.type == .network && $0.path == nil
        }
        guard isNew else { return }
        let kind = NamespaceKind.network
        let own = try openNamespace("/proc/self/ns/net", kind)
        let theirs = try openNamespace("/proc/\(host.pid)/ns/net", kind)
        try joinNamespace(theirs.raw, kind.rawValue)
        var failure: SysError?
        do throws(SysError) {
            try bringUp(interface: "lo")
        } catch {
            failure = error
        }
        try joinNamespace(own.raw, kind.rawValue)
        if let failure { throw failure }
    }

    /// CRIU restores into a time namespace, so that the clocks go on where they were: `exec` has to join
    /// it as well.
    private func keepTimeNamespace() throws(SysError) {
        guard let own = try? readLink("/proc/self/ns/time"),
            try readLink("/proc/\(host.pid)/ns/time") != own
        else { return }
        var config: Config
        do throws(ConfigError) {
            config = try Config(parsing: bundle.bytes)
        } catch {
            throw .refused("\(error)")
        }
        if config.linux.namespaces.contains(where: { $0.type == .time }) { return }
        config.linux.namespaces.append(Namespace(type: .time))
        try directory.write(StateDirectory.configFile, config.json())
    }
}

extension RestoreOptions {
    /// The oldest version of CRIU that knows what is asked for.
    fileprivate var least: CRIUResponse.Version {
        let labels = CRIUResponse.Version(major: 3, minor: 16)
        return lsmProfile == nil && lsmMountContext == nil ? CRIU.oldest : labels
    }
}

extension CRIUOptions {
    /// Cgroups are restored where CRIU is itself.
    fileprivate mutating func addCgroups(of criu: Int32, _ hasOwn: Bool) throws(SysError) {
        guard hasOwn else { return }
        for entry in CgroupLayout.memberships(try readFile("/proc/\(criu)/cgroup")) {
            let controllers = entry.controllers.utf8.split(
                separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            for controller in controllers {
                add(cgroupRoot: String(Substring(controller)), entry.path)
            }
        }
    }

    fileprivate mutating func add(_ options: RestoreOptions) {
        set(.evasiveDevices)
        set(.restoreSibling)
        set(.tcpClose, options.tcpClose)
        if let profile = options.lsmProfile { set(.lsmProfile, profile) }
        if let context = options.lsmMountContext { set(.lsmMountContext, context) }
    }
}

extension Action {
    /// What a restore does as well: the rest CRIU does, or has in its images.
    fileprivate var isOfHost: Bool {
        switch self {
        case .createCgroup, .startScope, .setCgroup, .restrictDevices, .delegateCgroup,
            .openNamespace, .connect(.console, _), .openResctrlGroup, .setSchemata,
            .makeMonitoringGroup:
            true
        default: false
        }
    }

    /// What is done as soon as there is an init: what it forks inherits its class of service.
    fileprivate var isOfInit: Bool {
        switch self {
        case .runHook, .joinResctrlGroup: true
        default: false
        }
    }
}

extension MountPlan {
    fileprivate var isRemount: Bool {
        if case .remount = kind { true } else { false }
    }

    /// A mount for what goes on top of it alone. In place of a file system it is an empty tmpfs, which can
    /// be written to; but for procfs, whose place nothing else may take.
    fileprivate var stub: MountPlan {
        var stub = self
        stub.idMap = nil
        if case .bind = kind { return stub }
        stub = MountPlan(index: index, destination: destination, kind: kind)
        switch kind {
        case .bind, .remount: break
        case .fileSystem(let system) where system.type == "proc":
            stub.kind = .fileSystem(FileSystemPlan(type: "proc", source: "proc"))
        case .fileSystem, .cgroup:
            stub.kind = .fileSystem(FileSystemPlan(type: "tmpfs", source: "tmpfs"))
        }
        return stub
    }
}
