import Glibc
import Init
import Spec
import Sys

extension Runtime {
    /// The process of a container's own config: what `exec` starts from.
    public func process(of id: String) throws(RuntimeError) -> Process? {
        try Container(root: root, id: id).config().process
    }

    /// Executes a program in a running container: it joins the container's namespaces and cgroup and
    /// gets its restrictions.
    public func exec(_ options: ExecOptions) throws(RuntimeError) -> RunResult {
        let container = try Container(root: root, id: options.id)
        let status = try readyStatus(of: container, options)
        var warnings: [String] = []
        do throws(ConfigError) {
            warnings = try options.process.validate().map { "\(options.origin.naming($0))" }
        } catch {
            throw RuntimeError(options.origin.naming(inProcess: error))
        }
        let config = try container.config()
        var options = options
        if let own = config.process { options.process.inherit(own) }
        if !options.detach, options.consoleSocket == nil { options.process.takeWindowSize() }
        let procfs = try procfs()
        var prepared = Prepared()
        prepared.procfs = procfs.raw
        prepared.executableMount = executableMount
        prepared.preservedFds = options.preservedFds
        do throws(SysError) {
            if !options.detach { try blockAllSignals() }
            let process = try container.identity.open()
            prepared.containerInitIsPidfd = process.isPidfd
            prepared.containerInit = process.release()
            prepared.containerPid = container.identity.pid
        } catch  where error.errno == ESRCH {
            throw RuntimeError("container not running")
        } catch {
            throw RuntimeError(error)
        }
        defer { closeDescriptor(prepared.containerInit) }
        let plan = try plan(options, in: container, status, config)
        var host = HostPerformer(
            plan: plan, prepared: prepared,
            cgroup: try cgroup(for: options, in: container),
            seccompCache: seccompCache,
            stateDirectory: container.directory.path)
        host.warnings.insert(contentsOf: warnings, at: 0)
        do throws(RuntimeError) {
            try host.launch()
            host.standAside(hasHooks: false)
            _ = try host.perform()
            try tell(options, host.pid, host.pidfd)
        } catch {
            host.killInit()
            throw error
        }
        if options.detach { return RunResult(status: 0, warnings: host.warnings) }
        do throws(SysError) {
            let foreground = try Foreground(
                pid: host.pid, pidfd: host.pidfd, terminal: host.terminal)
            return RunResult(
                status: try foreground.run(reapsOthers: false).code, warnings: host.warnings)
        } catch {
            throw RuntimeError(error)
        }
    }

    private func readyStatus(
        of container: borrowing Container, _ options: ExecOptions
    ) throws(RuntimeError) -> Status {
        if container.record.startsByItself {
            // Until the init has changed its root, whoever joins it stands in the host's tree.
            try container.directory.lock(options.id)
            container.directory.unlock()
        }
        let status = try container.status
        switch status {
        case .stopped:
            throw RuntimeError(
                "cannot exec in a stopped container", hint: "its first process has ended")
        case .paused where !options.ignorePaused:
            throw RuntimeError(
                "cannot exec in a paused container (use --ignore-paused to override)")
        default: return status == .created ? .created : .running
        }
    }

    private func tell(
        _ options: ExecOptions, _ pid: Int32, _ pidfd: Int32
    ) throws(RuntimeError) {
        do throws(SysError) {
            if let path = options.pidFile { try writePidFile(path, pid) }
            if let path = options.pidfdSocket {
                try sendPidfd(pidfd, to: path)
            }
        } catch {
            throw RuntimeError(error)
        }
    }
}

extension Process {
    /// Takes from the container's own process what this one says nothing of, as runc and crun have it:
    /// a process file without a profile must not lead out of the container's. Limits it has to name.
    fileprivate mutating func inherit(_ own: Process) {
        capabilities = capabilities ?? own.capabilities
        apparmorProfile = apparmorProfile ?? own.apparmorProfile
        selinuxLabel = selinuxLabel ?? own.selinuxLabel
        user.umask = user.umask ?? own.user.umask
        oomScoreAdj = oomScoreAdj ?? own.oomScoreAdj
        ioPriority = ioPriority ?? own.ioPriority
        scheduler = scheduler ?? own.scheduler
        execCPUAffinity = execCPUAffinity ?? own.execCPUAffinity
    }
}
