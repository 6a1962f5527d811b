import Foundation
import Testing

extension Conformance.Robustness {
    @Suite struct Locks {
        @Test(
            "exec into the container of a run waits until the init has changed its root",
            .swruncOnly)
        func execWaits() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached()
                // As the `run` does it, until the program executes.
                let script = """
                    flock "$STATE" sh -c 'echo > "$FILE"; sleep 2; echo released' &
                    until [ -e "$FILE" ]; do sleep 0.02; done; "$@"; wait
                    """
                let outcome = launch([
                    "env", "STATE=\(c.root)/\(c.id)", "FILE=\(c.directory)/locked", "sh", "-c",
                    script, "sh", Runtime.binary, "--root", c.root, "exec", c.id, "echo",
                    "executed",
                ])
                #expect(outcome.lines == ["released", "executed"], "\(outcome)")
            }
        }
    }

    /// Every wait ends, long before the harness would end it, and says what for.
    @Suite struct Waits {
        private func expectRefusal(
            _ outcome: Outcome, naming words: String...,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(outcome.failed, "\(outcome)", sourceLocation: sourceLocation)
            for word in words {
                #expect(
                    outcome.stderr.contains(word), "\(outcome)", sourceLocation: sourceLocation)
            }
        }

        @Test("start of a container whose init is stopped fails, and leaves nothing", .swruncOnly)
        func stoppedInit() throws {
            try withContainer { c in
                try c.create()
                Foundation.kill(c.pid, SIGSTOP)
                expectRefusal(c.start(), naming: "stopped", "SIGSTOP")
                c.expectNothingLeft()
            }
        }

        @Test("nor does create wait for one that a hook stops", .swruncOnly)
        func stoppedByHook() throws {
            try withContainer { c in
                c.config.linux.namespaces = [["type": "mount"], ["type": "uts"]]
                c.config.addHook(
                    "createContainer",
                    ["path": "/bin/sh", "args": ["sh", "-c", "kill -STOP $PPID; sleep 600"]])
                let outcome = try c.create()
                #expect(outcome.failed, "\(outcome)")
                #expect(readText(c.directory + "/err1").contains("stopped"))
            }
        }

        @Test(
            "nor for the end of one that a hook has frozen", .swruncOnly,
            .requires(Host.controller("freezer") != nil, "has no cgroup v1"))
        func frozenByHook() throws {
            let freezer = try #require(Host.controller("freezer"))
            let script = #"""
                pid=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
                path=$(sed -n 's/^[0-9]*:freezer://p' /proc/$pid/cgroup)
                echo FROZEN >$0$path/freezer.state && exit 1
                """#
            try withContainer { c in
                c.config.addHook(
                    "createRuntime",
                    [
                        "path": "/bin/sh", "args": ["sh", "-c", .string(script), .string(freezer)],
                        "env": ["PATH=/usr/bin:/bin"],
                    ])
                let outcome = try c.create()
                #expect(outcome.failed && outcome.duration < .seconds(8 * patience), "\(outcome)")
                #expect(readText(c.directory + "/err1").contains("exit status 1"))
                c.expectNothingLeft()
            }
        }

        @Test("a hook in the container may take longer than any message of the init")
        func slowHook() throws {
            try withContainer { c in
                c.config.addHook(
                    "startContainer",
                    ["path": "/bin/sh", "args": ["sh", "-c", "sleep 3"], "env": ["PATH=/bin"]])
                try #expect(c.run().succeeded)
            }
        }

        @Test("--log on a pipe without a reader", .swruncOnly)
        func logPipe() throws {
            try withContainer { c in
                let pipe = c.directory + "/pipe"
                mkfifo(pipe, 0o600)
                expectRefusal(
                    launch([Runtime.binary, "--log", pipe, "list"]), naming: pipe, "nobody reads")
            }
        }

        @Test("a config that is a pipe without a writer", .swruncOnly)
        func configPipe() throws {
            try withContainer { c in
                mkfifo(c.bundle + "/config.json", 0o600)
                expectRefusal(
                    c.runtime("create", "--bundle", c.bundle, c.id),
                    naming: "config.json", "nobody writes")
            }
        }

        @Test("a config and a process may come through a pipe")
        func pipes() throws {
            try withRunningContainer { c in
                let file = c.directory + "/process.json"
                mkfifo(file, 0o600)
                var process = c.config.process
                process.args = ["echo", "came"]
                try writeText(process.text, to: c.directory + "/text")
                var options = LaunchOptions()
                options.whileRunning = { _ in
                    launch(["sh", "-c", "cat \(c.directory)/text > \(file)"])
                }
                let outcome = c.runtime(["exec", "--process", file, c.id], options)
                #expect(outcome.trimmed == "came", "\(outcome)")
            }
        }

        @Test(
            "a console socket that is none, or that nobody serves",
            arguments: ["file", "pipe", "directory", "missing"])
        func consoleSocket(kind: String) throws {
            try withContainer { c in
                let path = c.directory + "/console"
                switch kind {
                case "file": try writeText("", to: path)
                case "pipe": mkfifo(path, 0o600)
                case "directory": mkdir(path, 0o700)
                default: break
                }
                c.config.process.terminal = true
                try c.writeConfig()
                let outcome = c.runtime(
                    "create", "--bundle", c.bundle, "--console-socket", path, c.id)
                expectRefusal(outcome, naming: "console")
                c.expectNothingLeft()
            }
        }

        @Test(
            """
            a pid file in the place of a pipe or a link is a file; of a directory or a device
            it is refused
            """,
            .swruncOnly, arguments: ["pipe", "link", "directory", "device"])
        func pidFile(kind: String) throws {
            try withContainer { c in
                let path = c.directory + "/pid"
                let victim = c.directory + "/victim"
                try writeText("mine", to: victim)
                switch kind {
                case "pipe": mkfifo(path, 0o600)
                case "link": symlink(victim, path)
                case "device": mknod(path, S_IFCHR | 0o666, 1 << 8 | 3)
                default: mkdir(path, 0o700)
                }
                let outcome = try c.create(["--pid-file", path])
                #expect(readText(victim) == "mine")
                if kind == "directory" || kind == "device" {
                    #expect(outcome.failed, "\(outcome)")
                    #expect(outcome.stderr.contains("the pid file \"\(path)\""), "\(outcome)")
                    c.expectNothingLeft()
                    #expect(kind == "directory" || launch(["test", "-c", path]).succeeded)
                } else {
                    #expect(readText(path) == String(c.pid))
                }
            }
        }
    }

    /// Hosts that lack something.
    @Suite struct PoorHosts {
        /// Runs the runtime where `/proc` is an empty directory.
        private func withoutProc(_ command: [String]) throws -> Outcome {
            var outcome: Outcome?
            try withContainer { c in
                launch(["cp", Runtime.executable, c.rootfs + "/bin/runtime"])
                outcome = launch(["chroot", c.rootfs, "/bin/runtime"] + command)
            }
            return try #require(outcome)
        }

        @Test(
            "without /proc every command that is about containers says so", .swruncOnly,
            arguments: [
                ["list"], ["state", "x"], ["delete", "--force", "x"], ["run", "x"],
                ["create", "x"],
            ])
        func needsProc(command: [String]) throws {
            let outcome = try withoutProc(command)
            #expect(outcome.failed, "\(outcome)")
            #expect(outcome.stderr.contains("/proc is not mounted"), "\(outcome)")
        }

        @Test(
            "without /proc the others work", .swruncOnly,
            arguments: [
                ["--version"], ["--help"], ["help", "run"], ["completion", "bash"], ["features"],
                ["spec", "--file", "/dev/stdout"],
            ])
        func needsNoProc(command: [String]) throws {
            let outcome = try withoutProc(command)
            #expect(outcome.succeeded, "\(outcome)")
            if command.last != "/dev/stdout" { #expect(outcome.stdout.count > 20, "\(outcome)") }
        }

        @Test(
            "without /dev/null nothing of the host's takes the place of closed streams", .swruncOnly
        )
        func withoutNull() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                c.config.linux.maskedPaths = []
                c.sandbox = [
                    "unshare", "--mount", "sh", "-c",
                    "mount -t tmpfs tmpfs /dev && exec \"$@\" 0<&- 1>&- 2>&-", "sh",
                ]
                let log = c.directory + "/log"
                try c.writeConfig()
                let created = c.runtime(["--log", log, "create", "--bundle", c.bundle, c.id])
                #expect(created.failed, "\(created)")
                c.expectNothingLeft()
            }
        }

        @Test("a limit on the size of files is an error, and leaves nothing", .swruncOnly)
        func fileSize() throws {
            try withContainer { c in
                c.sandbox = ["sh", "-c", "ulimit -f 0; exec \"$@\"", "sh"]
                try c.writeConfig()
                let created = c.runtime(["create", "--bundle", c.bundle, c.id])
                expectRefusal(created, c, naming: "File too large")
            }
        }

        @Test("a container whose process cannot be seen is not taken for stopped", .swruncOnly)
        func unseen() throws {
            try withRunningContainer { c in
                c.sandbox = [
                    "unshare", "--mount", "sh", "-c",
                    "mount --bind /dev/null /proc/\(c.pid)/stat && exec \"$@\"", "sh",
                ]
                for command in ["state", "delete", "start"] {
                    let outcome = c.runtime(command, c.id)
                    #expect(outcome.failed && outcome.stderr.contains("stat"), "\(outcome)")
                }
                c.sandbox = []
                #expect(c.status == "running")
            }
        }

        @Test("an update that cannot be written down changes nothing", .swruncOnly)
        func update() throws {
            try withRunningContainer(edit: { $0.linux.resources.pids = ["limit": 50] }) { c in
                c.sandbox = ["sh", "-c", "ulimit -f 0; exec \"$@\"", "sh"]
                let updated = c.runtime(["update", "--pids-limit", "77", c.id])
                #expect(updated.failed && updated.stderr.contains("File too large"), "\(updated)")
                c.sandbox = []
                let statistics = c.runtime("events", "--stats", c.id)
                #expect(statistics.stdout.contains("\"limit\":50"), "\(statistics)")
            }
        }
    }
}
