import Foundation
import Testing

/// Gives user 1000 rights on a file of root's by an access control list (acl(5)).
private func grantByList(_ path: String, user: Int, others: Int = 0) throws {
    let outcome = launch([Workspace.probe, "acl", path, "\(user)", "\(others)"])
    try #require(outcome.succeeded, "\(outcome)")
}

extension Conformance.Process {
    /// What the program's user may execute, and where it may be: the kernel's answer, in `create`.
    @Suite struct Access {
        /// A program of its own, whose rights a clause may change.
        private func addProgram(_ c: Container, mode: mode_t, in directory: String = "/opt") throws
        {
            mkdir(c.rootfs + directory, 0o755)
            let copied = launch(["cp", Workspace.probe, c.rootfs + directory + "/probe"])
            try #require(copied.succeeded, "\(copied)")
            chmod(c.rootfs + directory + "/probe", mode)
            c.config.program(directory + "/probe")
            c.config.process.user = ["uid": 1000, "gid": 1000]
        }

        private func expectRefusal(
            _ c: Container, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let outcome = try c.create(sourceLocation: sourceLocation)
            let text = outcome.stderr
            #expect(
                outcome.failed && text.lowercased().contains("permission denied"), "\(outcome)",
                sourceLocation: sourceLocation)
            c.expectNothingLeft(sourceLocation: sourceLocation)
        }

        @Test("a program of root's that an access control list gives to the user runs, and by exec")
        func accessControlList() throws {
            try withContainer { c in
                try addProgram(c, mode: 0o700)
                try grantByList(c.rootfs + "/opt/probe", user: 5)
                try #expect(ProbeReport(c.run().stdout)["uid"] == "1000,1000,1000")
                c.config.program("sleep", "600")
                try #require(c.runDetached().succeeded)
                let outcome = c.exec([], "/opt/probe")
                #expect(ProbeReport(outcome.stdout)["uid"] == "1000,1000,1000", "\(outcome)")
            }
        }

        @Test(
            "one that the list takes from the user fails in create, though all others may",
            .needsNewerCalls("faccessat2(2) asks the kernel"))
        func listDenies() throws {
            try withContainer { c in
                try addProgram(c, mode: 0o755)
                try grantByList(c.rootfs + "/opt/probe", user: 0, others: 5)
                try expectRefusal(c)
            }
        }

        @Test(
            "with CAP_DAC_OVERRIDE the user runs what is root's alone, and by exec",
            .requires(Host.hasCapability(1), "has no CAP_DAC_OVERRIDE"),
            arguments: [0o700, 0o744] as [mode_t])
        func override(mode: mode_t) throws {
            try withContainer { c in
                try addProgram(c, mode: mode)
                c.config.process.capabilities = capabilitySets(["CAP_DAC_OVERRIDE"])
                for set in ["inheritable", "ambient"] {
                    c.config.process.capabilities[set] = ["CAP_DAC_OVERRIDE"]
                }
                try #expect(ProbeReport(c.run().stdout)["uid"] == "1000,1000,1000")
                c.config.program("sleep", "600")
                try #require(c.runDetached().succeeded)
                let outcome = c.exec([], "/opt/probe")
                #expect(ProbeReport(outcome.stdout)["uid"] == "1000,1000,1000", "\(outcome)")
            }
        }

        @Test(
            "without it the same fails in create, as for root",
            .needsNewerCalls("faccessat2(2) asks the kernel"), arguments: [1000, 0])
        func noOverride(uid: Int) throws {
            try withContainer { c in
                try addProgram(c, mode: 0o700)
                chown(c.rootfs + "/opt/probe", uid_t(uid == 0 ? 1000 : 0), 0)
                c.config.process.user = ["uid": JSON(uid), "gid": JSON(uid)]
                try expectRefusal(c)
                // The group of the last clause of generic_permission(): none of the user's.
                chmod(c.rootfs + "/opt/probe", 0o710)
                if uid != 0 { try expectRefusal(c) }
            }
        }

        @Test(
            "a group of additionalGids is one of the user's",
            .needsNewerCalls("faccessat2(2) asks the kernel"))
        func group() throws {
            try withContainer { c in
                try addProgram(c, mode: 0o710)
                chown(c.rootfs + "/opt/probe", 0, 4711)
                try expectRefusal(c)
                c.config.process.user.additionalGids = [4711]
                try #expect(ProbeReport(c.run().stdout)["groups"] == "4711")
            }
        }

        @Test("a program in a directory that the user may not search fails in create")
        func directory() throws {
            try withContainer { c in
                try addProgram(c, mode: 0o755)
                chmod(c.rootfs + "/opt", 0o700)
                try expectRefusal(c)
                // Along PATH as well.
                c.config.process.env = ["PATH=/opt"]
                c.config.program("probe")
                try expectRefusal(c)
            }
        }

        @Test("a program on a noexec mount fails in create", arguments: [1000, 0])
        func noexec(uid: Int) throws {
            try withContainer { c in
                try addProgram(c, mode: 0o755)
                c.config.process.user = ["uid": JSON(uid), "gid": JSON(uid)]
                c.config.bind(c.rootfs + "/opt", at: "/mnt", options: ["noexec"])
                c.config.program("/mnt/probe")
                try expectRefusal(c)
            }
        }

