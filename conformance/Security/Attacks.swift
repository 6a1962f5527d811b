import Foundation
import Testing

extension Conformance {
    /// What was found by attacking the runtime: each clause failed once.
    @Suite struct Attacks {}
}

extension Conformance.Attacks {
    /// CVE-2024-21626, its third form: the program's path leads through a descriptor of the runtime.
    @Suite struct ProgramPath {
        /// A program of the host that runs without libraries, and where it lies.
        private func hostProgram(_ c: Container) -> String {
            let path = c.directory + "/host"
            launch(["cp", c.rootfs + "/bin/busybox", path])
            return path
        }

        @Test("args[0] through /proc/self/fd/N never is a program of the host", arguments: 3..<24)
        func run(descriptor: Int) throws {
            try withContainer { c in
                let up = String(repeating: "/..", count: 12)
                c.config.program("/proc/self/fd/\(descriptor)\(up)\(hostProgram(c))", "id")
                let outcome = try c.run()
                #expect(outcome.failed, "\(outcome)")
                #expect(!outcome.stderr.contains("applet not found"), "\(outcome)")
            }
        }

        @Test("nor for exec, by a link in the image")
        func exec() throws {
            try withRunningContainer { c in
                let program = hostProgram(c)
                let up = String(repeating: "/..", count: 12)
                for descriptor in 3..<24 {
                    let link = "/link\(descriptor)"
                    symlink("/proc/self/fd/\(descriptor)\(up)\(program)", c.rootfs + link)
                    let outcome = c.exec([], link, "id")
                    #expect(outcome.failed, "\(outcome)")
                    #expect(!outcome.stderr.contains("applet not found"), "\(outcome)")
                }
            }
        }

        @Test("nor for a startContainer hook", arguments: 3..<24)
        func hook(descriptor: Int) throws {
            try withContainer { c in
                let up = String(repeating: "/..", count: 12)
                c.config.hooks = [
                    "startContainer": [
                        [
                            "path": .string(
                                "/proc/self/fd/\(descriptor)\(up)\(hostProgram(c))"),
                            "args": ["true"],
                        ]
                    ]
                ]
                let outcome = try c.run()
                #expect(outcome.failed, "\(outcome)")
            }
        }
    }

    @Suite struct Identity {
        @Test(
            "the id that means unchanged to setresuid(2) is refused, not run as root",
            arguments: ["uid", "gid"])
        func unchanged(member: String) throws {
            try withContainer { c in
                var user: [String: JSON] = ["uid": 1000, "gid": 1000]
                user[member] = 4_294_967_295
                c.config.process.user = .object(user)
                c.config.program("id")
                let outcome = try c.run()
                #expect(outcome.failed, "\(outcome)")
            }
        }

        @Test("nor does exec take it from a process file")
        func exec() throws {
            try withRunningContainer { c in
                let file = c.directory + "/process.json"
                try writeText(
                    """
                    {"args": ["id"], "cwd": "/", "env": ["PATH=/bin"],
                     "user": {"uid": 4294967295, "gid": 4294967295}}
                    """, to: file)
                let outcome = c.runtime(["exec", "--process", file, c.id])
                #expect(outcome.failed && outcome.trimmed.isEmpty, "\(outcome)")
            }
        }
    }

    @Suite struct Waiting {
        @Test("a pipe in the place of /etc/passwd does not stop anything")
        func passwd() throws {
            try withContainer { c in
                mkdir(c.rootfs + "/etc", 0o755)
                unlink(c.rootfs + "/etc/passwd")
                mkfifo(c.rootfs + "/etc/passwd", 0o644)
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("what a hook leaves behind may write for ever", .swruncOnly)
        func hookOutput() throws {
            try withContainer { c in
                c.config.hooks = [
                    "createRuntime": [
                        ["path": "/bin/sh", "args": ["sh", "-c", "yes & exit 0"]]
                    ]
                ]
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("a killed create leaves no lock behind: delete --force goes ahead", .swruncOnly)
        func lock() throws {
            for delay in stride(from: 1000, to: 12000, by: 500) as StrideTo<Int> {
                try withContainer { c in
                    c.config.program("sleep", "600")
                    try c.writeConfig()
                    var options = c.intoFiles(LaunchOptions())
                    options.whileRunning = { pid in
                        usleep(UInt32(delay))
                        Glibc.kill(pid, SIGKILL)
                    }
                    c.runtime(["create", "--bundle", c.bundle, c.id], options)
                    #expect(c.delete("--force").succeeded)
                }
            }
        }
    }

    @Suite struct Files {
        @Test("the start socket is root's alone, whatever the umask", .swruncOnly)
        func startSocket() throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = launch(
                    [
                        "sh", "-c", "umask 0; exec \"$@\"", "sh", Runtime.binary, "--root", c.root,
                        "create", "--bundle", c.bundle, c.id,
                    ], c.intoFiles(LaunchOptions()))
                try #require(outcome.succeeded, "\(outcome)")
                let directory = c.root + "/" + c.id
                for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
                    var status = stat()
                    lstat(directory + "/" + name, &status)
                    #expect(status.st_mode & 0o077 == 0, "\(name)")
                }
            }
        }

        @Test("delete --force takes no directory that is not a container's", .swruncOnly)
        func foreignDirectory() throws {
            try withContainer { c in
                mkdir(c.root, 0o700)
                mkdir(c.root + "/home", 0o755)
                try writeText("dear", to: c.root + "/home/letter")
                let outcome = c.runtime(["delete", "--force", "home"])
                #expect(outcome.failed, "\(outcome)")
                #expect(readText(c.root + "/home/letter") == "dear")
            }
        }

        @Test("the directory of the notify socket cannot be written from inside", .swruncOnly)
        func notifyDirectory() throws {
            try withContainer { c in
                c.config.shell("touch /run/notify/x && echo WRITTEN; ls /run/notify")
                try c.writeConfig()
                var options = LaunchOptions()
                options.environment = ["NOTIFY_SOCKET": c.directory + "/nowhere"]
                let outcome = c.runtime(["run", "--bundle", c.bundle, c.id], options)
                #expect(outcome.trimmed == "notify.sock", "\(outcome)")
            }
        }
    }
}
