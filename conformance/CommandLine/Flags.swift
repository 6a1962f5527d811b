import Foundation
import Testing

extension Conformance.CommandLine {
    /// Flags of runc's and of crun's that no other suite is about.
    @Suite struct Flags {
        @Test("--pidfd-socket gets a pidfd of the container's process, or of exec's")
        func pidfdSocket() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                let socket = try ConsoleSocket(path: c.directory + "/s")
                #expect(try c.create(["--pidfd-socket", socket.path]).succeeded)
                let pidfd = try socket.descriptor()
                #expect(process(of: pidfd) == c.pid)
                close(pidfd)

                let file = c.directory + "/pid"
                let outcome = c.exec(
                    ["--detach", "--pidfd-socket", socket.path, "--pid-file", file], "sleep", "600")
                #expect(outcome.succeeded, "\(outcome)")
                let ofExec = try socket.descriptor()
                #expect(process(of: ofExec) == pid_t(readText(file)))
                close(ofExec)
            }
        }

        /// pidfd_open(2): a pidfd's fdinfo says whose it is.
        private func process(of pidfd: Int32) -> pid_t? {
            let lines = readText("/proc/self/fdinfo/\(pidfd)").split(separator: "\n")
            let line = lines.first { $0.hasPrefix("Pid:") }
            return line.flatMap { pid_t($0.dropFirst(4).drop { $0.isWhitespace }) }
        }

        @Test("kill --regex and delete --regex act on all that match, and on no other")
        func regex() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                #expect(try c.runDetached().succeeded)
                let ids = try ["-a1", "-a2", "-b"].map { suffix in
                    let id = c.id + suffix
                    c.config.linux.cgroupsPath = .string("\(c.cgroupsPath)/\(suffix)")
                    try c.writeConfig()
                    let flags = ["run", "--detach", "--bundle", c.bundle, id]
                    #expect(c.runtime(flags, c.intoFiles(LaunchOptions())).succeeded)
                    return id
                }
                func statuses() -> [String] {
                    ids.map { id in
                        let state = try? JSON(parsing: c.runtime(["state", id]).stdout)
                        return state?.status.string ?? "none"
                    }
                }
                let pattern = "^\(c.id)-a[0-9]$"
                #expect(c.runtime(["kill", "--regex", pattern, "KILL"]).succeeded)
                let expected = ["stopped", "stopped", "running"]
                #expect(eventually { statuses() == expected }, "\(statuses())")
                #expect(c.runtime(["delete", "-r", pattern]).succeeded)
                #expect(statuses() == ["none", "none", "running"])
                #expect(c.status == "running")
                #expect(c.runtime(["delete", "-fr", "^\(c.id)-"]).succeeded)
                #expect(statuses() == ["none", "none", "none"])
                #expect(c.status == "running")
            }
        }

        @Test("exec --cgroup: in a cgroup below the container's, and nowhere else")
        func subCgroup() throws {
            try withRunningContainer { c in
                let below = try #require(Leaks.cgroups(c.cgroupsPath).first) + "/below"
                #expect(mkdir(below, 0o755) == 0)
                let hierarchy = readText("/proc/self/mountinfo").split(separator: "\n")
                    .map { $0.split(separator: " ").map(String.init) }
                    .first { below.hasPrefix($0[4] + "/") && $0.contains(where: isCgroup) }
                let options = hierarchy?.last?.split(separator: ",").map(String.init) ?? []
                // On v1 for the one hierarchy that has it, by a controller's name.
                let isUnified = hierarchy?.contains("cgroup2") == true
                let controller = options.last { $0 != "rw" } ?? ""
                let path = isUnified ? "below" : "\(controller):below"
                let inside = c.exec(["--cgroup", path], "cat", "/proc/self/cgroup")
                let count = inside.lines.count { $0.hasSuffix("/below") }
                #expect(inside.succeeded && count == 1, "\(inside)")

                let missing = c.exec(["--cgroup", path + "/missing"], "true")
                #expect(missing.failed && missing.stderr.contains("--cgroup"), "\(missing)")
                let outside = c.exec(["--cgroup", path + "/../.."], "true")
                #expect(outside.failed && outside.stderr.contains(".."), "\(outside)")
            }
        }

        private func isCgroup(_ field: String) -> Bool { field == "cgroup" || field == "cgroup2" }

        @Test(
            "warnings are shown where they are asked for",
            arguments: [[], ["--log-level", "warning"], ["--log-level", "error"], ["--debug"]])
        func logLevel(flags: [String]) throws {
            try withContainer { c in
                c.config.program("true")
                c.config.process.capabilities = capabilitySets(["CAP_NO_SUCH"])
                c.globals += flags
                let outcome = try c.run()
                let isShown = outcome.stderr.contains("CAP_NO_SUCH")
                #expect(outcome.succeeded, "\(outcome)")
                #expect(isShown == (flags == ["--log-level", "warning"] || flags == ["--debug"]))
            }
        }

        @Test("a limit that the kernel has given up is ignored with a warning", .swruncOnly)
        func givenUp() throws {
            try withRunningContainer { c in
                c.globals += ["--log-level", "warning"]
                for flag in ["--kernel-memory", "--kernel-memory-tcp"] {
                    let outcome = c.runtime("update", flag, "1", c.id)
                    #expect(outcome.succeeded, "\(outcome)")
                    #expect(outcome.stderr.contains("\(flag) changes nothing"), "\(outcome)")
                }
            }
        }

        @Test("what runc and crun have taken back, or ignore, is taken and does nothing")
        func obsolete() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                let created = try c.create(["--no-subreaper"])
                #expect(created.succeeded, "\(created)")
                let flags = ["--kernel-memory", "1", "--kernel-memory-tcp", "1"]
                let outcome = c.runtime(["update"] + flags + [c.id])
                #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
            }
        }
    }
}
