import Foundation
import Testing

extension Conformance {
    /// An ordinary user, without any right of root's.
    @Suite struct Rootless {
        private static let id = 54321
        private static let user = [
            "setpriv", "--reuid", "\(id)", "--regid", "\(id)", "--clear-groups",
        ]
        /// /etc as it would be with a user `swc` who has 65536 subordinate ids, seen by the command only.
        private static let subordinate: [String] = {
            let script = """
                for file in passwd subuid subgid; do
                    cp /etc/$file "$0/$file" 2> /dev/null || : > "$0/$file"
                done
                echo "swc:x:\(id):\(id)::/:/bin/sh" >> "$0/passwd"
                echo "swc:200000:65536" | tee -a "$0/subuid" >> "$0/subgid"
                for file in passwd subuid subgid; do mount --bind "$0/$file" /etc/$file; done
                exec "$@"
                """
            return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script]
        }()

        /// A bundle of the user's own, with the config that `spec --rootless` writes.
        private func withUser(
            withSubordinateIDs: Bool = false, _ body: (Container) throws -> Void
        ) throws {
            try withContainer { c in
                chmod(Workspace.path, 0o755)
                c.sandbox =
                    (withSubordinateIDs ? Self.subordinate + [c.directory] : []) + Self.user
                mkdir(c.root, 0o700)
                for path in [c.directory, c.bundle, c.root, c.rootfs] {
                    chown(path, uid_t(Self.id), gid_t(Self.id))
                }
                let written = c.runtime("spec", "--rootless", "--bundle", c.bundle)
                try #require(written.succeeded, "\(written)")
                c.config = try JSON(parsing: readText(c.bundle + "/config.json"))
                unlink(c.bundle + "/config.json")
                c.config.process.terminal = false
                c.config.root.readonly = false
                try body(c)
            }
        }

        @Test("spec --rootless and run, again and again")
        func run() throws {
            try withUser { c in
                c.config.shell("id -u; id -g; cat /proc/self/setgroups; hostname")
                for _ in 0..<20 {
                    let outcome = try c.run()
                    #expect(outcome.lines == ["0", "0", "deny", "swrunc"], "\(outcome)")
                }
            }
        }

        @Test("the whole life: create, start, exec, kill, delete")
        func life() throws {
            try withUser { c in
                c.config.program("sleep", "600")
                let created = try c.create()
                try #require(created.succeeded, "\(created)")
                #expect(c.status == "created")
                #expect(c.start().succeeded)
                #expect(c.execSh("id -u; pidof sleep") == "0\n1")
                // Root, who can do more, is no worse off where setgroups(2) is denied.
                let sandbox = c.sandbox
                c.sandbox = []
                #expect(c.execSh("id -u") == "0")
                c.sandbox = sandbox
                #expect(c.kill("KILL").succeeded)
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
            }
        }

