import Spec

/// What will be done to make a container, or to run one more process in it: one list of steps, in
/// order. A pure value: nothing has happened yet.
///
/// Host and init walk the same list side by side, each performing its own steps. Where the actor
/// changes, the one that is done hands over to the other through the ``Channel``.
///
/// ```
/// host   open, prepare …, clone ──┐            ┌─ hooks ─┐            ┌─ save state, return
///                                 │ (clone)    │         │            │
/// init                            └─ mounts … ─┘ reached └─ pivot … ──┘ ready … start … exec
/// ```
public struct Plan: Sendable {
    /// The container's state as hooks get it; status and pid are filled in when they run.
    public let state: State
    /// The steps, in the order in which they happen.
    public package(set) var steps: [Step]
    /// The program that the last step executes; nil where the config has no process.
    public let process: ProcessPlan?
    /// What later commands do: the poststart and poststop hooks.
    public let later: [Step]
    /// What the host cannot grant or the plan ignores on purpose, as a person reads it.
    public let warnings: [String]

    package init(
        state: State, steps: [Step], process: ProcessPlan?, later: [Step] = [],
        warnings: [String] = []
    ) {
        self.state = state
        self.steps = steps
        self.process = process
        self.later = later
        self.warnings = warnings
    }
}

extension Plan {
    /// Whether the program keeps the caller's additional groups.
    package var keepsGroups: Bool {
        steps.contains {
            if case .setIdentity(let identity) = $0.action { identity.groups == nil } else { false }
        }
    }
}

/// Who performs a step.
public enum Actor: String, Sendable {
    /// The runtime process, in the runtime's namespaces.
    case host
    /// The cloned init, inside the container's namespaces.
    case `init`
}

/// One thing to do, and the place in the config that asks for it.
public struct Step: Sendable {
    /// Who performs it.
    public let actor: Actor
    /// The JSON pointer (RFC 6901) of what asks for it, such as `/mounts/3`; empty where nothing in
    /// the config does.
    public let place: String
    /// What to do.
    public let action: Action

    package init(_ actor: Actor, _ place: String, _ action: Action) {
        self.actor = actor
        self.place = place
        self.action = action
    }
}

/// Everything a step can be. The order here is about the order in a plan. What follows
/// ``waitForStart`` belongs to `start`.
public enum Action: Sendable {
    // MARK: before the clone

    /// Make the container's cgroup in every hierarchy.
    case createCgroup(path: String)
    /// Have systemd make a scope, whose cgroup is the container's.
    case startScope(unit: String, path: String)
    /// Open the cgroup that there is, for a process that joins the container.
    case openCgroup(path: String)
    /// Write `value` to `file` of the container's cgroup; `controller` is empty on cgroup v2.
    case setCgroup(controller: String, file: String, value: String)
    /// Give the cgroup to the host's user that is root of the container (config-linux.md, "Cgroup
    /// ownership").
    case delegateCgroup(to: UInt32)
    /// Make the container's class of service, or see that it is there; one that is there must have the
    /// settings of these lines already.
    case openResctrlGroup(ResctrlGroup, expected: [String])
    /// Write one line to the class's `schemata`.
    case setSchemata(ResctrlGroup, line: String)
    /// Make the container's monitoring group within its class.
    case makeMonitoringGroup(ResctrlGroup)
    /// Restrict device access: v1 `devices.allow`/`devices.deny`, v2 an eBPF program.
    case restrictDevices([Resources.DeviceRule])
    /// Open the namespace file at `path` for ``clone``'s init to join.
    case openNamespace(NamespaceType, path: String)
    /// Open a bind mount's source with the host's rights, for an init that will not have them.
    case openMountSource(mount: Int, source: String, recursive: Bool, followingLink: Bool)
    /// Make the user namespace that carries an idmapped mount's mappings, for the init to apply.
    /// Without mappings it is the joined user namespace.
    case openIDMap(mount: Int, uid: [IDMapping], gid: [IDMapping])
    /// Apply id mappings to the source opened by ``openMountSource``, for an init in a user namespace,
    /// which has no rights over a file system of the host. Without mappings they are those of the joined
    /// user namespace.
    case mapMountSource(mount: Int, uid: [IDMapping], gid: [IDMapping], recursive: Bool)
    /// Connect to the console socket, the seccomp listener …
    case connect(ConnectPurpose, path: String)
    /// Listen on the socket through which `start` releases the init.
    case listenForStart
    /// Listen on the socket through which the created init hands out its namespaces, of these types: an
    /// `exec` without CAP_SYS_PTRACE may not take them from a process that is not dumpable.
    case listenForExec([NamespaceType])
    /// Get these namespaces of the container's init from it, where it is only created.
    case receiveNamespaces([NamespaceType])
    /// Compile the seccomp filter, or take it from the cache.
    case loadSeccomp(Seccomp)
    /// Take a filter that is compiled.
    case takeSeccomp(SeccompProgram)
    /// Open the file that hooks write to, for those of the host and of the init.
    case openHookOutput(HookStream, path: String)
    /// Raise this process's hard limit where it is lower: the init inherits it, and ``setRlimit``
    /// then only ever lowers, which needs no right. So a limit that the host cannot grant fails
    /// `create`, and a tight one does not disturb the init's own work.
    case raiseRlimit(RlimitType, hard: UInt64)
    /// Clone the init into the container's new namespaces, but for a new cgroup namespace, whose root
    /// is the cgroup of whoever makes it, and in a user namespace a new ipc namespace, whose mqueue
    /// belongs to whoever makes it: the init makes those (``newNamespaces``). The namespaces
    /// of `join` are entered before, in this order: a joined pid namespace only takes in children,
    /// and new namespaces must belong to a joined user namespace.
    case clone(new: [NamespaceType], join: [NamespaceType], timeOffsets: [TimeOffsetEntry])

