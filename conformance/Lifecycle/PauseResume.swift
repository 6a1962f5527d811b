import Foundation
import Testing

extension Conformance.Lifecycle {
    /// `pause` and `resume`, on either version of cgroups.
    @Suite struct Pause {
        /// The program counts in a file, as fast as a few times a second.
        private func withCounter(_ body: (Container) throws -> Void) throws {
            try withContainer { c in
                c.config.shell("n=0; while :; do n=$((n+1)); echo $n > /count; sleep 0.01; done")
                try c.runDetached()
                try #require(eventually { !readText(c.rootfs + "/count").isEmpty })
                try body(c)
            }
        }

        private func count(_ c: Container) -> String { readText(c.rootfs + "/count") }

        @Test("pause stops every process, and resume lets them go on")
        func stopsAndGoesOn() throws {
            try withCounter { c in
                let paused = c.runtime("pause", c.id)
                #expect(paused.succeeded, "\(paused)")
                #expect(paused.stderr.isEmpty, "\(paused)")
                #expect(c.isFrozen)
                #expect(c.status == "paused")
                let before = count(c)
                usleep(200_000)
                #expect(count(c) == before)
                let resumed = c.runtime("resume", c.id)
                #expect(resumed.succeeded, "\(resumed)")
                #expect(resumed.stderr.isEmpty, "\(resumed)")
                #expect(!c.isFrozen)
                #expect(c.status == "running")
                #expect(eventually { count(c) != before })
            }
        }

        @Test("a container that forks all the time is paused as well")
        func forking() throws {
            try withContainer { c in
                c.config.shell("for i in 1 2 3 4; do while :; do true & wait; done & done; wait")
                try c.runDetached()
                for _ in 1...5 {
                    let paused = c.runtime("pause", c.id)
                    #expect(paused.succeeded, "\(paused)")
                    #expect(c.isFrozen)
                    #expect(c.runtime("resume", c.id).succeeded)
                }
            }
        }

        @Test("a container with no processes but its own init is paused before its start as well")
        func created() throws {
            try withContainer { c in
                c.config.shell("echo started")
                try c.create()
                #expect(c.runtime("pause", c.id).succeeded)
                #expect(c.status == "paused")
                let start = c.start()
                #expect(start.failed, "\(start)")
                #expect(c.runtime("resume", c.id).succeeded)
                #expect(c.status == "created")
                #expect(c.start().succeeded)
                #expect(c.prints("started"))
            }
        }

        @Test("list shows it as paused")
        func list() throws {
            try withRunningContainer { c in
                #expect(c.runtime("pause", c.id).succeeded)
                let list = try JSON(parsing: c.runtime("list", "--format", "json").stdout)
                #expect(list[0].status == "paused")
                #expect(list[0].pid.int == Int(c.pid))
            }
        }

        @Test("a paused container is not paused again: `container not running`")
        func twice() throws {
            try withRunningContainer { c in
                #expect(c.runtime("pause", c.id).succeeded)
                let again = c.runtime("pause", c.id)
                #expect(again.failed, "\(again)")
                #expect(again.stderr.contains("container not running"), "\(again)")
                #expect(c.status == "paused")
            }
        }

        @Test("a running container is not resumed: `container not paused`")
        func resumeRunning() throws {
            try withRunningContainer { c in
                let outcome = c.runtime("resume", c.id)
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("container not paused"), "\(outcome)")
                #expect(c.status == "running")
            }
        }

