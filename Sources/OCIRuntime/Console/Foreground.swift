import Glibc
import Sys

/// The time in which a program runs in the foreground: signals go to it, its terminal is relayed, its
/// readiness is passed on, and the caller gets its exit status.
struct Foreground: ~Copyable {
    private let pid: Int32
    private let pidfd: Int32
    private let relay: TerminalRelay?
    private let signals: Fd
    private let notify: NotifySocket?

    /// - Parameters:
    ///   - pid, pidfd: of the program's process, a child of this one.
    ///   - terminal: the pty's master, or -1; closed at the end.
    ///   - notify: what the program tells about its readiness.
    init(pid: Int32, pidfd: Int32, terminal: Int32, notify: NotifySocket? = nil) throws(SysError) {
        self.pid = pid
        self.pidfd = pidfd
        self.notify = notify
        let relay = terminal >= 0 ? try TerminalRelay(terminal) : nil
        signals = try openSignals()
        self.relay = relay
    }

    /// Runs until the program has ended.
    /// - Parameter reapsOthers: whether other children are to be reaped too (a subreaper).
    func run(reapsOthers: Bool) throws(SysError) -> ExitStatus {
        while true {
            let ready = try pollAll(
                [pidfd, signals.raw, relay?.input ?? -1, relay?.output ?? -1, notify?.raw ?? -1],
                milliseconds: relay?.isBlocked == true ? 10 : -1)
            if ready[1], try forwardSignals(), reapsOthers { try reapOthers() }
            if ready[2] { try relay?.copyInput() }
            if ready[3] { try relay?.copyOutput() }
            if ready[4] { try notify?.forward() }
            try relay?.flush()
            if ready[0] {
                try notify?.drain()
                try relay?.drain()
                return try wait(pidfd: pidfd)
            }
        }
    }

    /// Passes pending signals on to the program; true when a child of this process has changed.
    private func forwardSignals() throws(SysError) -> Bool {
        var childChanged = false
        while let number = try nextSignal(signals.raw) {
            switch number {
            case SIGCHLD: childChanged = true
            case SIGURG, SIGPIPE: continue
            case SIGWINCH where relay != nil: try relay?.copyWindowSize()
            default:
                do throws(SysError) {
                    try signal(pidfd, ofChild: pid, number)
                } catch  where error.errno == ESRCH {
                    continue
                }
            }
        }
        return childChanged
    }

    /// Reaps orphans that this process adopted, but not the program: its status is wanted.
    private func reapOthers() throws(SysError) {
        do throws(SysError) {
            while let other = try endedChild(), other != pid { try reap(other) }
        } catch  where error.errno == ECHILD {
            return
        }
    }
}
