import Foundation
import Testing

extension Conformance.Lifecycle {
    @Suite struct Kill {
        /// The program prints the name of each signal it gets.
        private func withListener(_ body: (Container) throws -> Void) throws {
            try withContainer { c in
                c.config.shell(
                    """
                    for s in HUP INT QUIT USR1 USR2 TERM ALRM WINCH; do trap "echo got $s" $s; done
                    trap "echo got RTMIN" 34
                    echo ready
                    while :; do sleep 0.02; done
                    """)
                try c.runDetached()
                try #require(c.prints("ready"))
                try body(c)
            }
        }

        @Test(
            "a signal may be given by name, with or without SIG, or by number",
            arguments: [
                ("TERM", "TERM"), ("SIGTERM", "TERM"), ("15", "TERM"), ("HUP", "HUP"),
                ("SIGUSR1", "USR1"), ("USR2", "USR2"), ("2", "INT"), ("SIGWINCH", "WINCH"),
                ("14", "ALRM"), ("34", "RTMIN"),
            ])
        func spellings(signal: String, name: String) throws {
            try withListener { c in
                let outcome = c.kill(signal)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.prints("got \(name)"), "\(c.output)")
            }
        }

        @Test("each signal there is reaches the program as what it is")
        func every() throws {
            try withContainer { c in
                // Those that cannot be caught, and those that a shell keeps for itself.
                let numbers = (1...64).filter { ![9, 17, 18, 19, 20, 21, 22, 32, 33].contains($0) }
                let list = numbers.map(String.init).joined(separator: " ")
                c.config.shell(
                    """
                    for s in \(list); do trap "echo got $s." $s; done
                    echo ready
                    while :; do sleep 0.02; done
                    """)
                try c.runDetached()
                try #require(c.prints("ready"))
                for number in numbers {
                    let outcome = c.kill(String(number))
                    #expect(outcome.succeeded, "\(outcome)")
                    #expect(c.prints("got \(number)."), "\(number)")
                }
                #expect(c.output.components(separatedBy: "got").count == numbers.count + 1)
            }
        }

        @Test("without a signal it is SIGTERM")
        func defaultSignal() throws {
            try withListener { c in
                #expect(c.kill().succeeded)
                #expect(c.prints("got TERM"))
            }
        }

