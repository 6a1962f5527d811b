import Foundation
import Testing

extension Conformance.Namespaces {
    /// crun runs such containers; runc refuses them.
    @Suite(
        "a user namespace that maps no id 0",
        .knownDifference(runc: "wants root to be mapped"))
    struct WithoutRoot {
        /// Ids from 1000 on are the host's from 101000 on.
        private func map(_ c: Container) {
            c.config.namespace("user")
            let mapping: JSON = [["containerID": 1000, "hostID": 101_000, "size": 1000]]
            c.config.linux.uidMappings = mapping
            c.config.linux.gidMappings = mapping
            c.config.process.user = ["uid": 1000, "gid": 1001]
            // No other group is mapped.
            c.config.editMount("/dev/pts") { $0.options = ["newinstance", "ptmxmode=0666"] }
            launch(["chown", "-R", "101000:101001", c.rootfs])
        }

        @Test("what the runtime makes is the program's user's")
        func ownership() throws {
            try withContainer { c in
                map(c)
                c.config.addMount("/new/mount", type: "tmpfs", source: "tmpfs")
                c.config.linux.devices = [["path": "/dev/fifo", "type": "p"]]
                c.config.process.cwd = "/made"
                let places = ["/new", "/new/mount", "/dev", "/dev/fifo", "/dev/fd", "/made"]
                let owners = try c.sh("stat -c %u:%g \(places.joined(separator: " "))")
                #expect(
                    owners.split(separator: "\n")
                        == Array(repeating: "1000:1001", count: places.count), "\(owners)")
            }
        }

        @Test("the program has the capabilities of the config and no others")
        func capabilities() throws {
            try withContainer { c in
                map(c)
                var sets = capabilitySets(["CAP_CHOWN", "CAP_NET_RAW"])
                sets.inheritable = ["CAP_NET_RAW"]
                sets.ambient = ["CAP_NET_RAW"]
                c.config.process.capabilities = sets
                let report = try c.probe()
                #expect(report["uid"] == "1000,1000,1000")
                #expect(report["gid"] == "1001,1001,1001")
                #expect(report["groups"] == "")
                #expect(report["cap.bounding"] == "0000000000002001")
                #expect(report["cap.effective"] == "0000000000002000")
                #expect(report["cap.permitted"] == "0000000000002000")
                #expect(report["cap.ambient"] == "0000000000002000")
            }
        }

        @Test(
            "exec, before the start and after it", .knownDifference(crun: "1.8 wants root there"))
        func exec() throws {
            try withContainer { c in
                map(c)
                c.config.program("sleep", "600")
                let created = try c.create()
                try #require(created.succeeded, "\(created)")
                #expect(c.execSh("id -u; id -g") == "1000\n1001")
                #expect(c.start().succeeded)
                let report = c.execProbe(["--user", "1999:1998"])
                #expect(report["uid"] == "1999,1999,1999")
                #expect(report["gid"] == "1998,1998,1998")
                #expect(report["cap.permitted"] == "0000000000000000")
                let root = c.exec(["--user", "0"], "true")
                #expect(root.failed)
                #expect(root.stderr.contains("--user: 0 is not in /linux/uidMappings"), "\(root)")
            }
        }

        @Test("another container joins it")
        func joined() throws {
            try withContainer { other in
                map(other)
                other.config.program("sleep", "600")
                let started = try other.runDetached()
                try #require(started.succeeded, "\(started)")
                try withContainer { c in
                    map(c)
                    c.config.namespace("user", path: "/proc/\(other.pid)/ns/user")
                    if Runtime.kind != .crun {
                        c.config.linux.uidMappings = .null
                        c.config.linux.gidMappings = .null
                    }
                    try #expect(c.sh("id -u; stat -c %u:%g /dev") == "1000\n1000:1001")
                }
            }
        }

        @Test("a terminal is the program's user's")
        func terminal() throws {
            try withContainer { c in
                map(c)
                c.config.process.terminal = true
                c.config.shell("stat -c %u /dev/console $(tty)")
                let socket = try ConsoleSocket(path: c.directory + "/s")
                let created = try c.create(["--console-socket", socket.path])
                try #require(created.succeeded, "\(created)")
                let terminal = try socket.receive()
                #expect(c.start().succeeded)
                #expect(terminal.readToEnd() == "1000\n1000\n")
            }
        }

        @Test("a program whose user is not mapped is refused and named")
        func unmapped() throws {
            try withContainer { c in
                map(c)
                c.config.process.user = ["uid": 0, "gid": 1000]
                expectRefusal(try c.create(), c, naming: "/process/user/uid")
                c.expectNothingLeft()
            }
        }
    }
}
