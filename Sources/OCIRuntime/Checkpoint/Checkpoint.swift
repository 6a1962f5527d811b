import Glibc
import Init
import Spec
import Sys

extension Runtime {
    /// Writes the processes of a container to files, from which ``restore(_:_:)`` makes a container
    /// again. The container is deleted then, as in runc, unless it is to go on.
    /// - Returns: warnings.
    public func checkpoint(
        _ id: String, _ options: CheckpointOptions
    ) throws(RuntimeError) -> [String] {
        let container = try Container(root: root, id: id)
        try container.directory.lock(id)
        switch try container.status {
        case .running, .paused: break
        case let status:
            throw RuntimeError("cannot checkpoint a container that is \(status.rawValue)")
        }
        let config = try container.config()
        try config.checkRestorable()
        let configFile = try CRIUConfigFile(config.annotations)
        let mounts = try externalMounts(of: container, config)
        let images = try Images(options.images, making: true, log: "dump.log")
        let wasPaused = try container.status == .paused
        do throws(RuntimeError) {
            var request = try self.request(options, images, container, config, mounts)
            if let file = configFile.path { request.set(.configFile, file) }
            try dump(request, options, images)
        } catch {
            var error = error
            // Of a container that is no more they may be all there is.
            if (try? container.identity.isAlive) == false { throw error }
            images.discard()
            // CRIU lets it go on, unless it ended on the way.
            if !wasPaused, let warning = container.goOn() { error.warnings.append(warning) }
            throw error
        }
        if options.leaveRunning || options.preDump { return [] }
        return try destroy(container)
    }

    /// What CRIU is asked to do.
    private func request(
        _ options: CheckpointOptions, _ images: borrowing Images,
        _ container: borrowing Container, _ config: Config, _ mounts: [ExternalMount]
    ) throws(RuntimeError) -> CRIUOptions {
        var request = CRIUOptions()
        images.describe(options.images, &request)
        do throws(SysError) {
            try options.check(images.directory.raw)
            let streams = try StandardStreams(of: container.record.pid)
            if !options.preDump { try streams.write(to: images.directory.raw) }
            for file in streams.files { request.set(.external, file) }
            try request.describe(container, config, mounts)
        } catch {
            throw RuntimeError(error)
        }
        request.add(options)
        return request
    }

    private func externalMounts(
        of container: borrowing Container, _ config: Config
    ) throws(RuntimeError) -> [ExternalMount] {
        var config = config
        if container.directory.has(StateDirectory.notifyDirectory) {
            let name = StateDirectory.notifyDirectory
            NotifySocket.adapt(
                &config, rootfs: container.record.rootfs,
                directory: "\(container.directory.path)/\(name)")
        }
        do throws(PlanError) {
            var facts = try HostFacts.gather()
            facts.cgroups = { .gather() }
            let steps = try Planner.mounts(
                of: config, facts: facts,
                options: PlanOptions(id: container.record.id, bundle: container.record.bundle))
            return ExternalMount.all(steps)
        } catch {
            throw RuntimeError(error)
        }
    }

    private func dump(
        _ request: CRIUOptions, _ options: CheckpointOptions, _ images: borrowing Images
    ) throws(RuntimeError) {
        let output: Fd
        do throws(SysError) {
            output = try memoryFile(holding: [])
        } catch {
            throw RuntimeError(error)
        }
        let criu = try CRIU(dumping: options.images, output.raw)
        let log = images.log(output: output.raw)
        try criu.checkVersion(for: options.images, log)
        if options.tracksMemory || options.images.lazyPages { try criu.checkFeatures(options, log) }
        try criu.ask(
            CRIURequest(kind: options.preDump ? .preDump : .dump, options: request),
            to: "dump the container", log
        ) { (notification, fd) throws(RuntimeError) in
            if fd >= 0 { closeDescriptor(fd) }
            if notification.script == "status-ready" { options.tellReady() }
        }
        // The images are there, however it ends: after a pre-dump it waits for another request, which
        // another process will get.
        try? criu.end(log)
    }
}

extension Config {
    /// What CRIU could not restore is better found now than when the container is gone.
    fileprivate func checkRestorable() throws(RuntimeError) {
        for (index, namespace) in linux.namespaces.enumerated() {
            let place = "/linux/namespaces/\(index)"
            if namespace.type == .user {
                throw RuntimeError(
                    "CRIU could not restore a container with a user namespace", place: place,
                    hint: "its root may not read the images, which are for the host's root alone")
            }
            if namespace.path != nil, !namespace.type.isJoinedByCRIU {
                throw RuntimeError(
                    "CRIU could not restore a container into a \(namespace.type.rawValue) namespace "
                        + "that is joined", place: place)
            }
        }
    }
}

extension CRIU {
    /// A checkpoint sees the host as it is. What CRIU prints before it has a log goes to `output`.
    fileprivate init(dumping options: ImageOptions, _ output: Int32) throws(RuntimeError) {
        do throws(SysError) {
            let null = try openFile("/dev/null", O_RDWR)
            self = try CRIU(options.criu, Place(streams: (null.raw, output, output)))
        } catch {
            throw RuntimeError(error)
        }
    }
}

