import Spec
import Testing

@testable import OCIRuntime

@Suite struct ScopeNameTests {
    @Test(
        arguments: [
            (":cri:abc", "system.slice", "cri-abc.scope", "/system.slice/cri-abc.scope"),
            ("a-b.slice:p:n", "a-b.slice", "p-n.scope", "/a.slice/a-b.slice/p-n.scope"),
            ("-.slice::n", "-.slice", "n.scope", "/n.scope"),
            (nil, "system.slice", "swrunc-id.scope", "/system.slice/swrunc-id.scope"),
        ] as [(String?, String, String, String)])
    func understands(text: String?, slice: String, unit: String, path: String) throws {
        let name = try ScopeName(text, id: "id", isUser: false)
        #expect(name.slice == slice)
        #expect(name.unit == unit)
        #expect(name.path == path)
    }

    @Test(arguments: [
        "/a/b", "a:b", "a:b:c", "x.slice:b:", "a--b.slice:p:n", ".slice:p:n", "-a.slice:p:n",
        "a/b.slice:p:n", "a.slice:p:n/m", "a.slice:p q:n", "a:b:c:d",
    ])
    func refuses(text: String) {
        let error = #expect(throws: PlanError.self) {
            try ScopeName(text, id: "id", isUser: false)
        }
        #expect(error?.place == "/linux/cgroupsPath")
    }

    @Test func putsUsersUnitsIntoTheirOwnSlice() throws {
        #expect(try ScopeName(":p:n", id: "id", isUser: true).slice == "user.slice")
    }
}

@Suite struct UnitPropertiesTests {
    private func value(
        _ name: String, isUnified: Bool = true, _ set: (inout Resources) -> Void
    ) -> DBusValue? {
        var resources = Resources()
        set(&resources)
        return UnitProperties(resources, isUnified: isUnified).list.last { $0.name == name }?.value
    }

    @Test func countsQuotasForASecondInStepsOfTenMilliseconds() {
        #expect(value("CPUQuotaPerSecUSec") { $0.cpu.quota = 12_345 } == .uint64(130_000))
        #expect(value("CPUQuotaPerSecUSec") { $0.cpu.quota = -1 } == .uint64(.max))
        #expect(value("CPUQuotaPerSecUSec") { $0.cpu.quota = .max } != nil)
        #expect(value("CPUQuotaPeriodUSec") { $0.cpu.period = 50_000 } == .uint64(50_000))
        #expect(value("CPUQuotaPeriodUSec") { $0.cpu.quota = 50_000 } == nil)
    }

    @Test func makesMasksOfLists() {
        #expect(value("AllowedCPUs") { $0.cpu.cpus = "0-2,9" } == .bytes([7, 2]))
        #expect(value("AllowedCPUs") { $0.cpu.cpus = "x" } == nil)
        #expect(value("AllowedCPUs", isUnified: false) { $0.cpu.cpus = "1" } == nil)
    }

    @Test func letsUnifiedSettingsCount() {
        let set: (inout Resources) -> Void = {
            $0.memory.limit = 5
            $0.unified = ["memory.max": "7", "cpu.max": "max 20000"]
        }
        #expect(value("MemoryMax", set) == .uint64(7))
        #expect(value("CPUQuotaPerSecUSec", set) == .uint64(.max))
        #expect(value("CPUQuotaPeriodUSec", set) == .uint64(20_000))
    }

    @Test func subtractsMemoryFromSwap() {
        #expect(
            value("MemorySwapMax") {
                $0.memory.limit = 5
                $0.memory.swap = 8
            } == .uint64(3))
    }

    @Test func givesDevicesToSystemdOnV1Only() {
        let rule = Resources.DeviceRule(
            allow: true, type: .character, major: 10, minor: 229, access: [.read])
        #expect(value("DeviceAllow") { $0.devices = [rule] } == nil)
        guard
            case .paired(let list) = value(
                "DeviceAllow", isUnified: false, { $0.devices = [rule] })
        else {
            Issue.record("no list")
            return
        }
        #expect(list.contains(.init(name: "/dev/char/10:229", value: "r")))
        #expect(list.contains(.init(name: "char-pts", value: "rwm")))
    }
}

@Suite struct PropertyAnnotationTests {
    private func property(_ name: String, _ text: String) throws -> UnitProperty? {
        try PropertyAnnotation.properties([PropertyAnnotation.prefix + name: text]).first
    }

