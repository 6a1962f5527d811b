import Foundation
import Testing

/// A setting of `linux.resources`, the property of the unit that it becomes, and the control file.
struct UnitSetting: Sendable, CustomTestStringConvertible {
    var place: String
    var value: JSON
    /// What `systemctl show` says, on v1 and on v2; nil where there is no property.
    var v1: (property: String, shown: String)?
    var v2: (property: String, shown: String)?
    var file: ControlFile
    var reads: (v1: String, v2: String)
    var together: [String: JSON] = [:]

    var testDescription: String { "\(place)=\(value.text)" }

    func apply(to config: inout JSON) {
        Setting(
            place: place, value: value, controller: "", file: "", reads: "", together: together
        ).apply(to: &config)
    }
}

extension Conformance.Systemd {
    @Suite struct Resources {
        static let settings: [UnitSetting] = [
            UnitSetting(
                place: "memory.limit", value: 104_857_600, v1: ("MemoryLimit", "104857600"),
                v2: ("MemoryMax", "104857600"), file: .memory, reads: ("104857600", "104857600")),
            UnitSetting(
                place: "memory.limit", value: -1, v1: ("MemoryLimit", "infinity"),
                v2: ("MemoryMax", "infinity"), file: .memory,
                reads: ("9223372036854771712", "max")),
            UnitSetting(
                place: "memory.reservation", value: 52_428_800, v1: nil,
                v2: ("MemoryLow", "52428800"), file: .reservation, reads: ("52428800", "52428800")),
            UnitSetting(
                place: "memory.swap", value: 209_715_200, v1: nil,
                v2: ("MemorySwapMax", "104857600"), file: .swap, reads: ("209715200", "104857600"),
                together: ["memory.limit": 104_857_600]),
            UnitSetting(
                place: "cpu.shares", value: 512, v1: ("CPUShares", "512"), v2: ("CPUWeight", "59"),
                file: .shares, reads: ("512", "59")),
            UnitSetting(
                place: "cpu.quota", value: 12_345, v1: ("CPUQuotaPerSecUSec", "130ms"),
                v2: ("CPUQuotaPerSecUSec", "130ms"), file: .quota,
                reads: ("12345", "12345 100000")),
            UnitSetting(
                place: "cpu.quota", value: 30_000, v1: ("CPUQuotaPeriodUSec", "20ms"),
                v2: ("CPUQuotaPeriodUSec", "20ms"), file: .quota, reads: ("30000", "30000 20000"),
                together: ["cpu.period": 20_000]),
            UnitSetting(
                place: "cpu.idle", value: 1, v1: nil, v2: ("CPUWeight", "idle"), file: .idle,
                reads: ("1", "1")),
            UnitSetting(
                place: "cpu.burst", value: 10_000, v1: nil, v2: nil, file: .burst,
                reads: ("10000", "10000"), together: ["cpu.quota": 50_000]),
            UnitSetting(
                place: "cpu.cpus", value: "0", v1: nil, v2: ("AllowedCPUs", "0"), file: .cpus,
                reads: ("0", "0")),
            UnitSetting(
                place: "cpu.mems", value: "0", v1: nil, v2: ("AllowedMemoryNodes", "0"),
                file: .mems, reads: ("0", "0")),
            UnitSetting(
                place: "pids.limit", value: 20, v1: ("TasksMax", "20"), v2: ("TasksMax", "20"),
                file: .pids, reads: ("20", "20")),
            UnitSetting(
                place: "pids.limit", value: -1, v1: ("TasksMax", "infinity"),
                v2: ("TasksMax", "infinity"), file: .pids, reads: ("max", "max")),
            UnitSetting(
                place: "blockIO.weight", value: 300, v1: ("BlockIOWeight", "300"),
                v2: ("IOWeight", "2300"), file: .blockWeight, reads: ("300", "default 300")),
            UnitSetting(
                place: "hugepageLimits", value: [["pageSize": "2MB", "limit": 4_194_304]], v1: nil,
                v2: nil, file: .hugepages, reads: ("4194304", "4194304")),
            UnitSetting(
                place: "unified", value: ["memory.high": "52428800"], v1: nil,
                v2: ("MemoryHigh", "52428800"), file: .memoryHigh, reads: ("", "52428800")),
            UnitSetting(
                place: "unified", value: ["cpu.max": "20000 50000"], v1: nil,
                v2: ("CPUQuotaPerSecUSec", "400ms"), file: .quota, reads: ("", "20000 50000")),
        ]

        @Test("a setting is in the unit and in the cgroup", arguments: settings)
        func both(setting: UnitSetting) throws {
            if !Host.isUnified && setting.place == "unified" {
                try Test.cancel("cgroup v1 has no unified settings")
            }
            try withRunningScope(edit: setting.apply) { c in
                if c.scoped(setting.file).isEmpty {
                    try Test.cancel("this host has no \(setting.file.v2)")
                }
                let expected = Host.isUnified ? setting.reads.v2 : setting.reads.v1
                #expect(c.scoped(setting.file) == expected)
                if let (property, shown) = Host.isUnified ? setting.v2 : setting.v1 {
                    #expect(c.show(property) == shown, "\(property)")
                }
            }
        }

