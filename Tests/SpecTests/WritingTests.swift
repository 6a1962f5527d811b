import Testing

@testable import Spec

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite struct WritingTests {
    @Test func stateIsWritten() {
        let state = State(
            ociVersion: "1.2.0", id: "a\"b", status: .created, pid: 7, bundle: "/b\n",
            annotations: ["z": "é\u{1}", "a": "\\"])
        #expect(
            text(state.json())
                == #"{"ociVersion":"1.2.0","id":"a\"b","status":"created","pid":7,"#
                + #""bundle":"/b\n","annotations":{"z":"é\u0001","a":"\\"}}"#)
        #expect(
            text(State(id: "a", status: .stopped, bundle: "/b").json(.spaces(2))) == """
                {
                  "ociVersion": "1.3.0",
                  "id": "a",
                  "status": "stopped",
                  "bundle": "/b"
                }
                """)
    }

    @Test func containerProcessStateIsWritten() {
        let state = ContainerProcessState(
            ociVersion: "1.0.2", pid: 4422, metadata: "m",
            state: State(ociVersion: "1.0.2", id: "c", status: .creating, pid: 4422, bundle: "/b"))
        #expect(
            text(state.json())
                == #"{"ociVersion":"1.0.2","fds":["seccompFd"],"pid":4422,"metadata":"m","state":"#
                + #"{"ociVersion":"1.0.2","id":"c","status":"creating","pid":4422,"bundle":"/b"}}"#)
    }

    /// features.md: absent and empty differ.
    @Test func featuresAreWritten() {
        #expect(
            text(Features().json()) == #"{"ociVersionMin":"1.0.0","ociVersionMax":"1.3.0"}"#)
        let features = Features(
            hooks: [], mountOptions: ["ro"],
            linux: LinuxFeatures(
                namespaces: ["pid"], capabilities: ["CAP_KILL"],
                cgroup: .init(v1: true, v2: true, systemd: false, systemdUser: false, rdma: true),
                seccomp: .init(
                    enabled: true, actions: ["A"], operators: ["O"], archs: ["X"],
                    knownFlags: ["K"], supportedFlags: []),
                apparmor: true, selinux: false,
                intelRdt: .init(enabled: true, schemata: true, monitoring: false),
                memoryPolicy: .init(modes: ["M"], flags: ["F"]), idmappedMounts: true,
                netDevices: true),
            annotations: ["k": "v"], potentiallyUnsafeConfigAnnotations: ["org."])
        #expect(
            text(features.json())
                == #"{"ociVersionMin":"1.0.0","ociVersionMax":"1.3.0","hooks":[],"#
                + #""mountOptions":["ro"],"linux":{"namespaces":["pid"],"#
                + #""capabilities":["CAP_KILL"],"cgroup":{"v1":true,"v2":true,"systemd":false,"#
                + #""systemdUser":false,"rdma":true},"seccomp":{"enabled":true,"actions":["A"],"#
                + #""operators":["O"],"archs":["X"],"knownFlags":["K"],"supportedFlags":[]},"#
                + #""apparmor":{"enabled":true},"selinux":{"enabled":false},"#
                + #""intelRdt":{"enabled":true,"schemata":true,"monitoring":false},"#
                + #""memoryPolicy":{"modes":["M"],"flags":["F"]},"#
                + #""mountExtensions":{"idmap":{"enabled":true}},"netDevices":{"enabled":true}},"#
                + #""annotations":{"k":"v"},"potentiallyUnsafeConfigAnnotations":["org."]}"#)
    }

    @Test func layoutsAreTheUsualOnes() {
        func write(_ layout: JSONWriter.Layout) -> String {
            var writer = JSONWriter(layout: layout, appendingTo: Array("> ".utf8))
            writer.object { object in
                object.member("empty") { (_: inout JSONWriter) in }
                object.member("none", [String]())
                object.member("list", array: [1, 2]) { $0.integer($1) }
                object.member("in") { (inner: inout JSONWriter) in
                    inner.member("a", true)
                    inner.key("b")
                    inner.null()
                }
                object.member("absent", nil as String?)
                object.member("last", Int64.min)
            }
            writer.newline()
            return text(writer.bytes)
        }
        #expect(
            write(.compact)
                == #"> {"empty":{},"none":[],"list":[1,2],"in":{"a":true,"b":null},"#
                + "\"last\":-9223372036854775808}\n")
        let lines = [
            "> {", "|\"empty\": {},", "|\"none\": [],", "|\"list\": [", "||1,", "||2", "|],",
            "|\"in\": {", "||\"a\": true,", "||\"b\": null", "|},",
            "|\"last\": -9223372036854775808", "}", "",
        ].joined(separator: "\n")
        #expect(write(.tabs) == lines.replacing("|", with: "\t"))
        #expect(write(.spaces(4)) == lines.replacing("|", with: "    "))
    }

    /// Whatever a string holds, it is read back as it was.
    @Test func stringsSurviveARoundTrip() throws {
        var string = ""
        for value in (1...0x2FF).map(UInt32.init) + [0x2028, 0xFFFD, 0xFFFF, 0x1F600, 0x10FFFF] {
            if let scalar = Unicode.Scalar(value) { string.unicodeScalars.append(scalar) }
        }
        var writer = JSONWriter()
        writer.string(string)
        #expect(!writer.bytes.contains { $0 < 0x20 })
        #expect(Array(try JSONValue(parsing: writer.bytes).string().utf8) == Array(string.utf8))
    }

    @Test func templateIsRuncs() throws {
        let config = try Config(parsing: Config.template.json(.tabs))
        #expect(config == Config.template)
        #expect(config.process?.capabilities?.ambient == [])
        #expect(
            config.linux.namespaces.map(\.type) == [.pid, .network, .ipc, .uts, .mount, .cgroup])
        #expect(
            text(Config.template.json(.tabs)).hasPrefix(
                """
                {
                \t"ociVersion": "1.3.0",
                \t"process": {
                \t\t"terminal": true,
                \t\t"user": {
                \t\t\t"uid": 0,
                \t\t\t"gid": 0
                \t\t},
                \t\t"args": [
                \t\t\t"sh"
                \t\t],
                """))
    }

    @Test func rootlessTemplateNeedsNoPrivilege() {
        let config = Config.rootlessTemplate(uid: 1000, gid: 100)
        #expect(config.linux.namespaces.map(\.type) == [.pid, .ipc, .uts, .mount, .cgroup, .user])
        #expect(config.linux.uidMappings == [IDMapping(containerID: 0, hostID: 1000, size: 1)])
        #expect(config.linux.gidMappings == [IDMapping(containerID: 0, hostID: 100, size: 1)])
        #expect(config.linux.resources == nil)
        #expect(!config.mounts.contains { $0.type == "sysfs" })
        #expect(!config.mounts.contains { $0.options.contains("gid=5") })
    }

    @Test func mapsKeepTheirOrderAndTheirFirstValue() {
        var map: OrderedMap<Int> = ["b": 1, "a": 2, "b": 3]
        #expect(map.map(\.key) == ["b", "a"])
        #expect(map["b"] == 1)
        #expect(map.append(key: "a", value: 9) == false)
        #expect(map.append(key: "e\u{301}", value: 4) == true)
        #expect(map["\u{e9}"] == nil, "keys are compared by bytes")
        #expect(map.count == 3)
    }

    @Test func errorsReadWell() {
        #expect(
            ConfigError(place: "/a", message: "is bad", hint: "do good").description
                == "/a: is bad; do good")
        #expect(ConfigError(place: "", message: "is bad").description == "is bad")
        #expect(ConfigWarning(place: "/a", message: "odd").description == "/a: odd")
    }
}
