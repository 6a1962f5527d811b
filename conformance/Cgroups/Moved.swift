import Foundation
import Testing

extension Conformance {
    /// A container whose first process has moved itself, as buildkitd, dockerd and systemd do where they see
    /// the host's cgroups, or their own.
    @Suite(.swruncOnly) struct CgroupMoved {
        enum Place: String, CaseIterable {
            case below, beside
            /// Beside, and the container's own cgroup is removed.
            case gone

            func path(_ c: Container) -> String {
                c.cgroupsPath + (self == .below ? "/sub" : "-beside")
            }
        }

        private func withMoved(
            _ place: Place, edit: (inout JSON) -> Void = { $0.program("sleep", "600") },
            _ body: (Container, _ path: String) throws -> Void
        ) throws {
            try withContainer { c in
                edit(&c.config)
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                let path = place.path(c)
                defer { Leaks.removeCgroups(path) }
                try c.moveInit(to: path)
                if place == .gone { Leaks.removeCgroups(c.cgroupsPath) }
                try body(c, path)
                #expect(c.delete("--force").succeeded)
            }
        }

        @Test(
            "exec goes where the container's cgroup is, or where its init is",
            arguments: Place.allCases)
        func exec(place: Place) throws {
            try withMoved(place) { c, path in
                if Host.isUnified, place != .gone {
                    // A cgroup with controllers of resources that processes share below it takes no
                    // processes.
                    let own = "/sys/fs/cgroup" + c.cgroupsPath
                    mkdir(own + "/divided", 0o755)
                    try writeText("+memory", to: own + "/cgroup.subtree_control")
                }
                let paths = c.memberships(c.execSh("cat /proc/self/cgroup"))
                for (hierarchy, shown) in paths {
                    let isThere =
                        place == .gone || Host.isUnified
                        || (hierarchy.isEmpty && place == .below)
                    #expect(shown == (isThere ? path : c.cgroupsPath), "\(hierarchy)")
                }
            }
        }

        /// A shell that makes two processes more once it is told to.
        private func forking(_ c: Container) throws {
            try writeText("", to: c.rootfs + "/go")
            try #require(c.prints("forked"))
        }

        private func makesMore(_ config: inout JSON, ownPids: Bool) {
            if !ownPids { config.removeNamespace("pid") }
            config.shell(
                "until [ -e /go ]; do sleep 0.05; done; sleep 601 & sleep 602 & echo forked; wait; wait; "
                    + "sleep 603")
        }

        @Test("ps shows, and kill --all reaches what is with it", arguments: [true, false])
        func killAll(ownPids: Bool) throws {
            try withMoved(.beside, edit: { makesMore(&$0, ownPids: ownPids) }) { c, path in
                try forking(c)
                let all = { Leaks.processes(inCgroup: path).map { JSON(Int($0)) } }
                try #require(eventually { all().count == 3 })
                let listed = c.runtime("ps", "--format", "json", c.id)
                try #expect(JSON(parsing: listed.stdout).array == all(), "\(listed)")
                #expect(c.kill("--all", "KILL").succeeded)
                #expect(eventually { all().isEmpty })
                #expect(c.becomes("stopped"))
            }
        }

        @Test(
            "a SIGKILL and a delete lose nothing of it", arguments: [true, false],
            ["kill", "delete"])
        func end(ownPids: Bool, command: String) throws {
            try withMoved(.beside, edit: { makesMore(&$0, ownPids: ownPids) }) { c, path in
                try forking(c)
                // Somebody else is in the container's cgroup still.
                let other = c.exec(["--detach"], "sleep", "604")
                #expect(other.succeeded, "\(other)")
                #expect(
                    command == "kill" ? c.kill("KILL").succeeded : c.delete("--force").succeeded)
                #expect(eventually { Leaks.processes(inCgroup: path).isEmpty })
                #expect(eventually { Leaks.processes(inCgroup: c.cgroupsPath).isEmpty })
            }
        }

        @Test("pause does not say that it stopped what it cannot stop", arguments: Place.allCases)
        func pause(place: Place) throws {
            try withMoved(place) { c, path in
                let outcome = c.runtime("pause", c.id)
                if place == .below {
                    #expect(outcome.succeeded && c.status == "paused", "\(outcome)")
                    #expect(c.runtime("resume", c.id).succeeded)
                } else {
                    #expect(outcome.failed && outcome.stderr.contains(path), "\(outcome)")
                    #expect(c.status == "running")
                }
            }
        }

        @Test("of a cgroup that is gone, stats and limits are refused with that reason")
        func gone() throws {
            try withMoved(.gone) { c, _ in
                let statistics = c.runtime("events", "--stats", c.id)
                #expect(statistics.failed, "\(statistics)")
                #expect(statistics.stderr.contains("has been removed"), "\(statistics)")
                let update = c.runtime("update", "--pids-limit", "9", c.id)
                #expect(update.failed && update.stderr.contains("has been removed"), "\(update)")
            }
        }

        @Test(
            "delete --force names the frozen cgroup that keeps the init from dying",
            .requires(Host.controller("freezer") != nil, "has no freezer on cgroup v1"))
        func frozen() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached()
                let path = c.cgroupsPath + "-frozen"
                defer { Leaks.removeCgroups(path) }
                let freezer = (Host.controller("freezer") ?? "") + path
                mkdir(freezer, 0o755)
                try writeText("\(c.pid)", to: freezer + "/cgroup.procs")
                try writeText("FROZEN", to: freezer + "/freezer.state")
                let outcome = c.delete("--force")
                try writeText("THAWED", to: freezer + "/freezer.state")
                #expect(outcome.failed && outcome.stderr.contains(freezer), "\(outcome)")
            }
        }

        @Test(
            "and a frozen cgroup above the container's own",
            .requires(Host.controller("freezer") != nil, "has no freezer on cgroup v1"))
        func frozenAbove() throws {
            try withContainer { c in
                let top = c.cgroupsPath + "-top"
                defer { Leaks.removeCgroups(top) }
                c.config.linux.cgroupsPath = .string(top + "/ctr")
                c.config.program("sleep", "600")
                try c.runDetached()
                let freezer = (Host.controller("freezer") ?? "") + top
                try writeText("FROZEN", to: freezer + "/freezer.state")
                let outcome = c.delete("--force")
                try writeText("THAWED", to: freezer + "/freezer.state")
                #expect(outcome.failed && outcome.stderr.contains(freezer + " "), "\(outcome)")
                #expect(c.delete("--force").succeeded)
            }
        }
    }
}
