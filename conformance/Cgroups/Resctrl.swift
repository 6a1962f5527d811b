import Foundation
import Testing

extension Conformance {
    /// config-linux.md, IntelRdt. Hardly a machine of a developer's has resctrl. Here a directory stands
    /// for it, which the runtime's own `mountinfo` names: files where classes are there already, and a
    /// cgroup, whose directories also come and go with a `tasks` of their own, where some are made.
    @Suite(.swruncOnly) struct Resctrl {}
}

/// Gives `body` a container whose runtime takes `root` for resctrl.
private func withResctrl(
    at root: (Container) throws -> String, _ body: (Container, String) throws -> Void
) throws {
    try withContainer { c in
        let root = try root(c)
        let mountinfo = c.directory + "/mountinfo"
        try writeText("31 23 0:27 / \(root) rw,relatime - resctrl resctrl rw\n", to: mountinfo)
        c.sandbox = [
            "unshare", "--mount", "--propagation", "private", "sh", "-ec",
            "mount --bind \"$0\" /proc/$$/mountinfo; exec \"$@\"", mountinfo,
        ]
        // The init would leave the cgroup that stands for a class.
        c.globals += ["--cgroup-manager", "disabled"]
        c.config.linux.resources = .null
        c.config.program("sleep", "600")
        try body(c, root)
    }
}

/// Directories and files: the default class, and one that somebody has made.
private func tree(_ c: Container) throws -> String {
    let root = c.directory + "/resctrl"
    for directory in ["", "/info", "/info/MB", "/made", "/made/mon_groups"] {
        mkdir(root + directory, 0o755)
    }
    for group in ["", "/made"] {
        try writeText("", to: "\(root)\(group)/tasks")
        try writeText(
            "    L3:0=7f0;1=1f\n    MB:0= 20;1= 70\n", to: "\(root)\(group)/schemata")
    }
    try writeText("10\n", to: root + "/info/MB/bandwidth_gran")
    try writeText("ok\n", to: root + "/info/last_cmd_status")
    return root
}

/// A cgroup of the test's own.
private func cgroup(_ c: Container) throws -> String {
    let root = try #require(Host.controller("freezer")) + c.cgroupsPath
    #expect(mkdir(root, 0o755) == 0)
    return root
}

extension Conformance.Resctrl {
    @Test("without resctrl create fails, and says how to mount it")
    func notMounted() throws {
        try withContainer { c in
            c.config.linux.intelRdt = ["closID": "x", "schemata": ["MB:0=20"]]
            let outcome = try c.create()
            #expect(outcome.failed, "\(outcome)")
            #expect(outcome.stderr.contains("/linux/intelRdt"), "\(outcome)")
            #expect(outcome.stderr.contains("mount -t resctrl"), "\(outcome)")
            c.expectNothingLeft()
        }
    }

    @Test("the init is in the tasks of the class; / is the default one", arguments: ["made", "/"])
    func joined(name: String) throws {
        try withResctrl(at: tree) { c, root in
            c.config.linux.intelRdt = ["closID": .string(name)]
            let outcome = try c.create()
            try #require(outcome.succeeded, "\(outcome)")
            let path = name == "/" ? root : root + "/" + name
            #expect(readText(path + "/tasks") == "\(c.pid)")
            #expect(readText(path + "/schemata").hasPrefix("    L3:0=7f0"), "not written to")
            #expect(c.delete("--force").succeeded)
            #expect(exists(path + "/tasks"), "not the container's to remove")
        }
    }

    @Test("a class without schemata must be there")
    func missing() throws {
        try withResctrl(at: tree) { c, root in
            c.config.linux.intelRdt = ["closID": "none"]
            let outcome = try c.create()
            #expect(outcome.failed && outcome.stderr.contains("\(root)/none"), "\(outcome)")
            #expect(outcome.stderr.contains("made before"), "\(outcome)")
            #expect(!exists(root + "/none"))
            c.expectNothingLeft()
        }
    }

