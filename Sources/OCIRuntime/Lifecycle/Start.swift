import Glibc
import Init
import Spec
import Sys

extension Runtime {
    /// Starts a created container (runtime-spec `runtime.md`, Start): its init runs the
    /// startContainer hooks and executes the program; then the poststart hooks run. Where any of
    /// that fails the container is destroyed, as the spec's lifecycle has it.
    /// - Returns: warnings.
    public func start(_ id: String) throws(RuntimeError) -> [String] {
        let container = try Container(root: root, id: id)
        try container.directory.lock(id)
        switch try container.status {
        case .created: break
        case .stopped:
            throw RuntimeError(
                "cannot start a container that has stopped",
                hint: "`delete` it and create it again")
        case .paused:
            throw RuntimeError(
                "cannot start a container in the paused state", hint: "resume it first")
        default: throw RuntimeError("cannot start an already running container")
        }
        guard container.record.hasProcess else {
            throw RuntimeError("the config has no process to start", place: "/process")
        }
        var notify: NotifySocket?
        do throws(RuntimeError) {
            notify = try container.directory.openNotifySocket()
            try release(container)
            if container.record.hasPoststart {
                try runPoststart(try container.config(), container.record)
            }
        } catch {
            throw try destroying(container, because: error)
        }
        try waitForReadiness(of: container, notify)
        return []
    }

    /// As service managers want it, `start` takes until the program says that it is ready.
    private func waitForReadiness(
        of container: borrowing Container, _ notify: NotifySocket?
    ) throws(RuntimeError) {
        guard var notify else { return }
        container.directory.unlock()
        notify.pid = container.record.pid
        do throws(SysError) {
            let process = try container.identity.open()
            try notify.waitForReadiness(of: process.raw)
        } catch  where error.errno == ESRCH {
            return
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Knocks on the start socket and waits until the program executes.
    private func release(_ container: borrowing Container) throws(RuntimeError) {
        var failure: RuntimeError?
        do throws(SysError) {
            let socket = try connectSocket(
                .packet, "\(container.directory.path)/\(StateDirectory.startSocket)")
            try limitReceiving(socket.raw, seconds: Patience.slice)
            let channel = Channel(socket)
            let patience = patience(for: container)
            // From here on it counts as started, whoever asks. Not after the word: were this process
            // killed in between, a running container would look like a created one for ever.
            try removeFile(at: container.directory.fd.raw, StateDirectory.startSocket)
            try channel.send(.go)
            var executing = false
            while failure == nil, let (message, _) = try patience.receive(channel) {
                switch message {
                case .executing: executing = true
                case .failed(let step, let error): failure = RuntimeError(step: step, error)
                default: continue
                }
            }
            if failure == nil, executing { return }
        } catch {
            throw RuntimeError(error)
        }
        if let failure { throw failure }
        if let limit = Cgroup(directories: container.record.cgroups).exhaustedMemoryLimit {
            throw RuntimeError(outOfMemory: limit)
        }
        throw RuntimeError("the container's init ended before it executed the program")
    }

    private func patience(for container: borrowing Container) -> Patience {
        let (root, id) = (root, container.record.id)
        return Patience(pid: container.record.pid) {
            // Read only when there is reason to.
            let config = try? Container(root: root, id: id).config()
            return config?.hooks.startContainer.map(\.timeout) ?? []
        }
    }

    func runPoststart(_ config: Config, _ record: ContainerRecord) throws(RuntimeError) {
        if config.hooks.poststart.isEmpty { return }
        let output: HookFiles
        do throws(SysError) {
            output = try HookFiles(config, bundle: record.bundle)
        } catch {
            throw RuntimeError(error)
        }
        let state = record.state(.running).json()
        for (index, hook) in config.hooks.poststart.enumerated() {
            do throws(SysError) {
                try HookRunner.run(
                    hook, kind: .poststart, state: state, output: output.output, in: record.bundle)
            } catch {
                throw RuntimeError(
                    step: Step(.host, "/hooks/poststart/\(index)", .runHook(.poststart, hook)),
                    error)
            }
        }
    }

    /// Destroys a container whose start failed; what goes wrong on the way is told with it.
    func destroying(
        _ container: borrowing Container, because cause: RuntimeError
    ) throws(RuntimeError) -> RuntimeError {
        var error = cause
        do throws(RuntimeError) {
            error.warnings += try destroy(container)
        } catch let second {
            error.warnings.append("removing the container: \(second)")
        }
        return error
    }
}
