import Init
import Spec

/// The last steps, after which there is nothing left of the init but the user's program.
extension Planner {
    /// Limits before the filter, which may forbid them. Without noNewPrivileges loading a filter needs
    /// CAP_SYS_ADMIN, so it precedes the loss of privileges; with it the filter comes last, so that it
    /// has the least to allow. Each hook has loaded it for itself; but an agent answers for one filter,
    /// which is loaded before the hooks then.
    mutating func becomeProgram(
        _ process: Process, after hooks: [Step] = []
    ) throws(PlanError) {
        let sharesFilter = asksAgent && !hooks.isEmpty
        if sharesFilter { applySeccomp() }
        steps += hooks
        setLimits(of: process)
        if sharesFilter {
            try confine(process)
        } else if process.noNewPrivileges {
            try confine(process)
            applySeccomp()
        } else {
            applySeccomp()
            try confine(process)
        }
        `init`("/process/args/0", .execute)
    }

    /// The same for one that joins a container. Where CAP_SYS_PTRACE there would reach it, it loses
    /// its privileges while nobody sees it yet, if a filter does not need them.
    mutating func becomeJoinedProgram(_ process: Process) throws(PlanError) {
        let isConfinedFirst =
            mayBeTraced && (process.noNewPrivileges || !hasSeccomp) && process.scheduler == nil
        if isConfinedFirst { try confine(process) }
        if mayBeTraced { `init`("/linux/namespaces", .enterPidNamespace) }
        `init`("", .newSession)
        setScheduler(of: process)
        guard isConfinedFirst else { return try becomeProgram(process) }
        setLimits(of: process)
        applySeccomp()
        `init`("/process/args/0", .execute)
    }

    private mutating func confine(_ process: Process) throws(PlanError) {
        if process.noNewPrivileges { `init`("/process/noNewPrivileges", .setNoNewPrivileges) }
        `init`("/process/user", .setIdentity(try identity(of: process)))
    }

    private mutating func applySeccomp() {
        if hasSeccomp { `init`("/linux/seccomp", .applySeccomp) }
    }

    /// They take effect at the exec.
    mutating func setLabels(of process: Process) throws(PlanError) {
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
