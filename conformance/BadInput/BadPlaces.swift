import Foundation
import Testing

extension Conformance.BadInput {
    @Suite struct Places {
        @Test(
            "a root file system that is missing or no directory is refused and named",
            arguments: ["none", "config.json", "", "/none/at/all"])
        func badRootfs(path: String) throws {
            try withContainer { c in
                c.config.root.path = .string(path)
                expectRefusal(try c.create(), c, naming: path.isEmpty ? "root" : path)
            }
        }

        @Test("a root file system may be absolute")
        func absoluteRootfs() throws {
            try withContainer { c in
                c.config.root.path = .string(c.rootfs)
                try #expect(c.run().succeeded)
            }
        }

        @Test(
            "a root file system may be a symbolic link to a directory",
            .knownDifference(runc: "refuses it"))
        func linkedRootfs() throws {
            try withContainer { c in
                symlink("rootfs", c.bundle + "/link")
                c.config.root.path = "link"
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test(
            "the program is missing: `executable file not found in $PATH`",
            arguments: ["no-such-program", "/no/such/program", "./no-such-program"])
        func missingProgram(path: String) throws {
            try withContainer { c in
                c.config.process.args = JSON([path])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: path)
                let text = outcome.stderr
                if path.contains("/") {
                    #expect(
                        text.contains("no such file or directory")
                            || text.contains("executable file not found"), "\(outcome)")
                } else {
                    #expect(text.contains("executable file not found in $PATH"), "\(outcome)")
                }
            }
        }

