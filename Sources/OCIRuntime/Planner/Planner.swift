import Init
import Spec

/// Turns a config into a plan: a pure function of the config, the host's facts and the options.
/// Nothing is opened, asked or changed but what the facts' functions look up.
///
/// The order of the steps is the least number of handovers that config.md and runtime.md allow:
///
/// ```
/// host   cgroup, namespaces, sources, sockets, seccomp, limits, clone [, id mappings]
/// init   cgroup, namespaces, session, priorities, root, mounts, devices, console
/// host   prestart and createRuntime hooks, if any
/// init   createContainer hooks, change of root, what it hides, names, cwd, program, labels │ start
///        startContainer hooks, limits, seccomp and identity, execute
/// ```
package struct Planner {
    let config: Config
    let facts: HostFacts
    let options: PlanOptions
    let namespaces: NamespaceLayout
    /// nil where there are to be none.
    var cgroup: (layout: CgroupLayout, path: CgroupPath)?
    let annotations: Annotations
    /// Indices of the mounts that become read-only after the change of root.
    var readOnlyLater: [Int] = []
    /// The propagation of mounts that is set after the change of root.
    var propagationLater: [MountPlan] = []
    /// The class of service, where the container has one.
    var resctrl: ResctrlGroup?
    var hasSeccomp = false
    /// Whether an agent gets the filter's descriptor.
    var asksAgent = false
    var warnedAboutLabel = false
    /// Whether the container exists and only gets mounts.
    var isLive = false
    var steps: [Step] = []
    var warnings: [String] = []

    /// The plan that creates a container.
    ///
    /// - Parameter config: found valid by `Config.validate()`, whose checks are not made again.
    /// - Throws: what the config asks for and cannot have, with its place.
    package static func plan(
        _ config: Config, facts: HostFacts, options: PlanOptions
    ) throws(PlanError) -> Plan {
        var planner = try Planner(config, facts, options)
        try planner.check()
        try planner.prepareOnHost()
        planner.enter()
        try planner.makeRootFileSystem()
        planner.runCreateHooks()
        try planner.changeRoot()
        try planner.finishCreate()
        try planner.start()
        return planner.plan(process: config.process, later: planner.laterHooks)
    }

    /// The part of it that makes the container's mounts.
    package static func mounts(
        of config: Config, facts: HostFacts, options: PlanOptions
    ) throws(PlanError) -> [Step] {
        var planner = try Planner(config, facts, options)
        try planner.makeRootFileSystem()
        try planner.changeRoot()
        return planner.steps
    }

    init(
        _ config: Config, _ facts: HostFacts, _ options: PlanOptions
    ) throws(PlanError) {
        self.config = config
        self.facts = facts
        self.options = options
        namespaces = NamespaceLayout(config.linux.namespaces)
        annotations = try Annotations(config)
        warnings = annotations.warnings
        steps.reserveCapacity(128)
    }

    func plan(process: Process?, later: [Step] = []) -> Plan {
        Plan(
            state: State(
                ociVersion: config.ociVersion, id: options.id, status: options.status,
                bundle: options.bundle, annotations: config.annotations),
            steps: steps,
            process: process.map {
                ProcessPlan(args: $0.args, env: $0.env, cwd: $0.cwd, terminal: $0.terminal)
            },
            later: later, warnings: warnings)
    }

    mutating func host(_ place: String, _ action: Action) {
        steps.append(Step(.host, place, action))
    }

    mutating func `init`(_ place: String, _ action: Action) {
        steps.append(Step(.`init`, place, action))
    }

    mutating func warn(_ place: String, _ message: String) {
        warnings.append(place + ": " + message)
    }

    /// Whether the container is in a user namespace that is not the runtime's.
    var hasUserNamespace: Bool { namespaces.has(.user) }

    /// Whether the runtime has an administrator's rights over its own user namespace.
    var isPrivileged: Bool { facts.has(.sysAdmin) }

    /// Whether the rights over the host are those of a user, be it root of a user namespace.
    var isRootless: Bool { !isPrivileged || facts.inUserNamespace }

    /// Where the config names the cgroup.
    var cgroupPlace: String { config.linux.cgroupsPath == nil ? "" : "/linux/cgroupsPath" }

    /// The root file system's absolute path on the host.
    var rootPath: String {
        let path = config.root?.path ?? ""
        return path.below(options.bundle)
    }
}

extension Planner {
    /// The hooks that see the mounts but still the old root (config.md, POSIX-platform hooks).
    mutating func runCreateHooks() {
        steps += hookSteps(.host, .prestart, config.hooks.prestart)
        steps += hookSteps(.host, .createRuntime, config.hooks.createRuntime)
        steps += hookSteps(.`init`, .createContainer, config.hooks.createContainer)
    }

    private func hookSteps(_ actor: Actor, _ kind: HookKind, _ hooks: [Hook]) -> [Step] {
        hooks.enumerated().map { index, hook in
            Step(actor, "/hooks/\(kind.rawValue)/\(index)", .runHook(kind, hook))
        }
    }

    /// The hooks of `start` and `delete`.
    private var laterHooks: [Step] {
        hookSteps(.host, .poststart, config.hooks.poststart)
            + hookSteps(.host, .poststop, config.hooks.poststop)
    }

    /// The init's last steps of `create`, inside the new root.
    mutating func finishCreate() throws(PlanError) {
        if let process = config.process {
            setScheduler(of: process)
            // As runc and crun have it. The caller's would be a matter of who started the engine.
            try settle(process, umask: process.user.umask ?? 0o022)
        }
        `init`("", .waitForStart)
    }

    /// Priorities and place of the program, and the program itself.
    mutating func settle(_ process: Process, umask: UInt32?) throws(PlanError) {
        setPriorities(of: process)
        `init`("/process/cwd", .changeDirectory(process.cwd))
        if let umask {
            `init`(process.user.umask == nil ? "" : "/process/user/umask", .setUmask(umask))
        }
        `init`("/process/args/0", .findExecutable)
        try setLabels(of: process)
    }

    /// What `start` releases. Without a process there is nothing to start (config.md, Process).
    mutating func start() throws(PlanError) {
        guard let process = config.process else { return }
        try becomeProgram(
            process, after: hookSteps(.`init`, .startContainer, config.hooks.startContainer))
    }
}