extension CheckpointOptions {
    fileprivate var tracksMemory: Bool { preDump || parentPath != nil }

    /// What CRIU would refuse late, or with other words.
    fileprivate func check(_ directory: Int32) throws(SysError) {
        if let path = parentPath {
            if path.utf8.first == UInt8(ascii: "/") {
                throw .refused("--parent-path must be relative to --image-path")
            }
            do throws(SysError) {
                _ = try openFile(at: directory, path, O_PATH | O_DIRECTORY)
            } catch {
                throw SysError(
                    "--parent-path \(quoted(path)): \(error.call)", error.errno,
                    hint: "it is relative to --image-path, where the images of a --pre-dump are")
            }
        }
        if let fd = statusFd {
            if !images.lazyPages { throw .refused("--status-fd goes with --lazy-pages only") }
            _ = try status(at: fd, "", AT_EMPTY_PATH)
        }
    }

    /// Nobody may be listening any more.
    fileprivate func tellReady() {
        if let fd = statusFd { _ = try? Fd.writeSome(fd, [0]) }
    }
}

extension Container {
    /// Lets a container run again that has been left frozen, or half so.
    /// - Returns: a warning where that failed.
    fileprivate borrowing func goOn() -> String? {
        do throws(SysError) {
            try Cgroup(directories: record.cgroups).thaw()
            return nil
        } catch {
            return "the container is left paused: \(error)"
        }
    }
}

extension CRIUOptions {
    /// What there is to dump.
    fileprivate mutating func describe(
        _ container: borrowing Container, _ config: Config, _ mounts: [ExternalMount]
    ) throws(SysError) {
        let pid = container.record.pid
        set(.pid, pid)
        set(.root, container.record.rootfs)
        let cgroup = Cgroup(directories: container.record.cgroups)
        // CRIU wants all that it dumps to be in there.
        if let path = cgroup.freezerPath, cgroup.placeOutside(of: pid) == nil {
            set(.freezeCgroup, path)
        }
        let root = RootDirectory(try openFile("/proc/\(pid)/root", O_PATH | O_DIRECTORY))
        for mount in mounts {
            guard let path = try mount.mountPoint(in: root) else { continue }
            add(externalMount: path, mount.name)
        }
        for namespace in config.linux.namespaces where namespace.path != nil {
            guard let key = namespace.type.externalKey else { continue }
            let file = namespace.type.kind.file
            let inode = try status(of: "/proc/\(pid)/ns/\(file)").ino
            set(.external, "\(file)[\(inode)]:\(key)")
        }
    }

    fileprivate mutating func add(_ options: CheckpointOptions) {
        set(.leaveRunning, options.leaveRunning)
        set(.tcpSkipInFlight, options.skipsInFlight)
        set(.linkRemap, options.linkRemap)
        if let path = options.parentPath { set(.parentImages, path) }
        if options.tracksMemory { set(.trackMemory) }
        if let (address, port) = options.pageServer { set(pageServer: address, port: port) }
    }
}

extension CRIU {
    /// - Throws: a version that cannot do what is asked for.
    borrowing func checkVersion(
        for options: ImageOptions, atLeast needed: CRIUResponse.Version = CRIU.oldest,
        _ log: CRIULog
    ) throws(RuntimeError) {
        let version = try ask(
            CRIURequest(kind: .version, isFollowed: true), to: "tell its version", log,
            isShort: true
        ).version
        let locking = CRIUResponse.Version(major: 3, minor: 17)
        let least = options.networkLock == nil ? needed : max(needed, locking)
        if version < least {
            throw RuntimeError("CRIU \(least) or newer is needed, and this is \(version)")
        }
    }

    fileprivate borrowing func checkFeatures(
        _ options: CheckpointOptions, _ log: CRIULog
    ) throws(RuntimeError) {
        let features = try ask(
            CRIURequest(kind: .featureCheck, isFollowed: true), to: "tell its features", log,
            isShort: true
        ).features
        if options.tracksMemory, !features.tracksMemory {
            throw RuntimeError(
                "this kernel cannot track changes of memory, as "
                    + "\(options.preDump ? "--pre-dump" : "--parent-path") needs it",
                hint: "it is built without soft-dirty bits (CONFIG_MEM_SOFT_DIRTY)")
        }
        if options.images.lazyPages, !features.hasLazyPages {
            throw RuntimeError("this kernel has no userfaultfd, as --lazy-pages needs it")
        }
    }
}

extension NamespaceType {
    /// Whether CRIU can restore into one that there is.
    var isJoinedByCRIU: Bool { self != .cgroup && self != .time }

    /// What a joined namespace is called in the images; nil for kinds that CRIU does not leave out.
    var externalKey: String? {
        switch self {
        case .network: "extRootNetNS"
        case .pid: "extRootPidNS"
        default: nil
        }
    }
}
