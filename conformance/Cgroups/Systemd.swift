import Foundation
import Testing

extension Conformance {
    /// The systemd driver: `--systemd-cgroup`, scopes over D-Bus.
    @Suite(
        .requires(Host.hasSystemd, "has no systemd as its init"), .swruncOnly)
    struct Systemd {}
}

private let slice = "machine-conformance.slice"

extension Container {
    var unit: String { "swrunc-\(id).scope" }

    /// A property of the container's unit, as systemd has it.
    func show(_ property: String) -> String {
        launch(["systemctl", "show", "--property", property, "--value", unit]).trimmed
    }

    /// Where the init is in the hierarchy that systemd looks after.
    var scopePath: String {
        let lines = readText("/proc/\(pid)/cgroup").split(separator: "\n")
        let line = lines.first { $0.contains(Host.isUnified ? "0::" : ":name=systemd:") }
        return String(line?.split(separator: ":", omittingEmptySubsequences: false)[2] ?? "none")
    }

    /// The init is at `path` of every hierarchy.
    func expectInScope(_ path: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let lines = readText("/proc/\(pid)/cgroup").split(separator: "\n")
            .filter { Host.isUnified || !$0.hasPrefix("0::") }
        #expect(!lines.isEmpty, sourceLocation: sourceLocation)
        for line in lines {
            #expect(line.hasSuffix(":" + path), "\(line)", sourceLocation: sourceLocation)
        }
    }

    func scoped(_ file: ControlFile) -> String { file.read(in: scopePath) }

    /// Neither the unit nor a cgroup of it is left.
    fileprivate func expectNoUnit(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(
            eventually { ["inactive", ""].contains(self.show("ActiveState")) },
            "the unit is \(show("ActiveState"))", sourceLocation: sourceLocation)
        let left = { Leaks.cgroups("/machine.slice/\(slice)/\(self.unit)") }
        #expect(eventually { left().isEmpty }, "left: \(left())", sourceLocation: sourceLocation)
    }
}

/// A container that is to become a scope; nothing of it is left at the end.
func withScope(
    edit: (inout JSON) -> Void = { _ in }, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Container) throws -> Void
) throws {
    try withContainer(sourceLocation: sourceLocation) { c in
        c.globals.append("--systemd-cgroup")
        c.config.linux.cgroupsPath = .string("\(slice):swrunc:\(c.id)")
        c.config.program("sleep", "600")
        edit(&c.config)
        defer {
            if exists(c.root + "/" + c.id) {
                #expect(c.delete("--force").succeeded, sourceLocation: sourceLocation)
            }
            c.expectNoUnit(sourceLocation: sourceLocation)
        }
        try body(c)
    }
}

func withRunningScope(
    edit: (inout JSON) -> Void = { _ in }, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Container) throws -> Void
) throws {
    try withScope(edit: edit, sourceLocation: sourceLocation) { c in
        let outcome = try c.runDetached(sourceLocation: sourceLocation)
        try #require(outcome.succeeded, "\(outcome)", sourceLocation: sourceLocation)
        try body(c)
    }
}

extension Conformance.Systemd {
    @Suite struct Unit {
        @Test("the container's cgroup is that of a delegated scope in its slice")
        func scope() throws {
            try withRunningScope { c in
                #expect(c.scopePath == "/machine.slice/\(slice)/\(c.unit)")
                #expect(c.show("ActiveState") == "active")
                #expect(c.show("Slice") == slice)
                #expect(c.show("Delegate") == "yes")
                #expect(c.show("Description").contains(c.id))
                #expect(c.show("ControlGroup") == c.scopePath)
                // crun's name for it.
                #expect(c.state()["systemd-scope"].string == c.unit)
                c.expectInScope("/machine.slice/\(slice)/\(c.unit)")
            }
        }

        @Test("it holds the container's processes and no other")
        func processes() throws {
            try withRunningScope { c in
                let pids = Leaks.processes(inCgroup: c.scopePath)
                #expect(pids == [c.pid])
            }
        }

