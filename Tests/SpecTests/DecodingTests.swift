import Testing

@testable import Spec

@Suite struct DecodingTests {
    @Test func fullConfigIsDecoded() throws {
        let config = try Config(parsing: Array(fullConfig.utf8))
        #expect(config.process?.args == ["sh", "-c", "echo \"héllo\" 😀"])
        #expect(config.process?.consoleSize == Box(height: 25, width: 80))
        #expect(config.process?.rlimits.first?.hard == UInt64.max)
        #expect(config.process?.oomScoreAdj == -100)
        #expect(config.mounts[1].gidMappings == [IDMapping(containerID: 0, hostID: 2000, size: 20)])
        #expect(config.hooks.poststop[0].timeout == 6)
        #expect(config.annotations["com.example/a~b"] == "1")
        #expect(config.linux.resources?.devices[1].access == [.read, .write])
        #expect(config.linux.resources?.hugepageLimits[0].limit == 1 << 63)
        #expect(config.linux.seccomp?.syscalls[0].args[0].op == .maskedEqual)
        #expect(config.linux.timeOffsets["boottime"] == TimeOffset(secs: -604800, nanosecs: 6))
        #expect(config.linux.sysctl.map(\.key) == ["net.ipv4.ip_forward", "kernel.shmmax"])
    }

    /// The other tests are only as good as the fixture: no property may be absent from it.
    @Test func fullConfigHasEveryProperty() throws {
        let config = try Config(parsing: Array(fullConfig.utf8))
        var seen: [String: Set<String>] = [:]
        var absent: [String: Set<String>] = [:]
        collect(config, &seen, &absent)
        let missing = absent.flatMap { type, properties in
            properties.subtracting(seen[type] ?? []).map { "\(type).\($0)" }
        }
        #expect(missing.sorted() == [])
        #expect(seen.values.map(\.count).reduce(0, +) > 100)
    }

    /// Records which properties of which types have a value somewhere, and which have none.
    private func collect(
        _ value: Any, _ seen: inout [String: Set<String>], _ absent: inout [String: Set<String>]
    ) {
        let mirror = Mirror(reflecting: value)
        let type = "\(mirror.subjectType)"
        for child in mirror.children {
            let inner = Mirror(reflecting: child.value)
            let isEmpty =
                (inner.displayStyle == .optional || inner.displayStyle == .collection)
                && inner.children.isEmpty
            if let label = child.label, mirror.displayStyle == .struct {
                if isEmpty || "\(child.value)" == "false" || "\(child.value)" == "" {
                    absent[type, default: []].insert(label)
                } else {
                    seen[type, default: []].insert(label)
                }
            }
            collect(child.value, &seen, &absent)
        }
    }

    @Test func nothingIsLostInARoundTrip() throws {
        let config = try Config(parsing: Array(fullConfig.utf8))
        #expect(try Config(parsing: config.json()) == config)
        #expect(try Config(parsing: config.json(.tabs)) == config)
    }

    /// Every value of the fixture is an own property or element: removing it changes the result or
    /// is an error. A property that nobody decodes would show here.
    @Test func everyValueMatters() throws {
        let config = try Config(parsing: Array(fullConfig.utf8))
        var ignored: [String] = []
        try JSONTree(parsing: fullConfig).forEachValue { _, place, replaced in
            guard let document = replaced(nil)?.bytes else { return }
            if let other = try? Config(parsing: document), other == config { ignored.append(place) }
        }
        #expect(ignored == ["/linux/resources/devices/0/access"], "its default is rwm")
    }

    static let wrongTypes: [JSONTree] = [
        .bool(true), .number("7"), .string("x"), .array([.null]), .object([("x", .null)]),
    ]

    @Test(arguments: wrongTypes)
    func wrongTypeOfAnyPropertyNamesIt(wrong: JSONTree) throws {
        let kind = try JSONValue(parsing: wrong.bytes).kind
        var count = 0
        try JSONTree(parsing: fullConfig).forEachValue { value, place, replaced in
            guard let found = try? JSONValue(parsing: value.bytes).kind, found != kind,
                let document = replaced(wrong)?.bytes
            else { return }
            count += 1
            let error = configError(document)
            #expect(error?.place == place)
            let expected = found == .number ? "an integer" : found.rawValue
            #expect(error?.message == "expected \(expected), found \(kind.rawValue)", "\(place)")
        }
        #expect(count > 150)
    }

