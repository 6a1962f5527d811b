import CSys
import Glibc

/// What is at fault on the way to a file, for the hint of an error: looked up only after a call on the
/// path has failed with `errno`.
///
/// Examples: `there is no "/no"`, `the directory "/root" (mode 0700) may not be searched`.
/// - Returns: nil where nothing is found, or the errno says nothing about a path.
package func pathFault(_ path: String, _ errno: Int32) -> String? {
    guard [ENOENT, ENOTDIR, EACCES, ELOOP].contains(errno), !path.isEmpty else { return nil }
    var walked = path.utf8.first == UInt8(ascii: "/") ? "/" : "."
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
        let next = walked == "/" ? "/\(Substring(part))" : "\(walked)/\(Substring(part))"
        do throws(SysError) {
            _ = try status(of: next)
        } catch {
            return describe(next, in: walked, error.errno)
        }
        walked = next
    }
    guard errno == EACCES, let file = try? status(of: path) else { return nil }
    return "\(quoted(path)) has mode \(octal(file.mode))"
}

private func describe(_ path: String, in directory: String, _ errno: Int32) -> String? {
    switch errno {
    case ENOENT:
        if let target = try? readLink(path) {
            return "\(quoted(path)) is a symbolic link to \(quoted(target)), which is not there"
        }
        return "there is no \(quoted(path))"
    case ENOTDIR: return "\(quoted(directory)) is not a directory"
    case ELOOP: return "\(quoted(path)) is a symbolic link that leads to itself"
    case EACCES:
        let mode = (try? status(of: directory)).map { " (mode \(octal($0.mode)))" } ?? ""
        return "the directory \(quoted(directory))\(mode) may not be searched"
    default: return nil
    }
}

/// Permissions as `chmod(1)` takes them: `0755`.
package func octal(_ mode: UInt32) -> String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}

extension SysError {
    /// The same failure with what is at fault on the way to `path` as its hint, unless it has one.
    package func explaining(_ path: String) -> SysError {
        guard hint == nil, let fault = pathFault(path, errno) else { return self }
        return hinting(fault)
    }
}
