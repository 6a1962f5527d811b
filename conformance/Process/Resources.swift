import Foundation
import Testing

extension Conformance.Process {
    @Suite struct Resources {
        @Test(
            "a resource limit is the config's, soft and hard",
            arguments: [
                "AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "MEMLOCK", "MSGQUEUE", "NOFILE",
                "NPROC", "RSS", "RTTIME", "SIGPENDING", "STACK",
            ])
        func limit(name: String) throws {
            try withContainer { c in
                // Lower than any default, yet enough to start: AS, DATA and STACK are bytes.
                let bytes = ["AS", "DATA", "STACK", "RSS", "FSIZE"].contains(name)
                let hard = bytes ? 1 << 23 : 999
                // Go raises RLIMIT_NOFILE's soft limit to the hard one for itself.
                let soft = name == "NOFILE" && Runtime.kind == .runc ? hard : hard - 100
                c.config.process.rlimits = [
                    ["type": "RLIMIT_\(name)", "soft": JSON(soft), "hard": JSON(hard)]
                ]
                try #expect(c.probe()["rlimit.\(name)"] == "\(soft):\(hard)")
            }
        }

        @Test("limits not in the config are the caller's")
        func otherLimits() throws {
            try withContainer { c in
                c.config.process.rlimits = [["type": "RLIMIT_CORE", "soft": 0, "hard": 0]]
                let report = try c.probe()
                #expect(report["rlimit.CORE"] == "0:0")
                var own = rlimit()
                getrlimit(__RLIMIT_NPROC, &own)
                #expect(report["rlimit.NPROC"] == "\(own.rlim_cur):\(own.rlim_max)")
            }
        }

        @Test("the largest number is unlimited")
        func unlimited() throws {
            try withContainer { c in
                let unlimited: JSON = .uint(.max)
                c.config.process.rlimits = [
                    ["type": "RLIMIT_FSIZE", "soft": unlimited, "hard": unlimited]
                ]
                try #expect(
                    c.probe()["rlimit.FSIZE"] == "18446744073709551615:18446744073709551615")
            }
        }