        @Test(
            "throttles and the weight of a block device are in the unit and in the cgroup",
            .requires(Host.bfqDevice != nil, "has no block device under the BFQ scheduler"))
        func blockDevice() throws {
            let (major, minor) = try #require(Host.bfqDevice)
            let device: JSON = ["major": JSON(major), "minor": JSON(minor)]
            let rates = [
                ("throttleReadBpsDevice", "ReadBandwidth", 1_048_576),
                ("throttleWriteBpsDevice", "WriteBandwidth", 2_097_152),
                ("throttleReadIOPSDevice", "ReadIOPS", 120),
                ("throttleWriteIOPSDevice", "WriteIOPS", 130),
            ]
            try withRunningScope(edit: {
                var weight = device
                weight.weight = 300
                $0.linux.resources.blockIO.weightDevice = [weight]
                for (name, _, rate) in rates {
                    var throttle = device
                    throttle.rate = JSON(rate)
                    $0.linux.resources.blockIO[name] = [throttle]
                }
            }) { c in
                let limits = c.scoped(
                    ControlFile("blkio", "blkio.throttle.read_bps_device", v2: "io.max"))
                let weight = c.scoped(
                    ControlFile("blkio", "blkio.bfq.weight_device", v2: "io.bfq.weight"))
                #expect(weight.contains("\(major):\(minor) 300"), "\(weight)")
                guard Host.isUnified else {
                    #expect(limits == "\(major):\(minor) 1048576")
                    #expect(c.show("BlockIOReadBandwidth").contains("1048576"))
                    #expect(c.show("BlockIODeviceWeight").contains("300"))
                    return
                }
                #expect(
                    limits == "\(major):\(minor) rbps=1048576 wbps=2097152 riops=120 wiops=130")
                for (_, property, rate) in rates {
                    let shown = c.show("IO\(property)Max")
                    #expect(shown.hasSuffix(" \(rate)"), "\(property): \(shown)")
                }
                #expect(c.show("IODeviceWeight").hasSuffix(" 2300"))
            }
        }

        @Test(
            "limits of an RDMA device are in the cgroup",
            .requires(Host.rdmaDevice != nil, "has no RDMA device"))
        func rdma() throws {
            let device = try #require(Host.rdmaDevice)
            try withRunningScope(edit: {
                $0.linux.resources.rdma[device] = ["hcaHandles": 3, "hcaObjects": 10000]
            }) { c in
                #expect(
                    c.scoped(ControlFile("rdma", "rdma.max", v2: "rdma.max"))
                        == device + " hca_handle=3 hca_object=10000")
            }
        }

        @Test("each flag of update is in the cgroup", arguments: Conformance.Update.changes)
        func flags(change: LimitChange) throws {
            try withRunningScope(edit: {
                for (name, value) in change.before { $0.linux.resources[name] = value }
            }) { c in
                if c.scoped(change.file).isEmpty {
                    try Test.cancel("this host has no \(change.file.v2)")
                }
                let outcome = c.runtime(["update"] + change.flags + [c.id])
                #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
                #expect(c.scoped(change.file) == (Host.isUnified ? change.v2 : change.v1))
            }
        }

        @Test("update changes both, and a quota is not rounded in the cgroup")
        func update() throws {
            try withRunningScope { c in
                let outcome = c.runtime([
                    "update", "--memory", "64m", "--cpu-quota", "12345", "--pids-limit", "33", c.id,
                ])
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stderr.isEmpty, "\(outcome)")
                #expect(c.scoped(.memory) == "67108864")
                #expect(c.scoped(.quota).hasPrefix("12345"))
                #expect(c.scoped(.pids) == "33")
                #expect(c.show(Host.isUnified ? "MemoryMax" : "MemoryLimit") == "67108864")
                #expect(c.show("CPUQuotaPerSecUSec") == "130ms")
                #expect(c.show("TasksMax") == "33")
            }
        }

        @Test("limits and device rules hold after systemd has reloaded its units")
        func reload() throws {
            let look = """
                probe open /dev/denied r | grep errno; probe open /dev/fuse r | grep errno
                probe open /dev/null rw | grep errno; true
                """
            try withRunningScope(edit: {
                $0.linux.resources.pids = ["limit": 30]
                $0.linux.resources.memory = ["limit": 104_857_600]
                $0.linux.devices = [
                    ["type": "c", "path": "/dev/denied", "major": 10, "minor": 237],
                    ["type": "c", "path": "/dev/fuse", "major": 10, "minor": 229],
                ]
                $0.linux.resources.devices = [
                    ["allow": false, "access": "rwm"],
                    ["allow": true, "type": "c", "major": 10, "minor": 229, "access": "r"],
                ]
            }) { c in
                let before = c.execSh(look)
                #expect(before == "errno=1\nerrno=0\nerrno=0")
                #expect(launch(["systemctl", "daemon-reload"]).succeeded)
                // Makes systemd go over the unit's cgroup again.
                #expect(
                    launch(["systemctl", "set-property", "--runtime", c.unit, "CPUWeight=77"])
                        .succeeded)
                #expect(c.execSh(look) == before)
                #expect(c.scoped(.pids) == "30")
                #expect(c.scoped(.memory) == "104857600")
            }
        }
    }
}
