import Foundation
import Testing

extension Conformance {
    /// config-linux.md, control groups, on cgroup v2 through cgroupfs.
    @Suite(.requires(exists(unified + "/cgroup.controllers"), "has no cgroup v2 on \(unified)"))
    struct CgroupV2 {}
}

private let unified = "/sys/fs/cgroup"

extension Container {
    fileprivate func v2(_ file: String) -> String {
        readText("\(unified)\(cgroupsPath)/\(file)")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The path of the init in `/proc/PID/cgroup`.
    fileprivate var membership: String {
        readText("/proc/\(pid)/cgroup").trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension Conformance.CgroupV2 {
    @Suite struct Membership {
        @Test("an absolute cgroupsPath is taken from the root, with every controller on the way")
        func deep() throws {
            try withContainer { c in
                let path = c.cgroupsPath + "/a/b.c"
                c.config.linux.cgroupsPath = .string(path)
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.membership == "0::" + path)
                let offered = readText("\(unified)/cgroup.controllers")
                #expect(readText("\(unified)\(path)/cgroup.controllers") == offered)
                #expect(c.delete("--force").succeeded)
                #expect(Leaks.cgroups(path).isEmpty)
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
                c.config.linux.resources.pids = ["limit": 9]
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                #expect(outcome.succeeded, "\(outcome)")
                let path = c.membership.dropFirst(3)
                #expect(path.hasSuffix("/" + (relative ?? c.id)), "\(path)")
                #expect(readText("\(unified)\(path)/pids.max") == "9\n")
            }
        }

        @Test("the init is in its cgroup, within its limits, when the first hook runs")
        func fromTheBeginning() throws {
            try withContainer { c in
                let file = c.directory + "/hook"
                c.config.linux.resources.pids = ["limit": 9]
                c.config.addHook(
                    "createRuntime",
                    [
                        "path": "/bin/sh",
                        "args": [
                            "sh", "-c",
                            .string(
                                "read -r json; pid=${json#*'\"pid\":'}; pid=${pid%%[!0-9]*}; "
                                    + "cat /proc/$pid/cgroup "
                                    + "\(unified)\(c.cgroupsPath)/pids.max >\(file)"),
                        ],
                    ])
                try c.create()
                #expect(readText(file) == "0::\(c.cgroupsPath)\n9\n")
            }
        }

        @Test("a cgroup that is already there is used, and its settings are made")
        func existing() throws {
            try withContainer { c in
                mkdir(unified + c.cgroupsPath, 0o755)
                c.config.linux.resources.pids = ["limit": 9]
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.v2("pids.max") == "9")
            }
        }

        @Test("a cgroup that is there and frozen fails in time, and is named")
        func frozen() throws {
            try withContainer(leaks: .unchecked) { c in
                mkdir(unified + c.cgroupsPath, 0o755)
                try writeText("1", to: "\(unified)\(c.cgroupsPath)/cgroup.freeze")
                let outcome = try c.create()
                try writeText("0", to: "\(unified)\(c.cgroupsPath)/cgroup.freeze")
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("frozen"), "\(outcome)")
            }
        }

        @Test("a cgroup with processes cannot have a child with limits; the error says why")
        func internalProcesses() throws {
            try withContainer { c in
                let parent = unified + c.cgroupsPath + "-parent"
                c.config.linux.cgroupsPath = .string(c.cgroupsPath + "-parent/child")
                c.config.linux.resources.memory = ["limit": 104_857_600]
                try c.writeConfig()
                let outcome = launch([
                    "sh", "-ec", "mkdir \(parent); echo $$ >\(parent)/cgroup.procs; exec \"$@\"",
                    "sh", Runtime.binary, "--root", c.root, "create", "-b", c.bundle, c.id,
                ])
                expectRefusal(outcome, c, naming: "memory")
                #expect(outcome.stderr.contains("subtree_control"), "\(outcome)")
                #expect(!exists(parent + "/child"))
                Leaks.removeCgroups(c.cgroupsPath + "-parent")
            }
        }

        @Test("a controller that this place does not have is named, and how to enable it")
        func missingController() throws {
            try withContainer { c in
                let top = unified + c.cgroupsPath + "-top"
                c.config.linux.cgroupsPath = "/inside"
                c.config.linux.resources.memory = ["limit": 104_857_600]
                try c.writeConfig()
                // What a container without the memory controller sees of the hierarchy.
                let script = """
                    mkdir -p \(top)/below
                    echo +pids >\(top)/cgroup.subtree_control
                    echo $$ >\(top)/below/cgroup.procs
                    exec unshare --cgroup --mount sh -ec '
                        umount -l \(unified); mount -t cgroup2 cgroup2 \(unified); exec "$@"' sh "$@"
                    """
                let outcome = launch([
                    "sh", "-ec", script, "sh", Runtime.binary, "--root", c.root, "create", "-b",
                    c.bundle, c.id,
                ])
                expectRefusal(outcome, c, naming: "/linux/resources/memory")
                #expect(outcome.stderr.contains("cgroup.controllers"), "\(outcome)")
                #expect(!exists(top + "/below/inside"))
                Leaks.removeCgroups(c.cgroupsPath + "-top")
            }
        }
    }

