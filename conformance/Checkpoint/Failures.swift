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

        @Test("an absolute --parent-path is refused")
        func parent() throws {
            try withRunningContainer { c in
                let saved = c.checkpoint("--parent-path", "/tmp")
                #expect(saved.failed && saved.stderr.contains("--parent-path"), "\(saved)")
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
                #expect(try c.runDetached().succeeded)
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

        @Test("what CRIU said last is in the error, and where its log is", .requiresCRIU)
        func dump() throws {
            try withContainer { c in
                c.config.shell(
                    "nc -l -p 7007 -e cat & sleep 1; nc 127.0.0.1 7007 < /dev/zero > /dev/null")
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
