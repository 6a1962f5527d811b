import Init
import Spec

/// The init's steps before it builds the root file system.
extension Planner {
    /// On cgroup v2 the clone starts in its cgroup (`CLONE_INTO_CGROUP`), on v1 the init moves itself:
    /// alone it does not wait for a grace period of the kernel's.
    mutating func enter() {
        if let cgroup, !cgroup.layout.isUnified {
            `init`(cgroupPlace, .joinCgroup)
            if let unit = cgroup.path.unit { host(cgroupPlace, .confirmScope(unit: unit)) }
        }
        `init`("", .resetCPUAffinity)
        let joins = namespaces.order.afterwards
        if !joins.isEmpty { `init`("/linux/namespaces", .joinNamespaces(joins)) }
        becomeNamespaceRoot(config.process)
        let late = namespaces.ofInit
        if !late.isEmpty { `init`("/linux/namespaces", .newNamespaces(late)) }
        if !annotations.delegated.isEmpty {
            let owner = config.process.flatMap {
                config.linux.uidMappings.hostID(of: $0.user.uid)
            }
            host(
                Annotations.place(Annotations.delegated),
                .enterSubCgroup(path: annotations.delegated, owner: owner))
        }
        `init`("", .newSession)
        newSessionKeyring()
        if !hasUserNamespace, let score = config.process?.oomScoreAdj {
            `init`("/process/oomScoreAdj", .setOOMScoreAdj(score))
        }
        if namespaces.isNew(.network) { `init`("/linux/namespaces", .bringUpLoopback) }
    }

    mutating func newSessionKeyring() {
        // runc's name, which `keyctl` users and tests look for.
        if !options.noNewKeyring { `init`("", .newSessionKeyring(name: "_ses." + options.id)) }
    }

    /// How the program is scheduled. Errors belong to `create`, so this comes before its end.
    mutating func setPriorities(of process: Process) {
        if let priority = process.ioPriority {
            `init`("/process/ioPriority", .setIOPriority(priority))
        }
        if let policy = config.linux.memoryPolicy {
            `init`("/linux/memoryPolicy", .setMemoryPolicy(policy))
        }
        if let personality = config.linux.personality {
            `init`("/linux/personality", .setPersonality(personality.domain))
        }
    }

    /// Not inherited, or not even left a fork, by some policies (`sched(7)`).
    mutating func setScheduler(of process: Process) {
        if let scheduler = process.scheduler {
            `init`("/process/scheduler", .setScheduler(scheduler))
        }
    }
}
