import Init
import Spec
import Testing

@testable import OCIRuntime

/// A property set, and the writes it comes to: `controller/file = value @ place`, where the place is
/// below `/linux/resources`.
struct Setting: Sendable, CustomTestStringConvertible {
    var name: String
    var set: @Sendable (inout Resources) -> Void
    var writes: [String]

    init(_ name: String, _ writes: [String], _ set: @escaping @Sendable (inout Resources) -> Void) {
        self.name = name
        self.writes = writes
        self.set = set
    }

    var testDescription: String { name }
    var resources: Resources {
        var resources = Resources()
        set(&resources)
        return resources
    }
}

/// A property set that cannot be, the place of the error, and a word of it.
struct Refusal: Sendable, CustomTestStringConvertible {
    var place: String
    var word: String
    var set: @Sendable (inout Resources) -> Void

    init(_ place: String, _ word: String, _ set: @escaping @Sendable (inout Resources) -> Void) {
        self.place = place
        self.word = word
        self.set = set
    }

    var testDescription: String { place }
    var resources: Resources {
        var resources = Resources()
        set(&resources)
        return resources
    }
}

private func writes(_ resources: Resources, _ layout: CgroupLayout) throws -> [String] {
    let prefix = "/linux/resources"
    return try CgroupPlanner.plan(
        for: resources, path: CgroupPath("/c", id: "c"), layout: layout
    ).steps.compactMap { step in
        guard case .setCgroup(let controller, let file, let value) = step.action else { return nil }
        #expect(step.actor == .host)
        #expect(step.place.hasPrefix(prefix))
        let place = step.place.dropFirst(prefix.count)
        return "\(controller)\(controller.isEmpty ? "" : "/")\(file) = \(value) @ \(place)"
    }
}

private func refusal(_ resources: Resources, _ layout: CgroupLayout) -> PlanError? {
    do {
        _ = try writes(resources, layout)
        return nil
    } catch {
        return error as? PlanError
    }
}

/// Values that engines write for "not set"; Docker writes all of the first three always.
private let unset: [@Sendable (inout Resources) -> Void] = [
    { $0.cpu.shares = 0 },
    { $0.blockIO.weight = 0 },
    { $0.memory.disableOOMKiller = false },
    { $0.memory.limit = 0 },
    { $0.memory.swap = 0 },
    { $0.memory.reservation = 0 },
    { $0.memory.kernel = 0 },
    { $0.memory.kernelTCP = 0 },
    { $0.memory.swappiness = UInt64.max },
    { $0.memory.checkBeforeUpdate = true },
    { $0.cpu.quota = 0 },
    { $0.cpu.period = 0 },
    { $0.cpu.burst = 0 },
    { $0.cpu.idle = 0 },
    { $0.cpu.realtimePeriod = 0 },
    { $0.cpu.realtimeRuntime = 0 },
    { $0.cpu.cpus = "" },
    { $0.cpu.mems = "" },
    { $0.blockIO.leafWeight = 0 },
    { $0.network.classID = 0 },
]

private let device = Resources.BlockIO.ThrottleDevice(major: 8, minor: 16, rate: 1000)

@Suite struct CgroupV1PlannerTests {
    @Test(arguments: [
        Setting("limit", ["memory/memory.limit_in_bytes = 64 @ /memory/limit"]) {
            $0.memory.limit = 64
        },
        Setting("no limit", ["memory/memory.limit_in_bytes = -1 @ /memory/limit"]) {
            $0.memory.limit = -1
        },
        Setting(
            "limit before swap",
            [
                "memory/memory.limit_in_bytes = 64 @ /memory/limit",
                "memory/memory.memsw.limit_in_bytes = 128 @ /memory/swap",
            ]
        ) {
            $0.memory.swap = 128
            $0.memory.limit = 64
        },
        Setting("no limit of swap", ["memory/memory.memsw.limit_in_bytes = -1 @ /memory/swap"]) {
            $0.memory.swap = -1
        },
        Setting(
            "reservation", ["memory/memory.soft_limit_in_bytes = 5 @ /memory/reservation"]
        ) { $0.memory.reservation = 5 },
        Setting("kernel", ["memory/memory.kmem.limit_in_bytes = 7 @ /memory/kernel"]) {
            $0.memory.kernel = 7
        },
        Setting("kernelTCP", ["memory/memory.kmem.tcp.limit_in_bytes = 7 @ /memory/kernelTCP"]) {
            $0.memory.kernelTCP = 7
        },
        Setting("useHierarchy", ["memory/memory.use_hierarchy = 1 @ /memory/useHierarchy"]) {
            $0.memory.useHierarchy = true
        },
        Setting("no hierarchy", ["memory/memory.use_hierarchy = 0 @ /memory/useHierarchy"]) {
            $0.memory.useHierarchy = false
        },
        Setting("swappiness 0", ["memory/memory.swappiness = 0 @ /memory/swappiness"]) {
            $0.memory.swappiness = 0
        },
        Setting("OOM killer", ["memory/memory.oom_control = 1 @ /memory/disableOOMKiller"]) {
            $0.memory.disableOOMKiller = true
        },
    ])
    func setsMemory(setting: Setting) throws {
        #expect(try writes(setting.resources, allV1) == setting.writes)
    }