        @Test("an unknown limit fails and is named")
        func unknown() throws {
            try withContainer { c in
                c.config.process.rlimits = [["type": "RLIMIT_NOPE", "soft": 1, "hard": 1]]
                let outcome = try c.create()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("RLIMIT_NOPE"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "two entries for one limit fail", .knownDifference(runc: "the last one wins"),
            .knownDifference(crun: "the last one wins"))
        func duplicate() throws {
            try withContainer { c in
                c.config.process.rlimits = [
                    ["type": "RLIMIT_CORE", "soft": 1, "hard": 1],
                    ["type": "RLIMIT_CORE", "soft": 2, "hard": 2],
                ]
                let outcome = try c.create()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("RLIMIT_CORE"), "\(outcome)")
            }
        }

        @Test("a soft limit above the hard one fails and is named")
        func softAboveHard() throws {
            try withContainer { c in
                c.config.process.rlimits = [["type": "RLIMIT_CORE", "soft": 2, "hard": 1]]
                let outcome = try c.create()
                #expect(outcome.failed)
                c.expectNothingLeft()
            }
        }

        @Test("oomScoreAdj is the config's", arguments: [1, 500, 1000])
        func oomScoreAdj(value: Int) throws {
            try withContainer { c in
                c.config.process.oomScoreAdj = JSON(value)
                try #expect(c.sh("cat /proc/self/oom_score_adj") == "\(value)")
            }
        }

        @Test("without oomScoreAdj the caller's is kept")
        func inheritedOOMScoreAdj() throws {
            try withContainer { c in
                c.config.program("cat", "/proc/self/oom_score_adj")
                try c.writeConfig()
                let outcome = launch([
                    "sh", "-c", "echo 321 > /proc/self/oom_score_adj; exec \"$@\"", "sh",
                    Runtime.binary, "--root", c.root, "run", "-b", c.bundle, c.id,
                ])
                #expect(outcome.stdout == "321\n", "\(outcome)")
            }
        }

        @Test("an oomScoreAdj out of range fails", arguments: [1001, -1001, 4_294_967_297])
        func badOOMScoreAdj(value: Int) throws {
            try withContainer { c in
                c.config.process.oomScoreAdj = JSON(value)
                let outcome = try c.create()
                #expect(outcome.failed, "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "a deadline that the container's CPUs cannot have says that they are the reason",
            .swruncOnly, .requires(Host.hasCapability(23), "no CAP_SYS_NICE"),
            .requires(ProcessInfo.processInfo.activeProcessorCount > 1, "has one CPU only"))
        func deadline() throws {
            try withContainer { c in
                c.config.process.scheduler = [
                    "policy": "SCHED_DEADLINE", "runtime": 1_000_000, "deadline": 100_000_000,
                    "period": 100_000_000,
                ]
                c.config.linux.resources.cpu = ["cpus": "0"]
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/process/scheduler")
                #expect(outcome.stderr.contains("/linux/resources/cpu/cpus"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "scheduler is the config's",
            .knownDifference(runc: "1.1 does not know it"),
            .knownDifference(crun: "1.8.1 wants other numbers"),
            arguments: [
                (["policy": "SCHED_BATCH", "nice": 5], "policy:3 flags:0 nice:5 priority:0"),
                (["policy": "SCHED_IDLE"], "policy:5 flags:0 nice:0 priority:0"),
                (["policy": "SCHED_OTHER", "nice": 10], "policy:0 flags:0 nice:10 priority:0"),
                (
                    ["policy": "SCHED_BATCH", "flags": ["SCHED_FLAG_RESET_ON_FORK"]],
                    "policy:3 flags:1 nice:0 priority:0"
                ),
            ] as [(JSON, String)])
        func scheduler(scheduler: JSON, expected: String) throws {
            try withContainer { c in
                c.config.process.scheduler = scheduler
                try #expect(c.probe()["sched"] == expected)
            }
        }

        @Test(
            "an unknown scheduling policy fails and is named",
            .knownDifference(runc: "1.1 ignores scheduler"))
        func unknownScheduler() throws {
            try withContainer { c in
                c.config.process.scheduler = ["policy": "SCHED_NOPE"]
                let outcome = try c.create()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("SCHED_NOPE"), "\(outcome)")
            }
        }

        @Test(
            "ioPriority is the config's",
            .knownDifference(runc: "1.1 does not know it"),
            .knownDifference(crun: "1.8.1 does not know it"),
            arguments: [
                ("IOPRIO_CLASS_IDLE", 0, "3:0"), ("IOPRIO_CLASS_BE", 6, "2:6"),
            ])
        func ioPriority(class: String, priority: Int, expected: String) throws {
            try withContainer { c in
                c.config.process.ioPriority = [
                    "class": .string(`class`), "priority": JSON(priority),
                ]
                try #expect(c.probe()["ioprio"] == expected)
            }
        }

        @Test(
            "an ioPriority without a priority, as the schema has it, is the highest of its class",
            .knownDifference(runc: "1.1 does not know it"),
            .knownDifference(crun: "1.8.1 does not know it"))
        func ioPriorityOfClass() throws {
            try withContainer { c in
                c.config.process.ioPriority = ["class": "IOPRIO_CLASS_BE"]
                try #expect(c.probe()["ioprio"] == "2:0")
            }
        }

        @Test(
            "personality LINUX32 makes a 32 bit machine of it",
            .knownDifference(runc: "1.1 does not know it"),
            arguments: [
                ("LINUX", "x86_64", "0"), ("LINUX32", "i686", "8"),
            ])
        func personality(domain: String, machine: String, number: String) throws {
            #if arch(x86_64)
                try withContainer { c in
                    c.config.linux.personality = ["domain": .string(domain)]
                    let report = try c.probe()
                    #expect(report["machine"] == machine)
                    #expect(report["personality"] == number)
                }
            #endif
        }

        @Test(
            "memoryPolicy is the config's; a mode that needs no nodes has none",
            .knownDifference(runc: "1.1 does not know it"),
            .knownDifference(crun: "1.8.1 does not know it"),
            .requires(exists("/proc/self/numa_maps"), "has a kernel without NUMA"),
            arguments: [
                (["mode": "MPOL_DEFAULT"], "default"),
                (["mode": "MPOL_LOCAL", "nodes": ""], "local"),
                (["mode": "MPOL_PREFERRED"], "local"),
                (["mode": "MPOL_BIND", "nodes": "0"], "bind:0"),
                (
                    ["mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]],
                    "interleave=static:0"
                ),
                (
                    ["mode": "MPOL_BIND", "nodes": "0-0", "flags": ["MPOL_F_RELATIVE_NODES"]],
                    "bind=relative:0"
                ),
            ] as [(JSON, String)])
        func memoryPolicy(policy: JSON, shown: String) throws {
            try withContainer { c in
                c.config.linux.memoryPolicy = policy
                let words = try c.sh("head -1 /proc/self/numa_maps").split(separator: " ")
                #expect(words.dropFirst().first.map(String.init) == shown)
            }
        }

        @Test(
            "a memoryPolicy that is none fails and is named",
            .knownDifference(runc: "1.1 does not know it"),
            .knownDifference(crun: "1.8.1 does not know it"),
            arguments: [
                (["mode": "MPOL_NOPE"], "MPOL_NOPE"), (["nodes": "0"], "mode"),
                (["mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NOPE"]], "MPOL_F_NOPE"),
                (["mode": "MPOL_BIND"], "nodes"), (["mode": "MPOL_LOCAL", "nodes": "0"], "nodes"),
            ] as [(JSON, String)])
        func badMemoryPolicy(policy: JSON, name: String) throws {
            try withContainer { c in
                c.config.linux.memoryPolicy = policy
                let outcome = try c.create()
                #expect(outcome.failed && outcome.stderr.contains(name), "\(outcome)")
            }
        }

        @Test(
            "execCPUAffinity is for exec alone: initial until it has joined, final for the program",
            .knownDifference(runc: "1.1 does not know it"),
            .knownDifference(crun: "1.8.1 does not know it"),
            arguments: [
                (["initial": "0", "final": "0"], "0"), (["final": "0"], "0"),
                (["initial": "", "final": ""], ""), ([:], ""),
            ] as [(JSON, String)])
        func execAffinity(affinity: JSON, expected: String) throws {
            let show = "grep Cpus_allowed_list /proc/self/status | cut -f2"
            let all = launch(["sh", "-c", show]).trimmed
            try withRunningContainer(edit: { $0.process.execCPUAffinity = affinity }) { c in
                #expect(c.execSh(show) == (expected.isEmpty ? all : expected))
                let ofInit = readText("/proc/\(c.pid)/status")
                #expect(ofInit.contains("Cpus_allowed_list:\t\(all)\n"))
            }
        }

        @Test(
            "an execCPUAffinity that the host does not have fails exec, and is named",
            .knownDifference(runc: "1.1 does not know it"),
            .knownDifference(crun: "1.8.1 does not know it"), arguments: ["initial", "final"])
        func badExecAffinity(member: String) throws {
            try withRunningContainer(edit: {
                $0.process.execCPUAffinity = [:]
                $0.process.execCPUAffinity[member] = "4000"
            }) { c in
                let outcome = c.exec([], "true")
                #expect(outcome.status == .exited(255), "\(outcome)")
                #expect(outcome.stderr.contains("execCPUAffinity/\(member)"), "\(outcome)")
            }
        }

        @Test(
            "a session keyring of its own, unless --no-new-keyring",
            .requires(Host.hasKeyrings, "has no keyrings"))
        func keyring() throws {
            try withContainer { c in
                let own = try c.probe()["keyring"]
                #expect(own.contains("_ses.") && own.contains(c.id), "\(own)")
                c.config.program("/bin/probe")
                let callers = ProbeReport(try c.run(["--no-new-keyring"]).stdout)["keyring"]
                #expect(!callers.contains(c.id), "\(callers)")
            }
        }
    }
}
