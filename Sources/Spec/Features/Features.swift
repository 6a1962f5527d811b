/// What a runtime recognizes (features.md): nil, which is "unknown", differs from empty or false.
public struct Features: Sendable, Equatable {
    /// The lowest recognized version of the runtime-spec.
    public var ociVersionMin: String
    /// The highest recognized version of the runtime-spec.
    public var ociVersionMax: String
    /// The recognized hooks.
    public var hooks: [String]?
    /// The recognized mount options.
    public var mountOptions: [String]?
    /// The Linux section.
    public var linux: LinuxFeatures?
    /// Arbitrary metadata of the runtime.
    public var annotations: OrderedMap<String>?
    /// Annotations of a config that may change what the runtime does; a last `.` makes a prefix.
    public var potentiallyUnsafeConfigAnnotations: [String]?

    /// Makes a set of features.
    public init(
        ociVersionMin: String = "1.0.0", ociVersionMax: String = specVersion,
        hooks: [String]? = nil, mountOptions: [String]? = nil, linux: LinuxFeatures? = nil,
        annotations: OrderedMap<String>? = nil,
        potentiallyUnsafeConfigAnnotations: [String]? = nil
    ) {
        self.ociVersionMin = ociVersionMin
        self.ociVersionMax = ociVersionMax
        self.hooks = hooks
        self.mountOptions = mountOptions
        self.linux = linux
        self.annotations = annotations
        self.potentiallyUnsafeConfigAnnotations = potentiallyUnsafeConfigAnnotations
    }
}

/// The Linux section of the features (features-linux.md).
public struct LinuxFeatures: Sendable, Equatable {
    /// Which cgroup managers and controllers are implemented.
    public struct Cgroup: Sendable, Equatable {
        /// Cgroup v1.
        public var v1: Bool?
        /// Cgroup v2.
        public var v2: Bool?
        /// The system-wide systemd manager.
        public var systemd: Bool?
        /// The user-scoped systemd manager.
        public var systemdUser: Bool?
        /// The rdma controller.
        public var rdma: Bool?

        /// Makes a set of features.
        public init(
            v1: Bool? = nil, v2: Bool? = nil, systemd: Bool? = nil, systemdUser: Bool? = nil,
            rdma: Bool? = nil
        ) {
            self.v1 = v1
            self.v2 = v2
            self.systemd = systemd
            self.systemdUser = systemdUser
            self.rdma = rdma
        }
    }

    /// What of seccomp is implemented.
    public struct Seccomp: Sendable, Equatable {
        /// Whether any is.
        public var enabled: Bool?
        /// The recognized actions.
        public var actions: [String]?
        /// The recognized operators.
        public var operators: [String]?
        /// The recognized architectures.
        public var archs: [String]?
        /// The recognized flags.
        public var knownFlags: [String]?
        /// The recognized flags that the kernel and libseccomp support.
        public var supportedFlags: [String]?

        /// Makes a set of features.
        public init(
            enabled: Bool? = nil, actions: [String]? = nil, operators: [String]? = nil,
            archs: [String]? = nil, knownFlags: [String]? = nil, supportedFlags: [String]? = nil
        ) {
            self.enabled = enabled
            self.actions = actions
            self.operators = operators
            self.archs = archs
            self.knownFlags = knownFlags
            self.supportedFlags = supportedFlags
        }
    }

    /// What of the Resource Director is implemented.
    public struct IntelRDT: Sendable, Equatable {
        /// Whether any is.
        public var enabled: Bool?
        /// Whether `schemata` is.
        public var schemata: Bool?
        /// Whether `enableMonitoring` is.
        public var monitoring: Bool?

        /// Makes a set of features.
        public init(enabled: Bool? = nil, schemata: Bool? = nil, monitoring: Bool? = nil) {
            self.enabled = enabled
            self.schemata = schemata
            self.monitoring = monitoring
        }
    }

    /// What of memory policies is implemented.
    public struct MemoryPolicy: Sendable, Equatable {
        /// The recognized modes.
        public var modes: [String]?
        /// The recognized flags.
        public var flags: [String]?

        /// Makes a set of features.
        public init(modes: [String]? = nil, flags: [String]? = nil) {
            self.modes = modes
            self.flags = flags
        }
    }

    /// The recognized namespaces.
    public var namespaces: [String]?
    /// The recognized capabilities.
    public var capabilities: [String]?
    /// Cgroups.
    public var cgroup: Cgroup?
    /// Seccomp.
    public var seccomp: Seccomp?
    /// Whether AppArmor is implemented (`apparmor.enabled`).
    public var apparmor: Bool?
    /// Whether SELinux is implemented (`selinux.enabled`).
    public var selinux: Bool?
    /// The Resource Director.
    public var intelRdt: IntelRDT?
    /// Memory policies.
    public var memoryPolicy: MemoryPolicy?
    /// Whether id-mapped mounts are implemented (`mountExtensions.idmap.enabled`).
    public var idmappedMounts: Bool?
    /// Whether moving network devices is implemented (`netDevices.enabled`).
    public var netDevices: Bool?

    /// Makes a set of features.
    public init(
        namespaces: [String]? = nil, capabilities: [String]? = nil, cgroup: Cgroup? = nil,
        seccomp: Seccomp? = nil, apparmor: Bool? = nil, selinux: Bool? = nil,
        intelRdt: IntelRDT? = nil, memoryPolicy: MemoryPolicy? = nil,
        idmappedMounts: Bool? = nil, netDevices: Bool? = nil
    ) {
        self.namespaces = namespaces
        self.capabilities = capabilities
        self.cgroup = cgroup
        self.seccomp = seccomp
        self.apparmor = apparmor
        self.selinux = selinux
        self.intelRdt = intelRdt
        self.memoryPolicy = memoryPolicy
        self.idmappedMounts = idmappedMounts
        self.netDevices = netDevices
    }
}
