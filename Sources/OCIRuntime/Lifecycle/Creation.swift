import Glibc
import Init
import Spec
import Sys

/// How a created container is started.
enum StartMethod {
    /// By a later command, through the start socket in the state directory.
    case socket
    /// By the process that creates it, over the channel.
    case channel
}

/// The creation of one container, up to an init that is ready to start: what `create` and `run`
/// share.
struct Creation: ~Copyable {
    let runtime: Runtime
    let options: CreateOptions
    private let starting: StartMethod
    let bundle: Bundle
    let directory: StateDirectory
    var record: ContainerRecord
    var host: HostPerformer
    /// Whether the init of a `run` needs no word of the host's between the clone and its program: the
    /// wait would cost it a tenth of a millisecond. Nor do hooks look at the container meanwhile.
    let startsByItself: Bool
    /// Whether the pid file is this container's, and goes with it.
    private var wrotePidFile = false
    /// The host's `/proc`, as long as the init may need it.
    private let procfs: Fd

    /// Plans the container and claims its id: nothing but its state directory is made.
    init(
        _ runtime: Runtime, _ options: CreateOptions, starting: StartMethod
    ) throws(RuntimeError) {
        try validate(options.id)
        var bundle = try Bundle(options.bundle, config: options.config)
        if starting == .channel, bundle.config.process == nil {
            throw RuntimeError(
                "process property must not be empty: there is nothing to start", place: "/process")
        }
        let procfs = try runtime.procfs()
        var aside = NamespacesAside(for: bundle.config.linux.namespaces, procfs: procfs.raw)
        let stateDirectory = "\(runtime.root)/\(options.id)"
        if NotifySocket.requested != nil {
            NotifySocket.adapt(
                &bundle.config, rootfs: bundle.rootfs,
                directory: "\(stateDirectory)/\(StateDirectory.notifyDirectory)")
        }
        if starting == .channel, !options.detached, options.consoleSocket == nil {
            bundle.config.process?.takeWindowSize()
        }
        let planned = try runtime.plan(bundle, options, starting: starting)
        // Before the first property is set: the autoclosures of && may not see a `self` that is not whole
        // yet, or Swift 6.3 destroys what has not been made.
        let startsByItself =
            starting == .channel && planned.plan.leavesTheRestToInit
            && NotifySocket.requested == nil && bundle.config.hooks.createContainer.isEmpty
            && bundle.config.hooks.startContainer.isEmpty
        let directory = try StateDirectory(making: options.id, root: runtime.root)
        self.runtime = runtime
        self.options = options
        self.starting = starting
        self.bundle = bundle
        var prepared = Prepared()
        prepared.procfs = procfs.raw
        prepared.executableMount = runtime.executableMount
        prepared.preservedFds = options.preservedFds
        prepared.listenFds = options.listenFds
        record = ContainerRecord(
            creating: options.id, bundle)
        host = HostPerformer(
            plan: planned.plan, prepared: prepared, cgroup: planned.cgroup,
            scope: planned.scope, seccompCache: runtime.seccompCache,
            stateDirectory: directory.path, lock: directory.fd.raw)
        host.warnings.insert(contentsOf: bundle.warnings, at: 0)
        host.aside = aside.take()
        record.startsByItself = startsByItself
        self.startsByItself = startsByItself
        self.procfs = procfs
        self.directory = directory
    }

    /// Performs the plan up to an init that is ready, and writes the container down. On failure
    /// everything is undone.
    mutating func perform() throws(RuntimeError) {
        do throws(RuntimeError) {
            // The copy of the config is what `delete --force` goes by if this process dies on the way.
            try write(StateDirectory.configFile, bundle.bytes)
            if NotifySocket.requested != nil { try directory.makeNotifyDirectory() }
            try host.launch()
            host.standAside(hasHooks: bundle.config.hooks != Hooks())
            // The hooks may ask for the container's state (runtime.md, State).
            if bundle.config.hooks.hasOfCreate {
                record.isCreating = true
                try prepareState()
                try commitState()
                record.isCreating = false
            }
            try prepareState()
            if startsByItself {
                try announce()
                try host.releaseAhead()
            }
            guard try host.perform() == .ready else {
                throw RuntimeError("the container's init did not wait to be started")
            }
            host.owesPoststop = true
            if !startsByItself { try announce() }
        } catch {
            throw undo(because: error)
        }
    }

    /// Lets the ready init go: on to its wait for `start`, or, for `run`, to its program.
    mutating func release() throws(RuntimeError) {
        do throws(RuntimeError) {
            try host.release()
        } catch {
            throw undo(because: error)
        }
    }

