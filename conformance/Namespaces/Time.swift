import Foundation
import Testing

extension Conformance.Namespaces {
    @Suite(.requires(Host.hasNamespace("time"), "has no time namespaces")) struct Time {
        @Test(
            "time offsets shift the container's clocks",
            .knownDifference(runc: "1.1 has no time namespace"))
        func offsets() throws {
            try withContainer { c in
                c.config.namespace("time")
                c.config.linux.timeOffsets = [
                    "monotonic": ["secs": 172_800, "nanosecs": 0], "boottime": ["secs": 604_800],
                ]
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                let report = try c.probe()
                let monotonic = (Int(report["monotonic"]) ?? 0) - now.tv_sec
                #expect((172_800...172_830).contains(monotonic), "\(monotonic)")
                clock_gettime(CLOCK_BOOTTIME, &now)
                let boottime = (Int(report["boottime"]) ?? 0) - now.tv_sec
                #expect((604_780...604_830).contains(boottime), "\(boottime)")
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
                    var now = timespec()
                    clock_gettime(CLOCK_MONOTONIC, &now)
                    let shift = (try Int(c.probe()["monotonic"]) ?? 0) - now.tv_sec
                    #expect((172_800...172_830).contains(shift), "\(shift)")
                }
            }
        }

        @Test("exec has the same clocks", .knownDifference(runc: "1.1 has no time namespace"))
        func exec() throws {
            try withRunningContainer(edit: {
                $0.namespace("time")
                $0.linux.timeOffsets = ["monotonic": ["secs": 172_800]]
            }) { c in
                var now = timespec()
                clock_gettime(CLOCK_MONOTONIC, &now)
                let shift = (Int(c.execProbe()["monotonic"]) ?? 0) - now.tv_sec
                #expect((172_800...172_830).contains(shift), "\(shift)")
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