    @Test(
        "a class that is there has the settings asked for, or create fails",
        arguments: [
            ("L3:0=7f0", "", true), ("L3:1=01f;0=07F0", "MB:1=70", true), ("", "MB:0=15", true),
            ("L3:0=7ff", "", false), ("L3:0=7f0", "MB:0=30", false), ("L3:2=1", "", false),
            ("L2:0=f", "", false), ("nonsense", "", false),
        ])
    func matching(cache: String, bandwidth: String, fits: Bool) throws {
        try withResctrl(at: tree) { c, root in
            c.config.linux.intelRdt = ["closID": "made"]
            if !cache.isEmpty { c.config.linux.intelRdt.l3CacheSchema = .string(cache) }
            if !bandwidth.isEmpty { c.config.linux.intelRdt.memBwSchema = .string(bandwidth) }
            let outcome = try c.create()
            #expect(outcome.succeeded == fits, "\(outcome)")
            #expect(readText(root + "/made/tasks") == (fits ? "\(c.pid)" : ""))
            if !fits { #expect(outcome.stderr.contains("/linux/intelRdt/closID"), "\(outcome)") }
        }
    }

    @Test("l3CacheSchema is written first, memBwSchema next, schemata last, each a line")
    func order() throws {
        try withResctrl(at: tree) { c, root in
            let group = "\(root)/\(c.id)"
            mkdir(group, 0o755)
            try writeText("", to: group + "/tasks")
            mkfifo(group + "/schemata", 0o600)
            let pipe = open(group + "/schemata", O_RDWR | O_NONBLOCK | O_CLOEXEC)
            defer { close(pipe) }
            c.config.linux.intelRdt = [
                "schemata": ["L2:0=f", "MB:0=50"], "memBwSchema": "MB:0=20",
                "l3CacheSchema": "L3DATA:0=f\nL3CODE:0=7",
            ]
            let outcome = try c.create()
            #expect(outcome.succeeded, "\(outcome)")
            var bytes = [UInt8](repeating: 0, count: 4096)
            let count = read(pipe, &bytes, bytes.count)
            #expect(
                String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
                    == "L3DATA:0=f\nL3CODE:0=7\nMB:0=20\nL2:0=f\nMB:0=50\n")
            // It was there before the container.
            #expect(c.delete("--force").succeeded && exists(group))
        }
    }

    @Test("what the kernel refuses is told in its words, and nothing is left")
    func refused() throws {
        try withResctrl(at: tree) { c, root in
            try writeText("Unknown resource L9\n", to: root + "/info/last_cmd_status")
            c.config.linux.intelRdt = ["closID": "new", "schemata": ["L9:0=1"]]
            // The directory that is made here has no file schemata.
            let outcome = try c.create()
            #expect(outcome.failed && outcome.stderr.contains("Unknown resource L9"), "\(outcome)")
            #expect(outcome.stderr.contains("/linux/intelRdt/schemata/0"), "\(outcome)")
            #expect(!exists(root + "/new"))
            c.expectNothingLeft()
        }
    }

    @Test(
        "without closID the class is named by the container, and goes with it",
        .requires(Host.controller("freezer") != nil, "has no cgroup v1 to stand for resctrl"))
    func own() throws {
        try withResctrl(at: cgroup) { c, root in
            c.config.linux.intelRdt = [:]
            let outcome = try c.create()
            try #require(outcome.succeeded, "\(outcome)")
            #expect(readText("\(root)/\(c.id)/tasks") == "\(c.pid)\n")
            #expect(c.start().succeeded)
            // What exec starts is there as well.
            #expect(c.execSh("sleep 600 & echo in") == "in")
            #expect(readText("\(root)/\(c.id)/tasks").split(separator: "\n").count == 2)
            #expect(c.delete("--force").succeeded)
            #expect(!exists("\(root)/\(c.id)"))
            rmdir(root)
        }
    }

    @Test(
        "enableMonitoring is a group of the container's own, which goes with it; the class stays",
        .requires(Host.controller("freezer") != nil, "has no cgroup v1 to stand for resctrl"))
    func monitoring() throws {
        try withResctrl(at: cgroup) { c, root in
            mkdir(root + "/made", 0o755)
            mkdir(root + "/made/mon_groups", 0o755)
            c.config.linux.intelRdt = ["closID": "made", "enableMonitoring": true]
            let outcome = try c.create()
            try #require(outcome.succeeded, "\(outcome)")
            let group = "\(root)/made/mon_groups/\(c.id)"
            #expect(readText(group + "/tasks") == "\(c.pid)\n")
            // One that is there belongs to somebody else.
            let again = c.runtime(["create", "--bundle", c.bundle, c.id + "-2"])
            #expect(again.succeeded, "\(again)")
            #expect(c.runtime(["delete", "--force", c.id + "-2"]).succeeded)
            #expect(c.delete("--force").succeeded)
            #expect(!exists(group) && exists(root + "/made"))
            mkdir(group, 0o755)
            let taken = try c.create()
            #expect(taken.failed && taken.stderr.contains("File exists"), "\(taken)")
            #expect(exists(group), "not the container's to remove")
            for path in [group, root + "/made/mon_groups", root + "/made", root] { rmdir(path) }
        }
    }

