import Foundation
import Testing

extension Conformance.Lifecycle {
    @Suite struct Exec {
        @Test("the exit status is the program's", arguments: [0, 1, 77, 255])
        func exitStatus(code: Int) throws {
            try withRunningContainer { c in
                let outcome = c.exec([], "sh", "-c", "exit \(code)")
                #expect(outcome.status == .exited(Int32(code)), "\(outcome)")
            }
        }

        @Test("the exit status is 128+n when a signal killed it", arguments: [1, 9, 15])
        func signalled(signal: Int) throws {
            try withRunningContainer { c in
                let outcome = c.exec([], "probe", "signal", "\(signal)")
                #expect(outcome.status == .exited(Int32(128 + signal)), "\(outcome)")
            }
        }

        @Test("stdin, stdout and stderr are the program's own")
        func streams() throws {
            try withRunningContainer { c in
                let outcome = c.exec(
                    [], "sh", "-c", "cat; echo error >&2", options: LaunchOptions(input: "in\n"))
                #expect(outcome.stdout == "in\n")
                #expect(outcome.stderr == "error\n")
            }
        }

        @Test("signals sent to the foreground command reach the program")
        func forwarding() throws {
            try withRunningContainer { c in
                var options = LaunchOptions()
                options.whileRunning = { pid in
                    #expect(eventually { exists(c.rootfs + "/ready") })
                    Foundation.kill(pid, SIGTERM)
                }
                let script = "trap 'exit 44' TERM; echo > /ready; while :; do sleep 0.02; done"
                let outcome = c.exec([], "sh", "-c", script, options: options)
                #expect(outcome.status == .exited(44), "\(outcome)")
            }
        }

        @Test("the program is in the container's namespaces")
        func namespaces() throws {
            try withRunningContainer(edit: { $0.namespace("cgroup") }) { c in
                let pid = c.pid
                let own = c.execSh("for n in /proc/self/ns/*; do readlink $n; done | sort")
                let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/ns")
                let container = try names.map {
                    try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/ns/\($0)")
                }
                #expect(own.split(separator: "\n").map(String.init) == container.sorted())
            }
        }

        @Test("the program is in all of the container's cgroups")
        func cgroups() throws {
            try withRunningContainer { c in
                let script = "cat /proc/self/cgroup"
                let inside = c.execSh(script)
                #expect(
                    inside
                        == readText("/proc/\(c.pid)/cgroup").trimmingCharacters(
                            in: .whitespacesAndNewlines))
            }
        }

        @Test("arguments arrive as they were given, options after the id included")
        func arguments() throws {
            try withRunningContainer { c in
                let given = ["a b", "", "-t", "--help", "$x", "é\n", "\"'"]
                let outcome = c.runtime(["exec", c.id, "printf", "%s|"] + given)
                #expect(outcome.stdout == given.map { $0 + "|" }.joined())
            }
        }

        @Test("-- ends the options")
        func doubleDash() throws {
            try withRunningContainer { c in
                let outcome = c.runtime("exec", "--", c.id, "echo", "-x")
                #expect(outcome.stdout == "-x\n", "\(outcome)")
            }
        }

        @Test("-e adds to the container's environment", arguments: ["-e", "--env"])
        func environment(flag: String) throws {
            try withRunningContainer(edit: {
                $0.process.env.append("A=1")
                $0.process.env.append("HOME=/home")
            }) { c in
                let outcome = c.exec([flag, "B=2 3", flag, "C="], "env")
                #expect(Set(outcome.lines).isSuperset(of: ["A=1", "B=2 3", "C=", "HOME=/home"]))
            }
        }

        @Test("-e overrides a variable of the container")
        func environmentOverride() throws {
            try withRunningContainer(edit: { $0.process.env.append("A=1") }) { c in
                let outcome = c.exec(["-e", "A=2"], "sh", "-c", "echo $A")
                #expect(outcome.stdout == "2\n", "\(outcome)")
            }
        }

        @Test(
            "-u takes numeric uid[:gid]; one part is a uid, never root (CVE-2026-30892)",
            arguments: [
                (["-u", "1000:1001"], "1000,1000,1000", "1001,1001,1001"),
                (["--user", "1000"], "1000,1000,1000", "0,0,0"),
                (["-u", "1"], "1,1,1", "0,0,0"),
            ])
        func user(flags: [String], uid: String, gid: String) throws {
            try withRunningContainer { c in
                let report = c.execProbe(flags)
                #expect(report["uid"] == uid)
                #expect(report["gid"] == gid)
            }
        }