        @Test("a stopped container is neither paused nor resumed")
        func stopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let pause = c.runtime("pause", c.id)
                #expect(pause.failed)
                #expect(pause.stderr.contains("container not running"), "\(pause)")
                let resume = c.runtime("resume", c.id)
                #expect(resume.failed)
                #expect(resume.stderr.contains("container not paused"), "\(resume)")
            }
        }

        @Test("of what does not exist it is said so", arguments: ["pause", "resume", "ps"])
        func missing(command: String) throws {
            try withContainer { c in
                let outcome = c.runtime(command, "swrunc-none")
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("does not exist"), "\(outcome)")
            }
        }

        @Test("exec in a paused container is refused, and goes ahead with --ignore-paused")
        func exec() throws {
            try withRunningContainer { c in
                #expect(c.runtime("pause", c.id).succeeded)
                let refused = c.exec([], "true")
                #expect(refused.status == .exited(255), "\(refused)")
                #expect(
                    refused.stderr.contains(
                        "cannot exec in a paused container (use --ignore-paused to override)"),
                    "\(refused)")
                var options = LaunchOptions()
                options.whileRunning = { _ in
                    usleep(100_000)
                    #expect(c.runtime("resume", c.id).succeeded)
                }
                let ignoring = c.exec(["--ignore-paused"], "echo", "here", options: options)
                #expect(ignoring.trimmed == "here", "\(ignoring)")
            }
        }

        @Test("KILL ends a paused container, any other signal waits until it is resumed")
        func kill() throws {
            try withContainer { c in
                c.config.shell("trap 'echo got it' USR1; echo ready; while :; do sleep 0.02; done")
                try c.runDetached()
                try #require(c.prints("ready"))
                #expect(c.runtime("pause", c.id).succeeded)
                #expect(c.kill("USR1").succeeded)
                usleep(100_000)
                #expect(c.status == "paused")
                #expect(!c.output.contains("got it"))
                #expect(c.runtime("resume", c.id).succeeded)
                #expect(c.prints("got it"))
                #expect(c.runtime("pause", c.id).succeeded)
                #expect(c.kill("KILL").succeeded)
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
            }
        }

        @Test("a paused container is not deleted, unless by force")
        func delete() throws {
            try withRunningContainer { c in
                #expect(c.runtime("pause", c.id).succeeded)
                let refused = c.delete()
                #expect(refused.failed, "\(refused)")
                #expect(refused.stderr.contains("not stopped: paused"), "\(refused)")
                #expect(c.status == "paused")
                let forced = c.delete("--force")
                #expect(forced.succeeded, "\(forced)")
                c.expectNothingLeft()
            }
        }

        @Test("a container with a frozen cgroup of its own below is deleted by force")
        func nestedFrozen() throws {
            try withContainer { c in
                c.config.removeNamespace("pid")
                c.config.shell("sleep 601 & echo ready; wait")
                try c.runDetached()
                try #require(c.prints("ready"))
                let directory = (c.path(of: .freezer) as NSString).deletingLastPathComponent
                let nested = directory + "/nested"
                mkdir(nested, 0o755)
                let child = try #require(
                    readText("/proc/\(c.pid)/task/\(c.pid)/children").split(separator: " ").first)
                try writeText(String(child), to: nested + "/cgroup.procs")
                let file = Host.isUnified ? ("cgroup.freeze", "1") : ("freezer.state", "FROZEN")
                try writeText(file.1, to: "\(nested)/\(file.0)")
                let forced = c.delete("--force")
                #expect(forced.succeeded, "\(forced)")
                c.expectNothingLeft()
            }
        }
    }

    @Suite struct ProcessList {
        private func withThree(_ body: (Container) throws -> Void) throws {
            try withContainer { c in
                c.config.shell("sleep 601 & sleep 602 & echo ready; wait")
                try c.runDetached()
                try #require(c.prints("ready"))
                try #require(eventually { Leaks.processes(inCgroup: c.cgroupsPath).count == 3 })
                try body(c)
            }
        }

        @Test("--format json is the list of the host's pids", arguments: ["--format", "-f"])
        func json(flag: String) throws {
            try withThree { c in
                let outcome = c.runtime("ps", flag, "json", c.id)
                #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
                let pids = try JSON(parsing: outcome.stdout).array.compactMap(\.int)
                #expect(pids.sorted() == Leaks.processes(inCgroup: c.cgroupsPath).map(Int.init))
            }
        }

        @Test("the table is that of ps -ef, without other processes")
        func table() throws {
            try withThree { c in
                let outcome = c.runtime("ps", c.id)
                #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
                #expect(outcome.lines.first?.hasPrefix("UID") == true, "\(outcome)")
                #expect(outcome.lines.count == 4, "\(outcome)")
                #expect(outcome.stdout.contains("sleep 601"))
                #expect(outcome.stdout.contains("sleep 602"))
            }
        }

        @Test(
            "what follows the id goes to ps, wherever the column is",
            arguments: [["aux"], ["-e", "-o", "pid,args"], ["-e", "-o", "comm,pid"]])
        func arguments(rest: [String]) throws {
            try withThree { c in
                let outcome = c.runtime(["ps", c.id] + rest)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.lines.first?.contains("PID") == true)
                #expect(outcome.lines.count == 4, "\(outcome)")
                #expect(outcome.lines.dropFirst().allSatisfy { $0.contains("s") }, "\(outcome)")
            }
        }

        @Test("a listing without the column PID is refused")
        func noColumn() throws {
            try withThree { c in
                let outcome = c.runtime("ps", c.id, "-eo", "args")
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("PID"), "\(outcome)")
            }
        }

        @Test("an unknown format is refused and named")
        func unknownFormat() throws {
            try withRunningContainer { c in
                let outcome = c.runtime("ps", "--format", "yaml", c.id)
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("yaml") || outcome.stderr.contains("format"))
            }
        }

        @Test("a stopped container has no processes")
        func stopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let outcome = c.runtime("ps", "--format", "json", c.id)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(["[]", "null"].contains(outcome.trimmed), "\(outcome)")
            }
        }
    }
}