    /// Prepares what makes the container a created one, see ``announce()``.
    mutating func prepareState() throws(RuntimeError) {
        do throws(SysError) {
            let identity = try ProcessIdentity(of: host.pid)
            record.pid = identity.pid
            record.startTime = identity.startTime
            record.cgroups = host.cgroup?.directories ?? []
            record.unit = host.scope?.name.unit ?? ""
            record.isUserUnit = host.scope?.isUser ?? false
            record.resctrl = host.resctrl.temporary
            try directory.stage(StateDirectory.stateFile, record.json)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// From here on the container is created, for whoever asks.
    mutating func announce() throws(RuntimeError) {
        do throws(SysError) {
            if let path = options.pidFile {
                try writePidFile(path, host.pid)
                wrotePidFile = true
            }
            if let path = options.pidfdSocket { try sendPidfd(host.pidfd, to: path) }
            if let path = bundle.config.annotations[Annotations.pidfdReceiver] {
                try sendPidfd(host.pidfd, to: path.below(bundle.path))
            }
        } catch {
            throw RuntimeError(error)
        }
        try commitState()
    }

    private func commitState() throws(RuntimeError) {
        do throws(SysError) {
            try directory.commit(StateDirectory.stateFile)
        } catch {
            throw RuntimeError(error)
        }
    }

    func write(_ name: String, _ bytes: [UInt8]) throws(RuntimeError) {
        do throws(SysError) {
            try directory.write(name, bytes)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Undoes what has been done after a failure. What goes wrong on the way is told with it.
    mutating func undo(because cause: RuntimeError) -> RuntimeError {
        var error = cause
        error.warnings += host.warnings
        host.killInit()
        error.warnings += host.giveBackNetDevices()
        do throws(RuntimeError) {
            error.warnings += try delete(undoing: true)
        } catch let second {
            error.warnings.append("\(second)")
        }
        if wrotePidFile, let path = options.pidFile { try? removeFile(path) }
        return error
    }

    /// Removes a container whose init has ended: its cgroup and what is in it, and its state. Then the
    /// poststop hooks run.
    /// - Parameter undoing: it has never been: what outlives a container goes as well.
    /// - Returns: warnings of hooks that failed.
    mutating func delete(undoing: Bool = false) throws(RuntimeError) -> [String] {
        var warnings: [String] = []
        do throws(SysError) {
            if let cgroup = host.cgroup {
                let unit = host.scope?.name.unit ?? ""
                warnings = try cgroup.remove(unit: unit, isUser: host.scope?.isUser ?? false)
            }
            if undoing { try host.resctrl.undo() }
            try ResctrlDirectories.remove(host.resctrl.temporary)
        } catch {
            throw RuntimeError(error)
        }
        if host.owesPoststop { warnings += runtime.runPoststop(bundle.config, record) }
        do throws(SysError) {
            try directory.remove()
        } catch {
            throw RuntimeError(error)
        }
        return warnings
    }
}

extension Hooks {
    fileprivate var hasOfCreate: Bool {
        !(prestart.isEmpty && createRuntime.isEmpty && createContainer.isEmpty)
    }
}

/// A pid file, whole or not at all.
func writePidFile(_ path: String, _ pid: Int32) throws(SysError) {
    do throws(SysError) {
        try replacePidFile(path, pid)
    } catch {
        throw SysError(
            "the pid file \(quoted(path)): \(error.call)", error.errno,
            hint: error.hint ?? pathFault(splitPath(path).parent, error.errno))
    }
}

private func replacePidFile(_ path: String, _ pid: Int32) throws(SysError) {
    let (parent, name) = splitPath(path)
    let directory = try openFile(parent, O_RDONLY | O_DIRECTORY)
    // `/dev/null` is not to become a file for everybody.
    if let there = try? status(at: directory.raw, name, AT_SYMLINK_NOFOLLOW),
        there.kind == S_IFCHR || there.kind == S_IFBLK
    {
        throw .refused("a device is in its place")
    }
    // The directory may be another user's, who has put a link or a pipe in the way.
    let temporary = ".\(name).\(pid)"
    let flags = O_WRONLY | O_CREAT | O_EXCL
    let file: Fd
    do throws(SysError) {
        file = try openFile(at: directory.raw, temporary, flags, mode: 0o644)
    } catch  where error.errno == EEXIST {
        try removeFile(at: directory.raw, temporary)
        file = try openFile(at: directory.raw, temporary, flags, mode: 0o644)
    }
    do throws(SysError) {
        try file.writeOnce(String(pid))
        try rename(at: directory.raw, temporary, to: name)
    } catch {
        try? removeFile(at: directory.raw, temporary)
        throw error
    }
}

/// Sends a pidfd to the AF_UNIX socket at `path`, as runc's `--pidfd-socket` does.
func sendPidfd(_ pidfd: Int32, to path: String) throws(SysError) {
    let socket = try connectSocket(.stream, path)
    try send(socket.raw, Array("pidfd".utf8), passing: pidfd)
}

extension ContainerRecord {
    init(creating id: String, _ bundle: Bundle) {
        let config = bundle.config
        let namespaces = config.linux.namespaces
        self.init(
            id: id, ociVersion: config.ociVersion, bundle: bundle.path, rootfs: bundle.rootfs,
            created: timestamp(), owner: effectiveUser,
            hasProcess: config.process != nil,
            hasPoststart: !config.hooks.poststart.isEmpty,
            hasPoststop: !config.hooks.poststop.isEmpty,
            hasPidNamespace: namespaces.contains { $0.type == .pid && $0.path == nil },
            annotations: config.annotations)
    }
}

extension Runtime {
    /// Creates a container whose program waits for ``start(_:)`` (runtime-spec `runtime.md`, Create).
    /// - Returns: warnings.
    /// - Throws: where it cannot be created as its config asks; nothing is left of it then.
    public func create(_ options: CreateOptions) throws(RuntimeError) -> [String] {
        var creation = try Creation(self, options, starting: .socket)
        try creation.perform()
        try creation.release()
        return creation.host.warnings
    }
}

extension NamespacesAside {
    /// Only for a network namespace is it worth the process. Never beside a user namespace, which the others
    /// have to belong to.
    fileprivate init?(for namespaces: [Namespace], procfs: Int32) {
        let new = namespaces.lazy.filter { $0.path == nil }.map { $0.type.kind }
        guard new.contains(.network), !namespaces.contains(where: { $0.type == .user }) else {
            return nil
        }
        self.init(Self.kinds.filter { new.contains($0) }, procfs: procfs)
    }
}
