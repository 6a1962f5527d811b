import Foundation
import Testing

extension Conformance.Namespaces {
    @Suite(.requires(Host.hasNamespace("time"), "has no time namespaces")) struct Time {
        /// What the probe reports lies between the host's seconds before and after, shifted.
        private func expectShift(
            _ shifts: [String: Int], sourceLocation: SourceLocation = #_sourceLocation,
            _ probe: () throws -> ProbeReport
        ) throws {
            func seconds(_ clock: String) -> Int {
                var now = timespec()
                clock_gettime(clock == "monotonic" ? CLOCK_MONOTONIC : CLOCK_BOOTTIME, &now)
                return now.tv_sec
            }
            let before = shifts.map { seconds($0.key) + $0.value }
            let report = try probe()
            for ((clock, shift), before) in zip(shifts, before) {
                let seen = Int(report[clock]) ?? 0
                #expect(
                    seen >= before && seen <= seconds(clock) + shift, "\(clock): \(seen)",
                    sourceLocation: sourceLocation)
            }
        }

        @Test(
            "time offsets shift the container's clocks",
            .knownDifference(runc: "1.1 has no time namespace"))
        func offsets() throws {
            try withContainer { c in
                c.config.namespace("time")
                c.config.linux.timeOffsets = [
                    "monotonic": ["secs": 172_800, "nanosecs": 0], "boottime": ["secs": 604_800],
                ]
                try expectShift(["monotonic": 172_800, "boottime": 604_800]) { try c.probe() }
            }
        }

        @Test(
            "time offsets beside a joined user namespace",
            .knownDifference(runc: "1.1 has no time namespace"))
        func besideJoinedUser() throws {
            try withRunningContainer(edit: { $0.userNamespace(base: 100_000) }) { other in
                try withContainer { c in
                    c.config.namespace("user", path: "/proc/\(other.pid)/ns/user")
                    c.config.namespace("time")
                    c.config.linux.timeOffsets = ["monotonic": ["secs": 172_800]]
                    launch(["chown", "-R", "100000:100000", c.rootfs])
                    try expectShift(["monotonic": 172_800]) { try c.probe() }
                }
            }
        }

        @Test(
            "time offsets in a new user namespace, which the clocks belong to, with a pid namespace joined",
            .knownDifference(runc: "1.1 has no time namespace"), arguments: [false, true])
        func inNewUser(joinsPid: Bool) throws {
            try withRunningContainer { other in
                try withContainer { c in
                    c.config.userNamespace(base: 100_000)
                    c.config.namespace("time")
                    c.config.linux.timeOffsets = ["monotonic": ["secs": 172_800]]
                    if joinsPid {
                        c.config.namespace("pid", path: "/proc/\(other.pid)/ns/pid")
                        // A new procfs would show processes of the host's user namespace.
                        c.config.removeMount("/proc")
                    }
                    launch(["chown", "-R", "100000:100000", c.rootfs])
                    c.config.program("sleep", "600")
                    let outcome = try c.runDetached()
                    try #require(outcome.succeeded, "\(outcome)")
                    try expectShift(["monotonic": 172_800]) { c.execProbe() }
                    let clocks = open("/proc/\(c.pid)/ns/time", O_RDONLY | O_CLOEXEC)
                    defer { close(clocks) }
                    let owner = ioctl(clocks, UInt(0xb701))  // NS_GET_USERNS, ioctl_ns(2)
                    defer { close(owner) }
                    var (found, own) = (stat(), stat())
                    fstat(owner, &found)
                    stat("/proc/\(c.pid)/ns/user", &own)
                    #expect(found.st_ino == own.st_ino)
                }
            }
        }

        @Test("exec has the same clocks", .knownDifference(runc: "1.1 has no time namespace"))
        func exec() throws {
            try withRunningContainer(edit: {
                $0.namespace("time")
                $0.linux.timeOffsets = ["monotonic": ["secs": 172_800]]
            }) { c in
                try expectShift(["monotonic": 172_800]) { c.execProbe() }
            }
        }

        @Test(
            "a container that has joined another's clocks is what it is for everybody",
            .knownDifference(runc: "1.1 has no time namespace"))
        func joined() throws {
            try withRunningContainer(edit: {
                $0.namespace("time")
                $0.linux.timeOffsets = ["boottime": ["secs": 604_800]]
            }) { other in
                try withContainer { c in
                    c.config.namespace("time", path: "/proc/\(other.pid)/ns/time")
                    c.config.program("sleep", "600")
                    let created = try c.create()
                    try #require(created.succeeded, "\(created)")
                    #expect(c.status == "created")
                    #expect(c.start().succeeded)
                    #expect(c.status == "running")
                    var now = timespec()
                    clock_gettime(CLOCK_BOOTTIME, &now)
                    let shift = (Int(c.execProbe()["boottime"]) ?? 0) - now.tv_sec
                    #expect((604_780...604_830).contains(shift), "\(shift)")
                }
            }
        }

        @Test(
            "time offsets without a new time namespace are refused",
            .knownDifference(runc: "1.1 has no time namespace"))
        func noNamespace() throws {
            try withContainer { c in
                c.config.linux.timeOffsets = ["monotonic": ["secs": 1]]
                expectRefusal(try c.create(), c, naming: "timeOffsets")
            }
        }

        @Test(
            "an offset of a clock that has none is refused and named",
            .knownDifference(runc: "1.1 has no time namespace"))
        func unknownClock() throws {
            try withContainer { c in
                c.config.namespace("time")
                c.config.linux.timeOffsets = ["realtime": ["secs": 1]]
                expectRefusal(try c.create(), c, naming: "realtime")
            }
        }
    }
}
