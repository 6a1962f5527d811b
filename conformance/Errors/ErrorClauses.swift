import Foundation
import Testing

extension Conformance {
    /// What engines and people read when something fails.
    @Suite struct Errors {}
}

extension Conformance.Errors {
    @Suite struct Logs {
        /// The JSON objects of a log, one a line.
        private func entries(_ path: String) throws -> [JSON] {
            try readText(path).split(separator: "\n").map { try JSON(parsing: String($0)) }
        }

        /// A container whose create fails, with a log of the given format.
        private func failing(_ format: String, _ body: (Container, Outcome, String) throws -> Void)
            throws
        {
            try withContainer { c in
                let log = c.directory + "/log"
                c.globals += ["--log", log, "--log-format", format]
                c.config.bind("/no/such/source", at: "/mnt")
                try body(c, try c.create(), log)
            }
        }

        @Test("--log-format json: one object with level, msg and an RFC 3339 time")
        func json() throws {
            try failing("json") { c, outcome, log in
                #expect(outcome.failed)
                let entries = try entries(log)
                let errors = entries.filter { $0.level == "error" }
                #expect(errors.count == 1, "\(entries)")
                let error = try #require(errors.last)
                #expect(Set(error.object.keys) == ["level", "msg", "time"])
                #expect(error.msg.string?.contains("/no/such/source") == true)
                let rfc3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/
                #expect(error.time.string?.wholeMatch(of: rfc3339) != nil)
                #expect(outcome.stderr.contains("/no/such/source"), "also on stderr: \(outcome)")
            }
        }

        @Test("--debug puts the steps of the plan into the log", .swruncOnly)
        func debugPlan() throws {
            try withContainer { c in
                let log = c.directory + "/log"
                c.globals += ["--log", log, "--log-format", "json", "--debug"]
                c.config.program("true")
                let outcome = try c.run()
                #expect(outcome.succeeded && outcome.stderr.isEmpty, "\(outcome)")
                let entries = try entries(log)
                #expect(entries.allSatisfy { $0.level == "debug" })
                #expect(entries.contains { $0.msg.string?.contains("pivot_root") == true })
            }
        }

        @Test(
            "the whole log of a failure is one object, for podman parses it in one piece",
            .swruncOnly)
        func oneObject() throws {
            try failing("json") { _, _, log in
                let error = try JSON(parsing: readText(log))
                #expect(error.level == "error")
            }
        }

        @Test("--log-format text: a line with the level and the message")
        func text() throws {
            try failing("text") { c, outcome, log in
                #expect(outcome.failed)
                let text = readText(log)
                #expect(text.contains("error") && text.contains("/no/such/source"), "\(text)")
            }
        }

        @Test("a message with quotes, line ends and other letters is valid JSON all the same")
        func escaping() throws {
            try withContainer { c in
                let log = c.directory + "/log"
                c.globals += ["--log", log, "--log-format", "json"]
                c.config.bind("/no/such \"source\"\n\té\\x", at: "/mnt")
                try #expect(c.create().failed)
                let errors = try entries(log).filter { $0.level == "error" }
                #expect(errors.last?.msg.string?.contains("no/such") == true)
            }
        }

        @Test("the log is appended to, not cut")
        func appended() throws {
            try withContainer { c in
                let log = c.directory + "/log"
                try writeText("{\"level\":\"info\",\"msg\":\"before\",\"time\":\"x\"}\n", to: log)
                let outcome = c.runtime(
                    ["--log", log, "--log-format", "json", "state", "missing"])
                #expect(outcome.failed)
                #expect(readText(log).contains("before"))
                try #expect(entries(log).last?.level == "error")
            }
        }

        @Test("a success leaves no error in the log")
        func success() throws {
            try withContainer { c in
                c.globals += ["--log", c.directory + "/log", "--log-format", "json"]
                try #expect(c.run().succeeded)
                #expect(!readText(c.directory + "/log").contains("\"error\""))
            }
        }

        @Test("a log that cannot be written fails and is named")
        func badLog() throws {
            try withContainer { c in
                c.globals += ["--log", "/no/such/directory/log"]
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/no/such/directory/log")
            }
        }

        @Test("an unknown log format is refused and named")
        func badFormat() throws {
            try withContainer { c in
                c.globals += ["--log-format", "yaml"]
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "yaml")
            }
        }

        @Test("--debug says more, and does no harm")
        func debug() throws {
            try withContainer { c in
                c.globals += ["--debug", "--log", c.directory + "/log"]
                let outcome = try c.run()
                #expect(outcome.succeeded && outcome.stdout.isEmpty, "\(outcome)")
            }
        }