    @Test(arguments: [
        Setting("shares", ["cpu/cpu.shares = 512 @ /cpu/shares"]) { $0.cpu.shares = 512 },
        Setting(
            "period, quota, burst",
            [
                "cpu/cpu.cfs_period_us = 100000 @ /cpu/period",
                "cpu/cpu.cfs_quota_us = 50000 @ /cpu/quota",
                "cpu/cpu.cfs_burst_us = 1000 @ /cpu/burst",
            ]
        ) { $0.cpu = .init(quota: 50000, burst: 1000, period: 100_000) },
        Setting("no quota", ["cpu/cpu.cfs_quota_us = -1 @ /cpu/quota"]) { $0.cpu.quota = -1 },
        Setting(
            "real time",
            [
                "cpu/cpu.rt_period_us = 1000000 @ /cpu/realtimePeriod",
                "cpu/cpu.rt_runtime_us = 950000 @ /cpu/realtimeRuntime",
            ]
        ) { $0.cpu = .init(realtimeRuntime: 950_000, realtimePeriod: 1_000_000) },
        Setting(
            "shares before idle",
            ["cpu/cpu.shares = 2 @ /cpu/shares", "cpu/cpu.idle = 1 @ /cpu/idle"]
        ) { $0.cpu = .init(shares: 2, idle: 1) },
        Setting(
            "cpuset",
            ["cpuset/cpuset.cpus = 0-3,7 @ /cpu/cpus", "cpuset/cpuset.mems = 0 @ /cpu/mems"]
        ) { $0.cpu = .init(cpus: "0-3,7", mems: "0") },
        Setting("pids", ["pids/pids.max = 50 @ /pids/limit"]) { $0.pidsLimit = 50 },
        Setting("no pids limit", ["pids/pids.max = max @ /pids/limit"]) { $0.pidsLimit = -1 },
        Setting("only the init", ["pids/pids.max = 1 @ /pids/limit"]) { $0.pidsLimit = 0 },
    ])
    func setsCPUAndPids(setting: Setting) throws {
        #expect(try writes(setting.resources, allV1) == setting.writes)
    }

    @Test(arguments: [
        Setting("weight", ["blkio/blkio.weight = 500 @ /blockIO/weight"]) {
            $0.blockIO.weight = 500
        },
        Setting("leafWeight", ["blkio/blkio.leaf_weight = 20 @ /blockIO/leafWeight"]) {
            $0.blockIO.leafWeight = 20
        },
        Setting(
            "weightDevice",
            [
                "blkio/blkio.weight_device = 8:0 500 @ /blockIO/weightDevice/0/weight",
                "blkio/blkio.leaf_weight_device = 8:0 300 @ /blockIO/weightDevice/0/leafWeight",
                "blkio/blkio.weight_device = 8:16 10 @ /blockIO/weightDevice/1/weight",
            ]
        ) {
            $0.blockIO.weightDevice = [
                .init(major: 8, minor: 0, weight: 500, leafWeight: 300),
                .init(major: 8, minor: 16, weight: 10),
            ]
        },
        Setting(
            "throttles",
            [
                "blkio/blkio.throttle.read_bps_device = 8:16 1000 @ /blockIO/throttleReadBpsDevice/0",
                "blkio/blkio.throttle.write_bps_device = 8:16 1000 "
                    + "@ /blockIO/throttleWriteBpsDevice/0",
                "blkio/blkio.throttle.read_iops_device = 8:16 1000 "
                    + "@ /blockIO/throttleReadIOPSDevice/0",
                "blkio/blkio.throttle.write_iops_device = 8:16 1000 "
                    + "@ /blockIO/throttleWriteIOPSDevice/0",
            ]
        ) {
            $0.blockIO = .init(
                throttleReadBpsDevice: [device], throttleWriteBpsDevice: [device],
                throttleReadIOPSDevice: [device], throttleWriteIOPSDevice: [device])
        },
        Setting(
            "huge pages",
            [
                "hugetlb/hugetlb.2MB.limit_in_bytes = 0 @ /hugepageLimits/0",
                "hugetlb/hugetlb.2MB.rsvd.limit_in_bytes = 0 @ /hugepageLimits/0",
                "hugetlb/hugetlb.64KB.limit_in_bytes = 9 @ /hugepageLimits/1",
                "hugetlb/hugetlb.64KB.rsvd.limit_in_bytes = 9 @ /hugepageLimits/1",
            ]
        ) {
            $0.hugepageLimits = [
                .init(pageSize: "2MB", limit: 0), .init(pageSize: "64KB", limit: 9),
            ]
        },
        Setting(
            "network",
            [
                "net_cls/net_cls.classid = 1048577 @ /network/classID",
                "net_prio/net_prio.ifpriomap = eth0 500 @ /network/priorities/0",
            ]
        ) {
            $0.network = .init(
                classID: 1_048_577, priorities: [.init(name: "eth0", priority: 500)])
        },
        Setting(
            "rdma",
            [
                "rdma/rdma.max = mlx5_1 hca_handle=3 hca_object=10000 @ /rdma/mlx5_1",
                "rdma/rdma.max = a/b hca_object=7 @ /rdma/a~1b",
            ]
        ) {
            $0.rdma = [
                "mlx5_1": .init(hcaHandles: 3, hcaObjects: 10000), "a/b": .init(hcaObjects: 7),
            ]
        },
    ])
    func setsTheOthers(setting: Setting) throws {
        #expect(try writes(setting.resources, allV1) == setting.writes)
    }

