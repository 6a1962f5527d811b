import CSys
import Glibc

/// A path as an error shows it: in quotes, shortened where it is absurdly long.
package func quoted(_ path: String) -> String {
    path.utf8.count <= 256 ? "\"\(path)\"" : "\"\(path.prefix(200))…\" (\(path.utf8.count) bytes)"
}

/// `open(2)`, always `O_CLOEXEC`.
package func openFile(
    _ path: String, _ flags: Int32, mode: UInt32 = 0
) throws(SysError) -> Fd {
    try openFile(at: AT_FDCWD, path, flags, mode: mode)
}

/// `openat(2)` with an explicit directory, always `O_CLOEXEC`.
package func openFile(
    at directory: Int32, _ path: String, _ flags: Int32, mode: UInt32 = 0
) throws(SysError) -> Fd {
    let result = try checkRetrying(
        { unsafe csys_openat(directory, path, flags | O_CLOEXEC, mode) },
        "open(\(argument(directory, path)))")
    return Fd(owning: result)
}

/// What `fstatat(2)` tells of a file.
package struct FileStatus: Equatable {
    package let dev: UInt64
    package let ino: UInt64
    package let rdev: UInt64
    package let size: UInt64
    package let mode: UInt32
    package let uid: UInt32
    package let gid: UInt32

    package var kind: UInt32 { mode & S_IFMT }
    package var isDirectory: Bool { kind == S_IFDIR }
    package var isRegular: Bool { kind == S_IFREG }
    package var isSymlink: Bool { kind == S_IFLNK }
    package var isPipe: Bool { kind == S_IFIFO }
    package var isSocket: Bool { kind == S_IFSOCK }

    /// Whether this is the device node `major`:`minor` of `kind` (`S_IFCHR` or `S_IFBLK`).
    package func isDevice(_ kind: UInt32, _ major: UInt32, _ minor: UInt32) -> Bool {
        self.kind == kind && csys_major(rdev) == major && csys_minor(rdev) == minor
    }
}

/// `fstatat(2)`; with `AT_SYMLINK_NOFOLLOW` or `AT_EMPTY_PATH` in `flags`.
package func status(
    at directory: Int32, _ path: String, _ flags: Int32 = 0
) throws(SysError) -> FileStatus {
    var s = csys_stat()
    try check(
        unsafe csys_statat(directory, path, flags, &s),
        path.isEmpty
            ? "fstat(\(named(directory)))" : "stat(\(argument(directory, path)))")
    return FileStatus(
        dev: s.dev, ino: s.ino, rdev: s.rdev, size: s.size, mode: s.mode, uid: s.uid, gid: s.gid)
}

package func status(of path: String) throws(SysError) -> FileStatus {
    try status(at: AT_FDCWD, path)
}

/// Whether `path` exists; symbolic links are followed.
package func exists(_ path: String) -> Bool {
    unsafe csys_faccessat(AT_FDCWD, path, F_OK) == 0
}

extension Fd {
    package borrowing func status() throws(SysError) -> FileStatus {
        try Sys.status(at: raw, "", AT_EMPTY_PATH)
    }

    /// The magic number of the file system behind the descriptor, as in `statfs(2)`.
    package borrowing func fileSystemType() throws(SysError) -> UInt32 {
        UInt32(truncatingIfNeeded: try check(csys_fstatfs_type(raw), "fstatfs(\(named(raw)))"))
    }

    /// The `ST_*` flags of the mount behind the descriptor, as in `statvfs(3)`.
    package borrowing func mountFlags() throws(SysError) -> Int {
        try check(csys_fstatfs_flags(raw), "fstatfs(\(named(raw)))")
    }