    @Suite struct Settings {
        /// A setting of `linux.resources` and what the kernel's file reads back.
        private static func setting(
            _ place: String, _ value: JSON, _ file: String, _ reads: String,
            with together: [String: JSON] = [:]
        ) -> Setting {
            Setting(
                place: place, value: value, controller: "", file: file, reads: reads,
                together: together)
        }

        static let memory: [Setting] = [
            setting("memory.limit", 104_857_600, "memory.max", "104857600"),
            setting("memory.limit", -1, "memory.max", "max"),
            setting("memory.limit", -1, "memory.swap.max", "max"),
            setting("memory.reservation", 52_428_800, "memory.low", "52428800"),
            setting(
                "memory.swap", 209_715_200, "memory.swap.max", "104857600",
                with: ["memory.limit": 104_857_600]),
            setting(
                "memory.swap", 104_857_600, "memory.swap.max", "0",
                with: ["memory.limit": 104_857_600]),
            setting("memory.swap", -1, "memory.swap.max", "max"),
        ]

        static let cpu: [Setting] = [
            setting("cpu.shares", 1024, "cpu.weight", "100"),
            setting("cpu.shares", 512, "cpu.weight", "59"),
            setting("cpu.shares", 2, "cpu.weight", "1"),
            setting("cpu.shares", 262_144, "cpu.weight", "10000"),
            setting("cpu.quota", 50000, "cpu.max", "50000 100000"),
            setting("cpu.quota", -1, "cpu.max", "max 100000"),
            setting("cpu.period", 50000, "cpu.max", "max 50000"),
            setting("cpu.quota", 30000, "cpu.max", "30000 20000", with: ["cpu.period": 20000]),
            setting("cpu.burst", 10000, "cpu.max.burst", "10000", with: ["cpu.quota": 50000]),
            setting("cpu.idle", 1, "cpu.idle", "1"),
            setting("cpu.cpus", "0", "cpuset.cpus", "0"),
            setting("cpu.mems", "0", "cpuset.mems", "0"),
        ]

        static let others: [Setting] = [
            setting("pids.limit", 20, "pids.max", "20"),
            setting("pids.limit", -1, "pids.max", "max"),
            setting("pids.limit", 0, "pids.max", "1"),
            setting("blockIO.weight", 300, "io.bfq.weight", "default 300"),
            setting(
                "hugepageLimits", [["pageSize": "2MB", "limit": 4_194_304]], "hugetlb.2MB.max",
                "4194304"),
            setting(
                "hugepageLimits", [["pageSize": "2MB", "limit": 4_194_304]],
                "hugetlb.2MB.rsvd.max", "4194304"),
            setting("unified", ["memory.high": "52428800"], "memory.high", "52428800"),
            setting("unified", ["memory.min": "4194304"], "memory.min", "4194304"),
            setting("unified", ["memory.oom.group": "1"], "memory.oom.group", "1"),
            setting("unified", ["cpu.weight.nice": "5"], "cpu.weight.nice", "5"),
            setting(
                "unified", ["cpuset.cpus.partition": "member"], "cpuset.cpus.partition", "member"),
            setting("unified", ["cgroup.max.depth": "3"], "cgroup.max.depth", "3"),
            setting(
                "unified", ["pids.max": "7"], "pids.max", "7", with: ["pids.limit": 20]),
        ]

        @Test("a setting reads back from the kernel", arguments: memory + cpu + others)
        func readsBack(setting: Setting) throws {
            try withRunningContainer(edit: setting.apply) { c in
                if !exists("\(unified)\(c.cgroupsPath)/\(setting.file)") {
                    try Test.cancel("this host has no \(setting.file)")
                }
                #expect(c.v2(setting.file) == setting.reads)
            }
        }

        @Test("an absent setting leaves the kernel's default")
        func absent() throws {
            try withRunningContainer(edit: { $0.linux.resources = .null }) { c in
                #expect(c.v2("cpu.weight") == "100")
                #expect(c.v2("cpu.max") == "max 100000")
                #expect(c.v2("pids.max") == "max")
                #expect(c.v2("memory.max") == "max")
                #expect(c.v2("cpuset.cpus") == "")
            }
        }