        @Test("a time in another zone is RFC 3339 as well")
        func zone() throws {
            try withContainer { c in
                var options = LaunchOptions()
                options.environment = ["TZ": "Asia/Kathmandu", "PATH": "/usr/bin:/usr/sbin"]
                let log = c.directory + "/log"
                c.runtime(["--log", log, "--log-format", "json", "state", "missing"], options)
                let rfc3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/
                let time = try entries(log).last?.time.string ?? ""
                #expect(time.wholeMatch(of: rfc3339) != nil, "\(time)")
            }
        }
    }

    @Suite struct Words {
        @Test(
            "the strings engines look for",
            arguments: [
                ("create", "already exists"), ("delete", "is not stopped"),
                ("start", "cannot start an already running container"),
            ])
        func ofRunning(command: String, words: String) throws {
            try withRunningContainer { c in
                let outcome: Outcome
                switch command {
                case "create": outcome = try c.create()
                case "delete": outcome = c.delete()
                default: outcome = c.start()
                }
                #expect(outcome.failed && outcome.stderr.contains(words), "\(outcome)")
            }
        }

        @Test("`invalid container ID format`", .knownDifference(crun: "has other words"))
        func invalidId() throws {
            try withContainer { c in
                #expect(c.runtime("state", "a/b").stderr.contains("invalid container ID format"))
            }
        }

        @Test(
            "runc's prefixes: which command failed", .knownDifference(crun: "has none"),
            arguments: ["create", "run"])
        func prefixes(command: String) throws {
            try withContainer { c in
                c.config.bind("/no/such/source", at: "/mnt")
                let outcome = try command == "run" ? c.run() : c.create()
                #expect(outcome.stderr.contains("\(command) failed: "), "\(outcome)")
            }
        }

        @Test("`exec failed: `", .knownDifference(crun: "has none"))
        func execPrefix() throws {
            try withRunningContainer { c in
                #expect(c.exec([], "no-such").stderr.contains("exec failed: "))
            }
        }

        @Test("a mount's error names step, place, call and the errno in words", .swruncOnly)
        func mount() throws {
            try withContainer { c in
                c.config.bind("/no/such/source", at: "/mnt")
                let text = try c.create().stderr
                for word in [
                    "swrunc create failed: ", "/mounts/6", "/mnt", "(\"/no/such/source\"",
                    "No such file or directory",
                ] {
                    #expect(text.contains(word), "\(word) in: \(text)")
                }
                #expect(text.split(separator: "\n").count == 1, "one line: \(text)")
            }
        }

        @Test("--help of checkpoint succeeds, for podman probes it", .swruncOnly)
        func checkpointHelp() {
            // The command itself comes later; podman takes a failure for no checkpoints.
            let outcome = launch([Runtime.binary, "checkpoint", "--help"])
            #expect(outcome.succeeded || outcome.stderr.contains("checkpoint"), "\(outcome)")
        }
    }

    @Suite(.swruncOnly) struct Plan {
        private func plan(_ c: Container, _ flags: [String] = []) throws -> Outcome {
            try c.writeConfig()
            return c.runtime(["plan", "--bundle", c.bundle] + flags)
        }

        @Test("plan prints the steps and does nothing")
        func doesNothing() throws {
            try withContainer { c in
                c.config.addMount("/made", type: "tmpfs", source: "tmpfs")
                let outcome = try plan(c)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stderr.isEmpty)
                #expect(outcome.stdout.contains("/mounts/6") && outcome.stdout.contains("/made"))
                #expect(!exists(c.rootfs + "/made"))
                #expect(Leaks.cgroups(c.cgroupsPath).isEmpty)
            }
        }

        @Test("a terminal is planned though no socket is there for it yet")
        func terminal() throws {
            try withContainer { c in
                c.config.process.terminal = true
                let outcome = try plan(c)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stdout.contains("open console"), "\(outcome)")
                #expect(outcome.stdout.contains("--console-socket"), "\(outcome)")
                #expect(!exists(c.root) || c.runtime("list", "-q").stdout.isEmpty)
            }
        }

        @Test("--format json is one JSON value, in the same order every time")
        func json() throws {
            try withContainer { c in
                let first = try plan(c, ["--format", "json"])
                #expect(first.succeeded, "\(first)")
                _ = try JSON(parsing: first.stdout)
                try #expect(plan(c, ["--format", "json"]).stdout == first.stdout)
            }
        }

        @Test("a config that create refuses, plan refuses too")
        func refuses() throws {
            try withContainer { c in
                c.config.linux.rootfsPropagation = "nope"
                let outcome = try plan(c)
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("nope"), "\(outcome)")
            }
        }
    }

    /// Properties of runtime-spec 1.3 that are not acted on must be refused by name, not ignored.
    @Suite(.swruncOnly) struct NothingIgnored {
        @Test(
            "a property is acted on or refused by its name",
            arguments: [
                "intelRdt", "netDevices", "memoryPolicy", "idmap", "personality", "notify",
                "unified",
            ])
        func named(property: String) throws {
            try withContainer { c in
                let mapping: JSON = [["containerID": 0, "hostID": 1000, "size": 1]]
                switch property {
                case "intelRdt":
                    c.config.linux.intelRdt = ["closID": "x", "memBwSchema": "MB:0=20"]
                case "netDevices": c.config.linux.netDevices = ["no-such-device": [:]]
                case "memoryPolicy":
                    c.config.linux.memoryPolicy = ["mode": "MPOL_BIND", "nodes": "99"]
                case "idmap":
                    c.config.addMount(
                        "/mnt", type: "bind", source: "/no/such", options: ["bind", "idmap"])
                    c.config.editMount("/mnt") {
                        $0.uidMappings = mapping
                        $0.gidMappings = mapping
                    }
                case "personality": c.config.linux.personality = ["domain": "NOPE"]
                case "notify":
                    c.config.filter(rule("munlockall", "NOTIFY"))
                    c.config.linux.seccomp.listenerPath = "/no/such/socket"
                default: c.config.linux.resources.unified = ["memory.high": "1"]
                }
                // Each asks for what no host gives, so that acting on it fails as well.
                let outcome = try c.create()
                #expect(outcome.failed, "\(outcome)")
                let names = [
                    "idmap": ["idmap", "/mounts/6"], "notify": ["NOTIFY", "listenerPath"],
                ][property, default: [property]]
                #expect(names.contains { outcome.stderr.contains($0) }, "\(outcome)")
                c.expectNothingLeft()
            }
        }
    }
}