        @Test(
            "what is no signal is refused and named, and nothing is sent",
            arguments: ["SIGNOPE", "NOPE", "9x", "SIG"])
        func badSignal(signal: String) throws {
            try withListener { c in
                let outcome = c.kill(signal)
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains(signal), "\(outcome)")
                #expect(c.status == "running")
                #expect(!c.output.contains("got"))
            }
        }

        @Test(
            "a number that is no signal, or no text at all, is refused", .swruncOnly,
            arguments: ["99999", "65", "-99", "", "0x9", "４"])
        func badNumber(signal: String) throws {
            try withListener { c in
                let outcome = c.kill(signal)
                #expect(outcome.failed, "\(outcome)")
                let named = signal.trimmingPrefix("-")
                #expect(named.isEmpty || outcome.stderr.contains(named), "\(outcome)")
                #expect(!c.output.contains("got"))
            }
        }

        @Test("KILL stops a running container")
        func killRunning() throws {
            try withRunningContainer { c in
                #expect(c.kill("KILL").succeeded)
                #expect(c.becomes("stopped"))
            }
        }

        @Test("KILL stops a created container, whose program never runs")
        func killCreated() throws {
            try withContainer { c in
                c.config.shell("echo ran > /ran")
                try c.create()
                #expect(c.kill("KILL").succeeded)
                #expect(c.becomes("stopped"))
                #expect(!exists(c.rootfs + "/ran"))
            }
        }

        @Test(
            "so do HUP, INT and TERM, though the init is pid 1",
            .knownDifference(crun: "ignores them"),
            arguments: ["HUP", "INT", "TERM"])
        func endCreated(signal: String) throws {
            try withContainer { c in
                c.config.shell("echo ran > /ran")
                try c.create()
                #expect(c.kill(signal).succeeded)
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
                #expect(!exists(c.rootfs + "/ran"))
            }
        }

        @Test("a stopped container cannot be killed: `container not running`")
        func killStopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let outcome = c.kill("KILL")
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("container not running"), "\(outcome)")
            }
        }

        @Test("signal 0 asks whether there is a process, and does nothing to it")
        func probe() throws {
            try withRunningContainer { c in
                #expect(c.kill("0").succeeded)
                #expect(c.status == "running")
                #expect(c.kill("KILL").succeeded)
                #expect(c.becomes("stopped"))
                #expect(c.kill("0").failed)
            }
        }

        @Test("--all finds nobody left in a stopped container, which is no error")
        func allStopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let outcome = c.runtime("kill", "--all", c.id, "KILL")
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("--all ends a container without a cgroup as well", .swruncOnly)
        func allWithoutCgroup() throws {
            try withContainer { c in
                c.globals += ["--cgroup-manager", "disabled"]
                c.config.program("sleep", "600")
                try #expect(c.runDetached().succeeded)
                let outcome = c.runtime("kill", "--all", c.id, "KILL")
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.becomes("stopped"))
            }
        }

        @Test("--all reaches every process of the container", arguments: ["--all", "-a"])
        func all(flag: String) throws {
            try withContainer { c in
                c.config.removeNamespace("pid")
                c.config.shell("sleep 601 & sleep 602 & echo ready; wait")
                try c.runDetached()
                try #require(c.prints("ready"))
                try #require(eventually { Leaks.processes(inCgroup: c.cgroupsPath).count == 3 })
                let outcome = c.runtime("kill", flag, c.id, "KILL")
                #expect(outcome.succeeded, "\(outcome)")
                #expect(eventually { Leaks.processes(inCgroup: c.cgroupsPath).isEmpty })
            }
        }

        @Test("a process that ignores the signal goes on, KILL ends it")
        func ignored() throws {
            try withContainer { c in
                c.config.program("probe", "ignoring", "15")
                try c.runDetached()
                try #require(c.prints("ready"))
                c.kill("TERM")
                usleep(50_000)
                #expect(c.status == "running")
                c.kill("KILL")
                #expect(c.becomes("stopped"))
            }
        }
    }

    @Suite struct Delete {
        @Test("a stopped container is deleted with all that create made")
        func stopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let outcome = c.delete()
                #expect(outcome.succeeded, "\(outcome)")
                c.expectNothingLeft()
                #expect(c.state() == .null)
            }
        }

        @Test("a running container is not deleted, and is untouched")
        func running() throws {
            try withRunningContainer { c in
                let pid = c.pid
                let outcome = c.delete()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("not stopped"), "\(outcome)")
                #expect(c.status == "running")
                #expect(c.pid == pid)
            }
        }

        @Test("a created container is either refused and untouched, or gone altogether")
        func created() throws {
            try withContainer { c in
                try c.create()
                // runtime.md refuses it; runc deletes it, and containerd relies on that.
                if c.delete().failed { #expect(c.status == "created") }
            }
        }

        @Test("what the container did not create is not deleted")
        func leavesTheRest() throws {
            try withContainer { c in
                c.config.shell("echo kept > /kept")
                try c.run()
                #expect(exists(c.rootfs + "/kept"))
                #expect(exists(c.bundle + "/config.json"))
            }
        }

        @Test("--force deletes a running container", arguments: ["--force", "-f"])
        func forceRunning(flag: String) throws {
            try withRunningContainer { c in
                let outcome = c.delete(flag)
                #expect(outcome.succeeded, "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("--force deletes a created container, whose program never runs")
        func forceCreated() throws {
            try withContainer { c in
                c.config.shell("echo ran > /ran")
                try c.create()
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
                #expect(!exists(c.rootfs + "/ran"))
            }
        }

        @Test("--force deletes a container whose processes ignore every signal but KILL")
        func forceStubborn() throws {
            try withContainer { c in
                c.config.program("probe", "ignoring", "1", "2", "3", "15")
                try c.runDetached()
                #expect(c.prints("ready"))
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }

        @Test("--force of a container on the host's pid namespace ends all of its processes")
        func forceWithoutPidNamespace() throws {
            try withContainer { c in
                c.config.removeNamespace("pid")
                c.config.shell("for i in 1 2 3 4 5; do setsid sleep 600 & done; echo ready; wait")
                try c.runDetached()
                try #require(c.prints("ready"))
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }

        @Test("children of a stopped container's init, on the host's pid namespace, end too")
        func orphans() throws {
            try withContainer { c in
                c.config.removeNamespace("pid")
                c.config.shell("sleep 600 & echo ready")
                try c.runDetached()
                try #require(c.prints("ready"))
                #expect(c.becomes("stopped"))
                let outcome = c.delete("--force")
                #expect(outcome.succeeded, "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("--force on an id that is not there succeeds, as in runc")
        func forceMissing() throws {
            try withContainer { c in
                let outcome = c.delete("--force")
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("deleting twice fails the second time: `does not exist`")
        func twice() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
                let again = c.delete()
                #expect(again.failed)
                #expect(again.stderr.contains("does not exist"), "\(again)")
            }
        }

        @Test("a container whose bundle is gone is deleted all the same")
        func bundleGone() throws {
            try withRunningContainer { c in
                launch(["rm", "-rf", "--one-file-system", c.bundle])
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }

        @Test("cgroups made inside the container's cgroup are deleted with it")
        func nestedCgroups() throws {
            try withRunningContainer { c in
                for directory in Leaks.cgroups(c.cgroupsPath) {
                    mkdir(directory + "/inner", 0o755)
                    mkdir(directory + "/inner/most", 0o755)
                }
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }
    }
}
