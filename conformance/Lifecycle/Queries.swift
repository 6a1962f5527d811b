import Foundation
import Testing

extension Conformance.Lifecycle {
    @Suite struct List {
        @Test("the table has a line for every container, with its columns")
        func table() throws {
            try withRunningContainer { c in
                let outcome = c.runtime("list")
                #expect(outcome.succeeded, "\(outcome)")
                let rows = outcome.lines.map { $0.split(separator: " ").map(String.init) }
                #expect(rows.first == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])
                let row = try #require(rows.last)
                #expect(Array(row.prefix(4)) == [c.id, "\(c.pid)", "running", c.bundle])
                #expect(row.last == "root")
            }
        }

        @Test("--format json is an array of states", arguments: ["--format", "-f"])
        func json(flag: String) throws {
            try withRunningContainer(edit: { $0.annotations = ["a": "b"] }) { c in
                let outcome = c.runtime("list", flag, "json")
                let list = try JSON(parsing: outcome.stdout)
                #expect(list.array.count == 1)
                #expect(list[0].id.string == c.id)
                #expect(list[0].pid.int == Int(c.pid))
                #expect(list[0].status == "running")
                #expect(list[0].bundle.string == c.bundle)
                #expect(list[0].created.string?.isEmpty == false)
                #expect(list[0].owner == "root")
            }
        }

        @Test("-q prints only ids, in order", arguments: ["-q", "--quiet"])
        func quiet(flag: String) throws {
            try withContainer { c in
                c.config.linux.cgroupsPath = .null
                try c.writeConfig()
                let ids = ["b", "a", "c"].map { "\(c.id)-\($0)" }
                for id in ids {
                    c.runtime(["create", "-b", c.bundle, id], c.intoFiles(LaunchOptions()))
                }
                #expect(c.runtime("list", flag).lines == ids.sorted())
                for id in ids { c.runtime("delete", "--force", id) }
                #expect(c.runtime("list", flag).lines == [])
            }
        }

        @Test("a root without containers is an empty list")
        func empty() throws {
            try withContainer { c in
                try FileManager.default.createDirectory(
                    atPath: c.root, withIntermediateDirectories: true)
                let outcome = c.runtime("list", "--format", "json")
                #expect(outcome.succeeded, "\(outcome)")
                try #expect(JSON(parsing: outcome.stdout).array.isEmpty)
                #expect(c.runtime("list", "-q").stdout.isEmpty)
            }
        }

        @Test(
            "a --root that is missing is an error that names it",
            .knownDifference(runc: "since 1.2 only"), .knownDifference(crun: "shows an empty list"))
        func missingRoot() throws {
            try withContainer { c in
                let outcome = c.runtime("--root", c.directory + "/no-such", "list")
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("no-such"), "\(outcome)")
            }
        }

