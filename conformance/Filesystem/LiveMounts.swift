import Foundation
import Testing

extension Conformance.Filesystem {
    /// crun's `mounts add` and `mounts remove`: mounts of a container that runs.
    @Suite(.swruncOnly) struct LiveMounts {
        /// Changes the mounts of `c`, and expects that to succeed unless told otherwise.
        @discardableResult
        private func mounts(
            _ change: String, _ list: JSON, of c: Container, succeeds: Bool = true,
            sourceLocation: SourceLocation = #_sourceLocation
        ) throws -> Outcome {
            let file = c.directory + "/mounts.json"
            try writeText(list.text, to: file)
            let outcome = c.runtime("mounts", change, c.id, file)
            #expect(outcome.succeeded == succeeds, "\(outcome)", sourceLocation: sourceLocation)
            if succeeds { #expect(outcome.stdout.isEmpty && outcome.stderr.isEmpty) }
            return outcome
        }

        private func bind(_ source: String, _ destination: String, _ options: [String] = [])
            -> JSON
        {
            [
                "destination": .string(destination), "source": .string(source),
                "options": JSON(["bind"] + options),
            ]
        }

        private func table(_ c: Container) -> [MountInfo] {
            MountInfo.all(c.execSh("cat /proc/self/mountinfo"))
        }

        private func withSource(
            edit: (inout JSON) -> Void = { _ in }, _ body: (Container, String) throws -> Void
        ) throws {
            try withRunningContainer(edit: edit) { c in
                let source = c.directory + "/source"
                mkdir(source, 0o755)
                try writeText("of the host", to: source + "/file")
                try body(c, source)
            }
        }

        @Test(
            "a directory and a file of the host appear in the container, and go away again",
            .needsNewerCalls("nothing else reaches into a running container"))
        func bind() throws {
            try withSource { c, source in
                let list: JSON = [
                    bind(source, "/data/new", ["ro", "nosuid"]), bind(source + "/file", "/one"),
                ]
                try mounts("add", list, of: c)
                #expect(c.execSh("cat /data/new/file /one") == "of the hostof the host")
                let mount = try #require(table(c).last { $0.point == "/data/new" })
                #expect(mount.options.isSuperset(of: ["ro", "nosuid"]))
                #expect(Leaks.mounts(below: c.directory).isEmpty, "it is not on the host")
                // What runs already sees it too.
                #expect(exists("/proc/\(c.pid)/root/data/new/file"))
                try mounts("remove", list, of: c)
                #expect(c.execSh("ls /data/new; cat /one").isEmpty)
                #expect(!table(c).contains { $0.point == "/data/new" || $0.point == "/one" })
            }
        }

        @Test("new file systems belong to the container")
        func newFileSystems() throws {
            try withSource { c, _ in
                let list: JSON = [
                    ["destination": "/t", "type": "tmpfs", "options": ["size=64k", "mode=1711"]],
                    ["destination": "/proc2", "type": "proc"],
                ]
                try mounts("add", list, of: c)
                #expect(c.execSh("stat -c %a /t; ls /proc2 | grep -c '^1$'") == "1711\n1")
                #expect(c.execSh("cat /proc2/1/comm") == "sleep")
                let mount = try #require(table(c).last { $0.point == "/t" })
                #expect(mount.superOptions.contains("size=64k"))
            }
        }

        @Test(
            "in a user namespace, too",
            .needsNewerCalls("nothing else reaches into a running container"))
        func userNamespace() throws {
            try withSource(edit: { $0.userNamespace(base: 100_000) }) { c, source in
                let list: JSON = [
                    bind(source, "/data"), bind(source, "/mapped", ["idmap"]),
                    ["destination": "/t", "type": "tmpfs"],
                ]
                chown(c.rootfs, 100_000, 100_000)
                try mounts("add", list, of: c)
                #expect(c.execSh("stat -c %u /data /mapped /t") == "65534\n0\n0")
                #expect(c.execSh("cat /data/file; touch /t/mine; echo") == "of the host")
                try mounts("remove", list, of: c)
                #expect(!table(c).contains { $0.point == "/t" || $0.point == "/data" })
            }
        }

        @Test(
            "links of the container lead nowhere but into it",
            .needsNewerCalls("nothing else reaches into a running container"))
        func links() throws {
            try withSource { c, source in
                let outside = c.directory + "/outside"
                mkdir(outside, 0o755)
                symlink(outside, c.rootfs + "/absolute")
                symlink("../../../../../../" + outside, c.rootfs + "/relative")
                symlink("/proc/1/root", c.rootfs + "/magic")
                try mounts(
                    "add", [bind(source, "/absolute/in"), bind(source, "/relative/too")], of: c)
                #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
                #expect(c.execSh("cat \(outside)/in/file \(outside)/too/file") != "")
                let outcome = try mounts("add", [bind(source, "/magic/x")], of: c, succeeds: false)
                #expect(outcome.stderr.contains("/magic/x"), "\(outcome)")
                try mounts("remove", [bind("", "/absolute/in")], of: c)
                #expect(!table(c).contains { $0.point == outside + "/in" })
            }
        }

        @Test(
            "before the start, and in standard input",
            .needsNewerCalls("nothing else reaches into a running container"))
        func created() throws {
            try withContainer { c in
                c.config.shell("cat /data/ready")
                try writeText("seen", to: c.directory + "/ready")
                try #require(c.create().succeeded)
                let list: JSON = [bind(c.directory, "/data", ["ro"])]
                let outcome = c.runtime(
                    ["mounts", "add", c.id, "-"], LaunchOptions(input: list.text))
                #expect(outcome.succeeded, "\(outcome)")
                c.start()
                #expect(c.prints("seen"))
                #expect(c.becomes("stopped"))
                let late = c.runtime(
                    ["mounts", "add", c.id, "-"], LaunchOptions(input: list.text))
                #expect(late.stderr.contains("container not running"), "\(late)")
            }
        }

        @Test(
            "what cannot be mounted is named, and what came before it stays",
            arguments: [
                (#"{"destination": "/", "type": "tmpfs"}"#, "/mounts/1/destination"),
                (#"{"destination": "/..", "type": "tmpfs"}"#, "/mounts/1/destination"),
                (#"{"destination": "/c", "type": "cgroup"}"#, "/mounts/1/type"),
                (#"{"destination": "/proc", "type": "tmpfs"}"#, "/proc"),
                (#"{"destination": "/proc/self", "type": "tmpfs"}"#, "/proc/self"),
                (#"{"destination": "/x", "type": "nofs"}"#, "nofs"),
                (#"{"destination": "/x", "source": "/no/such", "options": ["bind"]}"#, "/no/such"),
                (#"{"destination": ""}"#, "/mounts/1/destination"), ("{}", "destination"),
            ])
        func refusals(mount: String, name: String) throws {
            try withSource { c, _ in
                let first: JSON = ["destination": "/first", "type": "tmpfs"]
                let outcome = try mounts(
                    "add", [first, try JSON(parsing: mount)], of: c, succeeds: false)
                #expect(outcome.status == .exited(1))
                #expect(outcome.stderr.contains(name), "\(outcome)")
                #expect(c.status == "running")
            }
        }

        @Test("only what is mounted can be removed")
        func removals() throws {
            try withSource { c, _ in
                for path in ["/bin", "/no/such", "/"] {
                    let list: JSON = [["destination": .string(path)]]
                    let outcome = try mounts("remove", list, of: c, succeeds: false)
                    #expect(outcome.stderr.contains(path), "\(outcome)")
                }
                let missing = c.runtime("mounts", "add", "no-such", "/dev/null")
                #expect(missing.failed)
            }
        }

        @Test(
            "the host's mount namespace is not touched",
            .needsNewerCalls("there is no container without a mount namespace"))
        func hostNamespace() throws {
            try withSource(edit: {
                $0.removeNamespace("mount"); $0.linux.maskedPaths = []; $0.linux.readonlyPaths = [];
                $0["mounts"] = []
            }) { c, source in
                let outcome = try mounts("add", [bind(source, "/data")], of: c, succeeds: false)
                #expect(outcome.stderr.contains("mount namespace"), "\(outcome)")
                #expect(Leaks.mounts(below: c.directory).isEmpty)
            }
        }
    }

    /// The options that crun.1 adds to those of the spec.
    @Suite(.swruncOnly) struct CrunOptions {
        private func withLinks(
            edit: (inout JSON) -> Void = { _ in }, _ body: (Container, String) throws -> Void
        ) throws {
            try withContainer { c in
                edit(&c.config)
                let source = c.directory + "/source"
                mkdir(source, 0o755)
                chown(c.rootfs, 100_000, 100_000)
                try writeText("target", to: source + "/target")
                symlink("target", source + "/link")
                try body(c, source)
            }
        }

        private static let namespaces: [@Sendable (inout JSON) -> Void] = [
            { _ in }, { $0.userNamespace(base: 100_000) },
        ]

        @Test("copy-symlink: a source that is a link becomes one like it", arguments: 0...1)
        func copySymlink(kind: Int) throws {
            try withLinks(edit: Self.namespaces[kind]) { c, source in
                c.config.bind(source + "/link", at: "/a/copy", options: ["copy-symlink"])
                c.config.bind(source + "/target", at: "/file", options: ["copy-symlink"])
                try #expect(c.sh("readlink /a/copy; cat /file") == "target\ntarget")
                // The same link is there by now; another one is not taken for it.
                try #expect(c.sh("readlink /a/copy") == "target")
                unlink(c.rootfs + "/a/copy")
                symlink("other", c.rootfs + "/a/copy")
                let outcome = try c.run()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("/mounts/6 (/a/copy)"), "\(outcome)")
            }
        }

        @Test("src-nofollow: the link itself is mounted", arguments: 0...1)
        func sourceNoFollow(kind: Int) throws {
            try withLinks(edit: Self.namespaces[kind]) { c, source in
                c.config.bind(source + "/link", at: "/a", options: ["src-nofollow"])
                try #expect(
                    c.sh("readlink /a; cut -d' ' -f4,5 /proc/self/mountinfo | grep -c '/link /a$'")
                        == "target\n1")
            }
        }

        @Test("dest-nofollow: a link at the destination is mounted over")
        func destinationNoFollow() throws {
            try withLinks { c, source in
                try writeText("below", to: c.rootfs + "/below")
                symlink("/below", c.rootfs + "/a")
                c.config.bind(source + "/target", at: "/a", options: ["dest-nofollow"])
                try #expect(c.sh("cat /a /below") == "targetbelow")
                c.config["mounts"] = .array(c.config["mounts"].array.dropLast())
                c.config.bind(source + "/target", at: "/a")
                try #expect(c.sh("cat /a /below") == "targettarget")
            }
        }

        @Test(
            "idmap=MAPPINGS: mappings of the mount's own",
            .needsNewerCalls("mount_setattr(2) maps ids"),
            arguments: [
                (0, "idmap=uids=0-7-10;gids=0-8-10", "7:8"),
                (0, "idmap=uids=5-20-10#0-7-2;gids=0-8-10", "7:8"),
                (1, "idmap=uids=@0-3-10;gids=@0-4-10", "3:4"),
                (1, "idmap=uids=0-100003-10;gids=0-100004-10", "3:4"),
            ])
        func idMap(kind: Int, option: String, owner: String) throws {
            try withLinks(edit: Self.namespaces[kind]) { c, source in
                c.config.bind(source, at: "/a", options: [option])
                try #expect(c.sh("stat -c %u:%g /a/target") == owner)
            }
        }
    }
}
