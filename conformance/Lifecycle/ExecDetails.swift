import Foundation
import Testing

extension Conformance.Lifecycle {
    /// What runc 1.2 to 1.5 settled about `exec`.
    @Suite struct ExecDetails {
        @Test(
            "a --cwd that is missing is an error and is not made",
            .knownDifference(crun: "has other words"))
        func missingDirectory() throws {
            try withRunningContainer { c in
                let outcome = c.exec(["--cwd", "/no/such"], "pwd")
                #expect(outcome.status == .exited(255), "\(outcome)")
                #expect(
                    outcome.stderr.contains("chdir to cwd (\"/no/such\")"),
                    "\(outcome)")
                #expect(!exists(c.rootfs + "/no"))
            }
        }

        @Test(
            "what a process file leaves out is the container's own",
            .knownDifference(runc: "1.1 knows no affinity"),
            .knownDifference(crun: "1.8 knows no affinity"))
        func inherited() throws {
            try withRunningContainer(edit: {
                $0.process.capabilities = capabilitySets(["CAP_KILL"])
                $0.process.execCPUAffinity = ["final": "0"]
            }) { c in
                let process: JSON = ["args": ["/bin/probe"], "cwd": "/", "env": ["PATH=/bin"]]
                try writeText(process.text, to: c.directory + "/p.json")
                let report = ProbeReport(
                    c.runtime("exec", "--process", c.directory + "/p.json", c.id).stdout)
                #expect(report["cap.bounding"] == "0000000000000020")
                #expect(report["cap.effective"] == "0000000000000020")
                #expect(report["cap.ambient"] == "0000000000000000")
                #expect(report["affinity"] == "0")
            }
        }

        @Test("so are umask and oom_score_adj", .knownDifference(runc: "1.1 keeps its own umask"))
        func inheritedMask() throws {
            try withRunningContainer(edit: {
                $0.process.user.umask = 63
                $0.process.oomScoreAdj = 78
            }) { c in
                let process: JSON = [
                    "args": ["sh", "-c", "umask; cat /proc/self/oom_score_adj"], "cwd": "/",
                    "env": ["PATH=/bin"],
                ]
                try writeText(process.text, to: c.directory + "/p.json")
                let outcome = c.runtime("exec", "-p", c.directory + "/p.json", c.id)
                #expect(outcome.lines == ["0077", "78"], "\(outcome)")
            }
        }

        @Test(
            "beside --process, what it says is ignored", .knownDifference(crun: "mixes them"))
        func besideProcess() throws {
            try withRunningContainer { c in
                let process: JSON = ["args": ["pwd"], "cwd": "/etc", "env": ["PATH=/bin"]]
                try writeText(process.text, to: c.directory + "/p.json")
                let outcome = c.runtime(
                    "exec", "--cwd", "/", "-e", "A=1", "-p", c.directory + "/p.json", c.id, "false")
                #expect(outcome.stdout == "/etc\n", "\(outcome)")
            }
        }

        @Test(
            "a value that is wrong gives 255, as man runc-exec has it",
            .knownDifference(runc: "1.1 has other words"), .knownDifference(crun: "1"),
            arguments: [
                (["-u", "root"], "root"), (["-e", "A"], "missing '='"),
                (["-e", "=A"], "name cannot be empty"),
                (["--cgroup", ":a"], "empty <controller> prefix"),
                (["--cgroup", "a", "--cgroup", "pids:b"], "missing <controller>: prefix"),
                (["--cgroup", "pids:/", "--cgroup", "pids:/"], "pids specified multiple times"),
            ] as [([String], String)])
        func wrongValue(flags: [String], words: String) throws {
            try withRunningContainer { c in
                let outcome = c.exec(flags, "true")
                #expect(outcome.status == .exited(255), "\(outcome)")
                #expect(outcome.stderr.contains(words), "\(outcome)")
            }
        }

        @Test(
            "a command line that is none gives 1", arguments: [["exec"], ["exec", "--nope", "c"]])
        func usage(arguments: [String]) throws {
            try withContainer { c in
                #expect(c.runtime(arguments).status == .exited(1))
            }
        }
    }
}