        @Test(
            "a user that is no number is refused, not taken for root",
            arguments: ["nobody", "1x", "x:1", "1:", "1:x", "-1", "1:2:3", " 1"])
        func badUser(user: String) throws {
            try withRunningContainer { c in
                let outcome = c.exec(["-u", user], "id", "-u")
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stdout.isEmpty)
            }
        }

        @Test(
            "a uid out of range is refused, not wrapped to root",
            .knownDifference(runc: "4294967296 becomes 0"))
        func userOutOfRange() throws {
            try withRunningContainer { c in
                let outcome = c.exec(["-u", "4294967296"], "id", "-u")
                #expect(outcome.failed, "\(outcome)")
            }
        }

        @Test("--cwd is the working directory")
        func workingDirectory() throws {
            try withRunningContainer { c in
                #expect(c.exec(["--cwd", "/etc"], "pwd").stdout == "/etc\n")
            }
        }

        @Test("an empty --cgroup is the container's own")
        func emptyCgroup() throws {
            try withRunningContainer { c in
                let outcome = c.exec(["--cgroup", ""], "true")
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("without --cwd it is the container's working directory")
        func inheritedWorkingDirectory() throws {
            try withRunningContainer(edit: { $0.process.cwd = "/tmp" }) { c in
                #expect(c.exec([], "pwd").stdout == "/tmp\n")
            }
        }

        @Test("-g gives additional groups", .knownDifference(crun: "has no such flag"))
        func groups() throws {
            try withRunningContainer { c in
                let report = c.execProbe(["-u", "5:6", "-g", "7", "-g", "8"])
                #expect(Set(report["groups"].split(separator: ",")).isSuperset(of: ["7", "8"]))
            }
        }

        @Test("--no-new-privs sets the flag, which the container's own need not have")
        func noNewPrivileges() throws {
            try withRunningContainer(edit: { $0.process.noNewPrivileges = false }) { c in
                #expect(c.execProbe()["no_new_privs"] == "0")
                #expect(c.execProbe(["--no-new-privs"])["no_new_privs"] == "1")
            }
        }

        @Test(
            "--cap adds to bounding, effective and permitted, not to inheritable (CVE-2022-29162)")
        func capabilities() throws {
            try withRunningContainer(edit: {
                $0.process.capabilities = Conformance.Lifecycle.Exec.onlyKill
            }) { c in
                let report = c.execProbe(["--cap", "CAP_NET_RAW"])
                // CAP_KILL is 5, CAP_NET_RAW is 13.
                #expect(report["cap.effective"] == "0000000000002020")
                #expect(report["cap.permitted"] == "0000000000002020")
                #expect(report["cap.bounding"] == "0000000000002020")
                #expect(report["cap.inheritable"] == "0000000000000000")
                #expect(report["cap.ambient"] == "0000000000000000")
            }
        }

        static let onlyKill: JSON = capabilitySets(["CAP_KILL"])

        @Test("--process takes the whole process from a file")
        func processFile() throws {
            try withRunningContainer { c in
                let process: JSON = [
                    "args": ["/bin/probe", "with args"], "cwd": "/etc",
                    "env": ["X=1", "HOME=/", "PATH=/bin"],
                    "user": ["uid": 11, "gid": 12, "additionalGids": [13]],
                    "capabilities": Self.onlyKill, "noNewPrivileges": true,
                    "rlimits": [["type": "RLIMIT_NOFILE", "soft": 200, "hard": 200]],
                ]
                try writeText(process.text, to: c.directory + "/p.json")
                let report = ProbeReport(
                    c.runtime("exec", "--process", c.directory + "/p.json", c.id).stdout)
                #expect(report["uid"] == "11,11,11")
                #expect(report["gid"] == "12,12,12")
                #expect(report["groups"] == "13")
                #expect(report["cwd"] == "/etc")
                #expect(report["arg.1"] == "with args")
                #expect(report["rlimit.NOFILE"] == "200:200")
                #expect(report["no_new_privs"] == "1")
                #expect(report["cap.bounding"] == "0000000000000020")
                let environment = (0..<(Int(report["envc"]) ?? 0)).map { report["env.\($0)"] }
                #expect(Set(environment) == ["X=1", "HOME=/", "PATH=/bin"])
            }
        }

        @Test(
            "--process sets umask, oom_score_adj and a soft limit below the hard one",
            .knownDifference(runc: "exec ignores the first two, Go raises the soft limit"))
        func processFileLimits() throws {
            try withRunningContainer { c in
                let process: JSON = [
                    "args": ["sh", "-c", "umask; cat /proc/self/oom_score_adj; ulimit -n"],
                    "cwd": "/", "oomScoreAdj": 77, "env": ["PATH=/bin"],
                    "user": ["uid": 0, "gid": 0, "umask": 63],
                    "rlimits": [["type": "RLIMIT_NOFILE", "soft": 100, "hard": 200]],
                ]
                try writeText(process.text, to: c.directory + "/p.json")
                let outcome = c.runtime("exec", "-p", c.directory + "/p.json", c.id)
                #expect(outcome.lines == ["0077", "77", "100"], "\(outcome)")
            }
        }

        @Test(
            "--process sets scheduler, I/O priority and the affinity",
            .knownDifference(runc: "1.1 does not know them"),
            .knownDifference(crun: "1.8.1 does not know them"))
        func processFilePriorities() throws {
            try withRunningContainer { c in
                let process: JSON = [
                    "args": ["/bin/probe"], "cwd": "/", "env": ["PATH=/bin"],
                    "user": ["uid": 0, "gid": 0],
                    "scheduler": ["policy": "SCHED_BATCH", "nice": 5],
                    "ioPriority": ["class": "IOPRIO_CLASS_BE", "priority": 6],
                    "execCPUAffinity": ["final": "0"],
                ]
                try writeText(process.text, to: c.directory + "/p.json")
                let outcome = c.runtime("exec", "-p", c.directory + "/p.json", c.id)
                let report = ProbeReport(outcome.stdout)
                #expect(report["sched"] == "policy:3 flags:0 nice:5 priority:0", "\(outcome)")
                #expect(report["ioprio"] == "2:6", "\(outcome)")
                let wrong = ["policy": "SCHED_NOPE"] as JSON
                var other = process
                other.scheduler = wrong
                try writeText(other.text, to: c.directory + "/p.json")
                let refused = c.runtime("exec", "-p", c.directory + "/p.json", c.id)
                #expect(refused.status == .exited(255), "\(refused)")
                #expect(refused.stderr.contains("SCHED_NOPE"), "\(refused)")
            }
        }

        @Test("--detach returns while the program runs; --pid-file names it")
        func detach() throws {
            try withRunningContainer { c in
                let file = c.directory + "/pid"
                let outcome = c.exec(
                    ["--detach", "--pid-file", file], "sleep", "601",
                    options: c.intoFiles(LaunchOptions()))
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stdout.isEmpty && outcome.stderr.isEmpty)
                let pid = try #require(pid_t(readText(file)))
                #expect(eventually { readText("/proc/\(pid)/cmdline") == "sleep\0601\0" })
                #expect(Leaks.processes(inCgroup: c.cgroupsPath).contains(pid))
            }
        }

        @Test("a foreground exec writes --pid-file as well")
        func pidFile() throws {
            try withRunningContainer { c in
                let file = c.directory + "/pid"
                #expect(c.exec(["--pid-file", file], "true").succeeded)
                #expect(pid_t(readText(file)) != nil)
            }
        }

        @Test("its own failure is 255 and names the program")
        func notFound() throws {
            try withRunningContainer { c in
                let outcome = c.exec([], "no-such-program")
                #expect(outcome.status == .exited(255), "\(outcome)")
                #expect(outcome.stderr.contains("no-such-program"))
                #expect(outcome.stderr.contains("executable file not found in $PATH"))
            }
        }

        @Test("a stopped container refuses it with 255")
        func stopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let outcome = c.exec([], "true")
                #expect(outcome.status == .exited(255), "\(outcome)")
                #expect(outcome.stderr.contains("stopped"), "\(outcome)")
            }
        }

        @Test("a missing container refuses it with 255")
        func missing() throws {
            try withContainer { c in
                #expect(c.exec([], "true").status == .exited(255))
            }
        }

        @Test("without a program it fails")
        func noProgram() throws {
            try withRunningContainer { c in
                #expect(c.runtime("exec", c.id).failed)
            }
        }

        @Test("the container goes on when the exec'd program ends, and ends the exec when it ends")
        func endsWithContainer() throws {
            try withRunningContainer { c in
                #expect(c.exec([], "true").succeeded)
                #expect(c.status == "running")
                var options = LaunchOptions()
                options.whileRunning = { _ in
                    #expect(eventually { exists(c.rootfs + "/ready") })
                    c.kill("KILL")
                }
                let outcome = c.exec([], "sh", "-c", "echo > /ready; sleep 600", options: options)
                #expect(outcome.status == .exited(137), "\(outcome)")
            }
        }

        @Test("ten at once all work")
        func concurrently() throws {
            try withRunningContainer { c in
                let outcomes = Collected()
                let (root, id) = (c.root, c.id)
                DispatchQueue.concurrentPerform(iterations: 10) { index in
                    outcomes.append(
                        launch([
                            Runtime.binary, "--root", root, "exec", id, "sh", "-c", "exit \(index)",
                        ]))
                }
                let codes = outcomes.all.compactMap {
                    if case .exited(let code) = $0.status { code } else { nil }
                }
                #expect(codes.sorted() == Array(0..<10))
            }
        }
    }
}
