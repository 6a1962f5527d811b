import Init
import Spec
import Sys
import Testing

@testable import OCIRuntime

/// config-linux.md, IntelRdt: what is decided. What is done, the integration tests see.
@Suite struct ResctrlTests {
    @Test(
        "the mount is found by its type, the last of all of it",
        arguments: [
            ("", nil), ("31 23 0:27 / /sys rw - sysfs sysfs rw\n", nil),
            (
                "31 23 0:27 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw\n",
                "/sys/fs/resctrl"
            ),
            ("31 23 0:27 /a /x rw - resctrl resctrl rw\n", nil),
            ("1 2 0:27 / /a rw - resctrl r rw\n3 2 0:27 / /b\\040c rw - resctrl r rw\n", "/b c"),
            ("1 2 0:27 / /resctrl rw - tmpfs resctrl rw\n1 2 3 4 5 - resctrl\n", nil),
        ] as [(String, String?)])
    func mount(mountinfo: String, path: String?) {
        #expect(Resctrl.mountPoint(in: Array(mountinfo.utf8)) == path)
    }

    @Test(
        "a line of schemata is a resource and numbers: of caches in bits, of bandwidth in decimals")
    func lines() {
        #expect(Schemata("  L3:0=7f0; 1= 1f")?.values == [0: 0x7f0, 1: 0x1f])
        #expect(Schemata("MB:0=10")?.values == [0: 10])
        #expect(Schemata("L2CODE:0=0010")?.values == [0: 16])
        for line in ["", "L3", "L3:0", "L3:0=", "L3:=1", "L3:0=g", "L3:0=1=2", "MB:0=a"] {
            #expect(Schemata(line) == nil, "\(line)")
        }
    }

    private func steps(_ settings: IntelRDT) throws -> [String] {
        var config = Config.plain
        config.linux.intelRdt = settings
        let plan = try Planner.plan(
            config, facts: OCIRuntimeTests.facts { $0.resctrl = { "/r" } },
            options: PlanOptions(id: "c1", bundle: "/b"))
        return plan.steps.filter {
            $0.place.hasPrefix("/linux/intelRdt") || $0.action.name == "clone"
        }
        .map { $0.action.name + " " + $0.action.summary }
    }

    @Test("the class is made and set before the clone, and joined right after")
    func order() throws {
        let steps = try steps(
            IntelRDT(
                closID: "x", schemata: ["L2:0=f"], l3CacheSchema: "L3:0=1", memBwSchema: "MB:0=10",
                enableMonitoring: true))
        #expect(
            steps.map { $0.hasPrefix("clone") ? "clone" : $0 } == [
                "open resctrl group /r/x", "set schemata L3:0=1", "set schemata MB:0=10",
                "set schemata L2:0=f", "make monitoring group /r/x/mon_groups/c1", "clone",
                "join resctrl group /r/x/mon_groups/c1",
            ])
    }

    @Test("a class has the container's name, or the one given; / is the default one")
    func names() throws {
        #expect(try steps(IntelRDT()).first == "open resctrl group /r/c1")
        #expect(
            try steps(IntelRDT(closID: "/")).first == "open resctrl group /r, which must be there")
        #expect(
            try steps(IntelRDT(closID: "y", schemata: ["L3:0=1"])).first
                == "open resctrl group /r/y")
    }
}
