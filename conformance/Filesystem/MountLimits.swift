import Foundation
import Testing

extension Conformance.Filesystem {
    /// A config may have more mounts, devices and ranges of ids than a process may have files open.
    @Suite struct MountLimits {
        private func limit(_ soft: Int, _ c: Container) {
            c.sandbox = ["sh", "-c", "ulimit -Sn \(soft); exec \"$@\"", "sh"]
        }

        private func withSource(_ body: (Container) throws -> Void) throws {
            try withContainer { c in
                mkdir(c.directory + "/src", 0o755)
                try writeText("text", to: c.directory + "/src/file")
                try body(c)
            }
        }

        private func ids(_ first: Int) -> JSON {
            [["containerID": 0, "hostID": JSON(first), "size": 1000]]
        }

        @Test("more bind mounts than files may be open, in a user namespace and without")
        func binds() throws {
            for inUserNamespace in [false, true] {
                try withSource { c in
                    if inUserNamespace { c.config.userNamespace(base: 100_000) }
                    mkdir(c.rootfs + "/m", 0o755)
                    launch(["chown", "-R", "100000:100000", c.rootfs])
                    for number in 0..<1100 {
                        c.config.bind(c.directory + "/src", at: "/m/\(number)")
                    }
                    limit(1024, c)
                    let script = "cat /m/1099/file; grep -c ' /m/' /proc/self/mountinfo"
                    try #expect(c.sh(script) == "text1100", "user namespace: \(inUserNamespace)")
                }
            }
        }

        @Test(
            "a hundred id-mapped mounts where 32 files may be open",
            .knownDifference(runc: "1.1 has none"), .knownDifference(crun: "1.8 fails"),
            .needsNewerCalls("mount_setattr(2) maps ids"),
            .requires(Host.kernel(6, 3), "tmpfs has no id-mapped mounts before Linux 6.3"),
            arguments: [false, true])
        func idMapped(inUserNamespace: Bool) throws {
            try withSource { c in
                if inUserNamespace { c.config.userNamespace(base: 100_000) }
                launch(["chown", "-R", "100000:100000", c.rootfs])
                for number in 0..<100 {
                    c.config.bind(c.directory + "/src", at: "/m\(number)")
                    c.config.editMount("/m\(number)") {
                        // Every other one has its own.
                        $0.uidMappings = ids(100_000 + number / 2)
                        $0.gidMappings = ids(100_000 + number / 2)
                    }
                }
                limit(32, c)
                let seen = try c.sh("stat -c %u /m0 /m1 /m99")
                let first = inUserNamespace ? 0 : 100_000
                #expect(seen == "\(first)\n\(first)\n\(first + 49)")
            }
        }

        @Test("devices: more than files may be open", arguments: [false, true])
        func devices(inUserNamespace: Bool) throws {
            try withContainer { c in
                if inUserNamespace { c.config.userNamespace(base: 100_000) }
                launch(["chown", "-R", "100000:100000", c.rootfs])
                // Of a bound one the host must have a node at the same path: pipes need none.
                c.config.linux.devices = .array(
                    (0..<100).map { ["type": "p", "path": .string("/p/\($0)")] })
                limit(32, c)
                try #expect(c.sh("ls /p | wc -l") == "100")
            }
        }

        @Test("the program, exec and hooks have the limit of the caller, or the config's")
        func programsLimit() throws {
            for configured in [false, true] {
                try withContainer { c in
                    if configured {
                        c.config.process.rlimits = [
                            ["type": "RLIMIT_NOFILE", "soft": 100, "hard": 200]
                        ]
                    }
                    let log = c.directory + "/log"
                    for kind in ["createRuntime", "createContainer", "poststart"] {
                        c.config.addHook(
                            kind,
                            [
                                "path": "/bin/sh",
                                "args": ["sh", "-c", .string("ulimit -Sn >> \(log)")],
                            ])
                    }
                    limit(300, c)
                    c.config.shell("ulimit -Sn; ulimit -Hn; sleep 600")
                    let hard = launch(["sh", "-c", "ulimit -Hn"]).trimmed
                    try c.runDetached()
                    let expected = configured ? "100\n200" : "300\n\(hard)"
                    #expect(c.prints("\n"), "\(c.output)")
                    #expect(eventually { c.output == expected }, "\(c.output)")
                    #expect(c.execSh("ulimit -Sn; ulimit -Hn") == expected)
                    #expect(readText(log) == "300\n300\n300\n")
                }
            }
        }

        private func map(_ c: Container, _ ranges: [(Int, Int)]) {
            c.config.namespace("user")
            let list = JSON.array(
                ranges.map { ["containerID": JSON($0), "hostID": JSON($1), "size": 1] })
            c.config.linux.uidMappings = list
            c.config.linux.gidMappings = list
        }

        /// user_namespaces(7): 340 lines, written at once, in less than a page.
        @Test("340 ranges of ids work, apart or one after the other")
        func ranges() throws {
            for ranges in [
                (0..<340).map { ($0, $0 * 2) },  // with holes, and short enough
                (0..<340).map { ($0, 4_000_000 + $0) },  // 5 KiB of text
            ] {
                try withContainer { c in
                    launch(["chown", "\(ranges[0].1):\(ranges[0].1)", c.rootfs])
                    map(c, ranges)
                    let script = """
                        awk '{ sum += $3; last = $1 + $3 - 1 } END { print sum, last }' \\
                            /proc/self/uid_map /proc/self/gid_map
                        """
                    let last = ranges.count - 1
                    try #expect(c.sh(script) == "\(2 * ranges.count) \(last)")
                }
            }
        }

        @Test("more ranges than the kernel takes are an error that says so", .swruncOnly)
        func tooManyRanges() throws {
            for (ranges, words) in [
                ((0..<341).map { ($0, $0 * 2) }, "340"),
                ((0..<340).map { ($0, 4_000_000 + $0 * 2) }, "4095"),
            ] {
                try withContainer { c in
                    launch(["chown", "-R", "\(ranges[0].1):\(ranges[0].1)", c.rootfs])
                    map(c, ranges)
                    let outcome = try c.create()
                    expectRefusal(outcome, c, naming: "/linux/uidMappings")
                    #expect(outcome.stderr.contains(words), "\(outcome)")
                    c.expectNothingLeft()
                }
            }
        }
    }
}
