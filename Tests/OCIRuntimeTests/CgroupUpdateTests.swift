import Spec
import Testing

@testable import OCIRuntime

@Suite struct CgroupUpdateTests {
    private static let v1 = CgroupLayout(
        hierarchies: ["cpu", "cpuset", "memory", "pids", "devices", "blkio"].map {
            .init(controllers: $0, mountPoint: "/sys/fs/cgroup/\($0)", own: "/")
        }, unified: nil)
    private static let v2 = CgroupLayout(
        hierarchies: [], unified: .init(controllers: "", mountPoint: "/sys/fs/cgroup", own: "/"),
        unifiedControllers: ["cpu", "cpuset", "memory", "pids", "io"])

    /// `file=value` of each step, what is written to the kernel where `update` follows `old`.
    private func writes(
        _ update: Resources, after old: Resources = Resources(), _ layout: CgroupLayout
    ) throws -> [String] {
        let change = update.completed(from: old.updated(by: update))
        return try CgroupPlanner.plan(updating: change, layout: layout).steps.map {
            switch $0.action {
            case .setCgroup(_, let file, let value): "\(file)=\(value)"
            case .restrictDevices: "devices"
            default: "\($0.action)"
            }
        }
    }

    @Test func nothingIsWrittenForNothing() throws {
        let zeros = Resources(
            memory: .init(limit: 0, reservation: 0, swap: 0),
            cpu: .init(shares: 0, quota: 0, period: 0), blockIO: .init(weight: 0))
        for layout in [Self.v1, Self.v2] {
            #expect(try writes(Resources(), layout).isEmpty)
            #expect(try writes(zeros, after: Resources(pidsLimit: 5), layout).isEmpty)
        }
    }

    @Test func quotaAndPeriodGoTogether() throws {
        let old = Resources(cpu: .init(quota: 20000, period: 50000))
        #expect(
            try writes(Resources(cpu: .init(quota: 30000)), after: old, Self.v2) == [
                "cpu.max=30000 50000"
            ])
        #expect(
            try writes(Resources(cpu: .init(period: 80000)), after: old, Self.v2) == [
                "cpu.max=20000 80000"
            ])
        #expect(
            try writes(Resources(cpu: .init(quota: -1)), after: old, Self.v1) == [
                "cpu.cfs_period_us=50000", "cpu.cfs_quota_us=-1",
            ])
    }

    @Test func swapIsWhatMemoryLeavesOfBoth() throws {
        let old = Resources(memory: .init(limit: 100, swap: 300))
        #expect(
            try writes(Resources(memory: .init(limit: 200)), after: old, Self.v2) == [
                "memory.swap.max=100", "memory.max=200",
            ])
        #expect(
            try writes(Resources(memory: .init(swap: 400)), after: old, Self.v2) == [
                "memory.swap.max=300", "memory.max=100",
            ])
        #expect(throws: ConfigError.self) {
            try writes(Resources(memory: .init(limit: 400)), after: old, Self.v1)
        }
    }

    @Test func withoutMemoryLimitThereIsNoneOfBoth() throws {
        let old = Resources(memory: .init(limit: 100, swap: 300))
        let update = Resources(memory: .init(limit: -1))
        #expect(
            try writes(update, after: old, Self.v1) == [
                "memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1",
            ])
        #expect(
            try writes(update, after: old, Self.v2) == ["memory.swap.max=max", "memory.max=max"])
    }

    @Test func whatANewCgroupHasByItselfIsWritten() throws {
        let update = Resources(
            memory: .init(disableOOMKiller: false), cpu: .init(burst: 0, idle: 0))
        #expect(
            try writes(update, Self.v1) == [
                "cpu.cfs_burst_us=0", "cpu.idle=0", "memory.oom_control=0",
            ])
        #expect(try writes(update, Self.v2) == ["cpu.max.burst=0", "cpu.idle=0"])
    }

    @Test func devicesAreLastAndOnlyWhereThereAreRules() throws {
        let update = Resources(
            devices: [.init(allow: false)], memory: .init(limit: 4096), pidsLimit: 5)
        #expect(try writes(update, Self.v1).last == "devices")
        #expect(try writes(update, Self.v2).last == "devices")
    }

    @Test func whatIsAboutOneDeviceReplacesOnlyThat() {
        let old = Resources(
            blockIO: .init(
                weightDevice: [.init(major: 8, minor: 0, weight: 100, leafWeight: 7)],
                throttleReadBpsDevice: [
                    .init(major: 8, minor: 0, rate: 1), .init(major: 8, minor: 16, rate: 2),
                ]),
            hugepageLimits: [.init(pageSize: "2MB", limit: 1)], unified: ["a.b": "1", "c.d": "2"])
        let update = Resources(
            blockIO: .init(
                weightDevice: [.init(major: 8, minor: 0, weight: 200)],
                throttleReadBpsDevice: [
                    .init(major: 8, minor: 16, rate: 3), .init(major: 8, minor: 32, rate: 4),
                ]),
            hugepageLimits: [.init(pageSize: "1GB", limit: 2)], unified: ["c.d": "3", "e.f": "4"])
        let merged = old.updated(by: update)
        #expect(
            merged.blockIO.weightDevice == [
                .init(major: 8, minor: 0, weight: 200, leafWeight: 7)
            ])
        #expect(merged.blockIO.throttleReadBpsDevice.map(\.rate) == [1, 3, 4])
        #expect(merged.hugepageLimits.map(\.pageSize) == ["2MB", "1GB"])
        #expect(merged.unified.entries.map(\.value) == ["1", "3", "4"])
    }
}
