import Foundation
import Testing

extension Conformance {
    /// config-linux.md, control groups, on cgroup v1 or the hybrid layout.
    @Suite(.requires(Host.controller("memory") != nil, "has no cgroup v1"))
    struct CgroupV1 {}
}

/// A setting of `linux.resources` and what the kernel's file reads back.
struct Setting: Sendable, CustomTestStringConvertible {
    var place: String
    var value: JSON
    var controller: String
    var file: String
    var reads: String
    /// Settings the kernel wants first.
    var together: [String: JSON] = [:]
    var runc: String?

    var testDescription: String { "\(place)=\(value.text)" }

    func apply(to config: inout JSON) {
        for (place, value) in together { Self.set(place, value, &config) }
        Self.set(place, value, &config)
    }

    private static func set(_ place: String, _ value: JSON, _ config: inout JSON) {
        let steps = place.split(separator: ".").map { Place.Step.member(String($0)) }
        let whole = Place(steps: [.member("linux"), .member("resources")] + steps)
        config = whole.set(value, in: config)
    }
}

extension Container {
    /// The directory of this container's cgroup in a controller's hierarchy.
    func cgroup(_ controller: String) -> String {
        (Host.controller(controller) ?? "/no/\(controller)") + cgroupsPath
    }

    func cgroupFile(_ controller: String, _ file: String) -> String {
        readText("\(cgroup(controller))/\(file)").trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension Conformance.CgroupV1 {
    @Suite struct Membership {
        @Test("the container is in its cgroup of every controller and named hierarchy")
        func everywhere() throws {
            try withRunningContainer { c in
                for line in readText("/proc/\(c.pid)/cgroup").split(separator: "\n")
                where Host.hybrid != nil || !line.hasPrefix("0::") {
                    #expect(line.hasSuffix(":" + c.cgroupsPath), "\(line)")
                }
            }
        }

        @Test("an absolute cgroupsPath is taken from the hierarchy's root, whatever its depth")
        func deep() throws {
            try withContainer { c in
                let path = c.cgroupsPath + "/a/b.c"
                c.config.linux.cgroupsPath = .string(path)
                c.config.program("sleep", "600")
                try c.runDetached()
                #expect(readText("/proc/\(c.pid)/cgroup").contains(":pids:" + path))
                #expect(c.delete("--force").succeeded)
                #expect(Leaks.cgroups(path).isEmpty)
                // What lies above may be others': who made it may leave it.
                Leaks.removeCgroups(c.cgroupsPath)
            }
        }

        @Test(
            "a relative cgroupsPath, and none, give the container a cgroup of its own",
            arguments: ["relative", nil])
        func ownPlace(kind: String?) throws {
            try withContainer { c in
                let relative = kind.map { _ in c.id + "-relative" }
                c.config.linux.cgroupsPath = relative.map { .string($0) } ?? .null
                c.config.program("sleep", "600")
                try c.runDetached()
                let line = readText("/proc/\(c.pid)/cgroup").split(separator: "\n").first {
                    $0.contains(":pids:")
                }
                #expect(line?.contains(relative ?? c.id) == true, "\(line ?? "")")
            }
        }

        @Test("a cgroupsPath with .. stays below the hierarchies' roots, or is refused")
        func dots() throws {
            try withContainer { c in
                c.config.linux.cgroupsPath = .string("/../../../../tmp" + c.cgroupsPath)
                let outcome = try c.run()
                #expect(!exists("/tmp" + c.cgroupsPath), "\(outcome)")
            }
        }

        @Test("a cgroup that is already there is used, and its settings are made")
        func existing() throws {
            try withContainer { c in
                for hierarchy in Leaks.hierarchies { mkdir(hierarchy + c.cgroupsPath, 0o755) }
                c.config.linux.resources.pids = ["limit": 9]
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.cgroupFile("pids", "pids.max") == "9")
                c.delete("--force")
                Leaks.removeCgroups(c.cgroupsPath)
            }
        }

        @Test("a cgroup that is there and frozen fails in time, and is named")
        func frozen() throws {
            try withContainer(leaks: .unchecked) { c in
                let freezer = c.cgroup("freezer")
                mkdir(freezer, 0o755)
                try writeText("FROZEN", to: freezer + "/freezer.state")
                let outcome = try c.create()
                try writeText("THAWED", to: freezer + "/freezer.state")
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("frozen"), "\(outcome)")
            }
        }

        @Test("what the container forks stays in its cgroup, also when it leaves the session")
        func descendants() throws {
            try withContainer { c in
                c.config.shell("setsid sleep 601 & sleep 600; true")
                try c.runDetached()
                #expect(eventually { Leaks.processes(inCgroup: c.cgroupsPath).count == 3 })
            }
        }
    }

