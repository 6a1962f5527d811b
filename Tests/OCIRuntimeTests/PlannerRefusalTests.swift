import Init
import Spec
import Testing

@testable import OCIRuntime

/// What cannot be had is refused before anything happens, with its place.
@Suite struct PlannerRefusals {
    struct Case: Sendable, CustomTestStringConvertible {
        let place: String
        var name = ""
        var config = Config.plain
        var facts = OCIRuntimeTests.facts()
        var options: @Sendable (inout PlanOptions) -> Void = { _ in }
        var edit: @Sendable (inout Config) -> Void = { _ in }

        var testDescription: String { place + " " + name }
    }

    static let cases: [Case] = [
        Case(place: "/linux/intelRdt", edit: { $0.linux.intelRdt = IntelRDT() }),
        Case(
            place: "/linux/netDevices/eth0", name: "the host's own namespace",
            facts: OCIRuntimeTests.facts { $0.isOwnNamespace = { _, _ in true } },
            edit: {
                $0.linux.netDevices = ["eth0": NetDevice()]
                $0.linux.namespaces.removeAll { $0.type == .network }
                $0.linux.namespaces.append(Namespace(type: .network, path: "/proc/1/ns/net"))
            }),
        Case(
            place: "/linux/rootfsPropagation", options: { $0.noPivot = true },
            edit: { $0.linux.rootfsPropagation = .rprivate }),
        Case(place: "/linux/namespaces", name: "an ordinary user", facts: ordinaryUser()),
        Case(
            place: "/process/user/uid", name: "root is not mapped", config: .mapped,
            edit: { $0.linux.uidMappings[0].containerID = 1 }),
        Case(
            place: "/process/user/gid", name: "root is not mapped", config: .mapped,
            edit: { $0.linux.gidMappings[0].containerID = 1 }),
        Case(
            place: "/mounts/0/options/1", name: "an owner that is not mapped", config: .mapped,
            edit: {
                $0.mounts = [
                    Mount(destination: "/x", type: "tmpfs", options: ["mode=755", "gid=65536"])
                ]
            }),
        Case(
            place: "/process/user/uid", config: .mapped,
            edit: { $0.process?.user.uid = 65536 }),
        Case(
            place: "/process/user/gid", config: .mapped,
            edit: { $0.process?.user.gid = 65536 }),
        Case(
            place: "/process/user/additionalGids/1", config: .mapped,
            edit: { $0.process?.user.additionalGids = [5, 70000] }),
        Case(
            place: "/process/user/additionalGids", name: "one's own group only",
            config: .mapped, facts: ordinaryUser(),
            edit: {
                $0.linux.uidMappings = [IDMapping(containerID: 0, hostID: 1000, size: 1)]
                $0.linux.gidMappings = $0.linux.uidMappings
                $0.process?.user.additionalGids = [0]
            }),
        Case(
            place: "/process/user/additionalGids", name: "denied around us",
            facts: OCIRuntimeTests.facts {
                $0.inUserNamespace = true
                $0.setgroupsDenied = { true }
            },
            edit: { $0.process?.user.additionalGids = [0] }),
        Case(
            place: "/process/terminal", name: "detached", options: { $0.detached = true },
            edit: { $0.process?.terminal = true }),
        Case(
            place: "/process/terminal", name: "no terminal to send",
            options: { $0.consoleSocket = "/s" }),
        Case(
            place: "/process/apparmorProfile",
            edit: { $0.process?.apparmorProfile = "docker-default" }),
        Case(place: "/process/selinuxLabel", edit: { $0.process?.selinuxLabel = "a:b:c" }),
        Case(
            place: "/mounts/0/type",
            edit: { $0.mounts = [Mount(destination: "/a", source: "/b", options: ["ro"])] }),
        Case(
            place: "/mounts/1/source",
            edit: {
                $0.mounts = [
                    Mount(destination: "/proc", type: "proc"),
                    Mount(destination: "/a", options: ["bind"]),
                ]
            }),
        Case(
            place: "/mounts/0/options", name: "no mappings",
            edit: {
                $0.mounts = [Mount(destination: "/a", source: "/b", options: ["bind", "idmap"])]
            }),
        Case(
            place: "/mounts/0/options", name: "mappings of users only in the option",
            edit: {
                $0.mounts = [
                    Mount(destination: "/a", source: "/b", options: ["bind", "idmap=uids=0-1-10"])
                ]
            }),
        Case(
            place: "/mounts/0/options", name: "a link copied and bound",
            edit: {
                $0.mounts = [
                    Mount(
                        destination: "/a", source: "/b",
                        options: ["bind", "copy-symlink", "src-nofollow"])
                ]
            }),
        Case(
            place: "/mounts/0", name: "idmap of a remount",
            edit: {
                $0.mounts = [
                    Mount(destination: "/a", source: "/b", options: ["bind", "remount", "idmap"])
                ]
            }),
        Case(
            place: "/mounts/0", name: "idmap by an ordinary user", config: .mapped,
            facts: ordinaryUser(),
            edit: {
                $0.mounts = [Mount(destination: "/a", source: "/b", options: ["bind", "idmap"])]
            }),
        Case(
            place: "/linux/sysctl/net.ipv4.ip_forward", name: "the host's network",
            facts: OCIRuntimeTests.facts { $0.isOwnNamespace = { $0 == .network && $1 == "/n" } },
            edit: {
                $0.linux.namespaces.removeAll { $0.type == .network }
                $0.linux.namespaces.append(Namespace(type: .network, path: "/n"))
                $0.linux.sysctl = ["net.ipv4.ip_forward": "1"]
            }),
        Case(
            place: "/linux/sysctl/net~1ipv4~1ip_forward", name: "no network namespace",
            edit: {
                $0.linux.namespaces.removeAll { $0.type == .network }
                $0.linux.sysctl = ["net/ipv4/ip_forward": "1"]
            }),
        Case(
            place: "/linux/sysctl/vm.swappiness", edit: { $0.linux.sysctl = ["vm.swappiness": "1"] }
        ),
        Case(
            place: "/linux/resources", name: "no cgroups",
            facts: OCIRuntimeTests.facts(.none)),
    ]

    /// What is done after the change of root cannot be done in a detached one.
    static let withoutMountNamespace: [Case] = [
        Case(place: "/linux/maskedPaths/0", edit: { $0.linux.maskedPaths = ["/a"] }),
        Case(place: "/linux/readonlyPaths/0", edit: { $0.linux.readonlyPaths = ["/a"] }),
        Case(place: "/linux/rootfsPropagation", edit: { $0.linux.rootfsPropagation = .slave }),
    ].map { test in
        var test = test
        test.config.linux.namespaces.removeAll { $0.type == .mount }
        return test
    }

    @Test(arguments: cases + withoutMountNamespace)
    func refused(_ test: Case) throws {
        let error = try #require(throws: ConfigError.self) {
            try test.config.with(test.edit).plan(test.facts, test.options)
        }
        #expect(error.place == test.place)
        #expect(!error.message.isEmpty)
    }

    /// The same configs without the edit that is refused.
    @Test(arguments: [Config.plain, Config.mapped].indices)
    func acceptedOtherwise(_ index: Int) throws {
        #expect(try [Config.plain, Config.mapped][index].plan().warnings.isEmpty)
    }
}