    // MARK: the host, after the clone

    case writeIDMappings(uid: [IDMapping], gid: [IDMapping])
    /// Move the host's network device into the container's network namespace; `to` is its name there,
    /// where that is another.
    case moveNetDevice(String, to: String?)
    /// Have the init use its class of service, or its monitoring group.
    case joinResctrlGroup(ResctrlGroup)
    /// Make sure that the init is in all of the scope's cgroup (cgroup v1), once it has moved there.
    case confirmScope(unit: String)
    /// Move the init to a cgroup below the container's, which it may manage; of whom it is to be.
    case enterSubCgroup(path: String, owner: UInt32?)
    /// Hooks; the actor says in whose namespaces.
    case runHook(HookKind, Hook)

    // MARK: the init

    /// Move this process into the prepared cgroup.
    case joinCgroup
    /// Enter the open namespaces that `clone` could not enter.
    case joinNamespaces([NamespaceType])
    /// Become root in the container's user namespace; where it has no id 0, the other user or group.
    case becomeNamespaceRoot(otherwise: NamespaceBuilder)
    /// Go on in a child, which is in the joined pid namespace; the host learns who it is. Until then
    /// nobody in the container sees this process, from then on it has nothing of the host's open.
    case enterPidNamespace
    /// Lead a new session, away from the caller's terminal.
    case newSession
    /// Make namespaces that the clone could not: a cgroup namespace inside the container's cgroup, an ipc
    /// namespace as root of the user namespace.
    case newNamespaces([NamespaceType])
    case newSessionKeyring(name: String)
    /// By the host it comes before the clone, which inherits it: only the host may lower the value
    /// where there is a user namespace.
    case setOOMScoreAdj(Int32)
    case setRlimit(RlimitType, soft: UInt64, hard: UInt64)
    case setScheduler(Scheduler)
    case setIOPriority(IOPriority)
    case setMemoryPolicy(MemoryPolicy)
    case setCPUAffinity(String)
    /// Forgets the CPUs that the caller was bound to: the cpuset of the cgroup says where to run.
    case resetCPUAffinity
    case setPersonality(PersonalityDomain)
    case bringUpLoopback
    /// Set the propagation of every mount of the new mount namespace (`MS_*` bits).
    case setPropagation(flags: UInt)
    /// Bind the root file system onto itself, and open it. `isPrivate`: what the host mounts below it
    /// from then on does not appear in the container.
    case openRoot(path: String, isPrivate: Bool)
    /// No mount namespace: copy the mounts of the root file system, out of the host's sight, and open
    /// the copy.
    case openDetachedRoot(path: String)
    case mount(MountPlan)
    /// Take away the mount at `path` of a container that runs, and all below it.
    case unmount(path: String)
    case makeDevice(Device)
    /// Bind the host's node where `mknod` is not allowed.
    case bindDevice(Device)
    case makeSymlink(target: String, path: String)
    /// Allocate the pty, bind it on `/dev/console`, and send its master away.
    case openConsole(size: Box?)
    case pivotRoot
    /// `--no-pivot`: `MS_MOVE` and `chroot`.
    case moveRoot
    /// No mount namespace: `chroot` to the root that is open, or to that of the container's init.
    case changeRoot
    case setRootPropagation(flags: UInt)
    /// Make the program's directory with its parents, where it is missing, while its place can still be
    /// written to. For `exec` it must be there.
    case makeWorkingDirectory(String)
    case makeRootReadOnly
    /// Make the mount at `path` read-only, which mount points and devices were still made in.
    case makeMountReadOnly(path: String)
    /// Write `value` to the file `path` below `/proc/sys`, such as `net/ipv4/ip_forward`.
    case setSysctl(path: String, value: String)
    case maskPath(String)
    case makePathReadOnly(String)
    case setHostname(String)
    case setDomainname(String)
    /// Find the program in the container and see that it can be executed.
    case findExecutable
    /// Tell the host that the container is created, and block until it is started.
    case waitForStart
    case setUmask(UInt32)
    case changeDirectory(String)
    case setAppArmorProfile(String)
    case setSELinuxLabel(String)
    case setNoNewPrivileges
    /// Drop capabilities and change user and groups.
    case setIdentity(IdentityPlan)
    case applySeccomp
    case execute
}