        @Test(
            "the program may not be executed: `permission denied`",
            arguments: ["/etc/passwd", "/etc"])
        func noProgram(path: String) throws {
            try withContainer { c in
                c.config.process.args = JSON([path])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: path)
                // moby takes either for exit code 126.
                let text = outcome.stderr.lowercased()
                #expect(
                    text.contains("permission denied") || text.contains("is a directory"),
                    "\(outcome)")
            }
        }

        @Test("the program's interpreter is missing, or it is of no known format")
        func noInterpreter() throws {
            try withContainer { c in
                try writeText("#!/no/such/interpreter\n", to: c.rootfs + "/a", mode: 0o755)
                try writeText("\u{1}\u{2}\u{3}\u{4}", to: c.rootfs + "/b", mode: 0o755)
                for (program, words) in [
                    ("/a", "no such file or directory"), ("/b", "exec format error"),
                ] {
                    c.config.process.args = JSON([program])
                    let outcome = try c.run()
                    #expect(outcome.failed)
                    #expect(outcome.stderr.contains(program), "\(outcome)")
                    #expect(outcome.stderr.lowercased().contains(words), "\(outcome)")
                    c.delete("--force")
                    c.expectNothingLeft()
                }
            }
        }

        static let badIds = [
            "..", ".", "/", "a/b", "", "../x", "a b", "a*", "é", "a\n", "a\tb",
            String(repeating: "x", count: 10_000),
        ]

        @Test("an id that is no id is refused by create, and nothing is made", arguments: badIds)
        func badId(id: String) throws {
            try withContainer { c in
                mkdir(c.root, 0o700)
                try c.writeConfig()
                c.sandbox = Sandbox.readOnly(but: c.directory)
                let outcome = c.runtime(
                    ["create", "-b", c.bundle, id], c.intoFiles(LaunchOptions()))
                expectRefusal(outcome, c, naming: "id")
                try #expect(FileManager.default.contentsOfDirectory(atPath: c.root) == [])
                try #expect(
                    Set(FileManager.default.contentsOfDirectory(atPath: c.directory))
                        .isSubset(of: ["b", "r", "out", "err1"]))
            }
        }

        @Test(
            "an id that is no id is refused by every other command, and nothing is removed",
            .knownDifference(crun: "1.8.1 takes / and .. for what to delete"),
            arguments: [
                ["state"], ["start"], ["kill"], ["delete"], ["delete", "--force"], ["exec"],
            ])
        func badIdElsewhere(command: [String]) throws {
            try withRunningContainer { c in
                let before = try FileManager.default.contentsOfDirectory(atPath: c.directory)
                c.sandbox = Sandbox.readOnly(but: c.directory)
                for id in Self.badIds where !id.isEmpty {
                    let tail = command == ["exec"] ? ["true"] : []
                    let outcome = c.runtime(command + [id] + tail)
                    #expect(outcome.failed, "\(outcome)")
                    // runc takes the one too long for a file name to the file system.
                    if id.utf8.count < 256 || Runtime.kind == .swrunc {
                        #expect(
                            outcome.stderr.contains("invalid container ID format"), "\(outcome)")
                    }
                }
                c.sandbox = []
                #expect(c.status == "running")
                let after = try FileManager.default.contentsOfDirectory(atPath: c.directory)
                #expect(after.sorted() == before.sorted())
            }
        }

        @Test(
            "ids of the whole alphabet work", arguments: ["A_b+c.d-e", "...", "0", "-x", "_", "+"])
        func goodId(id: String) throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = c.runtime(["run", "-b", c.bundle, "--", id])
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("an id longer than a file name may be is refused, not cut", arguments: [256, 1025])
        func longId(length: Int) throws {
            try withContainer { c in
                try c.writeConfig()
                let id = String(repeating: "x", count: length)
                let outcome = c.runtime(
                    ["create", "-b", c.bundle, id], c.intoFiles(LaunchOptions()))
                #expect(outcome.failed, "\(outcome)")
            }
        }

        @Test(
            "a --root that is a file, or below one, is refused and named",
            arguments: ["/config", "/config/below"])
        func rootIsFile(path: String) throws {
            try withContainer { c in
                try c.writeConfig()
                let root = c.directory + path
                try writeText("", to: c.directory + "/config")
                let outcome = launch(
                    [Runtime.binary, "--root", root, "create", "-b", c.bundle, c.id],
                    c.intoFiles(LaunchOptions()))
                expectRefusal(outcome, c, naming: root)
            }
        }

        /// Runs `create` where --root is a tmpfs of its own kind, which only that command sees.
        private func createOnTmpfs(_ c: Container, options: String, before: String = "true") throws
            -> Outcome
        {
            mkdir(c.root, 0o700)
            c.config.program("sleep", "600")
            try c.writeConfig()
            let script = "mount -t tmpfs -o \(options) tmpfs \"$ROOT\" && \(before) && exec \"$@\""
            var launching = c.intoFiles(LaunchOptions())
            var environment = ProcessInfo.processInfo.environment
            environment["ROOT"] = c.root
            launching.environment = environment
            return launch(
                [
                    "unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh",
                    Runtime.binary, "--root", c.root, "create", "-b", c.bundle, c.id,
                ], launching)
        }

        @Test("a --root on a read-only file system is refused and named")
        func rootReadOnly() throws {
            try withContainer { c in
                let outcome = try createOnTmpfs(c, options: "ro")
                expectRefusal(outcome, c, naming: c.root)
                #expect(outcome.stderr.lowercased().contains("read-only file system"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("a full disk under --root is refused and leaves nothing")
        func fullDisk() throws {
            try withContainer { c in
                let fill = "! head -c 65536 /dev/zero > \"$ROOT/fill\" 2> /dev/null"
                let outcome = try createOnTmpfs(c, options: "size=16k", before: fill)
                expectRefusal(outcome, c)
                // runc prints its own formatting error here.
                #expect(
                    Runtime.kind == .runc
                        || outcome.stderr.lowercased().contains("no space left on device"),
                    "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("no inodes left under --root is refused and leaves nothing", arguments: 1...5)
        func noInodes(inodes: Int) throws {
            try withContainer { c in
                let outcome = try createOnTmpfs(c, options: "nr_inodes=\(inodes)")
                if outcome.failed {
                    expectRefusal(outcome, c)
                    c.expectNothingLeft()
                } else {
                    // It needed fewer; the state went with its mount namespace.
                    Leaks.removeCgroups(c.cgroupsPath)
                }
            }
        }
    }
}