    /// Reads to the end, at most `limit` bytes: one byte more is EFBIG.
    package borrowing func readAll(limit: Int = Int.max) throws(SysError) -> [UInt8] {
        var bytes: [UInt8] = []
        let status = try Sys.status(at: raw, "", AT_EMPTY_PATH)
        var size = status.size
        if size > UInt64(limit) { throw SysError("read(\(named(raw)))", EFBIG) }
        if size == 0 { size = 4096 }
        while true {
            // One byte more than the file says, so that a file of known size ends in one more read.
            let room = max(Int(size) - bytes.count, 0) + 1
            let raw = self.raw
            if status.isPipe, try poll(raw, Int32(POLLIN), milliseconds: 10_000) == 0 {
                throw SysError("read(\(named(raw)))", ETIMEDOUT, hint: "nobody writes to the pipe")
            }
            var error: SysError?
            let old = bytes.count
            bytes.append(
                contentsOf: unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
                    do throws(SysError) {
                        count = try checkRetrying(
                            { unsafe csys_read(raw, buffer.baseAddress, room) },
                            "read(\(named(raw)))")
                    } catch let failure {
                        error = failure
                    }
                })
            if let error { throw error }
            if bytes.count > limit { throw SysError("read(\(named(raw)))", EFBIG) }
            if bytes.count == old { return bytes }
            if bytes.count > Int(size) { size = UInt64(bytes.count) * 2 }
        }
    }

    /// Writes all of `bytes`.
    package borrowing func write(_ bytes: borrowing [UInt8]) throws(SysError) {
        let raw = self.raw
        var done = 0
        while done < bytes.count {
            var result = 0
            unsafe bytes.withUnsafeBytes { buffer in
                result = unsafe csys_write(
                    raw, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            if result == -Int(EINTR) { continue }
            done += try check(result, "write(\(named(raw)))")
        }
    }

    /// One `write(2)`, as the kernel's control files want it.
    package borrowing func writeOnce(_ text: String) throws(SysError) {
        try checkRetrying(
            { unsafe csys_write(raw, text, text.utf8.count) },
            "write(\(named(raw)), \(quoted(text)))")
    }
}

extension Fd {
    /// The names in the directory, from its beginning, without `.` and `..`.
    package borrowing func names() throws(SysError) -> [String] { try Fd.names(of: raw) }

    /// The names in an open directory; names that are not UTF-8 are left out.
    package static func names(of raw: Int32) throws(SysError) -> [String] {
        try check(csys_lseek(raw, 0, SEEK_SET), "lseek(\(named(raw)))")
        var names: [String] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while true {
            let length = try check(
                unsafe csys_getdents64(raw, &buffer, buffer.count), "getdents64(\(named(raw)))")
            if length == 0 { return names }
            var offset = 0
            while offset + 19 < length {
                let record = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
                let name = buffer[(offset + 19)..<(offset + record)].prefix { $0 != 0 }
                if let text = String(validating: name, as: UTF8.self), text != ".", text != ".." {
                    names.append(text)
                }
                offset += record
            }
        }
    }
}

/// The bytes of a file, at most `limit`.
package func readFile(_ path: String, limit: Int = Int.max) throws(SysError) -> [UInt8] {
    let fd = try openFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    do throws(SysError) {
        return try fd.readAll(limit: limit)
    } catch {
        throw SysError("read(\(quoted(path)))", error.errno, hint: error.hint)
    }
}

/// Writes `text` into an existing file in one `write(2)`, naming the file on failure.
package func writeFile(
    at directory: Int32 = AT_FDCWD, _ path: String, _ text: String
) throws(SysError) {
    let fd = try openFile(at: directory, path, O_WRONLY)
    do throws(SysError) {
        try fd.writeOnce(text)
    } catch {
        throw SysError("write(\(argument(directory, path)), \(quoted(text)))", error.errno)
    }
}

package func makeDirectory(
    at directory: Int32 = AT_FDCWD, _ path: String, mode: UInt32
) throws(SysError) {
    try check(unsafe csys_mkdirat(directory, path, mode), "mkdir(\(argument(directory, path)))")
}

/// `mkdir -p`, for paths of the host only; below a root file system see `RootDirectory`.
package func makeDirectories(_ path: String, mode: UInt32) throws(SysError) {
    let result = unsafe csys_mkdirat(AT_FDCWD, path, mode)
    if result == 0 || result == -Int(EEXIST) { return }
    guard result == -Int(ENOENT), let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")),
        slash > path.startIndex
    else {
        try check(result, "mkdir(\(quoted(path)))")
        return
    }
    try makeDirectories(String(path[..<slash]), mode: mode)
    let again = unsafe csys_mkdirat(AT_FDCWD, path, mode)
    if again != -Int(EEXIST) { try check(again, "mkdir(\(quoted(path)))") }
}

package func removeDirectory(at directory: Int32 = AT_FDCWD, _ path: String) throws(SysError) {
    try check(unsafe csys_unlinkat(directory, path, AT_REMOVEDIR), "rmdir(\(quoted(path)))")
}

package func removeFile(at directory: Int32 = AT_FDCWD, _ path: String) throws(SysError) {
    try check(unsafe csys_unlinkat(directory, path, 0), "unlink(\(quoted(path)))")
}

package func rename(at directory: Int32, _ old: String, to new: String) throws(SysError) {
    try check(
        unsafe csys_renameat(directory, old, directory, new),
        "rename(\(argument(directory, old)), \(quoted(new)))")
}

package func readLink(at directory: Int32 = AT_FDCWD, _ path: String) throws(SysError) -> String {
    let bytes = unsafe try filled(limit: 4096, "readlink(\(argument(directory, path)))") {
        unsafe csys_readlinkat(directory, path, $0, 4096)
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// The current directory. A directory outside the root comes back as ENOENT, because the kernel
/// marks it `(unreachable)` (CVE-2024-21626).
package func currentDirectory() throws(SysError) -> String {
    let bytes = unsafe try filled(limit: 4097, "getcwd()") { unsafe csys_getcwd($0, 4097) }
    guard bytes.first == UInt8(ascii: "/") else { throw SysError("getcwd()", ENOENT) }
    return String(decoding: bytes.dropLast(), as: UTF8.self)
}

/// Whole seconds and nanoseconds of `clock_gettime(2)`.
package func clock(_ id: Int32) -> (seconds: Int64, nanoseconds: Int64) {
    var seconds: Int64 = 0
    var nanoseconds: Int64 = 0
    _ = unsafe csys_clock(id, &seconds, &nanoseconds)
    return (seconds, nanoseconds)
}

package func changeDirectory(_ path: String) throws(SysError) {
    try check(unsafe csys_chdir(path), "chdir(\(quoted(path)))")
}

/// `flock(2)`, exclusive; false when somebody else holds the lock.
package func tryLock(_ fd: Int32) throws(SysError) -> Bool {
    let result = csys_flock(fd, LOCK_EX | LOCK_NB)
    if result == -Int(EWOULDBLOCK) { return false }
    try checkRetrying({ result }, "flock(\(named(fd)), LOCK_EX)")
    return true
}

/// Gives the lock back, also for clones that share the open file.
package func unlock(_ fd: Int32) { _ = csys_flock(fd, LOCK_UN) }

package func sleep(nanoseconds: Int64) { _ = csys_nanosleep(nanoseconds) }

package func changeMode(_ path: String, _ mode: UInt32) throws(SysError) {
    try check(unsafe csys_fchmodat(AT_FDCWD, path, mode), "chmod(\(quoted(path)), \(mode))")
}
