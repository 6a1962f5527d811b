import Foundation
import Testing

extension Conformance.Lifecycle {
    @Suite struct Run {
        @Test("the exit status is the program's", arguments: [0, 1, 3, 126, 127, 255])
        func exitStatus(code: Int) throws {
            try withContainer { c in
                c.config.shell("exit \(code)")
                try #expect(c.run().status == .exited(Int32(code)))
            }
        }

        @Test("the exit status is 128+n when a signal killed it", arguments: [1, 2, 9, 11, 15])
        func signalled(signal: Int) throws {
            try withContainer { c in
                // A namespace's init is immune to its own signals: use the host's.
                c.config.removeNamespace("pid")
                c.config.program("probe", "signal", "\(signal)")
                try #expect(c.run().status == .exited(Int32(128 + signal)))
            }
        }

        @Test("the exit status is 137 when the container was killed")
        func killed() throws {
            try withContainer { c in
                c.config.shell("echo > /ready; sleep 600")
                var options = LaunchOptions()
                options.whileRunning = { _ in
                    #expect(eventually { exists(c.rootfs + "/ready") })
                    c.kill("KILL")
                }
                try #expect(c.run([], options).status == .exited(137))
            }
        }

        @Test(
            "signals sent to the foreground command reach the program",
            arguments: [
                ("HUP", SIGHUP), ("INT", SIGINT), ("TERM", SIGTERM), ("USR1", SIGUSR1),
                ("USR2", SIGUSR2), ("QUIT", SIGQUIT), ("CONT", SIGCONT), ("ALRM", SIGALRM),
            ])
        func forwarding(name: String, signal: Int32) throws {
            try withContainer { c in
                c.config.shell(
                    "trap 'exit 44' \(name); echo > /ready; while :; do sleep 0.02; done")
                var options = LaunchOptions()
                options.whileRunning = { pid in
                    #expect(eventually { exists(c.rootfs + "/ready") })
                    Foundation.kill(pid, signal)
                }
                let outcome = try c.run([], options)
                #expect(outcome.status == .exited(44), "\(outcome)")
            }
        }

        @Test("stdin, stdout and stderr are the program's own")
        func streams() throws {
            try withContainer { c in
                c.config.shell("cat; echo error >&2")
                let outcome = try c.run([], LaunchOptions(input: "given\0\n\u{7f}"))
                #expect(outcome.stdout == "given\0\n\u{7f}")
                #expect(outcome.stderr == "error\n")
            }
        }

        @Test("output of a megabyte arrives whole")
        func muchOutput() throws {
            try withContainer { c in
                c.config.shell("head -c 1048576 /dev/zero | tr '\\0' x")
                let outcome = try c.run()
                #expect(outcome.stdoutBytes.count == 1_048_576)
            }
        }

        @Test("the container is deleted once the program has exited")
        func deletesItself() throws {
            try withContainer { c in
                try c.run()
                #expect(c.state() == .null)
                c.expectNothingLeft()
            }
        }

        @Test("--keep leaves the stopped container")
        func keep() throws {
            try withContainer { c in
                let outcome = try c.run(["--keep"])
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.status == "stopped")
                #expect(c.delete().succeeded)
            }
        }