    @Test(arguments: unset.indices)
    func leavesUnsetValuesAlone(index: Int) throws {
        var resources = Resources()
        unset[index](&resources)
        #expect(try writes(resources, bareV1).isEmpty)
    }

    @Test(arguments: [
        Refusal("/memory/limit", "-2") { $0.memory.limit = -2 },
        Refusal("/memory/swap", "needs") { $0.memory.swap = 5 },
        Refusal("/memory/swap", "less") {
            $0.memory.limit = 10
            $0.memory.swap = 5
        },
        Refusal("/memory/swap", "unlimited") {
            $0.memory.limit = -1
            $0.memory.swap = 5
        },
        Refusal("/memory/swappiness", "101") { $0.memory.swappiness = 101 },
        Refusal("/cpu/burst", "larger") { $0.cpu = .init(quota: 10, burst: 11) },
        Refusal("/hugepageLimits/0/pageSize", "page size") {
            $0.hugepageLimits = [.init(pageSize: "../../x", limit: 1)]
        },
        Refusal("/hugepageLimits/0/pageSize", "page size") {
            $0.hugepageLimits = [.init(pageSize: "2M", limit: 1)]
        },
        Refusal("/blockIO/weightDevice/0", "-1") {
            $0.blockIO.weightDevice = [.init(major: -1, minor: 0, weight: 1)]
        },
        Refusal("/blockIO/throttleReadIOPSDevice/1", "8:-1") {
            $0.blockIO.throttleReadIOPSDevice = [device, .init(major: 8, minor: -1, rate: 1)]
        },
        Refusal("/rdma/x", "neither") { $0.rdma = ["x": .init()] },
        Refusal("/unified/memory.high", "v2") { $0.unified = ["memory.high": "1"] },
    ])
    func refuses(refused: Refusal) throws {
        let error = try #require(refusal(refused.resources, allV1))
        #expect(error.place == "/linux/resources\(refused.place)")
        #expect(error.message.contains(refused.word))
    }

    @Test(arguments: [
        Refusal("/memory/limit", "memory") { $0.memory.limit = 64 },
        Refusal("/cpu/shares", "cpu") { $0.cpu.shares = 512 },
        Refusal("/cpu/cpus", "cpuset") { $0.cpu.cpus = "0" },
        Refusal("/pids/limit", "pids") { $0.pidsLimit = 1 },
        Refusal("/blockIO/weight", "blkio") { $0.blockIO.weight = 100 },
        Refusal("/hugepageLimits/0", "hugetlb") {
            $0.hugepageLimits = [.init(pageSize: "1GB", limit: 1)]
        },
        Refusal("/network/classID", "net_cls") { $0.network.classID = 1 },
        Refusal("/network/priorities/0", "net_prio") {
            $0.network.priorities = [.init(name: "eth0", priority: 1)]
        },
        Refusal("/rdma/x", "rdma") { $0.rdma = ["x": .init(hcaHandles: 1)] },
    ])
    func namesTheMissingController(refused: Refusal) throws {
        for layout in [bareV1, bareV2] where layout == bareV1 || !refused.word.hasPrefix("net_") {
            let error = try #require(refusal(refused.resources, layout))
            #expect(error.place == "/linux/resources\(refused.place)")
            let name = layout.isUnified && refused.word == "blkio" ? "io" : refused.word
            #expect(error.message.contains(" \(name) controller"))
            #expect(error.hint != nil)
        }
    }

