import Foundation
import Testing

extension Conformance.Process {
    @Suite struct Privileges {
        private static let chown: UInt64 = 1 << 0
        private static let kill: UInt64 = 1 << 5
        private static let netRaw: UInt64 = 1 << 13

        private func hex(_ mask: UInt64) -> String {
            let digits = String(mask, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }

        @Test("each of the five capability sets is the config's")
        func fiveSets() throws {
            try withContainer { c in
                c.config.process.capabilities = [
                    "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"],
                    "permitted": ["CAP_CHOWN", "CAP_KILL"],
                    "effective": ["CAP_KILL"],
                    "inheritable": ["CAP_KILL"],
                    "ambient": ["CAP_KILL"],
                ]
                // The kernel recomputes a root user's sets at exec: look as another user.
                c.config.process.user = ["uid": 1000, "gid": 1000]
                let report = try c.probe()
                #expect(report["cap.bounding"] == hex(Self.chown | Self.kill | Self.netRaw))
                #expect(report["cap.inheritable"] == hex(Self.kill))
                #expect(report["cap.ambient"] == hex(Self.kill))
                #expect(report["cap.effective"] == hex(Self.kill))
                #expect(report["cap.permitted"] == hex(Self.kill))
            }
        }

        @Test("root gets what the bounding set allows")
        func root() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_CHOWN", "CAP_NET_RAW"])
                let report = try c.probe()
                let expected = hex(Self.chown | Self.netRaw)
                #expect(report["cap.bounding"] == expected)
                #expect(report["cap.permitted"] == expected)
                #expect(report["cap.effective"] == expected)
                #expect(report["cap.inheritable"] == hex(0))
                #expect(report["cap.ambient"] == hex(0))
            }
        }

        @Test("another user has none without ambient ones")
        func otherUser() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_CHOWN"])
                c.config.process.user = ["uid": 1000, "gid": 1000]
                let report = try c.probe()
                #expect(report["cap.effective"] == hex(0))
                #expect(report["cap.permitted"] == hex(0))
                #expect(report["cap.bounding"] == hex(Self.chown))
            }
        }

        @Test("empty sets are empty")
        func none() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets([])
                let report = try c.probe()
                for set in ["bounding", "permitted", "effective", "inheritable", "ambient"] {
                    #expect(report["cap.\(set)"] == hex(0), "\(set)")
                }
            }
        }

        @Test(
            "without capabilities in the config there are none",
            .knownDifference(runc: "keeps its own"), .knownDifference(crun: "keeps its own"))
        func absent() throws {
            try withContainer { c in
                c.config.process.capabilities = .null
                try #expect(c.probe()["cap.effective"] == hex(0))
            }
        }

        /// Runs the probe and expects success, with the capability named in the log or on stderr.
        private func runWarned(_ c: Container, of name: String) throws -> Outcome {
            let log = c.directory + "/log"
            c.globals += ["--log", log]
            c.config.program("/bin/probe")
            let outcome = try c.run()
            #expect(outcome.succeeded, "\(outcome)")
            #expect((outcome.stderr + readText(log)).contains(name), "\(outcome)")
            return outcome
        }

        @Test("a capability the kernel does not know is a warning, not a failure")
        func unknown() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_KILL", "CAP_NOT_ONE"])
                let outcome = try runWarned(c, of: "CAP_NOT_ONE")
                #expect(ProbeReport(outcome.stdout)["cap.effective"] == hex(Self.kill))
            }
        }

        @Test(
            "a capability the host cannot grant is a warning, not a failure",
            .requires(!Host.hasCapability(24), "has CAP_SYS_RESOURCE, so it can be granted"),
            .knownDifference(runc: "1.1 drops it without a word"))
        func ungrantable() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_KILL", "CAP_SYS_RESOURCE"])
                let outcome = try runWarned(c, of: "CAP_SYS_RESOURCE")
                #expect(ProbeReport(outcome.stdout)["cap.effective"] == hex(Self.kill))
            }
        }

        @Test(
            "a capability that cannot be granted does not keep the others from being granted",
            .knownDifference(runc: "fails with EPERM"),
            .requires(!Host.hasCapability(24), "has CAP_SYS_RESOURCE, so it can be granted"))
        func ungrantableRuns() throws {
            try withContainer { c in
                c.config.process.capabilities = [
                    "bounding": ["CAP_KILL", "CAP_SYS_RESOURCE"],
                    "permitted": ["CAP_KILL", "CAP_SYS_RESOURCE"],
                    "effective": ["CAP_KILL", "CAP_SYS_RESOURCE"],
                    "inheritable": ["CAP_KILL", "CAP_SYS_RESOURCE"],
                    "ambient": ["CAP_KILL", "CAP_SYS_RESOURCE"],
                ]
                c.config.process.user = ["uid": 1000, "gid": 1000]
                let report = try c.probe()
                #expect(report["cap.ambient"] == hex(Self.kill))
                #expect(report["cap.effective"] == hex(Self.kill))
            }
        }

        @Test("securebits are the default, so that setuid works as usual")
        func securebits() throws {
            try withContainer { c in
                try #expect(c.probe()["securebits"] == "0")
            }
        }

        @Test(
            "noNewPrivileges sets the flag, false and absent leave it",
            arguments: [true, false, nil])
        func noNewPrivileges(value: Bool?) throws {
            try withContainer { c in
                c.config.process.noNewPrivileges = value.map(JSON.bool) ?? .null
                try #expect(c.probe()["no_new_privs"] == (value == true ? "1" : "0"))
            }
        }

        @Test("uid and gid are real, effective and saved")
        func user() throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1001]
                let report = try c.probe()
                #expect(report["uid"] == "1000,1000,1000")
                #expect(report["gid"] == "1001,1001,1001")
            }
        }

        @Test("the largest id works")
        func largestUser() throws {
            try withContainer { c in
                c.config.process.user = ["uid": 2_147_483_647, "gid": 2_147_483_647]
                try #expect(c.probe()["uid"].hasPrefix("2147483647,"))
            }
        }

        @Test("additionalGids are exactly the config's")
        func groups() throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1000, "additionalGids": [5, 6, 77]]
                try #expect(c.probe()["groups"] == "5,6,77")
            }
        }

        @Test("without additionalGids the caller's groups are gone", arguments: [0, 1000])
        func noGroups(uid: Int) throws {
            try withContainer { c in
                c.config.process.user = ["uid": JSON(uid), "gid": JSON(uid)]
                c.config.program("/bin/probe")
                try c.writeConfig()
                let outcome = launch([
                    "setpriv", "--groups", "4,27", Runtime.binary, "--root", c.root, "run", "-b",
                    c.bundle, c.id,
                ])
                #expect(ProbeReport(outcome.stdout)["groups"] == "", "\(outcome)")
            }
        }

        @Test("umask is the config's")
        func umask() throws {
            try withContainer { c in
                c.config.process.user.umask = 0o027
                try #expect(c.probe()["umask"] == "0027")
            }
        }

        @Test(
            "what the runtime makes does not suffer from the caller's umask",
            .knownDifference(runc: "makes mount points with the caller's umask"))
        func strictUmask() throws {
            try withContainer { c in
                c.config.addMount("/new/place", type: "tmpfs", source: "tmpfs")
                c.config.shell("stat -c '%a %n' /new /dev/null /dev/pts /dev/fd /dev/shm")
                try c.writeConfig()
                let outcome = launch([
                    "sh", "-c", "umask 0077; exec \"$@\"", "sh", Runtime.binary, "--root", c.root,
                    "run", "-b", c.bundle, c.id,
                ])
                #expect(
                    outcome.lines == [
                        "755 /new", "666 /dev/null", "755 /dev/pts", "777 /dev/fd", "1777 /dev/shm",
                    ], "\(outcome)")
            }
        }

        @Test("the standard streams belong to the user, when they are a pipe or a terminal")
        func streamOwner() throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1000]
                try #expect(c.sh("echo written > /proc/self/fd/1") == "written")
            }
        }

        @Test(
            "without a umask in the config it is 0022, whatever the caller's; exec keeps the caller's",
            .knownDifference(crun: "exec has 0022, too"))
        func umaskAbsent() throws {
            try withContainer { c in
                c.sandbox = ["sh", "-c", "umask 0; exec \"$@\"", "sh"]
                try #expect(c.probe()["umask"] == "0022")
                c.config.program("sleep", "600")
                try #require(c.runDetached().succeeded)
                #expect(c.execProbe()["umask"] == "0000")
            }
        }

        @Test("a umask of 0 in the config is one")
        func noUmask() throws {
            try withContainer { c in
                c.config.process.user.umask = 0
                try #expect(c.probe()["umask"] == "0000")
            }
        }

        @Test("a caller's /dev/null is not given to the user")
        func nullOwner() throws {
            try withContainer { c in
                let stranger = 54321
                c.config.process.user = ["uid": JSON(stranger), "gid": 1000]
                try c.run()
                var status = stat()
                stat("/dev/null", &status)
                #expect(Int(status.st_uid) != stranger)
            }
        }
    }
}
