import Glibc
import Sys

extension Performer {
    /// Writes a kernel parameter of the container's namespaces through the host's procfs, and only
    /// where procfs itself holds it, not what is mounted over it (CVE-2025-52881).
    func setSysctl(_ key: String, _ value: String) throws(SysError) {
        let path = "sys/" + Self.sysctlPath(key)
        // Beneath procfs is not enough: `kernel/../../sysrq-trigger` is, too.
        if path.utf8.split(separator: UInt8(ascii: "/")).contains(where: {
            $0.elementsEqual([46, 46])
        }) {
            throw .refused("the parameter \(quoted(key)) leaves /proc/sys")
        }
        do throws(SysError) {
            try openBeneath(prepared.procfs, path, O_WRONLY).writeOnce(value)
        } catch {
            let call = "write(\(quoted("/proc/" + path)), \(quoted(value)))"
            switch error.errno {
            case ENOENT:
                throw SysError(
                    call, ENOENT,
                    hint: "this kernel has no parameter \(quoted(key)), or its module is not loaded"
                )
            case EXDEV:
                throw SysError(call, EXDEV, hint: "something is mounted over it on the host")
            case EACCES, EPERM:
                throw SysError(
                    call, error.errno,
                    hint: "the container's user namespace may not change this parameter")
            case EINVAL, ERANGE:
                throw SysError(
                    call, error.errno,
                    hint: "the kernel does not take \(quoted(value)) there\(current(path))")
            default: throw SysError(call, error.errno)
            }
        }
    }

    /// What a parameter holds, as an example of what it takes.
    private func current(_ path: String) -> String {
        guard let file = try? openBeneath(prepared.procfs, path, O_RDONLY),
            let bytes = try? Fd.readSome(file.raw, limit: 128)
        else { return "" }
        let text = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return "; it holds \(quoted(text)) now"
    }

    /// `sysctl(8)`: of `.` and `/` the one that comes first separates, the other is part of a name,
    /// as in `net.ipv4.conf.eth0/1.forwarding`.
    static func sysctlPath(_ key: String) -> String {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        guard key.utf8.first(where: { $0 == dot || $0 == slash }) == dot else { return key }
        let bytes = key.utf8.map { $0 == dot ? slash : $0 == slash ? dot : $0 }
        return String(decoding: bytes, as: UTF8.self)
    }
}
