import Testing

@testable import OCIRuntime

/// What `/proc/self/mountinfo` and `/proc/self/cgroup` look like on real hosts, and the layout in it.
struct LayoutSample: Sendable, CustomTestStringConvertible {
    var name: String
    var mountinfo: String
    var cgroup: String
    /// `controllers mountPoint own` for each v1 hierarchy.
    var hierarchies: [String] = []
    /// `mountPoint own`
    var unified: String?
    var isUnified = false

    var testDescription: String { name }

    var layout: CgroupLayout {
        .parse(mountinfo: Array(mountinfo.utf8), cgroup: Array(cgroup.utf8))
    }
}

private let singleControllers = LayoutSample(
    name: "a virtual machine with one hierarchy per controller, and cgroup2 beside them",
    mountinfo: """
        22 27 0:21 / /proc rw,relatime - proc proc rw
        23 27 0:22 / /sys rw,relatime - sysfs sysfs rw
        27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
        31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw

        """,
    cgroup: "9:name=systemd:/\n4:memory:/api/0a43\n1:cpu:/\n0::/\n",
    hierarchies: [
        "name=systemd /sys/fs/cgroup/systemd /", "memory /sys/fs/cgroup/memory /api/0a43",
        "cpu /sys/fs/cgroup/cpu /",
    ],
    unified: "/sys/fs/cgroup/unified /")

private let systemdHybrid = LayoutSample(
    name: "systemd's hybrid layout, with co-mounted controllers",
    mountinfo: """
        22 28 0:21 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
        26 22 0:23 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs ro,mode=755
        27 26 0:24 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate
        29 26 0:25 / /sys/fs/cgroup/systemd rw shared:11 - cgroup cgroup rw,xattr,name=systemd
        33 26 0:29 / /sys/fs/cgroup/net_cls,net_prio rw shared:16 - cgroup cgroup rw,net_cls,net_prio
        34 26 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:17 - cgroup cgroup rw,cpu,cpuacct
        35 26 0:31 / /sys/fs/cgroup/memory rw shared:18 master:2 - cgroup cgroup rw,memory

        """,
    cgroup: """
        5:memory:/user.slice/user-1000.slice/session-2.scope
        4:cpu,cpuacct:/user.slice
        3:net_cls,net_prio:/
        1:name=systemd:/user.slice/user-1000.slice/session-2.scope
        0::/user.slice/user-1000.slice/session-2.scope

        """,
    hierarchies: [
        "memory /sys/fs/cgroup/memory /user.slice/user-1000.slice/session-2.scope",
        "cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct /user.slice",
        "net_cls,net_prio /sys/fs/cgroup/net_cls,net_prio /",
        "name=systemd /sys/fs/cgroup/systemd /user.slice/user-1000.slice/session-2.scope",
    ],
    unified: "/sys/fs/cgroup/unified /user.slice/user-1000.slice/session-2.scope")

private let redHat7 = LayoutSample(
    name: "controllers in one order in the options, in another in the directory's name",
    mountinfo: """
        26 22 0:23 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755
        34 26 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:17 - cgroup cgroup rw,cpuacct,cpu

        """,
    cgroup: "4:cpuacct,cpu:/\n",
    hierarchies: ["cpuacct,cpu /sys/fs/cgroup/cpu,cpuacct /"])

private let dockerInDocker = LayoutSample(
    name: "a Docker container without a cgroup namespace, its own cgroup mounted",
    mountinfo: """
        661 660 0:57 / / rw,relatime master:286 - overlay overlay rw,lowerdir=/l:/m
        666 661 0:61 / /sys ro,nosuid - sysfs sysfs ro
        667 666 0:62 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755
        668 667 0:30 /docker/c0ffee /sys/fs/cgroup/cpu,cpuacct ro master:17 - cgroup cgroup rw,cpu,cpuacct
        669 667 0:31 /docker/c0ffee /sys/fs/cgroup/memory ro master:18 - cgroup cgroup rw,memory

        """,
    cgroup: "5:memory:/docker/c0ffee/inner\n4:cpu,cpuacct:/docker/c0ffee\n0::/system.slice\n",
    hierarchies: [
        "memory /sys/fs/cgroup/memory /inner", "cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct /",
    ])