    @Test func refusesToLeaveDevicesOpen() throws {
        var layout = allV1
        layout.hierarchies.removeAll { $0.controllers == "devices" }
        let error = try #require(refusal(Resources(), layout))
        #expect(error.place == "/linux/resources/devices")
    }
}

@Suite struct CgroupV2PlannerTests {
    @Test(arguments: [
        Setting("limit", ["memory.max = 64 @ /memory/limit"]) { $0.memory.limit = 64 },
        Setting(
            "no limit",
            ["memory.swap.max = max @ /memory/swap", "memory.max = max @ /memory/limit"]
        ) { $0.memory.limit = -1 },
        Setting(
            "swap alone",
            ["memory.swap.max = 36 @ /memory/swap", "memory.max = 64 @ /memory/limit"]
        ) {
            $0.memory.limit = 64
            $0.memory.swap = 100
        },
        Setting(
            "no swap", ["memory.swap.max = 0 @ /memory/swap", "memory.max = 64 @ /memory/limit"]
        ) {
            $0.memory.limit = 64
            $0.memory.swap = 64
        },
        Setting(
            "unlimited swap",
            ["memory.swap.max = max @ /memory/swap", "memory.max = 64 @ /memory/limit"]
        ) {
            $0.memory.limit = 64
            $0.memory.swap = -1
        },
        Setting("reservation", ["memory.low = 5 @ /memory/reservation"]) {
            $0.memory.reservation = 5
        },
        Setting("hierarchy", []) { $0.memory.useHierarchy = true },
        Setting("shares", ["cpu.weight = 100 @ /cpu/shares"]) { $0.cpu.shares = 1024 },
        Setting("quota", ["cpu.max = 50000 100000 @ /cpu/quota"]) { $0.cpu.quota = 50000 },
        Setting("no quota", ["cpu.max = max 100000 @ /cpu/quota"]) { $0.cpu.quota = -1 },
        Setting("period", ["cpu.max = max 5000 @ /cpu/period"]) { $0.cpu.period = 5000 },
        Setting(
            "quota before burst",
            ["cpu.max = 20000 5000 @ /cpu/quota", "cpu.max.burst = 10 @ /cpu/burst"]
        ) { $0.cpu = .init(quota: 20000, burst: 10, period: 5000) },
        Setting(
            "weight before idle", ["cpu.weight = 1 @ /cpu/shares", "cpu.idle = 1 @ /cpu/idle"]
        ) { $0.cpu = .init(shares: 2, idle: 1) },
        Setting("cpuset", ["cpuset.cpus = 0-1 @ /cpu/cpus", "cpuset.mems = 0 @ /cpu/mems"]) {
            $0.cpu = .init(cpus: "0-1", mems: "0")
        },
        Setting("pids", ["pids.max = 50 @ /pids/limit"]) { $0.pidsLimit = 50 },
        Setting("no pids limit", ["pids.max = max @ /pids/limit"]) { $0.pidsLimit = -1 },
        Setting("weight", ["io.bfq.weight = 500 @ /blockIO/weight"]) { $0.blockIO.weight = 500 },
        Setting("weightDevice", ["io.bfq.weight = 8:0 5 @ /blockIO/weightDevice/0/weight"]) {
            $0.blockIO.weightDevice = [.init(major: 8, minor: 0, weight: 5)]
        },
        Setting(
            "throttles",
            [
                "io.max = 8:16 rbps=1000 @ /blockIO/throttleReadBpsDevice/0",
                "io.max = 8:16 wbps=1000 @ /blockIO/throttleWriteBpsDevice/0",
                "io.max = 8:16 riops=1000 @ /blockIO/throttleReadIOPSDevice/0",
                "io.max = 8:16 wiops=1000 @ /blockIO/throttleWriteIOPSDevice/0",
            ]
        ) {
            $0.blockIO = .init(
                throttleReadBpsDevice: [device], throttleWriteBpsDevice: [device],
                throttleReadIOPSDevice: [device], throttleWriteIOPSDevice: [device])
        },
        Setting(
            "huge pages",
            [
                "hugetlb.2MB.max = 9 @ /hugepageLimits/0",
                "hugetlb.2MB.rsvd.max = 9 @ /hugepageLimits/0",
            ]
        ) { $0.hugepageLimits = [.init(pageSize: "2MB", limit: 9)] },
        Setting("rdma", ["rdma.max = x hca_handle=1 @ /rdma/x"]) {
            $0.rdma = ["x": .init(hcaHandles: 1)]
        },
        Setting(
            "unified last, in its own order",
            [
                "memory.max = 64 @ /memory/limit", "memory.max = 65 @ /unified/memory.max",
                "cgroup.max.depth = 3 @ /unified/cgroup.max.depth",
                "misc.max = sev 1 @ /unified/misc.max",
            ]
        ) {
            $0.unified = ["memory.max": "65", "cgroup.max.depth": "3", "misc.max": "sev 1"]
            $0.memory.limit = 64
        },
    ])
    func sets(setting: Setting) throws {
        #expect(try writes(setting.resources, allV2) == setting.writes)
    }