    @Test(
        "a create that fails later leaves no class behind, but one that others use",
        .requires(Host.controller("freezer") != nil, "has no cgroup v1 to stand for resctrl"))
    func undone() throws {
        try withResctrl(at: cgroup) { c, root in
            c.config.linux.intelRdt = [:]
            c.config.program("/no/such/program")
            let outcome = try c.create()
            #expect(outcome.failed && outcome.stderr.contains("/no/such"), "\(outcome)")
            #expect(!exists("\(root)/\(c.id)"))
            rmdir(root)
        }
    }

    @Test("update writes the lines that are given, events shows them, and both are kept in mind")
    func update() throws {
        try withResctrl(at: tree) { c, root in
            mkdir(root + "/made/mon_data", 0o755)
            mkdir(root + "/made/mon_data/mon_L3_00", 0o755)
            for (file, text) in [("mbm_total_bytes", "7"), ("llc_occupancy", "5")] {
                try writeText(text + "\n", to: root + "/made/mon_data/mon_L3_00/" + file)
            }
            c.globals.removeLast(2)
            c.config.linux.intelRdt = ["closID": "made"]
            try #require(try c.runDetached().succeeded)
            let outcome = c.runtime("update", "--l3-cache-schema", "L3:0=001;1=01", c.id)
            #expect(outcome.succeeded, "\(outcome)")
            #expect(readText(root + "/made/schemata").hasPrefix("L3:0=001;1=01\n"))
            let kept = readText("\(c.root)/\(c.id)/config.json")
            #expect(kept.contains("\"l3CacheSchema\":\"L3:0=001;1=01\""), "\(kept)")
            let stats = c.runtime("events", "--stats", c.id)
            let counted = try JSON(parsing: stats.stdout).data.intel_rdt
            #expect(counted.l3_cache_schema.string == "L3:0=001;1=01", "\(stats)")
            #expect(counted.mbm_stats[0].mbm_total_bytes.int == 7, "\(stats)")
            #expect(counted.cmt_stats[0].llc_occupancy.int == 5, "\(stats)")
            try #require(c.delete("--force").succeeded)
        }
    }

    @Test("update of a line that is refused, or beside a limit that is, changes neither")
    func updateRefused() throws {
        try withResctrl(at: tree) { c, root in
            c.globals.removeLast(2)
            c.config.linux.intelRdt = ["closID": "made"]
            try #require(try c.runDetached().succeeded)
            let before = readText("\(c.root)/\(c.id)/config.json")
            for flags in [
                ["--mem-bw-schema", "L3:0=1"],
                ["--mem-bw-schema", "MB:0=10", "--pids-limit", "-5"],
            ] {
                let outcome = c.runtime(["update"] + flags + [c.id])
                #expect(outcome.failed, "\(outcome)")
                #expect(readText(root + "/made/schemata").hasPrefix("    L3:0=7f0"), "\(outcome)")
            }
            // What the kernel refuses after the class has been written to: that is written back.
            let outcome = c.runtime(
                "update", "--mem-bw-schema", "MB:0=10", "--cpuset-cpus", "99", c.id)
            #expect(outcome.failed, "\(outcome)")
            let line = readText(root + "/made/schemata").split(separator: "\n").first
            #expect(line == "MB:0= 20;1= 70", "\(outcome)")
            #expect(readText("\(c.root)/\(c.id)/config.json") == before)
        }
    }

    @Test("without intelRdt resctrl is left alone")
    func without() throws {
        try withResctrl(at: tree) { c, root in
            try #expect(c.create().succeeded)
            for group in ["", "/made"] { #expect(readText("\(root)\(group)/tasks").isEmpty) }
            #expect(!exists("\(root)/\(c.id)"))
        }
    }
}
