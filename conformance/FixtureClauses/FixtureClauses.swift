import Foundation
import Testing

extension Conformance {
    /// Configs that Docker, containerd and Podman really wrote, with the calls they make.
    @Suite struct Fixtures {
        static let all = [
            "containerd-ctr-limits-readonly", "containerd-ctr-seccomp", "docker-default",
            "docker-host-namespaces", "docker-limits-ports-volumes", "docker-net-container",
            "docker-privileged-readonly-init", "docker-tty", "podman-default", "podman-uidmap",
        ]

        @Test(
            "every fixture goes through the engine's calls and shows what it asked for",
            arguments: all)
        func wholeLife(name: String) throws {
            try withFixture(name) { c, terminal in
                c.config.program("sleep", "600")
                var socket: ConsoleSocket?
                var flags = ["--pid-file", c.bundle + "/init.pid"]
                if terminal {
                    socket = try ConsoleSocket(path: c.directory + "/s")
                    flags += ["--console-socket", c.directory + "/s"]
                }
                let created = try c.create(flags)
                try #require(created.succeeded, "\(created)")
                let console = try socket?.receive()
                #expect(c.status == "created")
                #expect(readText(c.bundle + "/init.pid") == "\(c.pid)")
                let started = c.start()
                try #require(started.succeeded, "\(started)")
                #expect(c.status == "running")
                Inspection(c).run()
                execCapturedProcesses(c)
                #expect(c.runtime("kill", "--all", c.id, "9").succeeded)
                #expect(c.becomes("stopped"))
                let deleted = c.delete()
                #expect(deleted.succeeded, "\(deleted)")
                c.expectNothingLeft()
                #expect(!readText(c.bundle + "/log.json").contains("\"level\":\"error\""))
                _ = console
            }
        }

        @Test("every fixture's own program prints what it should", arguments: all)
        func ownProgram(name: String) throws {
            let printed = [
                "containerd-ctr-limits-readonly": "ctr-lim",
                "containerd-ctr-seccomp": "ctr-seccomp", "docker-default": "plain",
                "docker-host-namespaces": "hostns", "docker-net-container": "sharednet",
                "docker-privileged-readonly-init": "foo", "docker-tty": "tty",
                "podman-default": "podman-ok",
                "podman-uidmap": "0     100000      65536",
            ]
            // This one only sleeps.
            guard let expected = printed[name] else { return }
            try withFixture(name) { c, terminal in
                if terminal {
                    let socket = try ConsoleSocket(path: c.directory + "/s")
                    let created = try c.create(["--console-socket", c.directory + "/s"])
                    #expect(created.succeeded, "\(created)")
                    let console = try socket.receive()
                    c.start()
                    #expect(console.prints(expected))
                } else {
                    let outcome = try c.run()
                    #expect(outcome.trimmed == expected, "\(outcome)")
                }
            }
        }

        /// The two processes Docker handed to exec, each as Docker did.
        private func execCapturedProcesses(_ c: Container) {
            for (file, expected) in [
                ("docker-exec-process", "inside"),
                ("docker-exec-user-cwd-env-process", "uid=1000(user) gid=0(root)"),
            ] {
                let path = Self.path(file)
                let foreground = c.runtime("exec", "--process", path, c.id)
                #expect(foreground.succeeded, "\(foreground)")
                #expect(foreground.stdout.contains(expected), "\(foreground)")
                let output = c.directory + "/exec-out"
                var options = LaunchOptions()
                options.stdout = .file(output)
                options.stderr = .file(c.directory + "/exec-err")
                let detached = c.runtime(
                    [
                        "exec", "--process", path, "--detach", "--pid-file", c.bundle + "/exec.pid",
                        c.id,
                    ], options)
                #expect(detached.succeeded, "\(detached)")
                #expect(pid_t(readText(c.bundle + "/exec.pid")) != nil)
                #expect(eventually { readText(output).contains(expected) })
                unlink(output)
            }
        }

        private static func path(_ name: String) -> String {
            "\(Runtime.packageRoot)/conformance/fixtures/\(name).json"
        }

        /// A container of the fixture's config, with what lay on the engine's host made anew:
        /// the root, the sources of binds, the hooks' programs, the namespaces of others.
        private func withFixture(
            _ name: String, _ body: (Container, _ terminal: Bool) throws -> Void
        ) throws {
            try withContainer { c in
                try withRunningContainer { other in
                    let mapped = try adapt(c, name, other: other)
                    mkdir(c.rootfs + "/test", 0o755)
                    try writeText("", to: c.rootfs + "/test/inside")
                    if let id = mapped { launch(["chown", "-R", "\(id):\(id)", c.rootfs]) }
                    if !name.hasPrefix("podman") {
                        c.globals += ["--log", c.bundle + "/log.json", "--log-format", "json"]
                    }
                    try body(c, c.config.process.terminal == true)
                }
            }
        }

        private func adapt(_ c: Container, _ name: String, other: Container) throws -> Int? {
            c.config = try JSON(parsing: readText(Self.path(name)))
            c.config.root.path = .string(c.rootfs)
            c.config.linux.cgroupsPath = .string(c.cgroupsPath)
            for index in c.config["mounts"].array.indices {
                let mount = c.config["mounts"][index]
                let source = mount.source.string ?? ""
                if mount.type == "bind" && source.hasPrefix("/") && source != "/dev/shm" {
                    c.config["mounts"][index].source = .string(
                        try makeSource(c, mount.destination.string ?? "", index))
                }
            }
            for index in c.config.hooks.prestart.array.indices {
                c.config.hooks.prestart[index].path = "/bin/true"
            }
            for index in c.config.linux.namespaces.array.indices
            where c.config.linux.namespaces[index].path.string != nil {
                let host = c.config.linux.namespaces[index].path == "/run/docker/netns/default"
                c.config.linux.namespaces[index].path = .string(
                    "/proc/\(host ? getpid() : other.pid)/ns/net")
            }
            // runc fails where the spec wants a warning: a capability that cannot be granted.
            if Runtime.kind == .runc && c.config.linux.uidMappings == .null {
                for (set, names) in c.config.process.capabilities.object {
                    c.config.process.capabilities[set] = .array(
                        names.array.filter { capabilityMask(.array([$0])) != 0 })
                }
            }
            return c.config.linux.uidMappings[0].hostID.int
        }

        /// A stand-in for a file or directory of the engine's.
        private func makeSource(_ c: Container, _ destination: String, _ index: Int) throws
            -> String
        {
            let path = "\(c.directory)/source\(index)"
            switch destination {
            case "/dev/shm", "/mnt", "/test", "/vol":
                mkdir(path, 0o1777)
                try writeText("", to: path + "/inside")
            case "/sbin/docker-init":
                // docker-init -- PROGRAM: run it and wait.
                try writeText("#!/bin/sh\nshift\n\"$@\"\n", to: path, mode: 0o755)
            default:
                try writeText("\(destination) of the engine\n", to: path)
            }
            return path
        }
    }
}