    @Test func nullCountsAsAbsentAndNeverElsewhere() throws {
        var elements = 0
        var members = 0
        try JSONTree(parsing: fullConfig).forEachValue { _, place, replaced in
            guard let null = replaced(.null)?.bytes, let without = replaced(nil)?.bytes else {
                return
            }
            let isElement = place.utf8.last.map { 0x30...0x39 ~= $0 } ?? false
            // Entries of maps are no properties: their values must be what they are.
            let isEntry =
                ["/annotations/", "/sysctl/", "/unified/", "/rdma/mlx", "/netDevices/eth0"]
                .contains { place.contains($0) } && !place.hasSuffix("/name")
                && !place.contains("hca")
            let isClock = place.hasSuffix("/monotonic") || place.hasSuffix("/boottime")
            if isElement || isEntry || isClock {
                elements += 1
                #expect(configError(null)?.place == place)
            } else {
                members += 1
                let absent = configError(without)
                #expect(configError(null) == absent)
                if absent != nil { #expect(absent?.place == place) }
            }
        }
        #expect(elements > 60)
        #expect(members > 150)
    }

    @Test(arguments: [
        ("", "/ociVersion"), ("/mounts/1", "/destination"), ("/process", "/cwd"),
        ("/process/consoleSize", "/height"), ("/process/consoleSize", "/width"),
        ("/process/rlimits/0", "/type"), ("/process/rlimits/0", "/soft"),
        ("/process/rlimits/0", "/hard"), ("/process/scheduler", "/policy"),
        ("/process/ioPriority", "/class"),
        ("/root", "/path"), ("/mounts/1/uidMappings/0", "/containerID"),
        ("/mounts/1/uidMappings/0", "/hostID"), ("/mounts/1/uidMappings/0", "/size"),
        ("/hooks/poststop/0", "/path"), ("/linux/namespaces/0", "/type"),
        ("/linux/devices/0", "/path"), ("/linux/devices/0", "/type"),
        ("/linux/devices/0", "/major"), ("/linux/devices/0", "/minor"),
        ("/linux/resources/devices/0", "/allow"),
        ("/linux/resources/hugepageLimits/0", "/pageSize"),
        ("/linux/resources/hugepageLimits/0", "/limit"),
        ("/linux/resources/network/priorities/0", "/name"),
        ("/linux/resources/network/priorities/0", "/priority"),
        ("/linux/resources/blockIO/weightDevice/0", "/major"),
        ("/linux/resources/blockIO/throttleReadBpsDevice/0", "/minor"),
        ("/linux/resources/blockIO/throttleReadBpsDevice/0", "/rate"),
        ("/linux/seccomp", "/defaultAction"), ("/linux/seccomp/syscalls/0", "/names"),
        ("/linux/seccomp/syscalls/0", "/action"), ("/linux/seccomp/syscalls/0/args/0", "/index"),
        ("/linux/seccomp/syscalls/0/args/0", "/value"),
        ("/linux/seccomp/syscalls/0/args/0", "/op"), ("/linux/memoryPolicy", "/mode"),
        ("/linux/personality", "/domain"),
    ])
    func missingRequiredPropertyIsNamed(object: String, name: String) throws {
        var found = false
        try JSONTree(parsing: fullConfig).forEachValue { _, place, replaced in
            guard place == object + name, let document = replaced(nil)?.bytes else { return }
            found = true
            #expect(
                configError(document)
                    == ConfigError(place: place, message: "is required but missing"))
        }
        #expect(found)
    }

    @Test(arguments: ["1.5", "1e3", "-99999999999999999999", "99999999999999999999", "1E400"])
    func numbersThatDoNotFitAreErrors(number: String) throws {
        var count = 0
        try JSONTree(parsing: fullConfig).forEachValue { value, place, replaced in
            guard case .number = value, let document = replaced(.number(number))?.bytes else {
                return
            }
            count += 1
            let error = configError(document)
            #expect(error?.place == place)
            #expect(error?.message.contains(number) == true)
        }
        #expect(count > 60)
    }

    @Test(arguments: [
        ("/process/user/uid", "-1"), ("/process/user/uid", "4294967296"),
        ("/process/user/additionalGids/1", "4294967296"), ("/process/oomScoreAdj", "2147483648"),
        ("/process/rlimits/0/soft", "-1"), ("/process/rlimits/0/hard", "18446744073709551616"),
        ("/process/scheduler/nice", "-2147483649"), ("/mounts/1/uidMappings/0/size", "4294967296"),
        ("/hooks/poststop/0/timeout", "9223372036854775808"),
        ("/linux/resources/memory/limit", "9223372036854775808"),
        ("/linux/resources/memory/swappiness", "-1"),
        ("/linux/resources/blockIO/weight", "65536"),
        ("/linux/resources/network/classID", "4294967296"),
        ("/linux/timeOffsets/monotonic/nanosecs", "-1"),
        ("/linux/seccomp/syscalls/0/args/0/value", "-1"),
    ])
    func numbersHaveTheirPropertysWidth(place: String, number: String) throws {
        var found = false
        try JSONTree(parsing: fullConfig).forEachValue { _, here, replaced in
            guard here == place, let document = replaced(.number(number))?.bytes else { return }
            found = true
            #expect(configError(document)?.place == place)
            #expect(configError(document)?.message.contains("out of range") == true)
        }
        #expect(found)
    }