    @Suite struct Settings {
        static let memory: [Setting] = [
            Setting(
                place: "memory.limit", value: 104_857_600, controller: "memory",
                file: "memory.limit_in_bytes", reads: "104857600"),
            Setting(
                place: "memory.limit", value: -1, controller: "memory",
                file: "memory.limit_in_bytes", reads: "9223372036854771712"),
            Setting(
                place: "memory.reservation", value: 52_428_800, controller: "memory",
                file: "memory.soft_limit_in_bytes", reads: "52428800"),
            Setting(
                place: "memory.swap", value: 209_715_200, controller: "memory",
                file: "memory.memsw.limit_in_bytes", reads: "209715200",
                together: ["memory.limit": 104_857_600]),
            Setting(
                place: "memory.swap", value: -1, controller: "memory",
                file: "memory.memsw.limit_in_bytes", reads: "9223372036854771712",
                together: ["memory.limit": 104_857_600]),
            Setting(
                place: "memory.swappiness", value: 17, controller: "memory",
                file: "memory.swappiness", reads: "17"),
            Setting(
                place: "memory.swappiness", value: 0, controller: "memory",
                file: "memory.swappiness", reads: "0"),
            Setting(
                place: "memory.disableOOMKiller", value: true, controller: "memory",
                file: "memory.oom_control", reads: "oom_kill_disable 1"),
            Setting(
                place: "memory.useHierarchy", value: true, controller: "memory",
                file: "memory.use_hierarchy", reads: "1", runc: "1.1 ignores it"),
            Setting(
                place: "memory.kernelTCP", value: 52_428_800, controller: "memory",
                file: "memory.kmem.tcp.limit_in_bytes", reads: "52428800",
                runc: "ignores it"),
        ]

        static let cpu: [Setting] = [
            Setting(
                place: "cpu.shares", value: 512, controller: "cpu", file: "cpu.shares",
                reads: "512"),
            Setting(
                place: "cpu.quota", value: 50000, controller: "cpu", file: "cpu.cfs_quota_us",
                reads: "50000"),
            Setting(
                place: "cpu.quota", value: -1, controller: "cpu", file: "cpu.cfs_quota_us",
                reads: "-1"),
            Setting(
                place: "cpu.period", value: 50000, controller: "cpu", file: "cpu.cfs_period_us",
                reads: "50000"),
            Setting(
                place: "cpu.quota", value: 30000, controller: "cpu", file: "cpu.cfs_quota_us",
                reads: "30000", together: ["cpu.period": 20000]),
            Setting(
                place: "cpu.burst", value: 10000, controller: "cpu", file: "cpu.cfs_burst_us",
                reads: "10000", together: ["cpu.quota": 50000], runc: "1.1 does not know it"),
            Setting(
                place: "cpu.idle", value: 1, controller: "cpu", file: "cpu.idle", reads: "1",
                runc: "1.1 does not know it"),
            Setting(
                place: "cpu.realtimeRuntime", value: 5000, controller: "cpu",
                file: "cpu.rt_runtime_us", reads: "5000"),
            Setting(
                place: "cpu.realtimePeriod", value: 900_000, controller: "cpu",
                file: "cpu.rt_period_us", reads: "900000"),
            Setting(
                place: "cpu.cpus", value: "0", controller: "cpuset", file: "cpuset.cpus",
                reads: "0"),
            Setting(
                place: "cpu.mems", value: "0", controller: "cpuset", file: "cpuset.mems",
                reads: "0"),
        ]

