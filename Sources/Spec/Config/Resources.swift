/// The limits of a container's cgroup (config-linux.md, "Control groups"); also the file that
/// `update --resources` reads.
public struct Resources: Sendable, Equatable {
    /// The device rules, applied in this order.
    public var devices: [DeviceRule]
    /// The memory controller.
    public var memory: Memory
    /// The cpu and cpuset controllers.
    public var cpu: CPU
    /// The most tasks, -1 for no limit, nil to leave it. Zero is a limit.
    public var pidsLimit: Int64?
    /// The block I/O controller.
    public var blockIO: BlockIO
    /// The hugetlb controller.
    public var hugepageLimits: [HugepageLimit]
    /// The net_cls and net_prio controllers.
    public var network: Network
    /// The rdma controller, by device.
    public var rdma: OrderedMap<RDMA>
    /// Files of the unified (v2) hierarchy with their contents, by name.
    public var unified: OrderedMap<String>

    /// Makes a set of limits.
    public init(
        devices: [DeviceRule] = [], memory: Memory = Memory(), cpu: CPU = CPU(),
        pidsLimit: Int64? = nil, blockIO: BlockIO = BlockIO(),
        hugepageLimits: [HugepageLimit] = [], network: Network = Network(),
        rdma: OrderedMap<RDMA> = [:], unified: OrderedMap<String> = [:]
    ) {
        self.devices = devices
        self.memory = memory
        self.cpu = cpu
        self.pidsLimit = pidsLimit
        self.blockIO = blockIO
        self.hugepageLimits = hugepageLimits
        self.network = network
        self.rdma = rdma
        self.unified = unified
    }
}

extension Resources {
    /// A rule of the allowed device list (config-linux.md, "Allowed Device list").
    public struct DeviceRule: Sendable, Equatable {
        /// Which devices a rule is about; the raw value is the letter in the config.
        public enum Kind: String, Sendable, CaseIterable {
            /// All.
            case all = "a"
            /// Character devices.
            case character = "c"
            /// Block devices.
            case block = "b"
        }

        /// What may be done with a device.
        public struct Access: OptionSet, Sendable {
            /// The bits.
            public let rawValue: UInt8
            /// Makes a set from bits.
            public init(rawValue: UInt8) { self.rawValue = rawValue }
            /// `r`.
            public static let read = Access(rawValue: 1)
            /// `w`.
            public static let write = Access(rawValue: 2)
            /// `m`.
            public static let mknod = Access(rawValue: 4)
            /// `rwm`, which is also what an absent `access` means.
            public static let all: Access = [.read, .write, .mknod]
        }

        /// Whether the rule allows or denies.
        public var allow: Bool
        /// Which devices; all when the config does not say.
        public var type: Kind
        /// The major number, or nil for all; -1 in the config means all too.
        public var major: Int64?
        /// The minor number, or nil for all; -1 in the config means all too.
        public var minor: Int64?
        /// The accesses the rule is about.
        public var access: Access

        /// Makes a rule.
        public init(
            allow: Bool, type: Kind = .all, major: Int64? = nil, minor: Int64? = nil,
            access: Access = .all
        ) {
            self.allow = allow
            self.type = type
            self.major = major
            self.minor = minor
            self.access = access
        }
    }

    /// The memory controller (config-linux.md, "Memory"). Limits in bytes, -1 for none.
    public struct Memory: Sendable, Equatable {
        /// Memory.
        public var limit: Int64?
        /// The soft limit.
        public var reservation: Int64?
        /// Memory and swap together.
        public var swap: Int64?
        /// Kernel memory; not recommended.
        public var kernel: Int64?
        /// Kernel TCP buffers; not recommended.
        public var kernelTCP: Int64?
        /// The swappiness, from 0 to 100.
        public var swappiness: UInt64?
        /// Whether the OOM killer is off.
        public var disableOOMKiller: Bool?
        /// Whether child cgroups count.
        public var useHierarchy: Bool?
        /// Whether a limit below the current use is refused.
        public var checkBeforeUpdate: Bool?

