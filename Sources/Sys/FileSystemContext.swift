import CSys
import Glibc

/// A file system being configured: `fsopen(2)`, `fsconfig(2)`, `fsmount(2)`. Failures carry the
/// kernel's own message, which it leaves in the context's log, as their hint.
package struct FileSystemContext: ~Copyable {
    let fd: Fd
    let type: String

    package init(_ type: String) throws(SysError) {
        let cloexec: UInt32 = 1
        self.type = type
        fd = Fd(
            owning: try NewerCall.fsopen.check(
                unsafe csys_fsopen(type, cloexec), "fsopen(\(quoted(type)))"))
    }

    /// `FSCONFIG_SET_STRING`, or `FSCONFIG_SET_FLAG` where there is no value.
    package borrowing func set(_ key: String, _ value: String? = nil) throws(SysError) {
        try configure(
            value == nil ? 0 : 1, key, value,
            "fsconfig(\(type), \(key)\(value.map { "=" + quoted($0) } ?? ""))")
    }

    /// `FSCONFIG_CMD_CREATE` and `fsmount(2)`: the detached mount.
    package borrowing func mount(attributes: UInt64) throws(SysError) -> Fd {
        try configure(6, nil, nil, "fsconfig(\(type), FSCONFIG_CMD_CREATE)")
        let cloexec: UInt32 = 1
        return Fd(
            owning: try NewerCall.fsmount.check(
                csys_fsmount(fd.raw, cloexec, UInt32(truncatingIfNeeded: attributes)),
                "fsmount(\(type), \(hex(attributes)))"))
    }

    private borrowing func configure(
        _ command: UInt32, _ key: String?, _ value: String?, _ call: @autoclosure () -> String
    ) throws(SysError) {
        do throws(SysError) {
            try NewerCall.fsconfig.check(
                unsafe csys_fsconfig(fd.raw, command, key, value, 0), call())
        } catch {
            if error.errno != ENOSYS, let message = kernelMessage() {
                throw error.hinting("the kernel says: \(message)")
            }
            throw error
        }
    }

    /// The first error in the context's log, or else its last line; nil where it is empty. A read
    /// gives one line, such as `e tmpfs: Bad value for 'size'`.
    private borrowing func kernelMessage() -> String? {
        var message: String?
        while true {
            var line = [UInt8](repeating: 0, count: 1024)
            let length = unsafe csys_read(fd.raw, &line, line.count)
            guard length > 2 else { return message }
            let text = String(decoding: line[2..<length].prefix { $0 != 10 }, as: UTF8.self)
            if line[0] == UInt8(ascii: "e") { return text }
            message = text
        }
    }
}
