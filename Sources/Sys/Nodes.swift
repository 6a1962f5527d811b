import CSys
import Glibc

/// `mknodat(2)`: `mode` holds the type and the permissions, which the umask cuts.
package func makeNode(
    at directory: Int32, _ name: String, mode: UInt32, major: UInt32, minor: UInt32
) throws(SysError) {
    try check(
        unsafe csys_mknodat(directory, name, mode, major, minor),
        "mknod(\(argument(directory, name)), 0\(String(mode, radix: 8)), \(major):\(minor))")
}

/// `symlinkat(2)`.
package func makeSymbolicLink(
    to target: String, at directory: Int32, _ name: String
) throws(SysError) {
    try check(
        unsafe csys_symlinkat(target, directory, name),
        "symlink(\(quoted(target)), \(argument(directory, name)))")
}

/// `fchownat(2)`, also of an `O_PATH` descriptor by an empty path; links are not followed.
package func changeOwner(
    at directory: Int32, _ path: String = "", uid: UInt32, gid: UInt32
) throws(SysError) {
    let flags = path.isEmpty ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW
    try check(
        unsafe csys_fchownat(directory, path, uid, gid, flags),
        "chown(\(path.isEmpty ? named(directory) : argument(directory, path)), \(uid):\(gid))")
}

/// `fchmodat(2)`; links are followed.
package func changeMode(at directory: Int32, _ path: String, _ mode: UInt32) throws(SysError) {
    try check(
        unsafe csys_fchmodat(directory, path, mode),
        "chmod(\(argument(directory, path)), 0\(String(mode, radix: 8)))")
}

/// Makes the empty file `name`; EEXIST where anything has that name, a dangling link too.
package func makeFile(
    at directory: Int32, _ name: String, mode: UInt32
) throws(SysError) {
    let flags = O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC
    let fd = try check(
        unsafe csys_openat(directory, name, flags, mode),
        "open(\(argument(directory, name)), O_CREAT|O_EXCL)")
    _ = csys_close(Int32(truncatingIfNeeded: fd))
}

/// The magic numbers of `statfs(2)` that matter here, from `linux/magic.h`.
package enum FileSystemMagic {
    package static let proc: UInt32 = 0x9fa0
    package static let sysfs: UInt32 = 0x6265_6572
    package static let devpts: UInt32 = 0x1cd1
}
