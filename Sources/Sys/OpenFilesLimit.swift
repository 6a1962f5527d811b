import CSys
import Glibc

/// How many files this process may have open. The soft limit is there for programs that use `select(2)`;
/// a container of a thousand mounts needs more, and what it executes gets the caller's limit back.
package enum OpenFilesLimit {
    private static let number = Int32(RLIMIT_NOFILE.rawValue)
    private static let name = "RLIMIT_NOFILE"
    /// As it was when it was first asked for.
    private static let callers = try? limit(of: number, name: name)

    /// Raises the soft limit to the hard one. Where that is not possible, what needs it says so.
    package static func raise() {
        guard let callers, callers.soft < callers.hard else { return }
        try? setLimit(number, soft: callers.hard, hard: callers.hard, name: name)
    }

    /// Gives back what ``raise()`` took.
    package static func restore() throws(SysError) {
        guard let callers, callers.soft < callers.hard else { return }
        try setLimit(number, soft: callers.soft, hard: callers.hard, name: name)
    }
}