private let unifiedHost = LayoutSample(
    name: "cgroup v2 alone, a minimal host",
    mountinfo: """
        23 28 0:22 / /sys rw - sysfs sysfs rw
        31 23 0:27 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot

        """,
    cgroup: "0::/user.slice/user-0.slice/session-1.scope\n",
    unified: "/sys/fs/cgroup /user.slice/user-0.slice/session-1.scope", isUnified: true)

private let fedora = LayoutSample(
    name: "Fedora: cgroup v2, with other mounts after it and a path with a colon",
    mountinfo: """
        64 1 0:33 /root / rw,relatime shared:1 - btrfs /dev/nvme0n1p3 rw,subvol=/root
        36 64 0:22 / /sys rw,nosuid shared:2 - sysfs sysfs rw,seclabel
        40 36 0:27 / /sys/fs/cgroup rw,nosuid shared:8 - cgroup2 cgroup2 rw,seclabel,nsdelegate
        41 36 0:28 / /sys/fs/pstore rw,nosuid shared:9 - pstore none rw,seclabel
        90 64 0:50 / /run/a\\040b rw shared:90 - tmpfs tmpfs rw

        """,
    cgroup: "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app:x.scope\n",
    unified: "/sys/fs/cgroup /user.slice/user-1000.slice/user@1000.service/app.slice/app:x.scope",
    isUnified: true)

private let v2WithVPN = LayoutSample(
    name: "cgroup v2 with a v1 net_cls hierarchy that a VPN client mounts beside it",
    mountinfo: """
        23 28 0:22 / /sys rw - sysfs sysfs rw
        31 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
        99 28 0:60 / /opt/vpn/net_cls rw - cgroup net_cls rw,net_cls

        """,
    cgroup: "1:net_cls:/\n0::/init.scope\n",
    unified: "/sys/fs/cgroup /init.scope", isUnified: true)

private let wsl = LayoutSample(
    name: "WSL 2: one hierarchy per controller, cgroup2 hidden by a later mount",
    mountinfo: """
        60 70 0:28 / /sys rw,nosuid - sysfs sysfs rw
        71 60 0:29 / /sys/fs/cgroup rw,nosuid - tmpfs tmpfs rw,mode=755
        72 71 0:30 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
        73 71 0:31 / /sys/fs/cgroup/cpuset rw,nosuid - cgroup cgroup rw,cpuset
        74 71 0:32 / /sys/fs/cgroup/misc rw,nosuid - cgroup cgroup rw,misc
        75 72 0:40 / /sys/fs/cgroup/unified rw,nosuid - tmpfs tmpfs rw

        """,
    cgroup: "14:misc:/\n1:cpuset:/\n0::/\n",
    hierarchies: ["misc /sys/fs/cgroup/misc /", "cpuset /sys/fs/cgroup/cpuset /"])

private let mountedTwice = LayoutSample(
    name: "a chroot's copies of the mounts, before and after the host's",
    mountinfo: """
        23 28 0:22 / /sys rw - sysfs sysfs rw
        50 28 0:31 / /srv/chroot/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        26 23 0:23 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
        35 26 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
        51 28 0:31 / /srv/other/sys/fs/cgroup/memory rw - cgroup cgroup rw,memory

        """,
    cgroup: "5:memory:/a\n",
    hierarchies: ["memory /sys/fs/cgroup/memory /a"])

private let elsewhere = LayoutSample(
    name: "hierarchies mounted in an unusual place, with a space in it",
    mountinfo: """
        35 26 0:31 / /my\\040cgroups/memory rw - cgroup cgroup rw,memory

        """,
    cgroup: "5:memory:/a\n6:pids:/b\n",
    hierarchies: ["memory /my cgroups/memory /a"])

private let none = LayoutSample(
    name: "nothing mounted", mountinfo: "23 28 0:22 / /sys rw - sysfs sysfs rw\n",
    cgroup: "5:memory:/a\n0::/\n")

@Suite struct CgroupLayoutTests {
    @Test(arguments: [
        singleControllers, systemdHybrid, redHat7, dockerInDocker, unifiedHost, fedora, v2WithVPN,
        wsl, mountedTwice, elsewhere, none,
    ])
    func parses(sample: LayoutSample) {
        let layout = sample.layout
        let hierarchies = layout.hierarchies.map { "\($0.controllers) \($0.mountPoint) \($0.own)" }
        #expect(hierarchies == sample.hierarchies)
        #expect(layout.unified.map { "\($0.mountPoint) \($0.own)" } == sample.unified)
        #expect(layout.isUnified == sample.isUnified)
    }

