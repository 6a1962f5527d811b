import Foundation
import Testing

extension Conformance.Process {
    /// config.md, process.terminal and consoleSize; `--console-socket` as in runc.
    @Suite struct TerminalClauses {
        /// Creates and starts a container with a terminal, whose master came over the socket.
        private func start(_ c: Container) throws -> Terminal {
            let socket = try ConsoleSocket(path: c.directory + "/s")
            c.config.process.terminal = true
            let created = try c.create(["--console-socket", socket.path])
            try #require(created.succeeded, "\(created)")
            let terminal = try socket.receive()
            let started = c.start()
            #expect(started.succeeded, "\(started)")
            return terminal
        }

        @Test("the master arrives over --console-socket and the program has the terminal")
        func consoleSocket() throws {
            try withContainer { c in
                c.config.shell("probe; echo done")
                let terminal = try start(c)
                #expect(terminal.prints("done"))
                let report = ProbeReport(terminal.text.replacingOccurrences(of: "\r", with: ""))
                #expect(report["tty"] == "1,1,1")
                #expect(report["controlling"] == "1")
                #expect(report["fds"] == "0,1,2")
                #expect(report["sid"] == "1")
            }
        }

        @Test("what is typed reaches the program, control characters as signals")
        func input() throws {
            try withContainer { c in
                c.config.shell("trap 'echo interrupted; exit 3' INT; read x; echo got $x; read y")
                let terminal = try start(c)
                terminal.type("hello\n")
                #expect(terminal.prints("got hello"))
                terminal.type("\u{3}")
                #expect(terminal.prints("interrupted"))
                #expect(c.becomes("stopped"))
            }
        }

        @Test("/dev/console is the terminal")
        func console() throws {
            try withContainer { c in
                c.config.shell(
                    "stat -c '%F %t' /dev/console; echo through > /dev/console; tty; echo done")
                let terminal = try start(c)
                #expect(terminal.prints("done"))
                // Major 136 (0x88) is a pty's slave.
                #expect(terminal.text.contains("character special file 88"))
                #expect(terminal.text.contains("through"))
            }
        }

        @Test("the terminal is of the container's own devpts")
        func ownDevpts() throws {
            try withContainer { c in
                c.config.shell("tty; ls /dev/pts; echo done")
                let terminal = try start(c)
                #expect(terminal.prints("done"))
                #expect(terminal.text.contains("/dev/pts/0"))
            }
        }

        @Test("the terminal belongs to the user")
        func owner() throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.shell(
                    "stat -c 'owner %u' /dev/pts/0; echo through > /dev/pts/0; echo done")
                let terminal = try start(c)
                #expect(terminal.prints("done"))
                #expect(terminal.text.contains("owner 1000"))
                #expect(terminal.text.contains("through"))
            }
        }

        @Test("consoleSize is the terminal's first size")
        func consoleSize() throws {
            try withContainer { c in
                c.config.process.consoleSize = ["height": 33, "width": 101]
                c.config.shell("probe | grep winsize; echo done")
                let terminal = try start(c)
                #expect(terminal.prints("done"))
                #expect(terminal.text.contains("winsize=33x101"), "\(terminal.text)")
            }
        }

        @Test("consoleSize is ignored without a terminal")
        func consoleSizeIgnored() throws {
            try withContainer { c in
                c.config.process.consoleSize = ["height": 33, "width": 101]
                try #expect(c.probe()["winsize"] == "0x0")
            }
        }

        @Test("without a terminal in the config the standard streams are no terminal")
        func noTerminal() throws {
            try withContainer { c in
                let report = try c.probe()
                #expect(report["tty"] == "0,0,0")
                #expect(report["controlling"] == "0")
            }
        }

        @Test("a detached terminal without --console-socket fails and leaves nothing")
        func missingSocket() throws {
            try withContainer { c in
                c.config.process.terminal = true
                for outcome in [try c.create(), try c.runDetached()] {
                    #expect(outcome.failed)
                    #expect(outcome.stderr.contains("console socket"), "\(outcome)")
                }
                c.expectNothingLeft()
            }
        }

        @Test("--console-socket without a terminal in the config fails")
        func needlessSocket() throws {
            try withContainer { c in
                let socket = try ConsoleSocket(path: c.directory + "/s")
                let outcome = try c.create(["--console-socket", socket.path])
                #expect(outcome.failed, "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("a console socket that nobody listens on fails, is named, and leaves nothing")
        func deadSocket() throws {
            try withContainer { c in
                c.config.process.terminal = true
                let outcome = try c.create(["--console-socket", c.directory + "/nobody"])
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("/nobody"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("exec --tty --detach --console-socket gives the exec'd program a terminal")
        func execDetached() throws {
            try withRunningContainer { c in
                let socket = try ConsoleSocket(path: c.directory + "/s")
                let outcome = c.exec(
                    ["--tty", "--detach", "--console-socket", socket.path], "sh", "-c",
                    "probe; read x; echo got $x", options: c.intoFiles(LaunchOptions()))
                #expect(outcome.succeeded, "\(outcome)")
                let terminal = try socket.receive()
                terminal.type("typed\n")
                #expect(terminal.prints("got typed"))
                let report = ProbeReport(terminal.text.replacingOccurrences(of: "\r", with: ""))
                #expect(report["tty"] == "1,1,1")
                #expect(report["controlling"] == "1")
            }
        }

        @Test("exec --process with a terminal and consoleSize")
        func execProcess() throws {
            try withRunningContainer { c in
                let socket = try ConsoleSocket(path: c.directory + "/s")
                let process: JSON = [
                    "terminal": true, "cwd": "/", "env": ["PATH=/bin"],
                    "args": ["sh", "-c", "probe | grep winsize; echo done"],
                    "consoleSize": ["height": 33, "width": 101], "user": ["uid": 0, "gid": 0],
                ]
                try writeText(process.text, to: c.directory + "/p.json")
                let outcome = c.runtime(
                    [
                        "exec", "--detach", "--process", c.directory + "/p.json",
                        "--console-socket", socket.path, c.id,
                    ], c.intoFiles(LaunchOptions()))
                #expect(outcome.succeeded, "\(outcome)")
                let terminal = try socket.receive()
                #expect(terminal.prints("done"))
                #expect(terminal.text.contains("winsize=33x101"), "\(terminal.text)")
            }
        }
    }
}
