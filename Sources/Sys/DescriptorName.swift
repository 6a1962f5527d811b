import CSys
import Glibc

/// A descriptor as an error shows it, with what it is: `[7]</run/x>`. Asked of the kernel at that
/// moment, after a call has failed: by who catches the error the descriptor may be closed.
///
/// No door here throws: the text of *its* error would ask for a name again.
package func named(_ descriptor: Int32) -> String {
    if descriptor == AT_FDCWD { return "AT_FDCWD" }
    let number = "[\(descriptor)]"
    let flags = O_PATH | O_DIRECTORY | O_CLOEXEC
    let procfs = unsafe csys_openat(AT_FDCWD, "/proc", flags, 0)
    guard procfs >= 0 else { return number }
    let proc = Fd(owning: procfs)
    let magic = 0x9fa0
    guard csys_fstatfs_type(proc.raw) == magic else { return number }
    var length = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
        length = unsafe csys_readlinkat(
            proc.raw, "self/fd/\(descriptor)", buffer.baseAddress, 1024)
        count = min(max(length, 0), 1024)
    }
    return length > 0 ? "\(number)<\(String(decoding: bytes, as: UTF8.self))>" : number
}

/// A path as the argument of a call that takes a directory as well: `"x"`, or `[7]</run>, "x"`.
func argument(_ directory: Int32, _ path: String) -> String {
    directory == AT_FDCWD || path.utf8.first == UInt8(ascii: "/")
        ? quoted(path) : "\(named(directory)), \(quoted(path))"
}
