import Foundation
import Testing

/// A change of a limit, what the control file reads then, and in which units.
struct LimitChange: Sendable, CustomTestStringConvertible {
    var flags: [String]
    var resources: JSON
    var file: ControlFile
    var v1: String
    var v2: String
    /// What the container has before.
    var before: [String: JSON] = [:]
    var runc: String?

    var testDescription: String { flags.joined(separator: " ") }
}

extension Conformance {
    /// `update`, on either version of cgroups.
    @Suite struct Update {
        static let changes: [LimitChange] = [
            LimitChange(
                flags: ["--memory", "64m"], resources: ["memory": ["limit": 67_108_864]],
                file: .memory, v1: "67108864", v2: "67108864"),
            LimitChange(
                flags: ["--memory", "100663296", "--memory-swap", "0.1875g"],
                resources: ["memory": ["limit": 100_663_296, "swap": 201_326_592]],
                file: .swap, v1: "201326592", v2: "100663296",
                before: ["memory": ["limit": 33_554_432, "swap": 33_554_432]]),
            LimitChange(
                flags: ["--memory", "32m", "--memory-swap", "32m"],
                resources: ["memory": ["limit": 33_554_432, "swap": 33_554_432]],
                file: .swap, v1: "33554432", v2: "0",
                before: ["memory": ["limit": 100_663_296, "swap": 201_326_592]]),
            LimitChange(
                flags: ["--memory-swap", "128m"], resources: ["memory": ["swap": 134_217_728]],
                file: .swap, v1: "134217728", v2: "67108864",
                before: ["memory": ["limit": 67_108_864, "swap": 67_108_864]]),
            LimitChange(
                flags: ["--memory", "-1"], resources: ["memory": ["limit": -1]],
                file: .memory, v1: "9223372036854771712", v2: "max",
                before: ["memory": ["limit": 67_108_864, "swap": 134_217_728]]),
            LimitChange(
                flags: ["--memory-reservation", "48MiB"],
                resources: ["memory": ["reservation": 50_331_648]],
                file: .reservation, v1: "50331648", v2: "50331648"),
            LimitChange(
                flags: ["--cpu-share", "512"], resources: ["cpu": ["shares": 512]],
                file: .shares, v1: "512", v2: "59"),
            LimitChange(
                flags: ["--cpu-quota", "25000"], resources: ["cpu": ["quota": 25000]],
                file: .quota, v1: "25000", v2: "25000 50000",
                before: ["cpu": ["quota": 20000, "period": 50000]]),
            LimitChange(
                flags: ["--cpu-period", "40000"], resources: ["cpu": ["period": 40000]],
                file: .period, v1: "40000", v2: "20000 40000",
                before: ["cpu": ["quota": 20000, "period": 50000]]),
            LimitChange(
                flags: ["--cpu-quota", "-1"], resources: ["cpu": ["quota": -1]],
                file: .quota, v1: "-1", v2: "max 100000", before: ["cpu": ["quota": 20000]]),
            LimitChange(
                flags: ["--cpu-quota", "10000", "--cpu-burst", "5000"],
                resources: ["cpu": ["quota": 10000, "burst": 5000]],
                file: .burst, v1: "5000", v2: "5000",
                before: ["cpu": ["quota": 50000, "burst": 20000]], runc: "1.1 does not know it"),
            LimitChange(
                flags: ["--cpu-burst", "0"], resources: ["cpu": ["burst": 0]],
                file: .burst, v1: "0", v2: "0", before: ["cpu": ["quota": 50000, "burst": 20000]],
                runc: "1.1 does not know it"),
            LimitChange(
                flags: ["--cpu-idle", "1"], resources: ["cpu": ["idle": 1]],
                file: .idle, v1: "1", v2: "1", runc: "1.1 does not know it"),
            LimitChange(
                flags: ["--cpu-idle", "0", "--cpu-share", "512"],
                resources: ["cpu": ["idle": 0, "shares": 512]],
                file: .shares, v1: "512", v2: "59", before: ["cpu": ["idle": 1]],
                runc: "1.1 does not know it"),
            LimitChange(
                flags: ["--cpuset-cpus", "1"], resources: ["cpu": ["cpus": "1"]],
                file: .cpus, v1: "1", v2: "1", before: ["cpu": ["cpus": "0"]]),
            LimitChange(
                flags: ["--cpuset-mems", "0"], resources: ["cpu": ["mems": "0"]],
                file: .mems, v1: "0", v2: "0"),
            LimitChange(
                flags: ["--pids-limit", "30"], resources: ["pids": ["limit": 30]],
                file: .pids, v1: "30", v2: "30"),
            LimitChange(
                flags: ["--pids-limit", "-1"], resources: ["pids": ["limit": -1]],
                file: .pids, v1: "max", v2: "max", before: ["pids": ["limit": 20]]),
            LimitChange(
                flags: ["--blkio-weight", "300"], resources: ["blockIO": ["weight": 300]],
                file: .blockWeight, v1: "300", v2: "default 300"),
        ]