        static let others: [Setting] = [
            Setting(
                place: "pids.limit", value: 20, controller: "pids", file: "pids.max", reads: "20"),
            Setting(
                place: "pids.limit", value: -1, controller: "pids", file: "pids.max",
                reads: "max"),
            Setting(
                place: "pids.limit", value: 0, controller: "pids", file: "pids.max", reads: "0",
                runc: "takes 0 for none"),
            Setting(
                place: "blockIO.weight", value: 300, controller: "blkio",
                file: "blkio.bfq.weight", reads: "300"),
            Setting(
                place: "hugepageLimits", value: [["pageSize": "2MB", "limit": 4_194_304]],
                controller: "hugetlb", file: "hugetlb.2MB.limit_in_bytes", reads: "4194304"),
            Setting(
                place: "hugepageLimits", value: [["pageSize": "2MB", "limit": 4_194_304]],
                controller: "hugetlb", file: "hugetlb.2MB.rsvd.limit_in_bytes", reads: "4194304"),
            Setting(
                place: "network.classID", value: 1_048_577, controller: "net_cls",
                file: "net_cls.classid", reads: "1048577"),
            Setting(
                place: "network.priorities", value: [["name": "lo", "priority": 5]],
                controller: "net_prio", file: "net_prio.ifpriomap", reads: "lo 5"),
        ]

        @Test("a setting reads back from the kernel", arguments: memory + cpu + others)
        func readsBack(setting: Setting) throws {
            try knownDifference(runc: setting.runc)
            guard let hierarchy = Host.controller(setting.controller) else {
                try Test.cancel("this host has no \(setting.controller) controller on cgroup v1")
            }
            if setting.file.hasPrefix("cpu.rt_"), !exists("\(hierarchy)/\(setting.file)") {
                try Test.cancel("this host's kernel has no real-time budgets")
            }
            try withRunningContainer(edit: setting.apply) { c in
                let path = "\(c.cgroup(setting.controller))/\(setting.file)"
                if !exists(path) { try Test.cancel("this host has no \(setting.file)") }
                let lines = readText(path).split(separator: "\n").map(String.init)
                // No task fits into either: runc 1.4 writes 1 for the spec's 0.
                let same = setting.reads == "0" && setting.file == "pids.max" ? ["0", "1"] : []
                #expect(
                    ([setting.reads] + same).contains(lines.first ?? ""),
                    "\(setting.file) is \(lines)")
            }
        }

        @Test("an absent setting leaves the kernel's default")
        func absent() throws {
            try withRunningContainer(edit: { $0.linux.resources = .null }) { c in
                #expect(c.cgroupFile("cpu", "cpu.shares") == "1024")
                #expect(c.cgroupFile("cpu", "cpu.cfs_quota_us") == "-1")
                #expect(c.cgroupFile("pids", "pids.max") == "max")
                #expect(!c.cgroupFile("cpuset", "cpuset.cpus").isEmpty)
            }
        }

        @Test("values Docker writes for none are none")
        func zeros() throws {
            try withRunningContainer(edit: {
                $0.linux.resources.cpu = ["shares": 0]
                $0.linux.resources.blockIO = ["weight": 0]
                $0.linux.resources.memory = ["disableOOMKiller": false]
            }) { c in
                #expect(c.cgroupFile("cpu", "cpu.shares") == "1024")
                #expect(c.cgroupFile("memory", "memory.oom_control").contains("oom_kill_disable 0"))
            }
        }

        @Test(
            "throttles of a block device read back",
            arguments: [
                ("throttleReadBpsDevice", "blkio.throttle.read_bps_device"),
                ("throttleWriteBpsDevice", "blkio.throttle.write_bps_device"),
                ("throttleReadIOPSDevice", "blkio.throttle.read_iops_device"),
                ("throttleWriteIOPSDevice", "blkio.throttle.write_iops_device"),
            ])
        func throttle(property: String, file: String) throws {
            guard let (major, minor) = Host.blockDevice else {
                try Test.cancel("this host has no block device")
            }
            try withRunningContainer(edit: {
                $0.linux.resources.blockIO[property] = [
                    ["major": JSON(major), "minor": JSON(minor), "rate": 1_048_576]
                ]
            }) { c in
                #expect(c.cgroupFile("blkio", file) == "\(major):\(minor) 1048576")
            }
        }