        @Test(
            "run.oci.systemd.subgroup: the container has a cgroup below the scope's",
            arguments: ["container", "a/b", ""])
        func subgroup(name: String) throws {
            if !Host.isUnified, !name.isEmpty {
                try withScope {
                    $0.annotations["run.oci.systemd.subgroup"] = .string(name)
                } _: {
                    let outcome = try $0.run()
                    #expect(outcome.failed && outcome.stderr.contains("cgroup v2"), "\(outcome)")
                }
                return
            }
            let edit = { (config: inout JSON) in
                config.annotations["run.oci.systemd.subgroup"] = .string(name)
                config.linux.resources.pids.limit = 20
            }
            try withRunningScope(edit: edit) { c in
                let scope = "/machine.slice/\(slice)/\(c.unit)"
                let path = name.isEmpty ? scope : "\(scope)/\(name)"
                c.expectInScope(path)
                #expect(c.show("ControlGroup") == scope)
                #expect(ControlFile.pids.read(in: path) == "20")
                #expect(Leaks.processes(inCgroup: path) == [c.pid])
                #expect(c.execSh("echo in") == "in")
                let update = c.runtime(["update", "--pids-limit", "30", c.id])
                #expect(update.succeeded, "\(update)")
                #expect(ControlFile.pids.read(in: path) == "30")
                #expect(c.runtime("pause", c.id).succeeded)
                #expect(c.status == "paused")
                #expect(c.runtime("resume", c.id).succeeded)
            }
        }

        @Test("without a slice it is in system.slice; without a path it has the container's name")
        func defaults() throws {
            for path in [":swrunc:", nil] {
                try withContainer { c in
                    c.globals.append("--systemd-cgroup")
                    c.config.linux.cgroupsPath = path.map { .string($0 + c.id) } ?? .null
                    c.config.program("sleep", "600")
                    let outcome = try c.runDetached()
                    #expect(outcome.succeeded, "\(outcome)")
                    #expect(c.scopePath == "/system.slice/\(c.unit)")
                    #expect(c.delete("--force").succeeded)
                    c.expectNoUnit()
                }
            }
        }

        @Test("the init is in its scope, within its limits, when the first hook runs")
        func fromTheBeginning() throws {
            try withScope { c in
                let file = c.directory + "/hook"
                c.config.linux.resources.pids = ["limit": 9]
                c.config.addHook(
                    "createRuntime",
                    [
                        "path": "/bin/sh",
                        "args": [
                            "sh", "-c",
                            .string(
                                "read -r json; pid=${json#*'\"pid\":'}; pid=${pid%%[!0-9]*}; "
                                    + "cat /proc/$pid/cgroup >\(file)"),
                        ],
                    ])
                try c.create()
                #expect(readText(file).contains(c.unit))
                #expect(c.scoped(.pids) == "9")
            }
        }

        @Test("exec joins it, whatever driver it is told of")
        func exec() throws {
            try withRunningScope { c in
                c.globals.removeLast()
                #expect(c.execSh("cat /proc/self/cgroup").contains(c.unit))
            }
        }

        @Test("the same name again, at once, many times")
        func again() throws {
            try withScope(edit: { $0.program("true") }) { c in
                for _ in 1...4 {
                    let outcome = try c.run()
                    #expect(outcome.succeeded, "\(outcome)")
                }
                c.config.program("sleep", "600")
                for _ in 1...4 {
                    let outcome = try c.runDetached()
                    #expect(outcome.succeeded, "\(outcome)")
                    #expect(c.delete("--force").succeeded)
                }
            }
        }

        @Test("a name that is in use is refused, and whose it is goes on")
        func inUse() throws {
            try withRunningScope { first in
                try withContainer { second in
                    second.globals.append("--systemd-cgroup")
                    second.config.linux.cgroupsPath = first.config.linux.cgroupsPath
                    let outcome = try second.create()
                    expectRefusal(outcome, second, naming: first.unit)
                }
                #expect(first.status == "running")
                #expect(first.show("ActiveState") == "active")
            }
        }

        @Test("one whose memory ran out leaves no failed unit behind")
        func outOfMemory() throws {
            try withScope { c in
                c.config.linux.resources.memory = ["limit": 33_554_432, "swap": 33_554_432]
                c.config.program("probe", "eat", "100")
                let outcome = try c.run()
                #expect(outcome.failed)
            }
        }