        @Test("an unknown format is refused and named")
        func unknownFormat() throws {
            try withContainer { c in
                let outcome = c.runtime("list", "--format", "yaml")
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("yaml") || outcome.stderr.contains("format"))
            }
        }

        @Test("a stopped container is in the list with pid 0")
        func stopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let list = try JSON(parsing: c.runtime("list", "--format", "json").stdout)
                #expect(list[0].status == "stopped")
                #expect(list[0].pid.int == 0)
            }
        }
    }

    @Suite struct Spec {
        @Test("spec writes a config.json that runs")
        func runs() throws {
            try withContainer { c in
                let outcome = c.runtime(["spec"], LaunchOptions(directory: c.bundle))
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stdout.isEmpty && outcome.stderr.isEmpty)
                c.config = try JSON(parsing: readText(c.bundle + "/config.json"))
                #expect(c.config.process.terminal == true)
                #expect(c.config.process.args == ["sh"])
                #expect(c.config.root.path == "rootfs")
                c.config.process.terminal = false
                c.config.linux.cgroupsPath = .string(c.cgroupsPath)
                c.config.shell("exit 3")
                try #expect(c.run().status == .exited(3))
            }
        }

        @Test("--bundle says where", arguments: ["--bundle", "-b"])
        func bundle(flag: String) throws {
            try withContainer { c in
                #expect(c.runtime("spec", flag, c.bundle).succeeded)
                #expect(exists(c.bundle + "/config.json"))
            }
        }

        @Test("an existing config.json is not overwritten")
        func refuses() throws {
            try withContainer { c in
                try writeText("mine", to: c.bundle + "/config.json")
                let outcome = c.runtime("spec", "--bundle", c.bundle)
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("config.json"), "\(outcome)")
                #expect(readText(c.bundle + "/config.json") == "mine")
            }
        }

        @Test("--rootless maps the caller to root in a user namespace")
        func rootless() throws {
            try withContainer { c in
                #expect(c.runtime("spec", "--rootless", "-b", c.bundle).succeeded)
                let config = try JSON(parsing: readText(c.bundle + "/config.json"))
                let types = config.linux.namespaces.array.map(\.type.string)
                #expect(types.contains("user"))
                let mapping: JSON = ["containerID": 0, "hostID": JSON(Int(geteuid())), "size": 1]
                #expect(config.linux.uidMappings[0] == mapping)
            }
        }

        @Test("an ordinary user runs what --rootless writes")
        func rootlessRun() throws {
            try withContainer { c in
                let user: uid_t = 54321
                for directory in [c.directory, c.bundle] { chown(directory, user, user) }
                c.sandbox = [
                    "setpriv", "--reuid", "\(user)", "--regid", "\(user)", "--clear-groups",
                ]
                #expect(c.runtime("spec", "--rootless", "-b", c.bundle).succeeded)
                c.config = try JSON(parsing: readText(c.bundle + "/config.json"))
                c.config.process.terminal = false
                // The init prepares itself while its ids are mapped: some runs show a race.
                for _ in 1...20 { try #expect(c.sh("id -u") == "0") }
            }
        }
    }

    @Suite struct Features {
        private func features() throws -> JSON {
            let outcome = launch([Runtime.binary, "features"])
            #expect(outcome.succeeded, "\(outcome)")
            #expect(outcome.stderr.isEmpty, "engines read both streams")
            return try JSON(parsing: outcome.stdout)
        }

        @Test(
            "features.md: the versions are SemVer", .knownDifference(crun: "1.8.1 has no features"))
        func versions() throws {
            let features = try features()
            for version in [features.ociVersionMin, features.ociVersionMax] {
                let text = try #require(version.string)
                #expect(text.wholeMatch(of: /\d+\.\d+\.\d+([-+].*)?/) != nil)
            }
        }

        @Test(
            "features.md: hooks, mount options, namespaces and capabilities are listed",
            .knownDifference(crun: "1.8.1 has no features"))
        func lists() throws {
            let features = try features()
            let hooks = Set(features.hooks.array.compactMap(\.string))
            #expect(
                hooks == [
                    "prestart", "createRuntime", "createContainer", "startContainer", "poststart",
                    "poststop",
                ])
            let options = Set(features.mountOptions.array.compactMap(\.string))
            #expect(options.isSuperset(of: ["bind", "rbind", "ro", "rro", "nosuid", "rprivate"]))
            let namespaces = Set(features.linux.namespaces.array.compactMap(\.string))
            #expect(
                namespaces.isSuperset(of: [
                    "pid", "network", "mount", "ipc", "uts", "user", "cgroup",
                ]))
            #expect(features.linux.capabilities.array.contains("CAP_SYS_ADMIN"))
            #expect(features.linux.cgroup.v1 == true)
            #expect(features.linux.seccomp.enabled == true)
            #expect(features.linux.seccomp.actions.array.contains("SCMP_ACT_ERRNO"))
            #expect(features.linux.seccomp.operators.array.contains("SCMP_CMP_MASKED_EQ"))
        }

        @Test(
            "features.md 1.3: every namespace, seccomp flag and extension is reported", .swruncOnly)
        func recent() throws {
            let features = try features()
            #expect(features.linux.namespaces.array.contains("time"))
            #expect(features.linux.seccomp.knownFlags.array.contains("SECCOMP_FILTER_FLAG_LOG"))
            #expect(!features.linux.seccomp.archs.array.isEmpty)
            #expect(features.linux.mountExtensions.idmap.enabled.bool != nil)
            #expect(features.linux.cgroup.v2.bool != nil)
            #expect(features.linux.apparmor.enabled.bool != nil)
            #expect(features.linux.selinux.enabled.bool != nil)
        }
    }

    @Suite struct Help {
        @Test(
            "--version names the runtime and the spec it implements",
            arguments: ["--version", "-v"])
        func version(flag: String) {
            let outcome = launch([Runtime.binary, flag])
            #expect(outcome.succeeded)
            #expect(outcome.lines.first?.contains(" version ") == true)
            #expect(outcome.lines.contains { $0.hasPrefix("spec: 1.") })
            #expect(outcome.lines.contains { $0.hasPrefix("commit: ") })
            #expect(outcome.stderr.isEmpty)
        }

        @Test("--help explains itself and lists every command")
        func help() {
            let outcome = launch([Runtime.binary, "--help"])
            #expect(outcome.succeeded)
            for command in [
                "create", "start", "state", "kill", "delete", "run", "exec", "list", "spec",
            ] {
                #expect(outcome.stdout.contains(command))
            }
        }

        @Test(
            "every command has --help, which needs no container",
            arguments: [
                "create", "start", "state", "kill", "delete", "run", "exec", "list", "spec",
                "features",
            ])
        func commandHelp(command: String) {
            for flag in ["--help", "-h"] where Runtime.kind != .crun || flag == "--help" {
                let outcome = launch([Runtime.binary, command, flag])
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stdout.contains(command), "\(outcome)")
                #expect(outcome.stderr.isEmpty)
            }
        }

        @Test(
            "an unknown command or flag fails and is named",
            arguments: [["nope"], ["--nope"], ["state", "--nope", "x"], ["run", "-Z", "x"]])
        func unknown(arguments: [String]) {
            let outcome = launch([Runtime.binary] + arguments)
            #expect(outcome.failed, "\(outcome)")
            let named = arguments.contains { word in
                let name = word.trimmingCharacters(in: ["-"])
                return (word == "nope" || word.hasPrefix("-"))
                    && (outcome.stderr + outcome.stdout).contains(name)
            }
            #expect(named, "\(outcome)")
        }
    }
}
