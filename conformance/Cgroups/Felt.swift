import Testing

extension Conformance {
    /// What a program feels of its cgroup, on either version.
    @Suite struct CgroupFelt {}
}

extension Conformance.CgroupFelt {
    @Suite struct Limits {
        @Test("a program that takes more than its memory limit is killed")
        func memory() throws {
            try withContainer { c in
                c.config.linux.resources.memory = ["limit": 33_554_432, "swap": 33_554_432]
                c.config.shell("probe eat 100; echo status $?")
                let outcome = try c.run()
                #expect(outcome.stdout.contains("status 137"), "\(outcome)")
            }
        }

        @Test("a memory limit too small to start fails, leaves nothing, and says why", .swruncOnly)
        func tooSmall() throws {
            try withContainer { c in
                c.config.linux.resources.memory = ["limit": 4096, "swap": 4096]
                let outcome = try c.run()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("memory"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("a program cannot have more tasks than its limit")
        func pids() throws {
            try withContainer { c in
                c.config.linux.resources.pids = ["limit": 8]
                c.config.shell("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 600 & done; wait")
                let outcome = try c.run()
                #expect(outcome.stderr.lowercased().contains("resource"), "\(outcome)")
            }
        }

        @Test("a program runs on the cpus it was given")
        func cpus() throws {
            try withContainer { c in
                c.config.linux.resources.cpu = ["cpus": "1"]
                try #expect(c.probe()["affinity"] == "1")
            }
        }
    }

    @Suite struct DeviceRules {
        private static let fuse: JSON = [
            "type": "c", "path": "/dev/fuse", "major": 10, "minor": 229,
        ]

        private func rule(_ allow: Bool, _ access: String, minor: Int? = 229) -> JSON {
            var rule: JSON = [
                "allow": .bool(allow), "type": "c", "major": 10, "access": .string(access),
            ]
            if let minor { rule.minor = JSON(minor) }
            return rule
        }

        /// What opening /dev/fuse for reading, for writing and for both gives.
        private func opened(_ rules: [JSON]) throws -> [String] {
            var results: [String] = []
            try withContainer { c in
                var device = Self.fuse
                device.fileMode = 0o666
                c.config.linux.devices = [device]
                c.config.linux.resources.devices = .array(
                    [["allow": false, "access": "rwm"]] + rules)
                let script = "for m in r w rw; do probe open /dev/fuse $m | grep errno; done; true"
                results = try c.sh(script).split(separator: "\n").map(String.init)
            }
            return results
        }

        private static let no = "errno=1"
        private static let yes = "errno=0"

        @Test(
            "a device no rule allows cannot be opened",
            .requires(exists("/dev/fuse"), "has no fuse"))
        func denied() throws {
            try #expect(opened([]) == [Self.no, Self.no, Self.no])
        }

        @Test("each access is allowed by itself", .requires(exists("/dev/fuse"), "has no fuse"))
        func access() throws {
            try #expect(opened([rule(true, "rwm")]) == [Self.yes, Self.yes, Self.yes])
            try #expect(opened([rule(true, "r")]) == [Self.yes, Self.no, Self.no])
            try #expect(opened([rule(true, "w")]) == [Self.no, Self.yes, Self.no])
            try #expect(opened([rule(true, "m")]) == [Self.no, Self.no, Self.no])
        }

        @Test("rules apply in their order", .requires(exists("/dev/fuse"), "has no fuse"))
        func order() throws {
            try #expect(
                opened([rule(true, "rwm"), rule(false, "w")]) == [Self.yes, Self.no, Self.no])
            try #expect(
                opened([rule(false, "w"), rule(true, "rw")]) == [Self.yes, Self.yes, Self.yes])
        }

        @Test("a missing minor is every minor", .requires(exists("/dev/fuse"), "has no fuse"))
        func wildcard() throws {
            try #expect(opened([rule(true, "rw", minor: nil)]) == [Self.yes, Self.yes, Self.yes])
        }

        @Test("mknod is a right of its own")
        func mknod() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_MKNOD"])
                c.config.linux.resources.devices = [
                    ["allow": false, "access": "rwm"],
                    ["allow": true, "type": "c", "major": 10, "minor": 229, "access": "m"],
                ]
                let script = """
                    mknod /tmp/a c 10 229 && echo made; probe open /tmp/a r | grep errno
                    """
                try #expect(c.sh(script + "; true") == "made\nerrno=1")
            }
        }

        @Test(
            "without a deny rule everything stays allowed",
            .requires(exists("/dev/fuse"), "has no fuse"))
        func allowAll() throws {
            try withContainer { c in
                c.config.linux.devices = [Self.fuse]
                c.config.linux.resources.devices = [["allow": true, "access": "rwm"]]
                try #expect(c.sh("probe open /dev/fuse rw | grep errno") == "errno=0")
                #expect(c.state() == .null)
            }
        }

        @Test("the default devices work under rules that deny all")
        func defaults() throws {
            try withContainer { c in
                let script = """
                    for d in null zero full random urandom; do probe open /dev/$d rw | grep errno; done
                    exec 5<>/dev/ptmx && echo pty
                    """
                try #expect(
                    c.sh(script) == Array(repeating: "errno=0", count: 5).joined(separator: "\n")
                        + "\npty")
            }
        }
    }
}