        private func expectChange(
            _ change: LimitChange, _ c: Container, _ update: () throws -> Outcome
        ) throws {
            if !exists(c.path(of: change.file)) {
                try Test.cancel("this host has no \(c.path(of: change.file))")
            }
            let outcome = try update()
            #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
            #expect(c.reads(change.file) == (Host.isUnified ? change.v2 : change.v1))
        }

        private func having(_ change: LimitChange, _ config: inout JSON) {
            for (name, value) in change.before { config.linux.resources[name] = value }
        }

        @Test("a flag's limit is in the kernel at once", arguments: changes)
        func flags(change: LimitChange) throws {
            try knownDifference(runc: change.runc)
            try withRunningContainer(edit: { having(change, &$0) }) { c in
                try expectChange(change, c) { c.runtime(["update"] + change.flags + [c.id]) }
            }
        }

        @Test("so is that of --resources, from a file or standard input", arguments: changes)
        func resources(change: LimitChange) throws {
            try knownDifference(runc: change.runc)
            try withRunningContainer(edit: { having(change, &$0) }) { c in
                try expectChange(change, c) {
                    var options = LaunchOptions()
                    options.input = change.resources.text
                    return c.runtime(["update", "--resources=-", c.id], options)
                }
                try writeText(change.resources.text, to: c.directory + "/resources.json")
                let outcome = c.runtime(
                    "update", "-r", c.directory + "/resources.json", c.id)
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test(
            "beside --resources a flag's limit is ignored (man runc-update)",
            .knownDifference(crun: "mixes them"))
        func besideResources() throws {
            try withRunningContainer(edit: { $0.linux.resources.pids = ["limit": 20] }) { c in
                var options = LaunchOptions()
                options.input = "{\"cpu\": {\"shares\": 512}}"
                let outcome = c.runtime(
                    ["update", "--pids-limit", "30", "--resources=-", c.id], options)
                #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
                #expect(c.reads(.pids) == "20")
            }
        }

        @Test("what is not mentioned stays, also zeros that mean nothing")
        func rest() throws {
            try withRunningContainer(edit: {
                $0.linux.resources.pids = ["limit": 20]
                $0.linux.resources.cpu = ["shares": 512, "cpus": "0"]
            }) { c in
                let before = [.pids, .shares, .cpus].map(c.reads)
                var options = LaunchOptions()
                options.input = """
                    {"memory":{"limit":67108864,"reservation":0,"swap":0},
                     "cpu":{"shares":0,"quota":0,"period":0,"cpus":"","mems":""},
                     "blockIO":{"weight":0}}
                    """
                let outcome = c.runtime(["update", "--resources", "-", c.id], options)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.reads(.memory) == "67108864")
                #expect([.pids, .shares, .cpus].map(c.reads) == before)
            }
        }

        @Test("a second update builds on the first", .swruncOnly)
        func twice() throws {
            try withRunningContainer { c in
                #expect(c.runtime("update", "--cpu-period", "50000", c.id).succeeded)
                #expect(c.runtime("update", "--cpu-quota", "10000", c.id).succeeded)
                #expect(c.reads(.period) == (Host.isUnified ? "10000 50000" : "50000"))
                #expect(c.runtime("update", "--memory", "64m", c.id).succeeded)
                let swap = c.runtime("update", "--memory-swap", "128m", c.id)
                #expect(swap.succeeded, "\(swap)")
                #expect(c.reads(.swap) == (Host.isUnified ? "67108864" : "134217728"))
            }
        }

        @Test(
            "a value that is refused is named with its file or flag, and nothing has changed",
            .swruncOnly,
            arguments: [
                (["--cpuset-cpus", "99"], "cpuset.cpus"), (["--cpu-quota", "5"], "cpu."),
                (["--cpuset-mems", "99"], "cpuset.mems"),
                (["--memory", "64m", "--memory-swap", "32m"], "memory/swap"),
                (["--memory", "64x"], "--memory"), (["--memory", ""], "nothing to update"),
                (["--memory", "9999999999p"], "--memory"), (["--cpu-share", "+5"], "--cpu-share"),
                (["--cpu-quota", "a"], "--cpu-quota"), (["--pids-limit", "-5"], "pids/limit"),
                (["--blkio-weight", "70000"], "--blkio-weight"),
                (["--l3-cache-schema", "L3:0=f"], "intelRdt"), ([], "nothing to update"),
                (["--resources", "/nonexistent.json"], "/nonexistent.json"),
            ] as [([String], String)])
        func refused(flags: [String], name: String) throws {
            try withRunningContainer(edit: { $0.linux.resources.pids = ["limit": 20] }) { c in
                let all = flags.isEmpty || flags[0] == "--resources" ? [] : ["--pids-limit", "30"]
                let isUsage = name.hasPrefix("-") || name.hasPrefix("nothing")
                let outcome = c.runtime(
                    ["update"] + (isUsage || flags[0] == "--pids-limit" ? [] : all) + flags + [c.id]
                )
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains(name), "\(outcome)")
                #expect(c.reads(.pids) == "20")
            }
        }

