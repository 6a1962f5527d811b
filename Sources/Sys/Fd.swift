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
                csys_fcntl(raw, F_DUPFD_CLOEXEC, 3), "fcntl(\(raw), F_DUPFD_CLOEXEC)"))
    }
}

/// Marks every descriptor from `first` on close-on-exec, so that none reaches the user's program
/// (CVE-2024-21626). Kernels before 5.11 lack the flag: there the descriptors are marked one by one.
package func closeOnExec(from first: Int32) throws(SysError) {
    let closeRangeCloexec: UInt32 = 4
    let result = csys_close_range(UInt32(first), UInt32.max, closeRangeCloexec)
    if result != -Int(ENOSYS) && result != -Int(EINVAL) {
        try check(result, "close_range(\(first), ~0, CLOSE_RANGE_CLOEXEC)")
        return
    }
    for number in try openDescriptors() where number >= first {
        try check(csys_fcntl(number, F_SETFD, Int(FD_CLOEXEC)), "fcntl(\(number), FD_CLOEXEC)")
    }
}

/// The open descriptors of this process, from `/proc/self/fd`.
package func openDescriptors() throws(SysError) -> [Int32] {
    let directory = try openFile("/proc/self/fd", O_RDONLY | O_DIRECTORY)
    return try directory.names().compactMap { Int32($0) }.filter { $0 != directory.raw }
}
