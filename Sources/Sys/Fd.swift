import CSys
import Glibc

/// An owned file descriptor, closed when it goes out of scope. Every one is `O_CLOEXEC` from birth.
package struct Fd: ~Copyable {
    /// The number, for the length of a call only.
    package let raw: Int32

    /// Takes over `raw`.
    package init(owning raw: Int32) { self.raw = raw }
    package init(owning raw: Int) { self.raw = Int32(truncatingIfNeeded: raw) }

    deinit { _ = csys_close(raw) }

    /// Gives the number away; the caller closes it, or leaves it open for a cloned child.
    package consuming func release() -> Int32 {
        let number = raw
        discard self
        return number
    }

    /// A second descriptor for the same open file, `O_CLOEXEC`.
    package borrowing func duplicate() throws(SysError) -> Fd {
        try Fd.duplicate(raw)
    }

    package static func duplicate(_ raw: Int32) throws(SysError) -> Fd {
        Fd(
            owning: try check(
                csys_fcntl(raw, F_DUPFD_CLOEXEC, 3), "fcntl(\(named(raw)), F_DUPFD_CLOEXEC)"))
    }
}

/// Closes a descriptor that nothing owns.
package func closeDescriptor(_ raw: Int32) { _ = csys_close(raw) }

/// Closes every descriptor from `first` on but those in `kept`. Where paths of a container are about to
/// be resolved close-on-exec is not enough: `/proc/self/fd/N/..` leads out of it (CVE-2024-21626).
/// - Parameter procfs: the host's `/proc`, for where `close_range(2)` is not available; -1 where it is
///   not open: then every number is tried.
package func closeDescriptors(
    from first: Int32, keeping kept: [Int32] = [], procfs: Int32
) throws(SysError) {
    var next = first
    for end in (kept.filter { $0 >= first } + [Int32.max]).sorted() {
        if end > next {
            let result = NewerCall.closeRange.answer(
                csys_close_range(UInt32(next), UInt32(end - 1), 0))
            if result == -Int(ENOSYS) {
                return try closeOneByOne(from: first, keeping: kept, procfs)
            }
            try check(result, "close_range(\(next), \(end - 1))")
        }
        next = end < Int32.max ? end + 1 : end
    }
}

private func closeOneByOne(
    from first: Int32, keeping kept: [Int32], _ procfs: Int32
) throws(SysError) {
    var numbers: [Int32]
    if procfs < 0 {
        let limit = try limit(of: Int32(RLIMIT_NOFILE.rawValue), name: "RLIMIT_NOFILE").soft
        numbers = Array(0..<Int32(clamping: min(limit, 1 << 20)))
    } else {
        let open = try openFile(at: procfs, "self/fd", O_RDONLY | O_DIRECTORY)
        numbers = try open.names().compactMap { Int32($0) }
    }
    for number in numbers where number >= first && !kept.contains(number) {
        _ = csys_close(number)
    }
}

/// The open descriptors of this process, from `/proc/self/fd`.
package func openDescriptors() throws(SysError) -> [Int32] {
    let directory = try openFile("/proc/self/fd", O_RDONLY | O_DIRECTORY)
    return try directory.names().compactMap { Int32($0) }.filter { $0 != directory.raw }
}

extension Fd {
    /// One `write(2)` on a descriptor that somebody else owns.
    package static func writeOnce(_ raw: Int32, _ text: String) throws(SysError) {
        try checkRetrying(
            { unsafe csys_write(raw, text, text.utf8.count) },
            "write(\(named(raw)), \(quoted(text)))")
    }

    /// One `write(2)` of bytes: how many were taken; nil when none can be for now.
    package static func writeSome(_ raw: Int32, _ bytes: [UInt8]) throws(SysError) -> Int? {
        let result = unsafe csys_write(raw, bytes, bytes.count)
        if result == -Int(EAGAIN) { return nil }
        return try checkRetrying({ result == -Int(EINTR) ? 0 : result }, "write(\(named(raw)))")
    }

    /// Writes all of `bytes` to a descriptor that somebody else owns.
    package static func writeAll(_ raw: Int32, _ bytes: [UInt8]) throws(SysError) {
        var left = bytes[...]
        while !left.isEmpty {
            if let count = try writeSome(raw, Array(left)) {
                left.removeFirst(count)
            } else {
                _ = try poll(raw, Int32(POLLOUT), milliseconds: -1)
            }
        }
    }

    /// The last bytes of a file, at most `limit` of them.
    package static func tail(of raw: Int32, limit: Int) throws(SysError) -> [UInt8] {
        let size = try check(csys_lseek(raw, 0, SEEK_END), "lseek(\(named(raw)))")
        try check(csys_lseek(raw, Int64(max(0, size - limit)), SEEK_SET), "lseek(\(named(raw)))")
        return try Fd.readSome(raw, limit: limit)
    }

    /// Whether it has a position, as files have.
    package static func isSeekable(_ raw: Int32) -> Bool { csys_lseek(raw, 0, SEEK_CUR) >= 0 }

    /// One `read(2)`: empty at the end.
    package static func readSome(_ raw: Int32, limit: Int) throws(SysError) -> [UInt8] {
        unsafe try filled(limit: limit, "read(\(named(raw)))") { unsafe csys_read(raw, $0, limit) }
    }
}

/// The two ends of a `pipe2(2)`; the write end may be closed first.
package struct Pipe: ~Copyable {
    private let readEnd: Fd
    private var writeEnd: Fd?
    /// The write end's number.
    package let write: Int32

    package init() throws(SysError) {
        var fds: [Int32] = [-1, -1]
        try check(unsafe csys_pipe2(&fds, O_CLOEXEC), "pipe2()")
        readEnd = Fd(owning: fds[0])
        writeEnd = Fd(owning: fds[1])
        write = fds[1]
    }

    package var read: Int32 { readEnd.raw }
    package mutating func closeWrite() { writeEnd = nil }
}

/// A file in memory that holds `bytes`, to be read from its beginning.
package func memoryFile(holding bytes: [UInt8]) throws(SysError) -> Fd {
    let cloexec: UInt32 = 1
    let fd = Fd(owning: try check(unsafe csys_memfd_create("swrunc", cloexec), "memfd_create()"))
    try fd.write(bytes)
    try check(csys_lseek(fd.raw, 0, SEEK_SET), "lseek()")
    return fd
}

/// Makes three descriptors this process's stdin, stdout and stderr.
package func replaceStandardStreams(
    _ input: Int32, _ output: Int32, _ error: Int32
) throws(SysError) {
    for (target, source) in [(0, input), (1, output), (2, error)] as [(Int32, Int32)] {
        if source == target {
            try keepOnExecute(source)
        } else {
            try check(csys_dup3(source, target, 0), "dup3(\(named(source)), \(target))")
        }
    }
}

/// Takes close-on-exec off a descriptor.
package func keepOnExecute(_ fd: Int32) throws(SysError) {
    try check(csys_fcntl(fd, F_SETFD, 0), "fcntl(\(named(fd)), F_SETFD)")
}

package func setNonBlocking(_ fd: Int32) throws(SysError) {
    let flags = try check(csys_fcntl(fd, F_GETFL, 0), "fcntl(\(named(fd)), F_GETFL)")
    try check(csys_fcntl(fd, F_SETFL, flags | Int(O_NONBLOCK)), "fcntl(\(named(fd)), O_NONBLOCK)")
}