/// What a socket that the host connects beforehand is for.
public enum ConnectPurpose: String, Sendable {
    case console = "console socket"
    case seccompListener = "seccomp listener"
}

/// The streams of a hook that may go to a file.
public enum HookStream: String, Sendable, CaseIterable {
    case stdout, stderr
}

/// The six kinds of hook (runtime-spec `config.md`, POSIX-platform hooks).
public enum HookKind: String, Sendable, CaseIterable {
    case prestart, createRuntime, createContainer, startContainer, poststart, poststop
}

/// A class of service of Intel RDT and its like: a directory of resctrl (config-linux.md, "IntelRdt").
public struct ResctrlGroup: Sendable, Equatable {
    /// How it comes and goes.
    public enum Kind: Sendable {
        /// Named by the container, and removed with it.
        case own
        /// Made where it is missing, and stays.
        case shared
        /// Must be there.
        case existing
    }

    /// Where resctrl is mounted.
    public let mountPoint: String
    /// The class's name; `/` is the default one.
    public let name: String
    /// How it comes and goes.
    public let kind: Kind
    /// The name of the container's monitoring group; nil without one.
    public let monitoring: String?

    package init(mountPoint: String, name: String, kind: Kind, monitoring: String?) {
        self.mountPoint = mountPoint
        self.name = name
        self.kind = kind
        self.monitoring = monitoring
    }

    /// The class's directory.
    public var path: String { name == "/" ? mountPoint : mountPoint + "/" + name }
    /// The monitoring group's directory.
    public var monitoringPath: String? { monitoring.map { path + "/mon_groups/" + $0 } }
}

/// An entry of `linux.timeOffsets`.
public struct TimeOffsetEntry: Sendable, Equatable {
    /// `monotonic` or `boottime`.
    public let clock: String
    /// How far it is ahead of the host's.
    public let offset: TimeOffset

    package init(clock: String, offset: TimeOffset) {
        self.clock = clock
        self.offset = offset
    }
}

/// Who builds a container in whose user namespace there is no root.
public struct NamespaceBuilder: Sendable, Equatable {
    /// The user, as the container sees it.
    public let uid: UInt32
    /// The group, as the container sees it.
    public let gid: UInt32

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }
}

/// The program to execute.
public struct ProcessPlan: Sendable {
    /// The program and its arguments.
    public var args: [String]
    /// The environment, `NAME=value`.
    public var env: [String]
    /// The working directory, from the container's root.
    public var cwd: String
    /// Whether its standard streams are a terminal.
    public var terminal: Bool

    package init(args: [String], env: [String], cwd: String, terminal: Bool) {
        self.args = args
        self.env = env
        self.cwd = cwd
        self.terminal = terminal
    }
}

/// Who the program runs as. A capability set is a mask of `1 << number`; nil keeps what there is.
public struct IdentityPlan: Sendable, Equatable {
    /// `user.uid`.
    public var uid: UInt32
    /// `user.gid`.
    public var gid: UInt32
    /// nil keeps the caller's: where `setgroups(2)` is denied (a rootless user namespace), or the
    /// container is to have them.
    public var groups: [UInt32]?
    /// Whether it may turn out to be denied, in a user namespace that others made.
    public var groupsMayBeDenied: Bool
    /// The capability sets; nil keeps what there is.
    public var capabilities: CapabilitySets?

    package init(
        uid: UInt32, gid: UInt32, groups: [UInt32]?, groupsMayBeDenied: Bool = false,
        capabilities: CapabilitySets?
    ) {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.groupsMayBeDenied = groupsMayBeDenied
        self.capabilities = capabilities
    }
}

/// The five sets of `capabilities(7)` as masks of `1 << number`.
public struct CapabilitySets: Sendable, Equatable {
    /// What can never be exceeded.
    public var bounding: UInt64
    /// What is checked.
    public var effective: UInt64
    /// What an exec may keep.
    public var inheritable: UInt64
    /// What may be made effective.
    public var permitted: UInt64
    /// What an exec keeps without file capabilities.
    public var ambient: UInt64

    package init(
        bounding: UInt64 = 0, effective: UInt64 = 0, inheritable: UInt64 = 0,
        permitted: UInt64 = 0, ambient: UInt64 = 0
    ) {
        self.bounding = bounding
        self.effective = effective
        self.inheritable = inheritable
        self.permitted = permitted
        self.ambient = ambient
    }
}
