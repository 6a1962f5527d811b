import Foundation
import Testing

/// The variables of a probe's report, in their order.
private func variables(_ report: ProbeReport) -> [String] {
    (0..<(Int(report["envc"]) ?? 0)).map { report["env.\($0)"] }
}

extension Conformance.Process {
    /// config.md, process.env: a list, which is a map to whoever reads it.
    @Suite struct Environment {
        @Test(
            "of a variable given twice the last value counts, in the place of the first",
            .knownDifference(runc: "in the place of the last"))
        func twice() throws {
            try withContainer { c in
                c.config.process.env = [
                    "A=1", "PATH=/bin", "é=1", "HOME=/x", "A=2", "e\u{301}=2", "AB=3", "A=x=y",
                ]
                let seen = ["A=x=y", "PATH=/bin", "é=1", "HOME=/x", "e\u{301}=2", "AB=3"]
                let report = try c.probe()
                #expect(variables(report).map { Array($0.utf8) } == seen.map { Array($0.utf8) })
            }
        }

        @Test("one of a thousand variables can be given anew")
        func many() throws {
            try withContainer { c in
                let names = (0..<1000).map { "VARIABLE_\($0)" }
                c.config.process.env = JSON(names.map { $0 + "=1" } + names.map { $0 + "=2" })
                let report = try c.probe()
                #expect(variables(report).filter { $0.hasSuffix("=2") }.count == 1000)
                #expect(variables(report).filter { $0.hasSuffix("=1") }.isEmpty)
            }
        }

        @Test(
            "exec --env and the env of --process count more than what comes before them",
            .knownDifference(runc: "in the place of the last"))
        func exec() throws {
            try withRunningContainer(edit: { $0.process.env = ["A=1", "PATH=/bin", "HOME=/"] }) {
                c in
                let flags = ["--env", "A=2", "--env", "PATH=/bin:/", "--env", "A=3"]
                #expect(variables(c.execProbe(flags)) == ["A=3", "PATH=/bin:/", "HOME=/"])
                let process: JSON = [
                    "args": ["/bin/probe"], "cwd": "/", "env": ["B=1", "HOME=/", "B=2"],
                    "user": ["uid": 0, "gid": 0],
                ]
                try writeText(process.text, to: c.directory + "/p.json")
                let outcome = c.runtime(["exec", "--process", c.directory + "/p.json", c.id])
                #expect(variables(ProbeReport(outcome.stdout)) == ["B=2", "HOME=/"], "\(outcome)")
            }
        }

        @Test(
            "the program is looked up in the PATH that it gets", .knownDifference(crun: "the first")
        )
        func path() throws {
            try withContainer { c in
                mkdir(c.rootfs + "/opt", 0o755)
                try writeText("#!/bin/sh\necho $PATH\n", to: c.rootfs + "/opt/mine", mode: 0o755)
                c.config.process.env = ["PATH=/nowhere", "PATH=/opt"]
                c.config.program("mine")
                try #expect(c.run().stdout == "/opt\n")
                c.config.process.env = ["PATH=/opt", "PATH=/nowhere"]
                try #expect(c.run().failed)
            }
        }

        @Test("of two HOMEs an empty last one is none", .knownDifference(crun: "keeps it"))
        func home() throws {
            try withContainer { c in
                c.config.process.env = ["HOME=/stale", "PATH=/bin", "HOME="]
                let homes = variables(try c.probe()).filter { $0.hasPrefix("HOME") }
                #expect(homes == ["HOME=/root"])
            }
        }

        /// Runs the container with one descriptor of socket activation.
        private func listening(_ c: Container, names: String?) throws -> [String] {
            let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
            defer { close(null) }
            var options = LaunchOptions(descriptors: [null])
            options.environment = ["LISTEN_FDS": "1", "PATH": "/usr/bin:/usr/sbin"]
            if let names { options.environment?["LISTEN_FDNAMES"] = names }
            c.config.program("/bin/probe")
            let outcome = try c.run([], options)
            return variables(ProbeReport(outcome.stdout)).filter { $0.hasPrefix("LISTEN_") }
                .sorted()
        }

        @Test(
            "socket activation counts more than what the config says of another",
            .knownDifference(runc: "1.1 leaves the names of the config"),
            .knownDifference(crun: "leaves the names of the config"))
        func activation() throws {
            try withContainer { c in
                c.config.process.env = [
                    "LISTEN_FDS=7", "LISTEN_PID=77", "LISTEN_FDNAMES=a:b:c:d:e:f:g", "PATH=/bin",
                ]
                try #expect(
                    listening(c, names: "mine")
                        == ["LISTEN_FDNAMES=mine", "LISTEN_FDS=1", "LISTEN_PID=1"])
                // seven names for one descriptor
                try #expect(listening(c, names: nil) == ["LISTEN_FDS=1", "LISTEN_PID=1"])
            }
        }

        @Test("NOTIFY_SOCKET is the one in the container, whatever the config says")
        func notifySocket() throws {
            try withContainer { c in
                c.config.process.env = ["NOTIFY_SOCKET=/stale", "PATH=/bin"]
                c.config.program("/bin/probe")
                var options = LaunchOptions()
                options.environment = [
                    "NOTIFY_SOCKET": c.directory + "/n", "PATH": "/usr/bin:/usr/sbin",
                ]
                let seen = variables(ProbeReport(try c.run([], options).stdout))
                let sockets = seen.filter { $0.hasPrefix("NOTIFY_SOCKET=") }
                #expect(sockets.count == 1 && sockets != ["NOTIFY_SOCKET=/stale"], "\(seen)")
            }
        }

        @Test(
            "the env of a hook is a map as well", .swruncOnly,
            arguments: ["createRuntime", "createContainer", "startContainer"])
        func hook(kind: String) throws {
            try withContainer { c in
                // A shell would make a map of it by itself.
                let root = kind == "startContainer" ? "" : c.rootfs
                c.config.addHook(
                    kind, ["path": .string(root + "/bin/probe"), "env": ["A=1", "B=1", "A=2"]])
                c.config.annotations = ["run.oci.hooks.stdout": .string(c.directory + "/report")]
                try #require(c.run().succeeded)
                let seen = variables(ProbeReport(readText(c.directory + "/report")))
                #expect(seen == ["A=2", "B=1"])
            }
        }
    }
}
