import Init
import Spec

/// The last steps, after which there is nothing left of the init but the user's program.
extension Planner {
    /// Labels first, which take effect at the exec. Limits before the filter, which may forbid them.
    /// Without noNewPrivileges loading a filter needs CAP_SYS_ADMIN, so it precedes the loss of
    /// privileges; with it the filter comes last, so that it has the least to allow.
    mutating func becomeProgram(_ process: Process) throws(PlanError) {
        try setLabels(of: process)
        setLimits(of: process)
        let identity = try identity(of: process)
        if process.noNewPrivileges {
            `init`("/process/noNewPrivileges", .setNoNewPrivileges)
            `init`("/process/user", .setIdentity(identity))
            applySeccomp()
        } else {
            applySeccomp()
            `init`("/process/user", .setIdentity(identity))
        }
        `init`("/process/args/0", .execute)
    }

    private mutating func applySeccomp() {
        if hasSeccomp { `init`("/linux/seccomp", .applySeccomp) }
    }

    private mutating func setLabels(of process: Process) throws(PlanError) {
        if let profile = process.apparmorProfile {
            if facts.appArmor() {
                `init`("/process/apparmorProfile", .setAppArmorProfile(profile))
            } else if profile != "unconfined" {
                throw PlanError(
                    "/process/apparmorProfile", "AppArmor is not enabled on this host")
            }
        }
        if let label = process.selinuxLabel {
            guard facts.seLinux() else {
                throw PlanError("/process/selinuxLabel", "SELinux is not enabled on this host")
            }
            `init`("/process/selinuxLabel", .setSELinuxLabel(label))
        }
    }

    /// By the host, before the clone.
    mutating func raiseLimits(for process: Process) {
        for (index, limit) in process.rlimits.enumerated() {
            host("/process/rlimits/" + String(index), .raiseRlimit(limit.type, hard: limit.hard))
        }
    }

    private mutating func setLimits(of process: Process) {
        for (index, limit) in process.rlimits.enumerated() {
            `init`(
                "/process/rlimits/" + String(index),
                .setRlimit(limit.type, soft: limit.soft, hard: limit.hard))
        }
    }
}