    @Test(arguments: unset.indices)
    func leavesUnsetValuesAlone(index: Int) throws {
        var resources = Resources()
        unset[index](&resources)
        #expect(try writes(resources, bareV2).isEmpty)
    }

    @Test(arguments: [
        Refusal("/memory/swappiness", "swappiness") { $0.memory.swappiness = 60 },
        Refusal("/memory/disableOOMKiller", "OOM") { $0.memory.disableOOMKiller = true },
        Refusal("/memory/useHierarchy", "hierarchical") { $0.memory.useHierarchy = false },
        Refusal("/memory/swap", "needs") { $0.memory.swap = 5 },
        Refusal("/cpu/realtimePeriod", "real-time") { $0.cpu.realtimePeriod = 1 },
        Refusal("/cpu/realtimeRuntime", "real-time") { $0.cpu.realtimeRuntime = 1 },
        Refusal("/blockIO/leafWeight", "leaf") { $0.blockIO.leafWeight = 10 },
        Refusal("/blockIO/weightDevice/0/leafWeight", "leaf") {
            $0.blockIO.weightDevice = [.init(major: 8, minor: 0, leafWeight: 10)]
        },
        Refusal("/network/classID", "net_cls") { $0.network.classID = 1 },
        Refusal("/network/priorities", "net_prio") {
            $0.network.priorities = [.init(name: "eth0", priority: 1)]
        },
        Refusal("/unified/..~1x.y", "name") { $0.unified = ["../x.y": "1"] },
        Refusal("/unified/nothing", "form") { $0.unified = ["nothing": "1"] },
        Refusal("/unified/perf_event.x", "perf_event") { $0.unified = ["perf_event.x": "1"] },
        Refusal("/unified/", "name") { $0.unified = ["": "1"] },
    ])
    func refuses(refused: Refusal) throws {
        let error = try #require(refusal(refused.resources, allV2))
        #expect(error.place == "/linux/resources\(refused.place)")
        #expect(error.message.contains(refused.word))
    }

    @Test func ignoresKernelMemoryAndSaysSo() throws {
        var resources = Resources()
        resources.memory.kernel = 1
        let planned = try CgroupPlanner.plan(
            for: resources, path: CgroupPath("/c", id: "c"), layout: allV2)
        #expect(planned.warnings.count == 1)
        #expect(planned.warnings.first?.hasPrefix("/linux/resources/memory: ") == true)
    }

    /// The ends, the default, and values that the peers' tests name.
    @Test(
        arguments: [
            (1, 1), (2, 1), (3, 2), (10, 4), (512, 59), (1023, 100), (1024, 100), (1025, 101),
            (2048, 174), (4096, 303), (10240, 639), (262_143, 10000), (262_144, 10000),
            (UInt64.max, 10000),
        ] as [(UInt64, UInt64)])
    func convertsShares(shares: UInt64, weight: UInt64) {
        #expect(CgroupPlanner.weight(shares: shares) == weight)
    }

    @Test func convertsSharesMonotonically() {
        var last: UInt64 = 0
        for shares in stride(from: 2, through: 262_144, by: 37) as StrideThrough<UInt64> {
            let weight = CgroupPlanner.weight(shares: shares)
            #expect(weight >= last && weight >= 1 && weight <= 10000)
            last = weight
        }
    }

    @Test(
        arguments: [(1, 1), (10, 1), (100, 910), (500, 4950), (1000, 10000)] as [(UInt16, UInt64)])
    func convertsIOWeights(weight: UInt16, expected: UInt64) {
        #expect(CgroupPlanner.ioWeight(weight) == expected)
    }
}
