import Foundation
import Testing

extension Conformance {
    /// `events`, in the shape that containerd's and Docker's shims read, on either version of cgroups.
    @Suite(.knownDifference(crun: "has no events")) struct Events {
        private func statistics(_ c: Container) throws -> JSON {
            let outcome = c.runtime("events", "--stats", c.id)
            #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
            #expect(outcome.lines.count == 1, "\(outcome)")
            let event = try JSON(parsing: outcome.stdout)
            #expect(event.type == "stats")
            #expect(event.id.string == c.id)
            return event.data
        }

        @Test("--stats has the memory, its limit and the table of the kernel")
        func memory() throws {
            try withContainer { c in
                c.config.linux.resources.memory = ["limit": 134_217_728]
                c.config.program("probe", "eat", "32", "600")
                try c.runDetached()
                try #require(c.prints("eaten=32"))
                let memory = try statistics(c).memory
                #expect(memory.usage.limit.int == 134_217_728)
                let used = memory.usage.usage.int ?? 0
                #expect(used > 30 << 20 && used < 64 << 20, "\(memory.usage.text)")
                #expect((memory.usage.max.int ?? 0) >= 30 << 20)
                #expect(memory.usage.failcnt.int == 0)
                let anonymous = memory.raw[Host.isUnified ? "anon" : "rss"].int ?? 0
                #expect(anonymous > 30 << 20, "\(memory.raw.text)")
                let swap = memory.swap.usage.int ?? 0
                #expect(swap == 0 || swap > 30 << 20, "memory and swap together")
            }
        }

        @Test("--stats has the CPU time in nanoseconds, and how often it was throttled")
        func cpu() throws {
            try withContainer { c in
                // So little that it is throttled beside any other work as well.
                c.config.linux.resources.cpu = ["quota": 5000, "period": 100_000]
                c.config.shell("while :; do :; done")
                try c.runDetached()
                try #require(
                    eventually { used(c) > 20_000_000 && cpuStatistic("nr_throttled", c) > 0 })
                let before = (total: used(c), parts: usedInParts(c))
                let cpu = try statistics(c).cpu
                let total = cpu.usage.total.int ?? 0
                let parts = (cpu.usage.user.int ?? 0) + (cpu.usage.kernel.int ?? 0)
                #expect(total >= before.total && total <= used(c), "\(before), \(cpu.usage.text)")
                // On v2 each is cut to microseconds.
                #expect(
                    parts >= before.parts - 2000 && parts <= usedInParts(c) + 2000,
                    "\(before), \(cpu.usage.text)")
                #expect((cpu.throttling.periods.int ?? 0) > 0, "\(cpu.throttling.text)")
                #expect((cpu.throttling.throttledPeriods.int ?? 0) > 0)
                #expect((cpu.throttling.throttledTime.int ?? 0) > 1_000_000)
            }
        }

        /// The nanoseconds of processor time that the kernel has counted.
        private func used(_ c: Container) -> Int {
            Host.isUnified
                ? cpuStatistic("usage_usec", c) * 1000
                : Int(c.cgroupFile("cpuacct", "cpuacct.usage")) ?? 0
        }

        /// The same, told apart by what it was used for; on v1 that is by ticks.
        private func usedInParts(_ c: Container) -> Int {
            if Host.isUnified {
                return (cpuStatistic("user_usec", c) + cpuStatistic("system_usec", c)) * 1000
            }
            return ["cpuacct.usage_user", "cpuacct.usage_sys"]
                .reduce(0) { $0 + (Int(c.cgroupFile("cpuacct", $1)) ?? 0) }
        }

        private func cpuStatistic(_ name: String, _ c: Container) -> Int {
            let lines = c.reads(.cpuStatistics).split(separator: "\n")
            let line = lines.first { $0.hasPrefix(name + " ") }
            return line.flatMap { Int($0.dropFirst(name.count + 1)) } ?? 0
        }

        @Test("--stats has the number of processes and its limit, 0 for none")
        func pids() throws {
            try withContainer { c in
                c.config.linux.resources.pids = ["limit": 20]
                c.config.shell("sleep 601 & sleep 602 & echo ready; wait")
                try c.runDetached()
                try #require(c.prints("ready"))
                try #require(eventually { Leaks.processes(inCgroup: c.cgroupsPath).count == 3 })
                try #expect(statistics(c).pids == ["current": 3, "limit": 20])
            }
            try withRunningContainer { c in
                let pids = try statistics(c).pids
                #expect(pids.current.int == 1)
                #expect(pids.limit.int ?? 0 == 0)
            }
        }

        @Test("--stats has a table of the block I/O by device and operation")
        func blockIO() throws {
            try withContainer { c in
                c.config.shell(
                    """
                    dd if=/dev/zero of=/file bs=1M count=4 conv=fsync 2>/dev/null; echo written
                    sleep 600
                    """)
                try c.runDetached()
                try #require(c.prints("written"))
                let file = ControlFile(
                    "blkio", "blkio.throttle.io_service_bytes_recursive", v2: "io.stat")
                if !c.reads(file).contains(Host.isUnified ? "wbytes" : "Write") {
                    try Test.cancel("this host's files are on no block device")
                }
                let entries = try statistics(c).blkio.ioServiceBytesRecursive.array
                let written = entries.filter { $0.op == "Write" }.compactMap(\.value.int)
                #expect(written.contains { $0 >= 4 << 20 }, "\(entries)")
                #expect(entries.allSatisfy { $0.major.int != nil })
            }
        }

        @Test("--stats has the cpuset", .requires(!Host.isUnified, "has cgroup v2"))
        func cpuset() throws {
            try withRunningContainer(edit: { $0.linux.resources.cpu = ["cpus": "0-1"] }) { c in
                let cpuset = try statistics(c).cpuset
                #expect(cpuset.cpus == [0, 1])
                #expect(cpuset.sched_load_balance.int == 1)
            }
        }

        @Test("--stats of a paused container works, of a stopped one it says so")
        func states() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached()
                #expect(c.runtime("pause", c.id).succeeded)
                try #expect(statistics(c).pids.current.int == 1)
                #expect(c.kill("KILL").succeeded)
                #expect(c.becomes("stopped"))
                for flags in [["--stats"], []] {
                    let outcome = c.runtime(["events"] + flags + [c.id])
                    #expect(outcome.failed, "\(outcome)")
                    #expect(outcome.stderr.contains("is not running"), "\(outcome)")
                }
            }
        }

        /// The events until the container has ended. `body` is called once the command waits for what
        /// happens; `lines` are those so far.
        private func stream(
            _ c: Container, _ flags: [String],
            _ body: @escaping (_ lines: @escaping () -> [Substring]) -> Void
        ) throws -> [JSON] {
            var options = LaunchOptions()
            let file = c.directory + "/events"
            options.stdout = .file(file)
            options.whileRunning = { pid in
                #expect(eventually { readText("/proc/\(pid)/wchan").contains("poll") })
                body { readText(file).split(separator: "\n") }
            }
            let outcome = c.runtime(["events"] + flags + [c.id], options)
            #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
            return try outcome.lines.map { try JSON(parsing: $0) }
        }

        @Test("the stream has the statistics after each interval, and ends with the container")
        func interval() throws {
            try withRunningContainer { c in
                let started = ContinuousClock.now
                // As many as the default interval has no time for.
                let events = try stream(c, ["--interval", "50ms"]) { lines in
                    #expect(eventually { lines().count >= 10 })
                    c.kill("KILL")
                }
                #expect(.milliseconds(50) * events.count <= ContinuousClock.now - started)
                #expect(events.allSatisfy { $0.type == "stats" && $0.id.string == c.id })
                // The last may have seen it end.
                #expect(events.dropLast().allSatisfy { $0.data.pids.current.int == 1 })
            }
        }

        @Test("the stream tells that a process was killed for want of memory, at once")
        func outOfMemory() throws {
            try withContainer { c in
                c.config.linux.resources.memory = ["limit": 33_554_432, "swap": 33_554_432]
                c.config.shell("until [ -e /go ]; do sleep 0.05; done; probe eat 100; sleep 600")
                try c.runDetached()
                let events = try stream(c, ["--interval=600s"]) { lines in
                    try? writeText("", to: c.rootfs + "/go")
                    #expect(eventually { !lines().isEmpty })
                    c.kill("KILL")
                }
                #expect(!events.isEmpty)
                #expect(events.allSatisfy { $0.type == "oom" && $0.id.string == c.id }, "\(events)")
                #expect(events.allSatisfy { $0.data == .null })
            }
        }

        @Test("the stream tells it of the container's own first process as well")
        func outOfMemoryInit() throws {
            try withContainer { c in
                c.config.linux.resources.memory = ["limit": 33_554_432, "swap": 33_554_432]
                c.config.shell("until [ -e /go ]; do sleep 0.05; done; exec probe eat 100")
                try c.runDetached()
                let events = try stream(c, []) { _ in
                    try? writeText("", to: c.rootfs + "/go")
                }
                #expect(events.contains { $0.type == "oom" }, "\(events)")
            }
        }

        @Test(
            "an interval that is none is refused", arguments: ["0", "0s", "-1s", "x", "5x", ""])
        func badInterval(text: String) throws {
            try withRunningContainer { c in
                let outcome = c.runtime("events", "--interval=\(text)", c.id)
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("interval"), "\(outcome)")
            }
        }

        @Test("of a container without a cgroup it is said so, not that it uses nothing")
        func noCgroup() throws {
            try withContainer { c in
                c.globals += ["--cgroup-manager", "disabled"]
                c.config.program("sleep", "600")
                let started = try c.runDetached()
                try #require(started.succeeded, "\(started)")
                for flags in [["--stats"], []] {
                    let outcome = c.runtime(["events"] + flags + [c.id])
                    #expect(outcome.failed && outcome.stdout.isEmpty, "\(outcome)")
                    #expect(outcome.stderr.contains("has no cgroup"), "\(outcome)")
                }
            }
        }

        @Test("of what does not exist it is said so")
        func missing() throws {
            try withContainer { c in
                let outcome = c.runtime("events", "--stats", "swrunc-none")
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("does not exist"), "\(outcome)")
            }
        }
    }
}
