import CSys

/// System calls by their number on this architecture, for those that somebody asks a seccomp filter
/// about.
package enum SyscallNumber {
    package static let execve = UInt32(CSYS_NR_execve)
    package static let openat = UInt32(CSYS_NR_openat)
    package static let read = UInt32(CSYS_NR_read)
    package static let close = UInt32(CSYS_NR_close)
    package static let newfstatat = UInt32(CSYS_NR_newfstatat)
    package static let fstatfs = UInt32(CSYS_NR_fstatfs)
    package static let readlinkat = UInt32(CSYS_NR_readlinkat)

    /// The `arch` that the kernel gives a filter (`AUDIT_ARCH_*`); 0 where it is not known here.
    package static let auditArchitecture = UInt32(CSYS_AUDIT_ARCHITECTURE)
}