    @Test(
        arguments: [
            ("'a b'", .string("a b")), ("\"x\"", .string("x")), ("true", .boolean(true)),
            ("5", .int32(5)), ("uint64 5", .uint64(5)), ("uint32 5", .uint32(5)),
            ("1.5", .double(1.5)),
            ("['a', 'b']", .strings(["a", "b"])), ("[1, 2]", .uint32s([1, 2])),
            ("byte 7", .byte(7)), ("int64 -1", .int64(-1)),
        ] as [(String, DBusValue)])
    func reads(text: String, value: DBusValue) throws {
        #expect(try property("Name", text)?.value == value)
    }

    @Test(arguments: ["", "text", "'open", "uint64 -1", "uint99 1", "['a', 1]", "'a'b'"])
    func refuses(text: String) {
        let error = #expect(throws: PlanError.self) { try property("Name", text) }
        #expect(error?.place == "/annotations/org.systemd.property.Name")
    }

    @Test func makesMicrosecondsOfSeconds() throws {
        let property = try property("TimeoutStopSec", "uint64 3")
        #expect(property?.name == "TimeoutStopUSec")
        #expect(property?.value == .uint64(3_000_000))
        #expect(try self.property("TimeoutStopUSec", "uint64 3")?.value == .uint64(3))
    }

    @Test(arguments: ["PIDs", "PIDFDs"])
    func refusesProcesses(name: String) {
        #expect(throws: PlanError.self) { try property(name, "[uint32 1]") }
    }

    @Test func refusesNamesThatAreNone() {
        #expect(throws: PlanError.self) { try property("A b", "1") }
        #expect(throws: PlanError.self) { try property("", "1") }
    }
}

@Suite struct DBusTests {
    /// Against the examples of the specification and `busctl`: padding, lengths, little-endian.
    @Test func writesAlignedValues() {
        var writer = DBusWriter()
        writer.properties([UnitProperty("AB", .uint64(5)), UnitProperty("C", .boolean(true))])
        #expect(
            writer.bytes == [
                40, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 65, 66, 0, 1,
                116, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0,
                1, 0, 0, 0, 67, 0, 1, 98, 0, 0, 0, 0, 1, 0, 0, 0,
            ])
    }

    @Test func readsASignalAndItsArguments() throws {
        var body = DBusWriter()
        body.number(UInt32(7))
        for text in ["/job/7", "a.scope", "done"] { body.string(text) }
        var message = DBusWriter()
        for byte in [UInt8(ascii: "l"), 4, 1, 1] as [UInt8] { message.number(byte) }
        message.number(UInt32(body.bytes.count))
        message.number(UInt32(9))
        message.array(alignment: 8) {
            for (code, type, text) in [
                (1, "o", "/a"), (3, "s", "JobRemoved"), (8, "g", "uoss"),
            ] as [(UInt8, String, String)] {
                $0.align(8)
                $0.number(code)
                $0.signature(type)
                if type == "g" { $0.signature(text) } else { $0.string(text) }
            }
        }
        message.align(8)
        let bytes = message.bytes + body.bytes
        #expect(try DBusMessage.length(Array(bytes.prefix(16))) == bytes.count)
        #expect(try DBusMessage.length(Array(bytes.prefix(15))) == nil)
        let read = try DBusMessage(bytes)
        #expect(read.kind == .signal)
        #expect(read.member == "JobRemoved")
        #expect(read.text(1) == "/job/7")
        #expect(read.text(3) == "done")
        #expect(read.text(9) == "")
        // Nothing that is cut short is read beyond its end.
        for count in 16..<bytes.count { _ = try? DBusMessage(Array(bytes.prefix(count))) }
    }

    @Test func refusesWhatIsNoMessage() {
        #expect(throws: DBusError.self) {
            try DBusMessage.length([UInt8](repeating: 0xff, count: 16))
        }
        #expect(throws: DBusError.self) {
            try DBusMessage.length(
                [UInt8(ascii: "l"), 2, 0, 1] + [UInt8](repeating: 0xff, count: 12))
        }
    }

    @Test func findsThePathOfAnAddress() {
        #expect(Systemd.socketPath("unix:path=/run/bus,guid=1;tcp:host=x") == "/run/bus")
        #expect(Systemd.socketPath("unix:abstract=/x") == nil)
    }
}
