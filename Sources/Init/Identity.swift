import CCap
import Glibc
import Spec
import Sys

/// Who the program runs as, and with which privileges (`capabilities(7)`, `credentials(7)`).
extension Performer {
    /// In a new user namespace the init starts as nobody: it becomes the namespace's root, so that
    /// what it makes belongs to that root. `setgroups` may be denied there (`user_namespaces(7)`).
    ///
    /// Where no id 0 is mapped (EINVAL) nobody is root, and no change of ids costs a capability.
    func becomeNamespaceRoot(otherwise other: NamespaceBuilder) throws(SysError) {
        do throws(SysError) { try setGroup(0) } catch  where error.errno == EINVAL {
            try setGroup(other.gid)
        }
        do throws(SysError) { try setUser(0) } catch  where error.errno == EINVAL {
            try setUser(other.uid)
        }
        // Changing ids made the process dumpable by what /proc/sys/fs/suid_dumpable says.
        try processControl(.setDumpable, 0)
    }

    /// Groups, user and the five capability sets, in the one order that works: the bounding set
    /// while CAP_SETPCAP is there, groups before the user, capabilities after it.
    static func setIdentity(_ identity: IdentityPlan) throws(SysError) {
        if let sets = identity.capabilities { try dropBoundingCapabilities(except: sets.bounding) }
        try processControl(.setKeepCapabilities, 1)
        if let groups = identity.groups {
            try setGroups(groups, mayBeDenied: identity.groupsMayBeDenied)
        }
        try setGroup(identity.gid)
        try setUser(identity.uid)
        try processControl(.setKeepCapabilities, 0)
        try processControl(.setDumpable, 0)
        if let sets = identity.capabilities { try setCapabilities(sets) }
    }

    /// Calls `body` with the rights on files that the program will have. The groups are taken for good:
    /// from here on nothing needs the caller's.
    static func withRights(
        of identity: IdentityPlan?, _ body: () throws(SysError) -> Void
    ) throws(SysError) {
        guard let identity else { return try body() }
        if let groups = identity.groups {
            try setGroups(groups, mayBeDenied: identity.groupsMayBeDenied)
        }
        try withFileRights(
            uid: identity.uid, gid: identity.gid,
            effective: identity.capabilities?.effective ?? .max, body)
        try processControl(.setParentDeathSignal, UInt(SIGKILL))
    }

    /// Where `/proc/PID/setgroups` says deny (`user_namespaces(7)`) not even an empty list can be set:
    /// the groups stay, of which who may do more has left the caller's behind before it joined.
    private static func setGroups(_ groups: [UInt32], mayBeDenied: Bool) throws(SysError) {
        do throws(SysError) {
            try Sys.setGroups(groups)
        } catch  where error.errno == EPERM && mayBeDenied {
            guard groups.isEmpty else {
                throw error.hinting(
                    "additional groups cannot be set where the user namespace denies setgroups(2)")
            }
        }
    }

    private static func setCapabilities(_ sets: CapabilitySets) throws(SysError) {
        try ThreadCapabilities(
            effective: sets.effective, permitted: sets.permitted, inheritable: sets.inheritable
        ).apply()
        // One call; cap_reset_ambient(3) makes one per capability.
        try processControl(.clearAmbientCapabilities, 4)
        for capability in 0..<UInt32(63) where sets.ambient & (1 << UInt64(capability)) != 0 {
            if cap_set_ambient(cap_value_t(capability), CAP_SET) < 0 {
                throw SysError("prctl(PR_CAP_AMBIENT_RAISE, \(capability))", errno)
            }
        }
    }

    /// The profile takes effect at the next exec (`/proc/self/attr/apparmor/exec`; before Linux 5.8
    /// `/proc/self/attr/exec`), written through the host's procfs (CVE-2019-16884).
    func setAppArmorProfile(_ profile: String) throws(SysError) {
        do throws(SysError) {
            try writeFile(at: prepared.procfs, "self/attr/apparmor/exec", "exec \(profile)")
        } catch  where error.errno == ENOENT {
            try writeLabel("exec \(profile)", hint: "AppArmor is not enabled on this host")
        } catch {
            throw error.hinting("is the profile \"\(profile)\" loaded on this host?")
        }
    }

    /// The label takes effect at the next exec.
    func setSELinuxLabel(_ label: String) throws(SysError) {
        try writeLabel(label, hint: "SELinux is not enabled on this host")
    }

    private func writeLabel(_ text: String, hint: String) throws(SysError) {
        do throws(SysError) {
            try writeFile(at: prepared.procfs, "self/attr/exec", text)
        } catch {
            throw error.hinting(hint)
        }
    }

    func newSessionKeyring(_ name: String) throws(SysError) {
        do throws(SysError) {
            _ = try joinSessionKeyring(name)
        } catch  where error.errno == ENOSYS {
            return  // a kernel without keyrings has none to leak
        } catch  where error.errno == EDQUOT {
            throw error.hinting(
                "the user's key quota is used up; see /proc/sys/kernel/keys/maxkeys")
        }
    }
}
