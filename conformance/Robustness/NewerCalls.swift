import Foundation
import Testing

extension Conformance.Robustness {
    /// A seccomp filter around the runtime that is older than system calls which the runtime uses. It says
    /// that such a call does not exist, or that it is not permitted.
    @Suite(.swruncOnly) struct NewerCalls {
        /// The numbers are the same on every architecture.
        enum Call: Int, CaseIterable {
            case pidfdSendSignal = 424
            case openTree = 428
            case moveMount = 429
            case fsopen = 430
            case fsconfig = 431
            case fsmount = 432
            case pidfdOpen = 434
            case clone3 = 435
            case closeRange = 436
            case openat2 = 437
            case faccessat2 = 439
            case mountSetattr = 442
        }

        static let answers = [EPERM, ENOSYS]
        static let reason =
            "refused by a seccomp filter around the runtime, or the kernel is older than Linux"

        private func refusing(_ calls: [Call], _ answer: Int32) -> [String] {
            [Workspace.probe, "deny"]
                + calls.flatMap { [String($0.rawValue), String(answer)] } + ["--"]
        }

        /// A container whose runtime does without some calls.
        private func withRefused(
            _ calls: [Call] = Call.allCases, answering answer: Int32,
            _ body: (Container) throws -> Void
        ) throws {
            try withContainer { c in
                c.sandbox = refusing(calls, answer)
                c.config.program("sleep", "600")
                try body(c)
            }
        }

        private func expectLife(_ c: Container) throws {
            let source = c.directory + "/source"
            mkdir(source, 0o755)
            try writeText("of the host", to: source + "/file")
            c.config.root.readonly = true
            mkdir(c.rootfs + "/data", 0o755)
            c.config.bind(source, at: "/data", options: ["ro", "nosuid", "rslave"])
            c.config.linux.maskedPaths = ["/proc/keys", "/proc/acpi", "/etc/group", "/home"]
            c.config.linux.readonlyPaths = ["/proc/sys"]
            let created = try c.create()
            try #require(created.succeeded, "\(created)")
            let started = c.start()
            #expect(started.succeeded, "\(started)")
            #expect(c.execSh("cat /data/file") == "of the host")
            #expect(c.execSh("cat /etc/group; ls /home").isEmpty, "both are masked")
            let table = MountInfo.all(c.execSh("cat /proc/self/mountinfo"))
            let data = table.filter { $0.point == "/data" }
            #expect(data.count == 1, "\(data)")
            for point in ["/", "/data", "/proc/sys", "/etc/group", "/home"] {
                let mount = try #require(table.last { $0.point == point }, "\(point)")
                #expect(mount.options.contains("ro"), "\(mount)")
            }
            let killed = c.kill("KILL")
            #expect(killed.succeeded, "\(killed)")
            #expect(c.becomes("stopped"))
            let late = c.kill("KILL")
            #expect(late.failed && late.stderr.contains("not running"), "\(late)")
            let deleted = c.delete()
            #expect(deleted.succeeded, "\(deleted)")
        }

        @Test("each of them has an older one in its place", arguments: Call.allCases, answers)
        func each(call: Call, answer: Int32) throws {
            try withRefused([call], answering: answer) { try expectLife($0) }
        }

        @Test("so have all of them together", arguments: answers)
        func all(answer: Int32) throws { try withRefused(answering: answer) { try expectLife($0) } }

        @Test("a process that runs is ended by delete --force", arguments: answers)
        func force(answer: Int32) throws {
            try withRefused(answering: answer) { c in
                try #require(try c.runDetached().succeeded)
                let deleted = c.delete("--force")
                #expect(deleted.succeeded, "\(deleted)")
            }
        }

        @Test("exec joins a container that has every namespace", arguments: answers, [false, true])
        func exec(answer: Int32, tracing: Bool) throws {
            try withRefused(answering: answer) { c in
                for type in ["cgroup", "time"] where Host.hasNamespace(type) {
                    c.config.namespace(type)
                }
                if tracing {
                    c.config.process.capabilities = capabilitySets(["CAP_SYS_PTRACE"])
                } else {
                    c.config.userNamespace(base: 100_000)
                    chown(c.rootfs, 100_000, 100_000)
                }
                let started = try c.runDetached()
                try #require(started.succeeded, "\(started)")
                let script = "for n in /proc/self/ns/*; do readlink $n; done"
                let own = c.execSh(script)
                let ofInit = c.execSh(script.replacingOccurrences(of: "self", with: "1"))
                #expect(own == ofInit)
                #expect(!own.isEmpty)
                #expect(c.execSh("id -u") == "0")
            }
        }

        @Test("events end with the container", arguments: answers)
        func events(answer: Int32) throws {
            try withRefused(answering: answer) { c in
                try #require(try c.runDetached().succeeded)
                var options = LaunchOptions()
                options.stdout = .file(c.directory + "/events")
                options.whileRunning = { _ in
                    #expect(eventually { !readText(c.directory + "/events").isEmpty })
                    #expect(c.kill("KILL").succeeded)
                }
                let events = c.runtime(["events", "--interval", "50ms", c.id], options)
                #expect(events.succeeded, "\(events)")
            }
        }

