import Init
import Spec

extension Planner {
    /// The plan that runs one more process in a container.
    ///
    /// - Parameters:
    ///   - process: the program, found valid by `Process.validate()`; the config's own does not matter.
    ///   - config: the container's, as it was created.
    /// - Throws: what the process asks for and cannot have, with its place in the process.
    package static func plan(
        executing process: Process, in config: Config, facts: HostFacts, options: PlanOptions
    ) throws(PlanError) -> Plan {
        var planner = try Planner(config, facts, options)
        try planner.prepareToJoin(process)
        try planner.join(process)
        try planner.becomeJoinedProgram(process)
        return planner.plan(process: process)
    }

    private mutating func prepareToJoin(_ process: Process) throws(PlanError) {
        try openCgroup()
        try findResctrlGroup()
        if let affinity = process.execCPUAffinity?.initial {
            host("/process/execCPUAffinity/initial", .setCPUAffinity(affinity))
        }
        try connectConsole(for: process)
        try loadSeccomp()
        raiseLimits(for: process)
        if hasUserNamespace, let score = process.oomScoreAdj {
            host("/process/oomScoreAdj", .setOOMScoreAdj(score))
        }
        if !facts.has(.sysPtrace) {
            host("/linux/namespaces", .receiveNamespaces(namespaces.types))
        }
        host("/linux/namespaces", .clone(new: [], join: joins.beforeClone, timeOffsets: []))
        joinResctrlGroup()
    }

    private mutating func openCgroup() throws(PlanError) {
        guard options.cgroupManager != .disabled else { return }
        let configured = config.linux.cgroupsPath
        // Whatever driver the caller names now: it is the container's that counts.
        let path = try CgroupPath(
            configured, id: options.id,
            manager: CgroupPath.isSystemdStyle(configured ?? "") ? .systemd : .cgroupfs,
            systemd: options.systemd)
        cgroup = (facts.cgroups(), path)
        host(cgroupPlace, .openCgroup(path: path.path))
    }

    /// All namespaces of the container's own. With the host's rights only those that take in children
    /// are entered before the clone; without, the user namespace must be entered first of all. Where
    /// the process must not be seen before it has joined all of them, none is.
    var joins: (beforeClone: [NamespaceType], afterwards: [NamespaceType]) {
        let types = namespaces.types
        if mayBeTraced { return ([], types) }
        if hasUserNamespace && !isPrivileged { return (types, []) }
        return (
            types.filter { $0 == .pid || $0 == .time },
            types.filter { $0 != .pid && $0 != .time }
        )
    }

    /// Not being dumpable keeps a process out of reach of the container's, but for CAP_SYS_PTRACE in
    /// the same user namespace.
    var mayBeTraced: Bool {
        guard namespaces.has(.pid), !hasUserNamespace else { return false }
        guard let sets = config.process?.capabilities else { return false }
        return [sets.bounding, sets.permitted, sets.inheritable].contains {
            $0.contains("CAP_SYS_PTRACE")
        }
    }

    private mutating func join(_ process: Process) throws(PlanError) {
        if let cgroup, !cgroup.layout.isUnified { `init`(cgroupPlace, .joinCgroup) }
        if let affinity = process.execCPUAffinity?.final {
            `init`("/process/execCPUAffinity/final", .setCPUAffinity(affinity))
        } else if process.execCPUAffinity?.initial == nil {
            `init`("", .resetCPUAffinity)
        }
        let joins = joins.afterwards
        if !joins.isEmpty { `init`("/linux/namespaces", .joinNamespaces(joins)) }
        becomeNamespaceRoot(process)
        if !namespaces.has(.mount) { `init`("/root/path", .changeRoot) }
        newSessionKeyring()
        if !hasUserNamespace, let score = process.oomScoreAdj {
            `init`("/process/oomScoreAdj", .setOOMScoreAdj(score))
        }
        if process.terminal {
            `init`("/process/terminal", .openConsole(size: process.consoleSize))
        }
        try settle(process, umask: process.user.umask)
    }
}
