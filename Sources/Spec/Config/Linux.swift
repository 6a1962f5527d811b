/// The Linux section of a configuration (config-linux.md).
public struct Linux: Sendable, Equatable {
    /// The namespaces to create or join; the runtime's own where a type is not listed.
    public var namespaces: [Namespace]
    /// The user ids of the user namespace.
    public var uidMappings: [IDMapping]
    /// The group ids of the user namespace.
    public var gidMappings: [IDMapping]
    /// The offsets of the time namespace's clocks, by clock: `monotonic`, `boottime`.
    public var timeOffsets: OrderedMap<TimeOffset>
    /// The device nodes to supply besides the default ones.
    public var devices: [Device]
    /// The network devices to move into the container, by their name on the host.
    public var netDevices: OrderedMap<NetDevice>
    /// The cgroup, relative to the mount point of the cgroup hierarchy if absolute; or nil.
    public var cgroupsPath: String?
    /// The limits, or nil to leave all as they are.
    public var resources: Resources?
    /// The Resource Director settings, or nil.
    public var intelRdt: IntelRDT?
    /// The NUMA memory policy, or nil.
    public var memoryPolicy: MemoryPolicy?
    /// Kernel parameters to set, by name.
    public var sysctl: OrderedMap<String>
    /// The system call filter, or nil.
    public var seccomp: Seccomp?
    /// The mount propagation of the root filesystem, or nil for the runtime's default.
    public var rootfsPropagation: RootfsPropagation?
    /// Absolute paths in the container that are covered.
    public var maskedPaths: [String]
    /// Absolute paths in the container that become read-only.
    public var readonlyPaths: [String]
    /// The SELinux context of the mounts, or nil.
    public var mountLabel: String?
    /// The execution personality, or nil.
    public var personality: Personality?

    /// Makes a section.
    public init(
        namespaces: [Namespace] = [], uidMappings: [IDMapping] = [], gidMappings: [IDMapping] = [],
        timeOffsets: OrderedMap<TimeOffset> = [:], devices: [Device] = [],
        netDevices: OrderedMap<NetDevice> = [:], cgroupsPath: String? = nil,
        resources: Resources? = nil, intelRdt: IntelRDT? = nil, memoryPolicy: MemoryPolicy? = nil,
        sysctl: OrderedMap<String> = [:], seccomp: Seccomp? = nil,
        rootfsPropagation: RootfsPropagation? = nil, maskedPaths: [String] = [],
        readonlyPaths: [String] = [], mountLabel: String? = nil, personality: Personality? = nil
    ) {
        self.namespaces = namespaces
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
        self.timeOffsets = timeOffsets
        self.devices = devices
        self.netDevices = netDevices
        self.cgroupsPath = cgroupsPath
        self.resources = resources
        self.intelRdt = intelRdt
        self.memoryPolicy = memoryPolicy
        self.sysctl = sysctl
        self.seccomp = seccomp
        self.rootfsPropagation = rootfsPropagation
        self.maskedPaths = maskedPaths
        self.readonlyPaths = readonlyPaths
        self.mountLabel = mountLabel
        self.personality = personality
    }
}

/// The propagation of the root mount; the raw value is the name in the config.
///
/// The spec has the first four; engines also write the recursive forms.
public enum RootfsPropagation: String, Sendable, CaseIterable {
    /// Events go both ways.
    case shared
    /// Events come in from the host only.
    case slave
    /// No events.
    case `private`
    /// Private, and cannot be bind-mounted.
    case unbindable
    /// `shared`, for all mounts below too.
    case rshared
    /// `slave`, for all mounts below too.
    case rslave
    /// `private`, for all mounts below too.
    case rprivate
    /// `unbindable`, for all mounts below too.
    case runbindable
}

/// The execution personality (config-linux.md, "Personality"; personality(2)).
public struct Personality: Sendable, Equatable {
    /// The execution domain.
    public var domain: PersonalityDomain
    /// Additional flags: none are defined.
    public var flags: [String]

    /// Makes a personality.
    public init(domain: PersonalityDomain, flags: [String] = []) {
        self.domain = domain
        self.flags = flags
    }
}

/// An execution domain; the raw value is the spec's name.
public enum PersonalityDomain: String, Sendable, CaseIterable {
    /// Linux.
    case linux = "LINUX"
    /// Linux with `uname` showing a 32 bit CPU.
    case linux32 = "LINUX32"
}

/// The offset of a clock in the time namespace (config-linux.md, "Offset for Time Namespace").
public struct TimeOffset: Sendable, Equatable {
    /// Seconds.
    public var secs: Int64
    /// Nanoseconds on top.
    public var nanosecs: UInt32

    /// Makes an offset.
    public init(secs: Int64 = 0, nanosecs: UInt32 = 0) {
        self.secs = secs
        self.nanosecs = nanosecs
    }
}

extension Linux {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            namespaces: try object.list("namespaces", Namespace.init(json:)) ?? [],
            uidMappings: try object.list("uidMappings", IDMapping.init(json:)) ?? [],
            gidMappings: try object.list("gidMappings", IDMapping.init(json:)) ?? [],
            timeOffsets: try object.map("timeOffsets", TimeOffset.init(json:)) ?? [:],
            devices: try object.list("devices", Device.init(json:)) ?? [],
            netDevices: try object.map("netDevices", NetDevice.init(json:)) ?? [:],
            cgroupsPath: try object.nonEmpty("cgroupsPath"),
            resources: try object.decode("resources", Resources.init(json:)),
            intelRdt: try object.decode("intelRdt", IntelRDT.init(json:)),
            memoryPolicy: try object.decode("memoryPolicy", MemoryPolicy.init(json:)),
            sysctl: try object.stringMap("sysctl") ?? [:],
            seccomp: try object.decode("seccomp", Seccomp.init(json:)),
            rootfsPropagation: try object.wordOrEmpty("rootfsPropagation"),
            maskedPaths: try object.strings("maskedPaths") ?? [],
            readonlyPaths: try object.strings("readonlyPaths") ?? [],
            mountLabel: try object.nonEmpty("mountLabel"),
            personality: try object.decode("personality", Personality.init(json:)))
    }
}

extension Personality {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            domain: try object.required("domain").word(),
            flags: try object.strings("flags") ?? [])
    }
}

extension TimeOffset {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            secs: try object.integer("secs") ?? 0, nanosecs: try object.integer("nanosecs") ?? 0)
    }
}
