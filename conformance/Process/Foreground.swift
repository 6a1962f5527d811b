import Foundation
import Testing

extension Conformance.Process {
    /// `run` and `exec -t` from a person's own terminal.
    @Suite struct Foreground {
        /// Runs `command` on a new terminal; `act` plays the person before it.
        private func onTerminal(
            _ command: [String], rows: UInt16 = 24, columns: UInt16 = 80,
            _ act: @escaping (Terminal) throws -> Void
        ) throws -> (Outcome, Terminal) {
            let (terminal, slave) = try Terminal.make(rows: rows, columns: columns)
            // Held open: the terminal outlives the command, like a person's.
            let held = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC)
            defer { close(held) }
            let before = terminal.modes
            var options = LaunchOptions(terminal: slave)
            options.whileRunning = { _ in try act(terminal) }
            let outcome = launch(command, options)
            #expect(terminal.modes == before, "the terminal's modes are not restored")
            return (outcome, terminal)
        }

        /// runc gives the window its size only after the program has started.
        private let settle = Runtime.kind == .runc ? "sleep 0.3;" : ""

        private func run(_ c: Container) throws -> [String] {
            c.config.process.terminal = true
            try c.writeConfig()
            return [Runtime.binary, "--root", c.root, "run", "-b", c.bundle, c.id]
        }

        @Test("run passes input, output and the exit status, and restores the terminal")
        func run() throws {
            try withContainer { c in
                c.config.shell("echo ready; read x; echo got $x; exit 9")
                let (outcome, _) = try onTerminal(try run(c)) { terminal in
                    #expect(terminal.prints("ready"))
                    terminal.type("typed\n")
                    #expect(terminal.prints("got typed"))
                }
                #expect(outcome.status == .exited(9))
            }
        }

        @Test(
            "input that cannot be read is input that has ended, as nohup(1) gives it", .swruncOnly)
        func unreadableInput() throws {
            try withContainer { c in
                c.config.shell("echo ready; read x; echo end; exit 9")
                let input = open("/dev/null", O_WRONLY | O_CLOEXEC)
                defer { close(input) }
                var options = LaunchOptions()
                options.stdin = input
                let outcome = launch(try run(c), options)
                #expect(outcome.status == .exited(9), "\(outcome)")
                #expect(outcome.stdout.contains("end"), "\(outcome)")
            }
        }

        @Test("the window has the caller's size, and follows it")
        func windowSize() throws {
            try withContainer { c in
                c.config.shell(
                    """
                    trap 'probe | grep winsize' WINCH
                    \(settle) probe | grep winsize; echo ready
                    while :; do sleep 0.02; done
                    """)
                _ = try onTerminal(try run(c), rows: 31, columns: 97) { terminal in
                    #expect(terminal.prints("ready"))
                    #expect(terminal.text.contains("winsize=31x97"), "\(terminal.text)")
                    terminal.resize(rows: 41, columns: 111)
                    #expect(terminal.prints("winsize=41x111"), "\(terminal.text)")
                    c.kill("KILL")
                }
            }
        }

        @Test("an interrupt typed goes to the program, not to the runtime")
        func interrupt() throws {
            try withContainer { c in
                c.config.shell(
                    "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.02; done")
                let (outcome, _) = try onTerminal(try run(c)) { terminal in
                    #expect(terminal.prints("ready"))
                    terminal.type("\u{3}")
                    #expect(terminal.prints("caught"))
                }
                #expect(outcome.status == .exited(5))
            }
        }

        @Test("bytes typed reach a program that set its terminal raw unchanged")
        func raw() throws {
            try withContainer { c in
                c.config.shell("stty raw -echo; echo ready; head -c 4 | od -An -tx1; exit 0")
                let (outcome, terminal) = try onTerminal(try run(c)) { terminal in
                    #expect(terminal.prints("ready"))
                    terminal.type("\u{3}\u{1a}\r\u{4}")
                    #expect(terminal.prints("03 1a 0d 04"))
                }
                #expect(outcome.succeeded, "\(terminal.text)")
            }
        }

        @Test("much output arrives whole and in order")
        func muchOutput() throws {
            try withContainer { c in
                c.config.shell("seq 1 20000; echo finished")
                let (outcome, terminal) = try onTerminal(try run(c)) { terminal in
                    #expect(terminal.prints("finished"))
                }
                let lines = terminal.text.replacingOccurrences(of: "\r", with: "")
                    .split(separator: "\n")
                #expect(lines.prefix(20000).elementsEqual((1...20000).map { "\($0)" }))
                #expect(outcome.succeeded)
            }
        }

        @Test("exec --tty gives a terminal and restores the caller's", arguments: ["--tty", "-t"])
        func exec(flag: String) throws {
            try withRunningContainer { c in
                let command = [
                    Runtime.binary, "--root", c.root, "exec", flag, c.id, "sh", "-c",
                    "\(settle) probe | grep -E 'tty=|winsize|controlling'; read x; exit 8",
                ]
                let (outcome, terminal) = try onTerminal(command, rows: 30, columns: 90) {
                    #expect($0.prints("controlling"))
                    $0.type("\n")
                }
                #expect(outcome.status == .exited(8))
                #expect(terminal.text.contains("tty=1,0,1"))
                #expect(terminal.text.contains("winsize=30x90"))
            }
        }

        /// What a program with a terminal prints where the caller's output is none.
        private func piped(_ command: [String]) throws -> Outcome {
            let (terminal, slave) = try Terminal.make()
            let input = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC)
            defer { close(input) }
            defer { _ = terminal }
            return launch(command, LaunchOptions(stdin: input))
        }

        @Test("a newline arrives as one: the caller's terminal, if any, makes two characters of it")
        func newlines() throws {
            try withContainer { c in
                c.config.shell("printf 'a\\nb\\n'")
                let outcome = try piped(try run(c))
                #expect(outcome.stdout == "a\nb\n", "\(outcome)")
                let (_, terminal) = try onTerminal(try run(c)) { #expect($0.prints("b\r\n")) }
                #expect(terminal.text == "a\r\nb\r\n")
            }
        }

        @Test("so it does by exec --tty")
        func execNewlines() throws {
            try withRunningContainer { c in
                let command = [
                    Runtime.binary, "--root", c.root, "exec", "--tty", c.id, "printf", "a\\nb\\n",
                ]
                let outcome = try piped(command)
                #expect(outcome.stdout == "a\nb\n", "\(outcome)")
                let (_, terminal) = try onTerminal(command) { #expect($0.prints("b\r\n")) }
                #expect(terminal.text == "a\r\nb\r\n")
            }
        }

        @Test(
            "a console socket's terminal is as the kernel makes it: its settings are the receiver's"
        )
        func consoleSocket() throws {
            try withContainer { c in
                let socket = try ConsoleSocket(path: c.directory + "/s")
                c.config.process.terminal = true
                c.config.shell("echo done")
                try #require(c.create(["--console-socket", socket.path]).succeeded)
                let terminal = try socket.receive()
                try #require(c.start().succeeded)
                #expect(terminal.prints("done\r\n"))
            }
        }
    }
}
