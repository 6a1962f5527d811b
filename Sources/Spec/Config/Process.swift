/// A process of the container (config.md, "Process"); also the file that `exec --process` reads.
public struct Process: Sendable, Equatable {
    /// Whether a pseudoterminal is allocated and becomes the standard streams.
    public var terminal: Bool
    /// The terminal's size in characters; ignored without `terminal`.
    public var consoleSize: Box?
    /// Who the process runs as.
    public var user: User
    /// The program and its arguments, as for `execvp`; at least one.
    public var args: [String]
    /// The environment, `NAME=value` each.
    public var env: [String]
    /// The working directory: an absolute path in the container.
    public var cwd: String
    /// The capability sets, or nil when the config has none.
    public var capabilities: Capabilities?
    /// The resource limits.
    public var rlimits: [Rlimit]
    /// Whether `PR_SET_NO_NEW_PRIVS` is set.
    public var noNewPrivileges: Bool
    /// The AppArmor profile, or nil.
    public var apparmorProfile: String?
    /// The value for `/proc/PID/oom_score_adj`, or nil to leave it.
    public var oomScoreAdj: Int32?
    /// The scheduling attributes, or nil to leave them.
    public var scheduler: Scheduler?
    /// The SELinux label, or nil.
    public var selinuxLabel: String?
    /// The I/O priority, or nil to leave it.
    public var ioPriority: IOPriority?
    /// The CPUs an exec'ed process runs on; does not concern the container's init.
    public var execCPUAffinity: ExecCPUAffinity?

    /// Makes a process.
    public init(
        terminal: Bool = false, consoleSize: Box? = nil, user: User = User(), args: [String] = [],
        env: [String] = [], cwd: String = "/", capabilities: Capabilities? = nil,
        rlimits: [Rlimit] = [], noNewPrivileges: Bool = false, apparmorProfile: String? = nil,
        oomScoreAdj: Int32? = nil, scheduler: Scheduler? = nil, selinuxLabel: String? = nil,
        ioPriority: IOPriority? = nil, execCPUAffinity: ExecCPUAffinity? = nil
    ) {
        self.terminal = terminal
        self.consoleSize = consoleSize
        self.user = user
        self.args = args
        self.env = env
        self.cwd = cwd
        self.capabilities = capabilities
        self.rlimits = rlimits
        self.noNewPrivileges = noNewPrivileges
        self.apparmorProfile = apparmorProfile
        self.oomScoreAdj = oomScoreAdj
        self.scheduler = scheduler
        self.selinuxLabel = selinuxLabel
        self.ioPriority = ioPriority
        self.execCPUAffinity = execCPUAffinity
    }
}

/// The size of a console in characters.
public struct Box: Sendable, Equatable {
    /// Rows.
    public var height: UInt64
    /// Columns.
    public var width: UInt64

    /// Makes a size.
    public init(height: UInt64, width: UInt64) {
        self.height = height
        self.width = width
    }
}

/// Who a process runs as, in ids of the container (config.md, "POSIX-platform User").
public struct User: Sendable, Equatable {
    /// The user id.
    public var uid: UInt32
    /// The group id.
    public var gid: UInt32
    /// The umask, or nil to leave it.
    public var umask: UInt32?
    /// The supplementary groups.
    public var additionalGids: [UInt32]

    /// Makes a user.
    public init(
        uid: UInt32 = 0, gid: UInt32 = 0, umask: UInt32? = nil, additionalGids: [UInt32] = []
    ) {
        self.uid = uid
        self.gid = gid
        self.umask = umask
        self.additionalGids = additionalGids
    }
}

/// The CPUs of an exec'ed process, as lists such as `0-3,7`.
public struct ExecCPUAffinity: Sendable, Equatable {
    /// Where it runs before it is moved into the container's cgroup, or nil.
    public var initial: String?
    /// Where it runs afterwards, or nil to leave that to the kernel.
    public var final: String?

    /// Makes an affinity.
    public init(initial: String? = nil, final: String? = nil) {
        self.initial = initial
        self.final = final
    }
}

extension Process {
    /// Parses and decodes a process, such as the file of `exec --process`.
    public init(parsing document: [UInt8]) throws(ConfigError) {
        try self.init(json: try JSONValue(parsing: document))
    }

    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            terminal: try object.bool("terminal") ?? false,
            consoleSize: try object.decode("consoleSize", Box.init(json:)),
            user: try object.decode("user", User.init(json:)) ?? User(),
            args: try object.strings("args") ?? [],
            env: try object.strings("env") ?? [],
            cwd: try object.required("cwd").string(),
            capabilities: try object.decode("capabilities", Capabilities.init(json:)),
            rlimits: try object.list("rlimits", Rlimit.init(json:)) ?? [],
            noNewPrivileges: try object.bool("noNewPrivileges") ?? false,
            apparmorProfile: try object.nonEmpty("apparmorProfile"),
            oomScoreAdj: try object.integer("oomScoreAdj"),
            scheduler: try object.decode("scheduler", Scheduler.init(json:)),
            selinuxLabel: try object.nonEmpty("selinuxLabel"),
            ioPriority: try object.decode("ioPriority", IOPriority.init(json:)),
            execCPUAffinity: try object.decode("execCPUAffinity", ExecCPUAffinity.init(json:)))
    }
}

extension Box {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            height: try object.required("height").integer(),
            width: try object.required("width").integer())
    }
}

extension User {
    // The spec's text requires uid and gid, its schema and Go types default them to 0, and hand
    // written configs rely on that.
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            uid: try object.integer("uid") ?? 0,
            gid: try object.integer("gid") ?? 0,
            umask: try object.integer("umask"),
            additionalGids: try object.list("additionalGids") { value throws(ConfigError) in
                try value.integer()
            } ?? [])
    }
}

extension ExecCPUAffinity {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            initial: try object.nonEmpty("initial"), final: try object.nonEmpty("final"))
    }
}
