import Glibc
import Spec
import Sys

/// The file with options of CRIU's own: that of the host, or what an annotation of the container names.
///
/// CRIU executes what an `action-script` in it says, as root. So an annotation may only name a file that
/// nobody but root can have written, and CRIU gets that very file, whatever its path leads to by then.
struct CRIUConfigFile: ~Copyable {
    static let annotation = "org.criu.config"

    /// The file that the annotation names.
    private let file: Fd?
    /// Where CRIU finds it; nil for none.
    let path: String?

    /// - Throws: a file that others than root could change.
    init(_ annotations: OrderedMap<String>) throws(RuntimeError) {
        let own = "/etc/criu/swrunc.conf"
        guard let named = annotations[Self.annotation] else {
            file = nil
            path = exists(own) ? own : "/etc/criu/runc.conf"
            return
        }
        if named.isEmpty {
            file = nil
            path = nil
            return
        }
        do throws(SysError) {
            let opened = try Self.open(named)
            path = "/proc/\(processID)/fd/\(opened.raw)"
            file = consume opened
        } catch {
            throw RuntimeError(
                error.description, place: "/annotations/\(Self.annotation)", hint: error.hint)
        }
    }

    private static func open(_ path: String) throws(SysError) -> Fd {
        func refusal(_ rule: String) -> SysError {
            .refused(
                "\(quoted(path)) \(rule)",
                hint: "CRIU executes as root what its config says: the file must be root's alone")
        }
        if path.utf8.first != UInt8(ascii: "/") { throw refusal("is not an absolute path") }
        // O_PATH: neither a FIFO nor a device is opened.
        let found = try openFile(path, O_PATH | O_NOFOLLOW)
        let status = try found.status()
        if status.isSymlink { throw refusal("is a symbolic link") }
        if !status.isRegular { throw refusal("is not a regular file") }
        if status.uid != 0 { throw refusal("belongs to user \(status.uid), and not to root") }
        if status.mode & 0o022 != 0 { throw refusal("can be written to by others than its owner") }
        return found
    }
}