        /// CVE-2019-5736: a container must not get hold of a file that it can write to.
        @Test(
            "the runtime's executable is out of reach",
            arguments: Call.allCases.map { [$0] } + [Call.allCases],
            answers)
        func executable(calls: [Call], answer: Int32) throws {
            try withRefused(calls, answering: answer) { c in
                try #require(try c.create().succeeded)
                let path = "/proc/\(c.pid)/exe"
                let file = open(path, O_RDONLY | O_CLOEXEC)
                defer { close(file) }
                let (getSeals, sealWrite) = (Int32(1034), Int32(8))
                let isSealed = fcntl(file, getSeals) & sealWrite != 0 && fcntl(file, getSeals) > 0
                #expect(file >= 0 && (isSealed || access(path, W_OK) != 0))
            }
        }

        /// What the container must have and only the new call gives.
        enum Without: CaseIterable {
            case idMap, recursive, root, ownTree

            func want(_ config: inout JSON, _ source: String) {
                switch self {
                case .idMap:
                    config.userNamespace(base: 0)
                    config.bind(source, at: "/mnt", options: ["idmap"])
                case .recursive: config.bind(source, at: "/mnt", options: ["rbind", "rro"])
                case .root: config.bind(source, at: "/", options: ["rbind"])
                case .ownTree:
                    config.removeNamespace("mount")
                    config.linux.maskedPaths = .null
                    config.linux.readonlyPaths = .null
                }
            }

            var call: String {
                switch self {
                case .idMap: "open_tree() for an id-mapped mount"
                case .recursive: "mount_setattr(AT_RECURSIVE)"
                case .root, .ownTree: "open_tree("
                }
            }
        }

        @Test(
            "what has no other way is an error that says so", arguments: Without.allCases, answers)
        func without(way: Without, answer: Int32) throws {
            try withRefused(answering: answer) { c in
                way.want(&c.config, c.rootfs)
                let created = try c.create()
                #expect(created.failed)
                let said = readText(c.directory + "/err1")
                #expect(said.contains(way.call) && said.contains(Self.reason), "\(said)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "a mount that is added to a running container is never one of the container's own files",
            arguments: answers)
        func liveMount(answer: Int32) throws {
            try withRefused([.moveMount], answering: answer) { c in
                try #require(try c.runDetached().succeeded)
                let file = c.directory + "/mounts.json"
                let list: JSON = [
                    ["destination": "/mnt", "source": "/etc", "options": ["bind"]]
                ]
                try writeText(list.text, to: file)
                let added = c.runtime("mounts", "add", c.id, file)
                #expect(added.failed && added.stderr.contains(Self.reason), "\(added)")
                #expect(c.execSh("ls /mnt").isEmpty)
            }
        }

        @Test(
            "what the kernel does not permit is said to be that",
            .needsNewerCalls("it is the kernel that has to answer"))
        func denied() throws {
            try withContainer { c in
                let source = c.directory + "/source"
                mkdir(source, 0o755)
                c.sandbox = [
                    "unshare", "--mount", "--propagation", "private", "sh", "-ec",
                    "mount -t tmpfs -o ro,noexec none \"$0\"; "
                        + "exec unshare --user --map-root-user --mount \"$@\"", source,
                ]
                // Only the kernel's lock on what another user namespace mounted is to refuse.
                c.config.editMount("/dev/pts") { $0.options = ["newinstance"] }
                c.config.bind(source, at: "/mnt", options: ["rw", "exec"])
                let outcome = try c.run()
                #expect(outcome.stderr.contains("mount_setattr("), "\(outcome)")
                #expect(outcome.stderr.contains("Operation not permitted"), "\(outcome)")
                #expect(!outcome.stderr.contains(Self.reason), "\(outcome)")
            }
        }

        #if arch(x86_64)
            /// It would pass for a user's, whose containers have no device rules.
            @Test("a runtime that is not told its rights creates nothing")
            func hiddenRights() throws {
                let capget = "125"
                try withContainer { c in
                    c.sandbox = [Workspace.probe, "deny", capget, String(EPERM), "--"]
                    let created = try c.create()
                    #expect(created.failed && created.stderr.contains("capget"), "\(created)")
                    c.expectNothingLeft()
                }
            }
        #endif

        @Test(
            "on cgroup v2 the init moves itself where clone3 is refused", arguments: answers)
        func unified(answer: Int32) throws {
            let script = """
                mount -t tmpfs tmpfs /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
                exec "$@"
                """
            try withRefused([.clone3], answering: answer) { c in
                guard exists("/sys/fs/cgroup/unified") else {
                    try Test.cancel("this host: no v2 hierarchy beside v1")
                }
                c.sandbox =
                    ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh"]
                    + c.sandbox
                c.config.linux.resources = .null
                let path = c.cgroupsPath
                let seen = try c.sh("cat /proc/self/cgroup")
                #expect(seen.contains("0::\(path)"), "\(seen)")
            }
        }
    }
}