    @Test(arguments: [
        "/process/rlimits/0/type", "/process/scheduler/policy", "/process/scheduler/flags/0",
        "/process/ioPriority/class", "/linux/namespaces/1/type", "/linux/devices/0/type",
        "/linux/resources/devices/1/type", "/linux/resources/devices/1/access",
        "/linux/seccomp/defaultAction", "/linux/seccomp/architectures/1",
        "/linux/seccomp/flags/0", "/linux/seccomp/syscalls/0/action",
        "/linux/seccomp/syscalls/0/args/0/op", "/linux/rootfsPropagation",
        "/linux/memoryPolicy/mode", "/linux/memoryPolicy/flags/0", "/linux/personality/domain",
    ])
    func unknownWordsAreErrorsThatListTheKnown(place: String) throws {
        var found = false
        try JSONTree(parsing: fullConfig).forEachValue { value, here, replaced in
            guard here == place, case .string(let word) = value else { return }
            found = true
            for wrong in ["NO_SUCH\nTHING", word.lowercased() + "x", word + " "] {
                let error = replaced(.string(wrong)).flatMap { configError($0.bytes) }
                #expect(error?.place == place, "\(wrong)")
                #expect(error?.hint?.hasPrefix("known are") == true)
                #expect(error?.message.contains("\n") == false)
            }
        }
        #expect(found)
    }

    /// U+212A, the Kelvin sign, is canonically equivalent to K: for String's == they are the same.
    @Test func wordsAreComparedByBytes() {
        let document = """
            {"ociVersion": "1.0.0", "linux": {"seccomp": {"defaultAction": "SCMP_ACT_\u{212A}ILL"}}}
            """
        #expect(configError(document)?.place == "/linux/seccomp/defaultAction")
    }

    @Test func unknownPropertiesAreIgnored() throws {
        let config = try Config(
            parsing: Array(
                #"{"x": {"y": [1e999]}, "ociVersion": "1.0.0", "solaris": 3, "root": {"z": 0, "path": "r"}}"#
                    .utf8))
        #expect(config == Config(ociVersion: "1.0.0", root: Root(path: "r")))
    }

    @Test func minimalConfigHasTheSpecsDefaults() throws {
        let config = try Config(
            parsing: Array(
                #"""
                {
                  "ociVersion": "1.0.0", "process": {"cwd": "/", "user": {}, "args": []},
                  "hostname": "", "linux": {
                    "namespaces": [{"type": "pid", "path": ""}], "rootfsPropagation": "",
                    "devices": [{"type": "p", "path": "/dev/fifo"}],
                    "resources": {"devices": [{"allow": true, "major": -1, "type": ""}]},
                    "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "flags": []}
                  }
                }
                """#.utf8))
        #expect(config.process == Process())
        #expect(config.hostname == nil)
        #expect(config.linux.namespaces == [Namespace(type: .pid)])
        #expect(config.linux.rootfsPropagation == nil)
        #expect(config.linux.devices == [Device(path: "/dev/fifo", type: .fifo)])
        #expect(config.linux.resources?.devices == [Resources.DeviceRule(allow: true)])
        #expect(config.linux.seccomp?.flags == [])
    }

    @Test func otherDocumentsAreDecoded() throws {
        let process = try Process(
            parsing: Array(#"{"args": ["id"], "cwd": "/tmp", "user": {"uid": 7, "gid": 8}}"#.utf8))
        #expect(process == Process(user: User(uid: 7, gid: 8), args: ["id"], cwd: "/tmp"))
        let resources = try Resources(parsing: Array(#"{"pids": {"limit": 0}}"#.utf8))
        #expect(resources == Resources(pidsLimit: 0))
        let state = State(
            id: "a", status: .running, pid: 12, bundle: "/b", annotations: ["k": "v"])
        #expect(try State(parsing: state.json()) == state)
        #expect(throws: ConfigError(place: "/args/0", message: "expected a string, found a number"))
        { try Process(parsing: Array(#"{"cwd": "/", "args": [1]}"#.utf8)) }
    }
}