        @Test("values Docker writes for none are none")
        func zeros() throws {
            try withRunningContainer(edit: {
                $0.linux.resources.cpu = ["shares": 0, "quota": 0, "period": 0]
                $0.linux.resources.blockIO = ["weight": 0]
                $0.linux.resources.memory = ["limit": 0, "swap": 0, "disableOOMKiller": false]
            }) { c in
                #expect(c.v2("cpu.weight") == "100")
                #expect(c.v2("memory.max") == "max")
            }
        }

        @Test(
            "throttles of a block device read back, beside each other",
            .requires(Host.blockDevice != nil, "has no block device"))
        func throttles() throws {
            let (major, minor) = try #require(Host.blockDevice)
            let limits = [
                ("throttleReadBpsDevice", 1_048_576), ("throttleWriteBpsDevice", 2_097_152),
                ("throttleReadIOPSDevice", 120), ("throttleWriteIOPSDevice", 130),
            ]
            try withRunningContainer(edit: {
                for (property, rate) in limits {
                    $0.linux.resources.blockIO[property] = [
                        ["major": JSON(major), "minor": JSON(minor), "rate": JSON(rate)]
                    ]
                }
            }) { c in
                #expect(
                    c.v2("io.max")
                        == "\(major):\(minor) rbps=1048576 wbps=2097152 riops=120 wiops=130")
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
                let text = c.v2("io.bfq.weight")
                #expect(text.hasSuffix("\n\(major):\(minor) 300"), "\(text)")
            }
        }

        @Test(
            "limits of an RDMA device read back",
            .requires(Host.rdmaDevice != nil, "has no RDMA device"))
        func rdma() throws {
            let device = try #require(Host.rdmaDevice)
            try withRunningContainer(edit: {
                $0.linux.resources.rdma[device] = ["hcaHandles": 3, "hcaObjects": 10000]
            }) { c in
                #expect(c.v2("rdma.max") == device + " hca_handle=3 hca_object=10000")
            }
        }

        @Test(
            "limits on kernel memory, which counts as memory here, are ignored with a warning",
            arguments: ["kernel", "kernelTCP"])
        func kernelMemory(property: String) throws {
            try withContainer { c in
                let log = c.directory + "/log"
                c.globals += ["--log", log]
                c.config.linux.resources.memory = [property: 52_428_800]
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(readText(log).contains("kernel memory"), "\(readText(log))")
            }
        }

        @Test(
            "what cgroup v2 does not have is refused and named",
            arguments: [
                ("memory.swappiness", 17), ("memory.disableOOMKiller", true),
                ("memory.useHierarchy", false), ("cpu.realtimeRuntime", 5000),
                ("cpu.realtimePeriod", 900_000), ("blockIO.leafWeight", 300),
                ("network.classID", 1_048_577),
                ("network.priorities", [["name": "lo", "priority": 5]]),
            ] as [(String, JSON)])
        func notInV2(place: String, value: JSON) throws {
            try refuses(place, value, naming: String(place.split(separator: ".")[1]))
        }

        @Test(
            "a value the kernel refuses fails with the file it was written to, and leaves nothing",
            arguments: [
                ("cpu.cpus", "999", "cpuset.cpus"), ("cpu.mems", "99", "cpuset.mems"),
                ("cpu.quota", 5, "cpu.max"), ("cpu.period", 5, "cpu.max"),
                ("unified", ["memory.max": "x"], "memory.max"),
                ("unified", ["pids.max": "-2"], "pids.max"),
                ("rdma", ["mlx5_1": ["hcaHandles": 3]], "rdma.max"),
                (
                    "blockIO.throttleReadBpsDevice", [["major": 99, "minor": 0, "rate": 1]],
                    "io.max"
                ),
            ] as [(String, JSON, String)])
        func refused(place: String, value: JSON, file: String) throws {
            try refuses(place, value, naming: file)
        }

        @Test(
            "a unified setting must name a control file of the container's own",
            arguments: ["../pids.max", "pids/max", "nothing", "nope.max", "memory.nope"])
        func unifiedNames(key: String) throws {
            try refuses("unified", [key: "1"], naming: "unified")
        }