        @Test("nested cgroups and processes that are left go with it")
        func nested() throws {
            try withScope { c in
                c.config.removeNamespace("pid")
                c.config.shell("for i in 1 2 3; do setsid sleep 600 & done; sleep 601")
                try c.runDetached()
                #expect(eventually { Leaks.processes(inCgroup: c.scopePath).count == 4 })
                for directory in Leaks.cgroups(c.scopePath) { mkdir(directory + "/sub", 0o755) }
                let path = c.scopePath
                #expect(c.delete("--force").succeeded)
                #expect(Leaks.cgroups(path).isEmpty)
            }
        }
    }

    @Suite struct Paths {
        @Test(
            "a path that is not slice:prefix:name is refused",
            arguments: ["/a/b", "a", "x.slice:y:", "a--b.slice:y:z", "no-slice:y:z"])
        func notAPath(path: String) throws {
            try withScope { c in
                c.config.linux.cgroupsPath = .string(path)
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "cgroupsPath")
            }
        }

        @Test("without --systemd-cgroup such a path is refused, with a hint")
        func withoutDriver() throws {
            try withScope { c in
                c.globals.removeLast()
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "--systemd-cgroup")
            }
        }

        @Test("--cgroup-manager systemd is the same")
        func manager() throws {
            try withScope { c in
                c.globals = Array(c.globals.dropLast()) + ["--cgroup-manager", "systemd"]
                let outcome = try c.runDetached()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.scopePath.hasSuffix(c.unit))
            }
        }

        @Test("--cgroup-manager disabled leaves the container where the caller is")
        func disabled() throws {
            try withScope { c in
                c.globals = Array(c.globals.dropLast()) + ["--cgroup-manager", "disabled"]
                let outcome = try c.runDetached()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(readText("/proc/\(c.pid)/cgroup") == readText("/proc/self/cgroup"))
            }
        }
    }

    @Suite struct Annotations {
        @Test(
            "an annotation sets a property of the unit",
            arguments: [
                ("TimeoutStopUSec", "uint64 7000000", "7s"), ("TimeoutStopSec", "uint64 8", "8s"),
                ("CollectMode", "'inactive'", "inactive"),
                ("MemoryHigh", "uint64 52428800", "52428800"),
                ("SendSIGHUP", "true", "yes"),
                ("Wants", "['tmp.mount']", "tmp.mount"),
            ])
        func sets(name: String, value: String, shown: String) throws {
            try withRunningScope(edit: {
                $0.annotations["org.systemd.property." + name] = .string(value)
            }) { c in
                let property = name == "TimeoutStopSec" ? "TimeoutStopUSec" : name
                #expect(c.show(property).contains(shown))
            }
        }

        @Test(
            "a value of no type, and a property that systemd does not have, are refused and named",
            arguments: [("TimeoutStopUSec", "7 s"), ("NoSuchThing", "'x'")])
        func refused(name: String, value: String) throws {
            try withScope(edit: {
                $0.annotations["org.systemd.property." + name] = .string(value)
            }) { c in
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: name)
            }
        }
    }

    @Suite struct Bus {
        private func run(_ c: Container, bus: String, timeout: Double = 20) throws -> Outcome {
            try c.writeConfig()
            var options = c.intoFiles(LaunchOptions())
            options.environment = [
                "PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "DBUS_SYSTEM_BUS_ADDRESS": bus,
            ]
            options.timeout = timeout
            return c.runtime(["run", "--detach", "--bundle", c.bundle, c.id], options)
        }

        @Test("the address of a bus in the environment is used")
        func address() throws {
            try withScope { c in
                let outcome = try run(c, bus: "unix:path=/run/dbus/system_bus_socket")
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.scopePath.hasSuffix(c.unit))
            }
        }

        @Test("a bus that is not there is named, with what to do")
        func absent() throws {
            try withScope { c in
                let outcome = try run(c, bus: "unix:path=/nonexistent/bus")
                expectRefusal(outcome, c, naming: "/nonexistent/bus")
                #expect(outcome.stderr.contains("--cgroup-manager cgroupfs"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("a bus that never answers is given up in time")
        func silent() throws {
            try withScope { c in
                let path = c.directory + "/bus"
                let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                defer { close(listener) }
                withUnixAddress(path) { address, length in _ = bind(listener, address, length) }
                listen(listener, 4)
                let outcome = try run(c, bus: "unix:path=" + path, timeout: 60)
                expectRefusal(outcome, c, naming: "systemd")
                c.expectNothingLeft()
            }
        }
    }
}