    @Test func findsCoMountedControllers() {
        let layout = systemdHybrid.layout
        #expect(layout.hierarchy(of: "cpuacct")?.mountPoint == "/sys/fs/cgroup/cpu,cpuacct")
        #expect(layout.hierarchy(of: "net_prio")?.mountPoint == "/sys/fs/cgroup/net_cls,net_prio")
        #expect(layout.hierarchy(of: "name=systemd")?.mountPoint == "/sys/fs/cgroup/systemd")
        #expect(layout.hierarchy(of: "pids") == nil)
        #expect(layout.hierarchy(of: "cp") == nil)
    }

    @Test(arguments: [
        "", "\n\n", "x", "1:memory", ":::", "31 23 0:28 / /sys/fs/cgroup", "0::/\u{0}",
    ])
    func survivesNonsense(text: String) {
        let layout = CgroupLayout.parse(mountinfo: Array(text.utf8), cgroup: Array(text.utf8))
        #expect(layout.hierarchies.isEmpty)
    }
}

@Suite struct CgroupPathTests {
    @Test(arguments: [
        ("/docker/abc", "/docker/abc", true), ("//docker///abc/", "/docker/abc", true),
        ("/./a/./b/.", "/a/b", true), ("a/b", "/a/b", false), ("x", "/x", false),
        ("/kubepods/pod:1/b", "/kubepods/pod:1/b", true), ("a:b", "/a:b", false),
        ("/...", "/...", true),
    ])
    func cleans(text: String, path: String, isAbsolute: Bool) throws {
        let cleaned = try CgroupPath(text, id: "id")
        #expect(cleaned.path == path)
        #expect(cleaned.isAbsolute == isAbsolute)
    }

    @Test func namesItByIDWithoutOne() throws {
        let path = try CgroupPath(nil, id: "c1")
        #expect(path.path == "/c1")
        #expect(!path.isAbsolute && !path.isConfigured)
    }

    @Test(arguments: [
        "/", "//", "/.", ".", "./", "/a/../b", "..", "../x", "/..", "system.slice:docker:abc",
        ":docker:abc", "machine.slice:libpod:123",
    ])
    func refuses(text: String) {
        let error = #expect(throws: PlanError.self) { try CgroupPath(text, id: "id") }
        #expect(error?.place == "/linux/cgroupsPath")
        #expect(error?.message.contains(text) == true)
    }

    @Test(arguments: [
        ("/a", "/c", "/a/c"), ("/", "/c", "/c"), ("/a/b", "/c/d", "/a/b/c/d"),
    ])
    func liesBelowTheRuntimesOwnOnV1(own: String, path: String, expected: String) throws {
        let hierarchy = CgroupLayout.Hierarchy(controllers: "cpu", mountPoint: "/m", own: own)
        #expect(try CgroupPath(String(path.dropFirst()), id: "i").path(in: hierarchy) == expected)
        #expect(try CgroupPath(path, id: "i").path(in: hierarchy) == path)
    }

    /// A cgroup with processes in it cannot have children with controllers.
    @Test(arguments: [("/a", "/c"), ("/", "/c"), ("/a/b", "/a/c")])
    func liesBesideTheRuntimesOwnOnV2(own: String, expected: String) throws {
        let hierarchy = CgroupLayout.Hierarchy(controllers: "", mountPoint: "/m", own: own)
        #expect(try CgroupPath("c", id: "i").path(in: hierarchy) == expected)
    }

    @Test(arguments: [
        ("/a/b", "/a", true), ("/a/bc", "/a/b", false), ("/a", "/a", false), ("/a/", "/a", false),
        ("/a", "/", true), ("/", "/", false), ("/b", "/a", false), ("/a/b/c", "/a/b", true),
    ])
    func comparesByComponent(path: String, parent: String, isBelow: Bool) {
        #expect(CgroupPath.isBelow(path, parent, orSame: false) == isBelow)
    }

    @Test func staysInTheRuntimesOwn() {
        let hierarchy = CgroupLayout.Hierarchy(controllers: "", mountPoint: "/m", own: "/a/b")
        #expect(CgroupPath.own.path(in: hierarchy) == "/a/b")
    }
}