        @Test(
            "looking with the user's rights leaves the init with its own", .swruncOnly,
            arguments: [false, true])
        func initsRights(inUserNamespace: Bool) throws {
            try withContainer { c in
                if inUserNamespace { c.config.userNamespace() }
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.program("sleep", "600")
                let outcome = try c.create()
                try #require(outcome.succeeded, "\(outcome)")
                let lines = readText("/proc/\(c.pid)/status").split(separator: "\n")
                func values(_ name: String) -> [Substring] {
                    let line = lines.first { $0.hasPrefix(name + ":") } ?? ""
                    return Array(line.split { $0 == " " || $0 == "\t" }.dropFirst())
                }
                #expect(values("Uid") == ["0", "0", "0", "0"])
                #expect(values("Gid") == ["0", "0", "0", "0"])
                #expect(values("CapEff") == values("CapPrm") && values("CapEff").count == 1)
                // Whose files these are is who may trace it (proc(5)).
                var status = stat()
                #expect(stat("/proc/\(c.pid)/fd", &status) == 0 && status.st_uid == 0)
            }
        }

        @Test(
            "a kernel without faccessat2(2), or a filter that hides it, is no reason to refuse",
            .swruncOnly, arguments: ["38", "1"])
        func fallback(errno: String) throws {
            try withContainer { c in
                c.sandbox = [Workspace.probe, "deny", "439", errno, "--"]
                try addProgram(c, mode: 0o700)
                try grantByList(c.rootfs + "/opt/probe", user: 5)
                try #expect(ProbeReport(c.run().stdout)["uid"] == "1000,1000,1000")
                chmod(c.rootfs + "/opt/probe", 0o600)
                try expectRefusal(c)
                chmod(c.rootfs + "/opt/probe", 0o755)
                c.config.bind(c.rootfs + "/opt", at: "/mnt", options: ["noexec"])
                c.config.program("/mnt/probe")
                try expectRefusal(c)
            }
        }

        /// A directory of user 1000's in a user namespace that does not map its group: root there has no
        /// rights in it.
        private func addForeignDirectory(_ c: Container) {
            c.config.userNamespace(base: 100_000)
            launch(["chown", "-R", "-h", "100000:100000", c.rootfs])
            mkdir(c.rootfs + "/volume", 0o700)
            chown(c.rootfs + "/volume", 101_000, 0)
            for directory in [Workspace.path, c.directory, c.bundle] { chmod(directory, 0o755) }
            c.config.process.user = ["uid": 1000, "gid": 1000]
            c.config.process.capabilities = capabilitySets([])
        }

        @Test(
            "a cwd that only the user may enter, and not root of the user namespace",
            .knownDifference(crun: "1.8.1 fails"))
        func workingDirectory() throws {
            try withContainer { c in
                addForeignDirectory(c)
                c.config.process.cwd = "/volume"
                let report = try c.probe()
                #expect(report["cwd"] == "/volume")
                #expect(report["uid"] == "1000,1000,1000")
            }
        }

        @Test("so exec --cwd, and one that the user may not enter either fails")
        func execWorkingDirectory() throws {
            try withContainer { c in
                addForeignDirectory(c)
                mkdir(c.rootfs + "/other", 0o700)
                chown(c.rootfs + "/other", 102_000, 0)
                c.config.program("sleep", "600")
                try #require(c.runDetached().succeeded)
                #expect(c.execProbe(["--cwd", "/volume"])["cwd"] == "/volume")
                let outcome = c.exec(["--cwd", "/other"], "/bin/probe")
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.lowercased().contains("permission denied"), "\(outcome)")
            }
        }

        @Test("a cwd that is missing is made before root.readonly")
        func readOnlyRoot() throws { try expectMadeDirectory(mountNamespace: true) }

        @Test(
            "and without a mount namespace", .swruncOnly,
            .requires(Host.mountsDetached, "mounts in a detached tree need Linux 6.15"),
            .needsNewerCalls("there is no container without a mount namespace"))
        func detachedReadOnlyRoot() throws { try expectMadeDirectory(mountNamespace: false) }

        private func expectMadeDirectory(mountNamespace: Bool) throws {
            try withContainer { c in
                if !mountNamespace {
                    c.config.removeNamespace("mount")
                    c.config.linux.maskedPaths = .null
                    c.config.linux.readonlyPaths = .null
                }
                c.config.root.readonly = true
                c.config.process.cwd = "/new/deep"
                try #expect(c.sh("pwd; touch x 2> /dev/null || echo sealed") == "/new/deep\nsealed")
                var status = stat()
                #expect(stat(c.rootfs + "/new/deep", &status) == 0)
                #expect(status.st_mode & 0o7777 == 0o755)
            }
        }

        @Test("so is one in a tmpfs that becomes read-only")
        func readOnlyTmpfs() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs", options: ["ro"])
                c.config.process.cwd = "/mnt/new"
                try #expect(c.sh("pwd; touch x 2> /dev/null || echo sealed") == "/mnt/new\nsealed")
            }
        }
    }
}
