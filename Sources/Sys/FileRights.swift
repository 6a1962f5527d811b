import CSys
import Glibc

/// Calls `body` with another user's rights on files, as far as ids and capabilities decide on them: the
/// ids of `setfsuid(2)`, and no capability to pass over permissions that is not in `effective`. Who this
/// process is otherwise, and what it may do then, stays.
///
/// Where the ids change, the kernel takes the signal at the parent's death away (`prctl(2)`,
/// PR_SET_PDEATHSIG), and makes the process dumpable by what suid_dumpable says: it is not, afterwards.
/// - Throws: what `body` throws; and where the own rights do not come back, which must end the process.
package func withFileRights(
    uid: UInt32, gid: UInt32, effective: UInt64, _ body: () throws(SysError) -> Void
) throws(SysError) {
    // The first, CAP_DAC_OVERRIDE, does for the other, CAP_DAC_READ_SEARCH, as well.
    let (override, search): (UInt64, UInt64) = (1 << 1, 1 << 2)
    let own = try ThreadCapabilities()
    let (ownUser, ownGroup) = (effectiveUser, effectiveGroup)
    let changesIDs = uid != ownUser || gid != ownGroup
    var capabilities = own
    if effective & override == 0 { capabilities.effective &= effective | ~(override | search) }
    if changesIDs { try setFileIDs(uid, gid) }
    // Not left to what the kernel takes away with the ids: `securebits` may forbid that.
    if changesIDs || capabilities != own { try capabilities.apply() }
    var failure: SysError?
    do throws(SysError) { try body() } catch { failure = error }
    if changesIDs { try setFileIDs(ownUser, ownGroup) }
    if changesIDs || capabilities != own { try own.apply() }
    if let failure { throw failure }
}

/// Both calls tell what the number was before, and nothing else: so the kernel is asked again.
private func setFileIDs(_ uid: UInt32, _ gid: UInt32) throws(SysError) {
    _ = csys_setfsgid(gid)
    guard csys_setfsgid(UInt32.max) == gid else { throw SysError("setfsgid(\(gid))", EPERM) }
    _ = csys_setfsuid(uid)
    guard csys_setfsuid(UInt32.max) == uid else { throw SysError("setfsuid(\(uid))", EPERM) }
    try processControl(.setDumpable, 0)
}

/// Throws unless this process's rights on files let it execute the regular file: permissions, access
/// control lists, and the mount's `noexec`, as the kernel judges them.
package func verifyExecutable(_ path: String) throws(SysError) {
    do throws(SysError) {
        try unsafe NewerCall.faccessat2.check(
            csys_faccessat2(AT_FDCWD, path, X_OK), "access(\(quoted(path)), X_OK)")
    } catch  where error.errno == ENOSYS {
        try verifySomebodysExecutable(path)
    }
}

/// Where the kernel does not answer (before Linux 5.8): refuses what nobody may execute.
private func verifySomebodysExecutable(_ path: String) throws(SysError) {
    let noexec = 8
    let file = try openFile(path, O_PATH)
    let (mode, flags) = (try file.status().mode, try file.mountFlags())
    if mode & 0o111 == 0 || flags & noexec != 0 {
        throw SysError("access(\(quoted(path)), X_OK)", EACCES)
    }
}
