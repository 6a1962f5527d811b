import Foundation
import Testing

extension Conformance.Checkpoint {
    /// What flags and the config ask of CRIU beyond the usual.
    @Suite(.swruncOnly) struct Options {
        @Test("restore --tcp-close closes connections that were open", .requiresCRIU)
        func tcpClose() throws {
            try withContainer { c in
                c.config.shell(
                    """
                    nc -l -p 7007 -e sleep 600 & \(untilListening)
                    sleep 600 | nc 127.0.0.1 7007; echo >/closed; exec sleep 600
                    """)
                try c.runDetached()
                let isOpen = { c.execSh("cat /proc/net/tcp").contains("0100007F:1B5F 01") }
                try #require(eventually { isOpen() })
                let saved = c.checkpoint("--tcp-established")
                try #require(saved.succeeded, "\(saved)")
                let restored = try c.restore(["--tcp-close"])
                try #require(restored.succeeded, "\(restored)")
                #expect(!isOpen())
                #expect(c.status == "running")
            }
        }

        @Test(
            "restore --lsm-profile puts another AppArmor profile on", .requiresCRIU,
            .requires(exists("/sys/kernel/security/apparmor/.load"), "AppArmor is not enabled"),
            .requires(exists("/sbin/apparmor_parser"), "no apparmor_parser"))
        func lsmProfile() throws {
            try withProfile(denied: "/etc/two") { first in
                try withProfile(denied: "/etc/one") { second in
                    try withCounter(edit: { $0.config.process.apparmorProfile = .string(first) }) {
                        c in
                        let profile = {
                            readText("/proc/\(c.pid)/attr/current")
                                .trimmingCharacters(in: .whitespacesAndNewlines)
                        }
                        #expect(profile() == "\(first) (enforce)")
                        try c.moveThroughImages()
                        #expect(profile() == "\(first) (enforce)")
                        #expect(launch(["rm", "-r", c.images]).succeeded)
                        let saved = c.checkpoint()
                        try #require(saved.succeeded, "\(saved)")
                        let restored = try c.restore(["--lsm-profile", "apparmor:" + second])
                        try #require(restored.succeeded, "\(restored)")
                        #expect(profile() == "\(second) (enforce)")
                    }
                }
            }
        }

        @Test(
            "restore hands CRIU the labels that it is given",
            arguments: [
                // criu_opts: lsm_profile is 53, lsm_mount_context 63, both length-delimited.
                ("--lsm-profile", "selinux:a:b:c:s0", [0xaa, 0x03, 16] as [UInt8]),
                ("--lsm-mount-context", "system_u:object_r:x:s0", [0xfa, 0x03, 22]),
            ])
        func labels(flag: String, value: String, field: [UInt8]) throws {
            try withContainer { c in
                mkdir(c.images, 0o700)
                try c.playCRIU("tell_version")
                let restored = try c.restore([flag, value])
                #expect(restored.failed, "that CRIU restores nothing")
                let request = readBytes(c.directory + "/request")
                #expect(
                    Data(request).range(of: Data(field + Array(value.utf8))) != nil, "\(request)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "a namespace that is joined by its path is joined again", .requiresCRIU,
            arguments: ["pid", "ipc", "uts"])
        func joined(type: String) throws {
            // A shell reaps what is left to it: the pids have to be free for a restore.
            let script = """
                unshare --\(type) --fork --kill-child \
                    sh -c 'while :; do sleep 0.1; done' >/dev/null 2>&1 &
                echo $!
                """
            let holder = try #require(pid_t(launch(["sh", "-c", script]).trimmed))
            defer { kill(holder, SIGKILL) }
            let file = type == "pid" ? "pid_for_children" : type
            let path = "/proc/\(holder)/ns/\(file)"
            let link = { (path: String) in
                try FileManager.default.destinationOfSymbolicLink(atPath: path)
            }
            let own = try link("/proc/self/ns/\(type)")
            try #require(eventually { (try? link(path)).map { $0 != own } ?? false })
            try withCounter(edit: { $0.config.namespace(type, path: path) }) { c in
                #expect(try link("/proc/\(c.pid)/ns/\(type)") == link(path))
                try c.moveThroughImages()
                #expect(try link("/proc/\(c.pid)/ns/\(type)") == link(path))
                c.goesOnCounting()
            }
        }

        @Test(
            "with the systemd driver the processes come back into a scope of that name",
            .requiresCRIU,
            .requires(exists("/run/systemd/private"), "has no systemd as its init"))
        func scope() throws {
            try withScope(edit: {
                $0.shell(Counting.script("/count"))
                $0.linux.resources.pids = ["limit": 77]
            }) { c in
                let started = try c.runDetached()
                try #require(started.succeeded, "\(started)")
                c.goesOnCounting()
                let path = c.scopePath
                try c.moveThroughImages()
                c.goesOnCounting()
                #expect(c.scopePath == path)
                #expect(c.show("ActiveState") == "active")
                #expect(c.show("TasksMax") == "77")
                #expect(c.scoped(.pids) == "77")
                #expect(Leaks.processes(inCgroup: path).contains(c.pid))
            }
        }
    }
}
