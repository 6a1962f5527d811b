import Spec
import Sys
import Testing

@testable import Init

@Suite("The root file system's pure parts") struct RootFileSystemTests {
    @Test(
        "sysctl names",
        arguments: [
            ("net.ipv4.ip_forward", "net/ipv4/ip_forward"),
            ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
            ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
            ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"),
            ("kernel", "kernel"),
        ])
    func sysctl(_ key: String, _ path: String) { #expect(Performer.sysctlPath(key) == path) }

    @Test(
        "lexical components",
        arguments: [
            ("/", []), ("/proc", ["proc"]), ("/proc/", ["proc"]),
            ("//proc/./self", ["proc", "self"]),
            ("/a/../proc", ["proc"]), ("../../proc/x/..", ["proc"]), ("", []), ("/..", []),
        ])
    func components(_ path: String, _ expected: [String]) {
        #expect(lexicalComponents(path).map { String(Substring($0)) } == expected)
    }

    @Test(
        "statvfs flags as attributes",
        arguments: [
            (0x1000, 0),  // relatime
            (0x1001, MountAttributes.readOnly),
            (0x0, MountAttributes.strictAtime),
            (0x400, MountAttributes.noAtime),
            (0x100e, MountAttributes.noSuid | MountAttributes.noDev | MountAttributes.noExec),
            (0x3800, MountAttributes.noDirAtime | MountAttributes.noSymFollow),
        ] as [(UInt, UInt64)])
    func statfs(_ flags: UInt, _ bits: UInt64) {
        #expect(MountAttributes.fromStatfs(flags) == bits)
    }
}