        @Test(
            "bad JSON is refused and named", .swruncOnly, arguments: ["", "{", "[]", "{\"cpu\":1}"])
        func badJSON(text: String) throws {
            try withRunningContainer { c in
                var options = LaunchOptions()
                options.input = text
                let outcome = c.runtime(["update", "--resources", "-", c.id], options)
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("standard input"), "\(outcome)")
            }
        }

        @Test("a stopped container is not updated: `container not running`")
        func stopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let outcome = c.runtime("update", "--pids-limit", "30", c.id)
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("container not running"), "\(outcome)")
            }
        }

        @Test("a created container and a paused one are updated")
        func notRunning() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.create()
                #expect(c.runtime("update", "--pids-limit", "30", c.id).succeeded)
                #expect(c.reads(.pids) == "30")
                #expect(c.start().succeeded)
                #expect(c.runtime("pause", c.id).succeeded)
                #expect(c.runtime("update", "--pids-limit", "40", c.id).succeeded)
                #expect(c.reads(.pids) == "40")
                #expect(c.status == "paused")
            }
        }

        @Test("a limit on processes is felt")
        func felt() throws {
            try withContainer { c in
                c.config.removeNamespace("pid")
                c.config.shell("while :; do sleep 0.05 && echo forked; done 2>/dev/null")
                try c.runDetached()
                try #require(c.prints("forked"))
                #expect(c.runtime("update", "--pids-limit", "1", c.id).succeeded)
                // A shell that cannot fork ends.
                #expect(c.becomes("stopped"))
            }
        }

        @Test("throttles of a device are changed one by one")
        func throttle() throws {
            guard let (major, minor) = Host.blockDevice else {
                try Test.cancel("this host has no block device")
            }
            let file = ControlFile("blkio", "blkio.throttle.read_bps_device", v2: "io.max")
            try withRunningContainer { c in
                for rate in [1_048_576, 2_097_152] {
                    var options = LaunchOptions()
                    options.input = """
                        {"blockIO":{"throttleReadBpsDevice":
                        [{"major":\(major),"minor":\(minor),"rate":\(rate)}]}}
                        """
                    let outcome = c.runtime(["update", "--resources", "-", c.id], options)
                    #expect(outcome.succeeded, "\(outcome)")
                    let line = c.reads(file)
                    #expect(line.hasPrefix("\(major):\(minor) "))
                    #expect(line.contains("\(rate)"), "\(line)")
                }
            }
        }

        private func deviceRules(_ minors: [Int]) -> JSON {
            .array(
                [["allow": false, "access": "rwm"]]
                    + minors.map {
                        [
                            "allow": true, "type": "c", "major": 10, "minor": JSON($0),
                            "access": "rwm",
                        ]
                    })
        }

        @Test(
            "device rules are replaced, and stay where the update has none", .swruncOnly,
            .requires(exists("/dev/fuse"), "has no fuse"))
        func devices() throws {
            try withRunningContainer(edit: {
                $0.linux.devices = [
                    [
                        "type": "c", "path": "/dev/fuse", "major": 10, "minor": 229,
                        "fileMode": 0o666,
                    ]
                ]
                $0.linux.resources.devices = deviceRules([229])
            }) { c in
                let open = { c.execSh("probe open /dev/fuse r | grep errno; true") }
                #expect(open() == "errno=0")
                #expect(c.runtime("update", "--pids-limit", "30", c.id).succeeded)
                #expect(open() == "errno=0")
                for (minors, errno) in [([], "errno=1"), ([229], "errno=0")] as [([Int], String)] {
                    var options = LaunchOptions()
                    options.input = JSON.object(["devices": deviceRules(minors)]).text
                    let outcome = c.runtime(["update", "--resources", "-", c.id], options)
                    #expect(outcome.succeeded, "\(outcome)")
                    #expect(open() == errno)
                    #expect(c.execSh("probe open /dev/null rw | grep errno") == "errno=0")
                    #expect(c.status == "running")
                }
            }
        }

        @Test(
            "with checkBeforeUpdate, or on v1, a limit below the use is refused and kills nothing")
        func inUse() throws {
            try withContainer { c in
                c.config.program("probe", "eat", "48", "600")
                try c.runDetached()
                try #require(c.prints("eaten=48"))
                var options = LaunchOptions()
                options.input = """
                    {"memory":{"limit":8388608,"swap":8388608,"checkBeforeUpdate":true}}
                    """
                let outcome = c.runtime(["update", "--resources", "-", c.id], options)
                #expect(outcome.failed, "\(outcome)")
                #expect(c.status == "running")
            }
        }

        @Test(
            "settings of the unified hierarchy are changed",
            .requires(Host.isUnified, "has no cgroup v2"))
        func unified() throws {
            try withRunningContainer { c in
                var options = LaunchOptions()
                options.input = #"{"unified":{"memory.high":"67108864"}}"#
                let outcome = c.runtime(["update", "--resources", "-", c.id], options)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(
                    readText(c.unifiedDirectory + "/memory.high")
                        .hasPrefix("67108864"))
            }
        }
    }
}
