import Glibc
import Init
import Sys

/// What `run` is asked for besides ``CreateOptions``.
public struct RunOptions: Sendable {
    /// Return once the program executes.
    public var detach = false
    /// Do not delete the container when its program has ended.
    public var keep = false
    /// Do not adopt and reap what the program leaves behind.
    public var noSubreaper = false

    /// Makes options: in the foreground, deleted at the end.
    public init() {}
}

/// How a program in the foreground ended.
public struct RunResult: Sendable {
    /// The program's exit status, 128 + n when signal n ended it; 0 when detached.
    public let status: Int32
    /// Warnings.
    public let warnings: [String]
}

extension Runtime {
    /// Creates and starts a container; in the foreground also waits for its program, passing signals
    /// and the terminal on, and deletes it.
    public func run(
        _ options: CreateOptions, _ how: RunOptions = RunOptions()
    ) throws(RuntimeError) -> RunResult {
        var options = options
        options.detached = how.detach
        try prepareForeground(how)
        var creation = try Creation(self, options, starting: .channel)
        try creation.perform()
        var notify: NotifySocket?
        do throws(RuntimeError) {
            notify = try creation.directory.openNotifySocket()
            notify?.pid = creation.host.pid
            if !creation.startsByItself { try creation.host.release() }
            try creation.host.waitForExecution()
            try runPoststart(creation.bundle.config, creation.record)
        } catch {
            throw creation.undo(because: error)
        }
        // Other commands may change the container while its program runs.
        creation.directory.unlock()
        if how.detach {
            do throws(SysError) {
                try notify?.waitForReadiness(of: creation.host.pidfd)
            } catch {
                throw RuntimeError(error)
            }
            return RunResult(status: 0, warnings: creation.host.warnings)
        }
        return try finish(creation, how, notify)
    }

    /// What the foreground needs before there is a process: no signal may be lost between its clone and
    /// the wait for it.
    func prepareForeground(_ how: RunOptions) throws(RuntimeError) {
        do throws(SysError) {
            if !how.detach { try blockAllSignals() }
            if !how.detach, !how.noSubreaper { try processControl(.setChildSubreaper, 1) }
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Waits for the program of a container that runs, and deletes it.
    func finish(
        _ creation: consuming Creation, _ how: RunOptions, _ notify: NotifySocket?
    ) throws(RuntimeError) -> RunResult {
        var warnings = creation.host.warnings
        let status: ExitStatus
        do throws(SysError) {
            let foreground = try Foreground(
                pid: creation.host.pid, pidfd: creation.host.pidfd,
                terminal: creation.host.terminal, notify: notify)
            status = try foreground.run(reapsOthers: !how.noSubreaper)
        } catch {
            throw creation.undo(because: RuntimeError(error))
        }
        // Somebody may have deleted it meanwhile, and made another of that name.
        if !how.keep, try creation.directory.lockIfThere() {
            warnings += try creation.delete()
        }
        return RunResult(status: status.code, warnings: warnings)
    }
}