        private func refuses(_ place: String, _ value: JSON, naming name: String) throws {
            try withContainer { c in
                Setting(place: place, value: value, controller: "", file: "", reads: "")
                    .apply(to: &c.config)
                let outcome = try c.create()
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
                let used = c.v2("cpu.stat").split { $0 == " " || $0 == "\n" }.dropFirst().first
                let microseconds = used.flatMap { Double($0) } ?? 0
                let share = .microseconds(microseconds) / outcome.duration
                #expect(share > 0 && share < 0.25, "\(c.v2("cpu.stat"))")
                c.delete("--force")
            }
        }
    }

    @Suite struct View {
        private func withView(
            ro: Bool = false, namespace: Bool = true, edit: (inout JSON) -> Void = { _ in },
            _ body: (Container) throws -> Void
        ) throws {
            try withContainer { c in
                if namespace { c.config.namespace("cgroup") }
                c.config.linux.resources.pids = ["limit": 33]
                c.config.addMount(
                    unified, type: "cgroup", source: "cgroup",
                    options: ["nosuid", "noexec", "nodev", ro ? "ro" : "rw"])
                edit(&c.config)
                try body(c)
            }
        }

        @Test("in a cgroup namespace the root of the view is the container's cgroup")
        func namespaceView() throws {
            try withView { c in
                let text = try c.sh(
                    "cat /proc/self/cgroup \(unified)/pids.max; stat -f -c %t \(unified)")
                #expect(text == "0::/\n33\n63677270")
            }
        }

        @Test("without a cgroup namespace the view is the container's cgroup all the same")
        func bindView() throws {
            try withView(namespace: false) { c in
                let text = try c.sh("cat \(unified)/pids.max; cat /proc/self/cgroup")
                #expect(text == "33\n0::" + c.cgroupsPath)
            }
        }

        @Test("an option goes to the file system, which refuses what it does not know")
        func options() throws {
            try withView(edit: { $0.editMount(unified) { $0.options.append("nsdelegate") } }) { c in
                try #expect(c.run().succeeded)
                c.config.editMount(unified) { $0.options.append("nope=1") }
                let outcome = try c.create()
                #expect(outcome.failed && outcome.stderr.contains("nope"), "\(outcome)")
            }
        }

        @Test("a read-only view cannot be changed", arguments: [true, false])
        func readOnly(namespace: Bool) throws {
            try withView(ro: true, namespace: namespace) { c in
                let text = try c.sh(
                    "mkdir \(unified)/x || echo no; echo 5 >\(unified)/pids.max || echo no")
                #expect(text == "no\nno")
            }
        }

        @Test("a container may divide its cgroup; exec follows its init, delete removes all of it")
        func nested() throws {
            try withView { c in
                c.config.shell(
                    """
                    cd \(unified); mkdir -p init a/b; echo $$ >init/cgroup.procs
                    echo +pids >cgroup.subtree_control && echo divided
                    sleep 600 & echo $! >a/b/cgroup.procs; sleep 601
                    """)
                try c.runDetached()
                #expect(c.prints("divided"), "\(c.output)")
                let directory = unified + c.cgroupsPath
                #expect(eventually { readText(directory + "/a/b/cgroup.procs") != "" })
                #expect(c.execSh("cat /proc/self/cgroup") == "0::/init")
                #expect(c.delete("--force").succeeded)
                #expect(!exists(directory))
            }
        }

        @Test("with a user namespace the container's root owns its cgroup and the delegated files")
        func ownership() throws {
            try withView(edit: { $0.userNamespace(base: 100_000) }) { c in
                launch(["chown", "-R", "100000:100000", c.rootfs])
                let text = try c.sh(
                    """
                    cd \(unified); mkdir x && echo $$ >x/cgroup.procs && cat /proc/self/cgroup
                    stat -c %u . cgroup.procs cgroup.subtree_control pids.max
                    """)
                #expect(text == "0::/x\n0\n0\n0\n65534")
            }
        }

        @Test("without a writable view the cgroup stays root's")
        func noOwnership() throws {
            try withView(ro: true, edit: { $0.userNamespace(base: 100_000) }) { c in
                launch(["chown", "-R", "100000:100000", c.rootfs])
                try #expect(c.sh("stat -c %u \(unified)") == "65534")
            }
        }
    }

    @Suite struct Removal {
        @Test("what is left without a pid namespace is killed with the container")
        func leftProcesses() throws {
            try withContainer { c in
                c.config.removeNamespace("pid")
                c.config.shell("for i in 1 2 3 4 5; do setsid sleep 600 & done; sleep 601")
                try c.runDetached()
                #expect(eventually { Leaks.processes(inCgroup: c.cgroupsPath).count == 6 })
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }

        @Test("a frozen container is deleted")
        func frozen() throws {
            try withRunningContainer { c in
                try writeText("1", to: "\(unified)\(c.cgroupsPath)/cgroup.freeze")
                #expect(c.delete("--force").succeeded)
            }
        }
    }
}