        @Test(
            "the weight of a block device reads back",
            .requires(Host.bfqDevice != nil, "has no block device under the BFQ scheduler"))
        func deviceWeight() throws {
            let (major, minor) = try #require(Host.bfqDevice)
            try withRunningContainer(edit: {
                $0.linux.resources.blockIO.weightDevice = [
                    ["major": JSON(major), "minor": JSON(minor), "weight": 300]
                ]
            }) { c in
                let text = c.cgroupFile("blkio", "blkio.bfq.weight_device")
                #expect(text.contains("\(major):\(minor) 300"), "\(text)")
            }
        }

        @Test(
            "limits of an RDMA device read back",
            .requires(Host.rdmaDevice != nil && Host.controller("rdma") != nil, "has no RDMA"))
        func rdma() throws {
            let device = try #require(Host.rdmaDevice)
            try withRunningContainer(edit: {
                $0.linux.resources.rdma[device] = ["hcaHandles": 3, "hcaObjects": 10000]
            }) { c in
                #expect(
                    c.cgroupFile("rdma", "rdma.max") == device + " hca_handle=3 hca_object=10000")
            }
        }

        @Test(
            "a setting whose controller the host lacks is refused and named",
            arguments: [
                ("hugepageLimits", "hugetlb", [["pageSize": "2MB", "limit": 4_194_304]]),
                ("network", "net_cls", ["classID": 1_048_577]),
                ("network", "net_prio", ["priorities": [["name": "lo", "priority": 5]]]),
                ("rdma", "rdma", ["mlx5_1": ["hcaHandles": 3]]),
                ("unified", "unified", ["memory.high": "1000000"]),
            ] as [(String, String, JSON)])
        func missingController(property: String, controller: String, value: JSON) throws {
            if Host.controller(controller) != nil && controller != "unified" {
                try Test.cancel("this host has \(controller)")
            }
            try knownDifference(
                runc: ["net_cls", "net_prio", "hugetlb", "rdma"].contains(controller)
                    ? "1.1 ignores it" : nil)
            try withContainer { c in
                c.config.linux.resources[property] = value
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: property)
                c.expectNothingLeft()
            }
        }

        @Test(
            "a value the kernel refuses fails, is named, and leaves nothing",
            arguments: [
                ("cpu.cpus", "99"), ("cpu.mems", "99"), ("cpu.cpus", "x"), ("cpu.quota", 5),
                ("cpu.period", 5), ("memory.swappiness", 1000),
                ("memory.swap", 1000),
                // Linux 5.0 took the leaf weights away, 5.11 made all accounting hierarchical.
                ("blockIO.leafWeight", 300), ("memory.useHierarchy", false),
            ] as [(String, JSON)])
        func refused(place: String, value: JSON) throws {
            let isOld = ["blockIO.leafWeight", "memory.useHierarchy"].contains(place)
            if isOld, !Host.kernel(5, 11) { try Test.cancel("this host's kernel has \(place)") }
            try knownDifference(runc: isOld ? "ignores it" : nil)
            try withContainer { c in
                Setting(
                    place: place, value: value, controller: "", file: "", reads: "",
                    together: place == "memory.swap" ? ["memory.limit": 104_857_600] : [:]
                ).apply(to: &c.config)
                let outcome = try c.create()
                let name = String(place.split(separator: ".").last ?? "")
                expectRefusal(outcome, c, naming: name)
                c.expectNothingLeft()
            }
        }
    }

    @Suite struct Felt {
        @Test("a busy program gets no more than its quota")
        func quota() throws {
            try withContainer { c in
                c.config.linux.resources.cpu = ["quota": 10_000, "period": 100_000]
                c.config.shell("timeout 1 sh -c 'while :; do :; done'; true")
                let outcome = try c.run(["--keep"])
                let used = Double(c.cgroupFile("cpuacct", "cpuacct.usage")) ?? 0
                let share = .nanoseconds(used) / outcome.duration
                #expect(share > 0 && share < 0.25, "\(used) ns, \(outcome)")
                c.delete("--force")
            }
        }
    }
}
