import Foundation
import Testing

extension Conformance.Checkpoint {
    @Suite(.swruncOnly) struct Failures {
        @Test("without CRIU the error says so, and the container goes on")
        func noCRIU() throws {
            try withRunningContainer { c in
                c.globals += ["--criu", "/none/criu"]
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains("/none/criu"), "\(saved)")
                #expect(saved.stderr.contains("need CRIU"), "\(saved)")
                #expect(c.status == "running")
            }
        }

        @Test("a container that does not run is not checkpointed")
        func created() throws {
            try withContainer { c in
                try c.create()
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains("created"), "\(saved)")
                #expect(!exists(c.images))
            }
        }

        @Test("a container that could not be restored is not checkpointed")
        func userNamespace() throws {
            try withRunningContainer(edit: { $0.userNamespace(base: 100_000) }) { c in
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains("user namespace"), "\(saved)")
                #expect(c.status == "running")
            }
        }

        @Test(
            "a container that joins a namespace which CRIU cannot join is refused, and runs on",
            arguments: ["cgroup", "time"])
        func joinedNamespace(type: String) throws {
            let edit = { (config: inout JSON) in
                config.namespace(type, path: "/proc/self/ns/" + type)
            }
            try withRunningContainer(edit: edit) { c in
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains(type + " namespace"), "\(saved)")
                #expect(c.status == "running")
            }
        }

        @Test("an absolute --parent-path is refused")
        func parent() throws {
            try withRunningContainer { c in
                let saved = c.checkpoint("--parent-path", "/tmp")
                #expect(saved.failed && saved.stderr.contains("--parent-path"), "\(saved)")
            }
        }

        @Test("a --parent-path that is not there is named by its flag")
        func missingParent() throws {
            try withRunningContainer { c in
                let saved = c.checkpoint("--parent-path", "../none")
                #expect(saved.failed && saved.stderr.contains("--parent-path"), "\(saved)")
                #expect(saved.stderr.contains("../none") && c.status == "running", "\(saved)")
            }
        }

        @Test(
            "where the kernel does not track changes of memory, it is said what it lacks",
            arguments: [["--pre-dump"], ["--parent-path", "."]])
        func softDirty(flags: [String]) throws {
            try withRunningContainer { c in
                // criu_resp: type FEATURE_CHECK, success, neither mem_track nor lazy_pages.
                let features = #"\010\011\020\001\102\004\010\000\020\000"#
                try c.playCRIU("tell_version; printf '\(features)' >&3; hear")
                let saved = c.runtime(
                    ["checkpoint", "--image-path", c.images] + flags + [c.id])
                #expect(saved.failed && saved.stderr.contains(flags[0]), "\(saved)")
                #expect(saved.stderr.contains("CONFIG_MEM_SOFT_DIRTY"), "\(saved)")
                #expect(c.status == "running")
            }
        }

        @Test(
            "an annotation names a config for CRIU that is root's alone, or nothing is done",
            arguments: [
                ("chown 1000", "user 1000"), ("chmod 664", "by others"), ("chmod 646", "by others"),
                ("ln -s /etc/passwd", "symbolic link"), ("mkfifo -m 600", "not a regular file"),
                ("rm", "No such file"), ("cd / #", "absolute"),
            ])
        func configFile(command: String, reason: String) throws {
            try withContainer { c in
                let file = c.directory + "/criu.conf"
                if command.hasPrefix("ch") { try writeText("", to: file) }
                launch(["sh", "-c", "\(command) \(file)"])
                c.config.annotations["org.criu.config"] =
                    .string(command.hasPrefix("cd") ? "criu.conf" : file)
                c.config.program("sleep", "600")
                try #expect(c.runDetached().succeeded)
                c.globals += ["--criu", "/none/criu"]
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains(reason), "\(saved)")
                #expect(saved.stderr.contains("/annotations/org.criu.config"), "\(saved)")
                #expect(c.delete("--force").succeeded)
                let restored = try c.restore()
                #expect(restored.failed && restored.stderr.contains(reason), "\(restored)")
                c.expectNothingLeft()
            }
        }

        @Test("a container that CRIU froze and left goes on, and its images are removed")
        func frozen() throws {
            try withRunningContainer { c in
                let freezer = (c.path(of: .freezer) as NSString).deletingLastPathComponent
                let freeze =
                    Host.isUnified
                    ? "echo 1 >\(freezer)/cgroup.freeze" : "echo FROZEN >\(freezer)/freezer.state"
                try c.playCRIU(
                    """
                    tell_version
                    \(freeze)
                    echo half >\(c.images)/pages-1.img
                    echo 'Error (criu/none.c:1): out of luck' >\(c.directory)/logs/dump.log
                    """)
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains("out of luck"), "\(saved)")
                #expect(c.status == "running")
                sleep(1)
                #expect(!c.isFrozen && c.status == "running", "nor is it half frozen")
                #expect(!exists(c.images))
                #expect(exists(c.directory + "/logs/dump.log"), "the log is not")
            }
        }

        @Test("images in a directory that was there before are left to its owner")
        func ownDirectory() throws {
            try withRunningContainer { c in
                mkdir(c.images, 0o700)
                try c.playCRIU("tell_version; echo half >\(c.images)/pages-1.img")
                #expect(c.checkpoint().failed)
                #expect(exists(c.images + "/pages-1.img"))
            }
        }

        @Test("a paused container stays paused when its checkpoint fails")
        func staysPaused() throws {
            try withRunningContainer { c in
                try c.playCRIU("tell_version")
                #expect(c.runtime("pause", c.id).succeeded)
                #expect(c.checkpoint().failed)
                #expect(c.status == "paused")
            }
        }

        @Test("a CRIU that does not answer is not waited for without end")
        func silent() throws {
            try withRunningContainer { c in
                try c.playCRIU("echo $$ >\(c.directory)/pid; exec sleep 600")
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains("tell its version"), "\(saved)")
                #expect(c.status == "running")
                let pid = try #require(pid_t(readText(c.directory + "/pid").dropLast()))
                #expect(Foundation.kill(pid, 0) != 0, "nor left behind")
            }
        }

        @Test(
            "descriptors.json that is none is an error, and never waited for",
            arguments: ["mkfifo $0", "truncate -s 1G $0", "mkdir $0", "ln -s /dev/zero $0"])
        func descriptors(command: String) throws {
            try withContainer { c in
                mkdir(c.images, 0o700)
                launch(["sh", "-c", command, c.images + "/descriptors.json"])
                let restored = try c.restore()
                #expect(
                    restored.failed && restored.stderr.contains("descriptors.json"), "\(restored)")
                c.expectNothingLeft()
            }
        }

        @Test("what CRIU said last is in the error, and where its log is", .requiresCRIU)
        func dump() throws {
            try withContainer { c in
                c.config.shell(
                    """
                    nc -l -p 7007 -e cat & \(untilListening)
                    nc 127.0.0.1 7007 < /dev/zero > /dev/null
                    """)
                try c.runDetached()
                try #require(
                    eventually { c.execSh("cat /proc/net/tcp").contains("0100007F:1B5F 01") })
                let saved = c.checkpoint()
                #expect(saved.failed && saved.stderr.contains("Connected TCP socket"), "\(saved)")
                #expect(saved.stderr.contains("\(c.directory)/logs/dump.log"), "\(saved)")
                #expect(saved.stderr.split(separator: "\n").count == 1, "\(saved)")
                #expect(c.status == "running", "it goes on")
            }
        }

        @Test("nothing is left of a restore that fails", .requiresCRIU)
        func restore() throws {
            try withContainer { c in
                mkdir(c.images, 0o700)
                let restored = try c.restore()
                #expect(
                    restored.failed && restored.stderr.contains("CRIU could not"), "\(restored)")
                #expect(restored.stderr.contains("\(c.images)/restore.log"), "\(restored)")
                c.expectNothingLeft()
            }
        }
    }
}
