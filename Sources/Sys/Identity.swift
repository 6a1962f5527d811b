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
