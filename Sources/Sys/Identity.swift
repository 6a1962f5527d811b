import CSys
import Glibc

/// `setgroups(2)`: always called, an empty list too, so that no group of the caller is kept.
package func setGroups(_ groups: [UInt32]) throws(SysError) {
    try check(unsafe csys_setgroups(groups.count, groups), "setgroups(\(groups))")
}

/// Leaves the caller's groups behind before a user namespace is joined in which that may be denied.
/// An ordinary user cannot, and keeps them.
package func leaveGroups() throws(SysError) {
    do throws(SysError) {
        try setGroups([])
    } catch  where error.errno == EPERM {
        return
    }
}

/// Real, effective and saved at once.
package func setGroup(_ gid: UInt32) throws(SysError) {
    // "Unchanged" to the kernel.
    if gid == UInt32.max { throw SysError("setresgid(\(gid))", EINVAL) }
    try check(csys_setresgid(gid), "setresgid(\(gid))")
}

/// Real, effective and saved at once.
package func setUser(_ uid: UInt32) throws(SysError) {
    if uid == UInt32.max { throw SysError("setresuid(\(uid))", EINVAL) }
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

/// This process's limit of a resource.
package func limit(
    of resource: Int32, name: String
) throws(SysError) -> (soft: UInt64, hard: UInt64) {
    var soft: UInt64 = 0
    var hard: UInt64 = 0
    try check(unsafe csys_getlimit(resource, &soft, &hard), "prlimit(\(name))")
    return (soft, hard)
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

/// `sched_setattr(2)` of this process.
/// - Parameters:
///   - policy: the number of `SCHED_*`.
///   - flags: `SCHED_FLAG_*` bits.
///   - runtime, deadline, period: nanoseconds, for `SCHED_DEADLINE`.
package func setScheduler(
    policy: UInt32, flags: UInt64, nice: Int32, priority: UInt32, runtime: UInt64,
    deadline: UInt64, period: UInt64
) throws(SysError) {
    var attributes = csys_sched_attr(
        size: 48, policy: policy, flags: flags, nice: nice, priority: priority, runtime: runtime,
        deadline: deadline, period: period)
    try check(
        unsafe csys_sched_setattr(0, &attributes),
        "sched_setattr(policy \(policy), nice \(nice), priority \(priority))")
}

/// `ioprio_set(2)` of this process.
package func setIOPriority(class kind: Int32, level: Int32) throws(SysError) {
    let process: Int32 = 1
    try check(
        csys_ioprio_set(process, 0, kind << 13 | level),
        "ioprio_set(class \(kind), priority \(level))")
}

/// `set_mempolicy(2)`; `nodes` are the node numbers of the mask.
package func setMemoryPolicy(mode: Int32, nodes: [Int]) throws(SysError) {
    let mask = bitMask(nodes)
    try check(
        unsafe csys_set_mempolicy(mode, mask, UInt(mask.count * 64 + 1)),
        "set_mempolicy(\(mode), \(nodes))")
}

/// `sched_setaffinity(2)` of a process, 0 for this one.
package func setAffinity(of pid: Int32 = 0, cpus: [Int]) throws(SysError) {
    let mask = bitMask(cpus)
    try check(
        unsafe csys_sched_setaffinity(pid, mask.count * 8, mask), "sched_setaffinity(\(cpus))")
}

/// Where this process is on the CPU of that number, it goes to another one that it may run on. Its affinity
/// stays as it is, but is from then on its own, and its children's, whatever becomes of its cpuset.
package func leaveCPU(_ number: UInt32) { _ = csys_leave_processor(number) }

/// Lets this process run on every CPU that its cpuset has, or will have: the kernel cuts the mask to
/// what there is (`sched_setaffinity(2)`).
package func resetAffinity() throws(SysError) {
    let mask = [UInt](repeating: .max, count: 65536 / 64)
    try check(unsafe csys_sched_setaffinity(0, mask.count * 8, mask), "sched_setaffinity(all)")
}

private func bitMask(_ bits: [Int]) -> [UInt] {
    var mask = [UInt](repeating: 0, count: (bits.max() ?? 0) / 64 + 1)
    for bit in bits { mask[bit / 64] |= 1 << UInt(bit % 64) }
    return mask
}

/// The numbers of a list such as `0-3,7` (`cpuset(7)`, List format); nil where it is not one.
package func parseNumberList(_ text: String) -> [Int]? {
    var numbers: [Int] = []
    for part in text.utf8.split(separator: UInt8(ascii: ",")) {
        let ends = part.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard ends.count <= 2, let first = Int(Substring(ends[0])),
            let last = Int(Substring(ends[ends.count - 1])), first >= 0, last >= first,
            last < 65536, numbers.count <= 65536
        else { return nil }
        numbers += first...last
    }
    return numbers.isEmpty ? nil : numbers
}
