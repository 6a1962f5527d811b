import CSys
import Glibc

/// `setgroups(2)`: always called, an empty list too, so that no group of the caller is kept.
package func setGroups(_ groups: [UInt32]) throws(SysError) {
    try check(unsafe csys_setgroups(groups.count, groups), "setgroups(\(groups))")
}

/// Real, effective and saved at once.
package func setGroup(_ gid: UInt32) throws(SysError) {
    try check(csys_setresgid(gid), "setresgid(\(gid))")
}

/// Real, effective and saved at once.
package func setUser(_ uid: UInt32) throws(SysError) {
    try check(csys_setresuid(uid), "setresuid(\(uid))")
}

package var effectiveUser: UInt32 { UInt32(truncatingIfNeeded: csys_geteuid()) }
package var effectiveGroup: UInt32 { UInt32(truncatingIfNeeded: csys_getegid()) }

/// `prlimit(2)`; `RLIM_INFINITY` is `UInt64.max`.
/// - Parameter pid: 0 for this process.
package func setLimit(
    of pid: Int32 = 0, _ resource: Int32, soft: UInt64, hard: UInt64, name: String
) throws(SysError) {
    try check(
        csys_prlimit(pid, resource, soft, hard), "prlimit(\(name), soft \(soft), hard \(hard))")
}

/// Raises this process's hard limit to `hard` where it is lower; the soft one stays.
package func raiseHardLimit(_ resource: Int32, to hard: UInt64, name: String) throws(SysError) {
    var soft: UInt64 = 0
    var old: UInt64 = 0
    try check(unsafe csys_getrlimit(resource, &soft, &old), "getrlimit(\(name))")
    if old < hard { try setLimit(resource, soft: soft, hard: hard, name: name) }
}

/// The permitted capabilities of this process, as a mask of `1 << number` (`capget(2)`).
package func permittedCapabilities() -> UInt64 {
    var mask: UInt64 = 0
    return unsafe csys_capget_permitted(&mask) == 0 ? mask : 0
}

/// The bounding set of this process and the kernel's last capability (`PR_CAPBSET_READ`).
package func boundingCapabilities() -> (mask: UInt64, last: UInt8) {
    let read: Int32 = 23
    var mask: UInt64 = 0
    for number in 0..<63 as Range<UInt8> {
        let result = csys_prctl(read, UInt(number), 0, 0, 0)
        if result < 0 { return (mask, number &- 1) }
        if result > 0 { mask |= 1 << UInt64(number) }
    }
    return (mask, 62)
}

/// `sethostname(2)` of this UTS namespace.
package func setHostname(_ name: String) throws(SysError) {
    try check(unsafe csys_sethostname(name, name.utf8.count), "sethostname(\(quoted(name)))")
}

/// `setdomainname(2)` of this UTS namespace.
package func setDomainname(_ name: String) throws(SysError) {
    try check(unsafe csys_setdomainname(name, name.utf8.count), "setdomainname(\(quoted(name)))")
}

/// `personality(2)`.
package func setPersonality(_ persona: UInt) throws(SysError) {
    try check(csys_personality(persona), "personality(\(hex(UInt64(persona))))")
}

/// `umask(2)`: the old mask.
@discardableResult
package func setUmask(_ mask: UInt32) -> UInt32 { csys_umask(mask) }

/// Joins a new session keyring named `name` (`keyctl_join_session_keyring(3)`): its serial number.
package func joinSessionKeyring(_ name: String) throws(SysError) -> Int {
    try check(
        unsafe csys_join_session_keyring(name),
        "keyctl(KEYCTL_JOIN_SESSION_KEYRING, \(quoted(name)))")
}