        @Test(
            "exec into a container that is only created", .knownDifference(crun: "1.8: EPERM"),
            arguments: [false, true])
        func execCreated(withSubordinateIDs: Bool) throws {
            if withSubordinateIDs, !Self.hasMappers { try Test.cancel(Self.noMappers) }
            try withUser(withSubordinateIDs: withSubordinateIDs) { c in
                if withSubordinateIDs { map(c, from: 200_000, size: 65536) }
                c.config.program("sleep", "600")
                let created = try c.create()
                try #require(created.succeeded, "\(created)")
                let namespaces =
                    "id -u; cd /proc/self/ns; stat -c %N cgroup ipc mnt net pid user uts"
                let before = c.execSh(namespaces)
                if Runtime.kind == .swrunc {
                    // The init stays out of reach, and takes no notice of who leaves at once.
                    let look = "ls /proc/1/fd || readlink /proc/1/exe || echo nothing"
                    #expect(
                        c.exec(["--cap", "CAP_SYS_PTRACE"], "sh", "-c", look).stdout == "nothing\n")
                    #expect(knock(on: "\(c.root)/\(c.id)/exec.sock"))
                    #expect(knock(on: "\(c.root)/\(c.id)/exec.sock"))
                }
                #expect(c.status == "created")
                #expect(c.start().succeeded)
                #expect(before == c.execSh(namespaces))
                #expect(before.split(separator: "\n").count == 8)
            }
        }

        @Test(
            "time offsets, in a user namespace of its own and in one that is joined",
            .requires(Host.hasNamespace("time"), "has no time namespaces"),
            .knownDifference(runc: "1.1 has no time namespace"),
            arguments: [[], ["user"], ["user", "pid"]])
        func timeOffsets(joined: [String]) throws {
            func shift(_ c: Container) {
                c.config.namespace("time")
                c.config.linux.timeOffsets = ["boottime": ["secs": 604_800]]
            }
            func expectShifted(_ report: ProbeReport) {
                var now = timespec()
                clock_gettime(CLOCK_BOOTTIME, &now)
                let shift = (Int(report["boottime"]) ?? 0) - now.tv_sec
                #expect((604_700...604_830).contains(shift), "\(shift)")
            }
            try withUser { c in
                shift(c)
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                expectShifted(c.execProbe())
                if joined.isEmpty { return }
                try withUser { other in
                    shift(other)
                    for type in joined {
                        other.config.namespace(type, path: "/proc/\(c.pid)/ns/\(type)")
                    }
                    other.config.linux.uidMappings = .null
                    other.config.linux.gidMappings = .null
                    expectShifted(try other.probe())
                }
            }
        }

        @Test("a limit that nobody may set is an error that names it")
        func limit() throws {
            try withUser { c in
                c.config.linux.resources = ["memory": ["limit": 100_000_000]]
                let outcome = try c.run()
                #expect(outcome.failed && outcome.stderr.contains("memory"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        /// crun.1.md, Automatically create user namespace.
        @Test(
            "without a user namespace it gets one, with the user's subordinate ids",
            .knownDifference(runc: "refuses it"), arguments: [true, false])
        func withoutUserNamespace(withSubordinateIDs: Bool) throws {
            if withSubordinateIDs, !Self.hasMappers { try Test.cancel(Self.noMappers) }
            try withUser(withSubordinateIDs: withSubordinateIDs) { c in
                withoutUserNamespace(&c.config)
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                let maps = { (file: String) in
                    readText("/proc/\(c.pid)/\(file)").split(separator: "\n").map {
                        $0.split(separator: " ").joined(separator: " ")
                    }
                }
                let expected =
                    ["0 \(Self.id) 1"] + (withSubordinateIDs ? ["1 200000 65536"] : [])
                #expect(maps("uid_map") == expected && maps("gid_map") == expected)
                // Later commands know of it.
                #expect(c.execSh("id -u") == "0")
                #expect(c.execSh("cat /proc/self/uid_map") == c.execSh("cat /proc/1/uid_map"))
                #expect(c.delete("--force").succeeded)
            }
        }

        @Test(
            "what needs more ids than an ordinary user has is refused, with the reason and a remedy",
            .swruncOnly, arguments: ["/etc/subuid", "newuidmap"])
        func missing(what: String) throws {
            if !Self.hasFiles { try Test.cancel(Self.noMappers) }
            try withUser(withSubordinateIDs: what == "newuidmap") { c in
                if what == "newuidmap" { c.sandbox += ["/usr/bin/env", "PATH=/none"] }
                withoutUserNamespace(&c.config)
                let config = c.config
                c.config.editMount("/dev/pts") { $0.options.append("gid=5") }
                expectRefusal(try c.create(), c, naming: "/mounts/")
                expectRefusal(try c.create(), c, naming: what)
                c.config = config
                for user in ["uid", "gid"] {
                    c.config.process.user = ["uid": 0, "gid": 0]
                    c.config.process.user[user] = 1000
                    expectRefusal(try c.create(), c, naming: "/process/user/\(user)")
                    expectRefusal(try c.create(), c, naming: what)
                }
                c.config.process.user = ["uid": 0, "gid": 0, "additionalGids": [7]]
                expectRefusal(try c.create(), c, naming: what)
                // The config names such ids itself.
                c.config = config
                if what == "newuidmap" {
                    c.config.namespace("user")
                    map(c, from: 200_000, size: 65536)
                    expectRefusal(try c.create(), c, naming: "no newuidmap")
                    expectRefusal(try c.create(), c, naming: "uidmap)")
                }
            }
        }

        private func withoutUserNamespace(_ config: inout JSON) {
            config.linux.namespaces = .array(
                config.linux.namespaces.array.filter { $0.type.string != "user" })
            config.linux.uidMappings = .null
            config.linux.gidMappings = .null
        }

        /// As under Podman: who enters the container's pid namespace there may not go back.
        @Test("root of a user namespace runs and executes in a container that has none of its own")
        func insideUserNamespace() throws {
            try withUser { c in
                let script = """
                    "$@" unshare --user --map-root-user --mount sleep 600 >&- 2>&- & echo $!
                    """
                let started = launch(["sh", "-c", script, "sh"] + Self.user)
                let holder = try #require(pid_t(started.trimmed))
                defer { kill(holder, SIGKILL) }
                let own = readText("/proc/self/uid_map")
                try #require(
                    eventually {
                        ![own, ""].contains(readText("/proc/\(holder)/uid_map"))
                            && readText("/proc/\(holder)/comm") == "sleep\n"
                    })
                c.sandbox = [
                    "nsenter", "--target", "\(holder)", "--user", "--mount", "--setuid", "0",
                    "--setgid", "0",
                ]
                withoutUserNamespace(&c.config)
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                #expect(c.execSh("id -u; pidof sleep") == "0\n1")
                #expect(c.delete("--force").succeeded)
            }
        }

        private func map(_ c: Container, from host: Int, size: Int) {
            for key in ["uidMappings", "gidMappings"] {
                c.config.linux[key] = [
                    ["containerID": 0, "hostID": JSON(Self.id), "size": 1],
                    ["containerID": 1, "hostID": JSON(host), "size": JSON(size)],
                ]
            }
        }

        private static let hasFiles = exists("/etc/subuid") && exists("/etc/subgid")
        private static let hasMappers =
            hasFiles && exists("/usr/bin/newuidmap") && exists("/usr/bin/newgidmap")
        private static let noMappers: Comment =
            "no newuidmap, or no /etc/subuid (Debian's uidmap)"

        @Test(
            "newuidmap and newgidmap map the user's subordinate ids",
            .requires(hasMappers, noMappers))
        func subordinateIDs() throws {
            try withUser(withSubordinateIDs: true) { c in
                map(c, from: 200_000, size: 65536)
                c.config.process.user = ["uid": 1000, "gid": 1000, "additionalGids": [5, 7]]
                c.config.shell("id; touch /tmp/file; cat /proc/self/setgroups")
                let outcome = try c.run()
                #expect(
                    outcome.lines.first?.hasPrefix("uid=1000(user) gid=1000(user)") == true,
                    "\(outcome)")
                #expect(outcome.lines.last == "allow", "\(outcome)")
                var status = stat()
                lstat(c.rootfs + "/tmp/file", &status)
                #expect(status.st_uid == 200_999)
            }
        }

        @Test(
            "ids that are not the user's are refused in the words of newuidmap", .swruncOnly,
            .requires(hasMappers, noMappers))
        func foreignIDs() throws {
            try withUser(withSubordinateIDs: true) { c in
                map(c, from: 0, size: 1000)
                let outcome = try c.run()
                #expect(outcome.failed && outcome.stderr.contains("not allowed"), "\(outcome)")
                #expect(outcome.stderr.contains("subuid(5)"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("a joined user namespace in which setgroups is denied")
        func joinedNamespace() throws {
            try withContainer { c in
                let ready = c.directory + "/ready"
                chmod(c.directory, 0o777)
                var options = LaunchOptions()
                options.whileRunning = { pid in
                    #expect(eventually { exists(ready) })
                    var namespaces = c.config.linux.namespaces
                    namespaces.append(["type": "user", "path": .string("/proc/\(pid)/ns/user")])
                    c.config.linux.namespaces = namespaces
                    c.config.linux.uidMappings = .null
                    launch(["chown", "-R", "--no-dereference", "\(Self.id):\(Self.id)", c.rootfs])
                    c.config.linux.resources = .null
                    // Only id 0 is mapped there.
                    c.config.editMount("/dev/pts") { $0.options = ["newinstance"] }
                    c.config.program("sleep", "600")
                    let outcome = try c.runDetached()
                    #expect(outcome.succeeded, "\(outcome)")
                    #expect(c.execSh("id -u; cat /proc/self/setgroups") == "0\ndeny")
                    let groups = c.execSh("grep Groups: /proc/self/status | tr -d '[:space:]'")
                    #expect(groups == "Groups:")
                    let more = c.exec(["--additional-gids", "5"], "true")
                    #expect(more.failed && more.stderr.contains("setgroups"), "\(more)")
                    c.delete("--force")
                    Foundation.kill(pid, SIGKILL)
                }
                launch(
                    Self.user + [
                        "unshare", "--user", "--map-root-user", "sh", "-c",
                        ": > \(ready); exec sleep 600",
                    ], options)
            }
        }
    }
}
