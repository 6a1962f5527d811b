import Glibc
import Init
import Sys

/// How long the host waits for an init. An init's own work takes milliseconds, and only a hook in the
/// container may take as long as it likes; but one that is stopped never answers, hooks or not, and is
/// not waited for.
struct Patience {
    let pid: Int32
    /// The timeouts of the hooks that the init may run; nil for one without.
    let hooks: () -> [Int64?]

    /// A socket's time limit, at which this looks how the init is.
    static let slice = 1
    private static let seconds: Int64 = 120

    /// The init's next message and the descriptor with it; nil when it has gone.
    func receive(
        _ channel: borrowing Channel
    ) throws(SysError) -> (message: Message, fd: Int32)? {
        var waited: Int64 = 0
        while true {
            do throws(SysError) {
                return try channel.receive()
            } catch  where error.errno == ETIMEDOUT {
                waited += Int64(Self.slice)
                try checkMoving(waited)
            }
        }
    }

    private func checkMoving(_ waited: Int64) throws(SysError) {
        if ProcessIdentity.isStopped(pid) {
            throw .refused(
                "the container's init (pid \(pid)) is stopped and does not answer",
                hint: "somebody sent it SIGSTOP or a like signal")
        }
        guard waited >= Self.seconds else { return }
        var limit = Self.seconds
        for timeout in hooks() {
            guard let timeout else { return }
            limit = limit.addingReportingOverflow(timeout).partialValue
        }
        if waited >= limit {
            throw .refused("the container's init did not answer for \(waited) s")
        }
    }
}