        @Test("--detach returns while the program runs", arguments: ["--detach", "-d"])
        func detach(flag: String) throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                let outcome = try c.run([flag], c.intoFiles(LaunchOptions()))
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stdout.isEmpty && outcome.stderr.isEmpty)
                #expect(c.status == "running")
            }
        }

        @Test("a detached container remains when it has stopped")
        func detachRemains() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
            }
        }

        @Test("a pid file of somebody else's stays when the container cannot be created")
        func foreignPidFile() throws {
            try withContainer { c in
                let file = c.directory + "/pid"
                try writeText("4711", to: file)
                c.config.bind("/no/such/source", at: "/mnt")
                try #expect(c.create(["--pid-file", file]).failed)
                #expect(readText(file) == "4711")
            }
        }

        @Test("an id is a file's name: one that is too long is refused as such", .swruncOnly)
        func longID() throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = c.runtime(
                    "create", "-b", c.bundle, String(repeating: "x", count: 256))
                #expect(outcome.stderr.contains("invalid container ID format"), "\(outcome)")
                #expect(outcome.stderr.contains("255"))
            }
        }

        @Test("--pid-file holds the pid in the host's namespace, nothing else")
        func pidFile() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached(["--pid-file", c.directory + "/pid"])
                #expect(readText(c.directory + "/pid") == "\(c.pid)")
                let temporary = try FileManager.default.contentsOfDirectory(atPath: c.directory)
                    .filter { $0.contains("pid") }
                #expect(temporary == ["pid"], "a temporary file is left beside it")
            }
        }

        @Test("create --pid-file names the process that start lets run")
        func createPidFile() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.create(["--pid-file", c.directory + "/pid"])
                let pid = readText(c.directory + "/pid")
                #expect(pid == "\(c.pid)")
                c.start()
                #expect(pid == "\(c.pid)")
                #expect(eventually { readText("/proc/\(pid)/comm") == "sleep\n" })
            }
        }

        @Test("a pid file that cannot be written fails and leaves nothing")
        func badPidFile() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                let outcome = try c.create(["--pid-file", c.directory + "/no/such/pid"])
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("/no/such/"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("long options work with a single dash, as runc's did", .knownDifference(crun: "argp"))
        func singleDash() throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = c.runtime("run", "-no-subreaper", "-bundle", c.bundle, c.id)
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("options may be written --name=value")
        func equals() throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = launch(
                    [Runtime.binary, "--root=" + c.root, "run", "--bundle=" + c.bundle, c.id])
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("twelve containers at once under one root all work and all go")
        func concurrently() throws {
            try withContainer { shared in
                let outcomes = Collected()
                let bundle = shared.bundle
                let (root, id) = (shared.root, shared.id)
                shared.config.linux.cgroupsPath = .null
                shared.config.shell("echo hello; exit 5")
                try shared.writeConfig()
                DispatchQueue.concurrentPerform(iterations: 12) { index in
                    outcomes.append(
                        launch([
                            Runtime.binary, "--root", root, "run", "--bundle", bundle,
                            "\(id)-\(index)",
                        ]))
                }
                #expect(outcomes.all.count == 12)
                for outcome in outcomes.all {
                    #expect(
                        outcome.status == .exited(5) && outcome.stdout == "hello\n", "\(outcome)")
                }
                #expect(shared.runtime("list", "-q").stdout.isEmpty)
            }
        }

        @Test("without a process there is nothing to run", .knownDifference(crun: "crashes"))
        func noProcess() throws {
            try withContainer { c in
                c.config.process = .null
                let outcome = try c.run()
                #expect(outcome.failed)
                #expect(
                    outcome.stderr.contains("process property must not be empty"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "of eight creates of one id at once exactly one wins",
            .knownDifference(runc: "1.1 does not lock: two may win"))
        func race() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.writeConfig()
                let outcomes = Collected()
                let (bundle, root, id) = (c.bundle, c.root, c.id)
                let output = c.directory + "/o"
                DispatchQueue.concurrentPerform(iterations: 8) { index in
                    var options = LaunchOptions()
                    options.stdout = .file("\(output)\(index)")
                    options.stderr = .file("\(output)e\(index)")
                    outcomes.append(
                        launch(
                            [Runtime.binary, "--root", root, "create", "--bundle", bundle, id],
                            options))
                }
                let winners = outcomes.all.filter(\.succeeded)
                #expect(winners.count == 1, "\(outcomes.all)")
                #expect(c.status == "created")
                #expect(c.start().succeeded)
            }
        }
    }
}

/// Outcomes gathered from several threads.
final class Collected: @unchecked Sendable {
    private let lock = NSLock()
    private var outcomes: [Outcome] = []

    func append(_ outcome: Outcome) {
        lock.lock()
        defer { lock.unlock() }
        outcomes.append(outcome)
    }

    var all: [Outcome] {
        lock.lock()
        defer { lock.unlock() }
        return outcomes
    }
}