        /// Makes a set of limits.
        public init(
            limit: Int64? = nil, reservation: Int64? = nil, swap: Int64? = nil,
            kernel: Int64? = nil, kernelTCP: Int64? = nil, swappiness: UInt64? = nil,
            disableOOMKiller: Bool? = nil, useHierarchy: Bool? = nil,
            checkBeforeUpdate: Bool? = nil
        ) {
            self.limit = limit
            self.reservation = reservation
            self.swap = swap
            self.kernel = kernel
            self.kernelTCP = kernelTCP
            self.swappiness = swappiness
            self.disableOOMKiller = disableOOMKiller
            self.useHierarchy = useHierarchy
            self.checkBeforeUpdate = checkBeforeUpdate
        }
    }

    /// The cpu and cpuset controllers (config-linux.md, "CPU"). Times in microseconds.
    public struct CPU: Sendable, Equatable {
        /// The relative share of CPU time.
        public var shares: UInt64?
        /// CPU time in each period; -1 for no limit.
        public var quota: Int64?
        /// How much unused time can be saved up.
        public var burst: UInt64?
        /// The period.
        public var period: UInt64?
        /// Real-time CPU time in each real-time period.
        public var realtimeRuntime: Int64?
        /// The real-time period.
        public var realtimePeriod: UInt64?
        /// The CPUs, as a list such as `0-3,7`; or nil.
        public var cpus: String?
        /// The memory nodes, as a list; or nil.
        public var mems: String?
        /// 1 for SCHED_IDLE, 0 for the default.
        public var idle: Int64?

        /// Makes a set of limits.
        public init(
            shares: UInt64? = nil, quota: Int64? = nil, burst: UInt64? = nil,
            period: UInt64? = nil, realtimeRuntime: Int64? = nil, realtimePeriod: UInt64? = nil,
            cpus: String? = nil, mems: String? = nil, idle: Int64? = nil
        ) {
            self.shares = shares
            self.quota = quota
            self.burst = burst
            self.period = period
            self.realtimeRuntime = realtimeRuntime
            self.realtimePeriod = realtimePeriod
            self.cpus = cpus
            self.mems = mems
            self.idle = idle
        }
    }

    /// A limit on huge pages of one size (config-linux.md, "Huge page limits").
    public struct HugepageLimit: Sendable, Equatable {
        /// The size of the pages: `64KB`, `2MB`, `1GB`.
        public var pageSize: String
        /// The limit in bytes.
        public var limit: UInt64

        /// Makes a limit.
        public init(pageSize: String, limit: UInt64) {
            self.pageSize = pageSize
            self.limit = limit
        }
    }

    /// The net_cls and net_prio controllers (config-linux.md, "Network").
    public struct Network: Sendable, Equatable {
        /// The priority of traffic on one interface.
        public struct Priority: Sendable, Equatable {
            /// The interface in the runtime's network namespace.
            public var name: String
            /// The priority.
            public var priority: UInt32

            /// Makes a priority.
            public init(name: String, priority: UInt32) {
                self.name = name
                self.priority = priority
            }
        }

        /// The class identifier packets are tagged with.
        public var classID: UInt32?
        /// The priorities by interface.
        public var priorities: [Priority]

        /// Makes a set of settings.
        public init(classID: UInt32? = nil, priorities: [Priority] = []) {
            self.classID = classID
            self.priorities = priorities
        }
    }

    /// The limits of one device of the rdma controller (config-linux.md, "RDMA").
    public struct RDMA: Sendable, Equatable {
        /// The most hca_handles, or nil for no limit.
        public var hcaHandles: UInt32?
        /// The most hca_objects, or nil for no limit.
        public var hcaObjects: UInt32?

        /// Makes a set of limits.
        public init(hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
            self.hcaHandles = hcaHandles
            self.hcaObjects = hcaObjects
        }
    }
}
