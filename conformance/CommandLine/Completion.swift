import Foundation
import Testing

extension Conformance {
    /// What a person at a terminal meets.
    @Suite(.swruncOnly) struct CommandLine {}
}

/// Words typed so far, and what the shell makes of them when Tab is pressed.
private let typed: [(line: String, expected: String)] = [
    ("swrunc feat", "swrunc features"),
    ("swrunc --log-format j", "swrunc --log-format json"),
    ("swrunc --log-format=j", "swrunc --log-format=json"),
    ("swrunc run --no-pi", "swrunc run --no-pivot"),
    ("swrunc mounts a", "swrunc mounts add"),
    ("swrunc completion z", "swrunc completion zsh"),
    ("swrunc --root ROOT state PREFIX", "swrunc --root ROOT state ID"),
    ("swrunc --root=ROOT exec -t PREFIX", "swrunc --root=ROOT exec -t ID"),
    ("swrunc list --format t", "swrunc list --format table"),
    ("swrunc create --pid-file DIR/some", "swrunc create --pid-file DIR/some-file"),
    ("swrunc create --bundle=DIR/other", "swrunc create --bundle=DIR/other-dir"),
]

extension Conformance.CommandLine {
    @Suite struct Completion {
        private func withTyped(
            _ body: (Container, [(line: String, expected: String)]) throws -> Void
        )
            throws
        {
            try withContainer { c in
                try #require(c.create().succeeded)
                let directory = c.directory + "/files"
                mkdir(directory, 0o755)
                mkdir(directory + "/other-dir", 0o755)
                try writeText("", to: directory + "/some-file")
                func filled(_ text: String) -> String {
                    text.replacingOccurrences(of: "ROOT", with: c.root)
                        .replacingOccurrences(of: "PREFIX", with: String(c.id.dropLast(2)))
                        .replacingOccurrences(of: "ID", with: c.id)
                        .replacingOccurrences(of: "DIR", with: directory)
                }
                try body(c, typed.map { (filled($0.line), filled($0.expected)) })
            }
        }

        private func environment(_ c: Container) -> [String: String] {
            let directory = (Runtime.binary as NSString).deletingLastPathComponent
            return [
                "PATH": "\(directory):/usr/sbin:/usr/bin:/sbin:/bin", "TERM": "dumb",
                "HOME": c.directory, "LC_ALL": "C.UTF-8",
            ]
        }

        /// Types at a shell that runs on a terminal, and reads what it answers.
        private func interact(
            _ shell: [String], setUp: String, _ c: Container,
            _ lines: [(line: String, expected: String)]
        ) throws {
            let (terminal, slave) = try Terminal.make(columns: 500)
            var options = LaunchOptions()
            options.terminal = slave
            options.environment = environment(c)
            options.timeout = 60
            options.whileRunning = { _ in
                terminal.type(setUp + "; echo read''y\n")
                #expect(terminal.prints("ready"))
                for (line, expected) in lines {
                    terminal.type(line + "\t")
                    let completed = terminal.prints(expected)
                    #expect(completed, "\(line): \(terminal.text.suffix(400))")
                    // Ctrl-U clears the line.
                    terminal.type("\u{15}echo next''line\n")
                    #expect(terminal.prints("nextline"))
                    terminal.forget()
                }
                terminal.type("exit\n")
            }
            launch(shell, options)
        }

        @Test("bash completes commands, flags, values, ids and paths")
        func bash() throws {
            try withTyped { c, lines in
                try interact(
                    ["/bin/bash", "--norc", "--noprofile", "-i"],
                    setUp: "PS1='> '; source <(swrunc completion bash)", c, lines)
            }
        }

        @Test("zsh does", .requires(exists("/usr/bin/zsh"), "has no zsh"))
        func zsh() throws {
            try withTyped { c, lines in
                try interact(
                    ["/usr/bin/zsh", "-f", "-i"],
                    setUp: "PS1='> '; unsetopt promptsp; autoload -U compinit; "
                        + "compinit -u -d \(c.directory)/dump; source <(swrunc completion zsh)",
                    c, lines)
            }
        }

        @Test("fish does", .requires(exists("/usr/bin/fish"), "has no fish"))
        func fish() throws {
            try withTyped { c, lines in
                for (line, expected) in lines {
                    var options = LaunchOptions()
                    options.environment = environment(c)
                    let outcome = launch(
                        [
                            "/usr/bin/fish", "--no-config", "-c",
                            "swrunc completion fish | source; complete -C '\(line)'",
                        ], options)
                    let words = outcome.lines.map { $0.split(separator: "\t").first ?? "" }
                    let last = expected.split(separator: " ").last ?? ""
                    #expect(
                        words.contains { $0 == last || $0 == last + "/" }, "\(line): \(outcome)")
                }
            }
        }
    }

    @Suite struct ManPages {
        @Test(
            "there is one for the program and for every command, and roff finds nothing wrong",
            .requires(exists("/usr/bin/groff"), "has no groff"))
        func pages() throws {
            try withContainer { c in
                let directory = c.directory + "/man"
                mkdir(directory, 0o755)
                let outcome = launch([Runtime.binary, "__man", directory])
                #expect(outcome.succeeded, "\(outcome)")
                let pages = try FileManager.default.contentsOfDirectory(atPath: directory)
                #expect(pages.contains("swrunc.8"))
                let help = launch([Runtime.binary, "--help"]).lines
                    .prefix { !$0.hasPrefix("Flags") }.filter { $0.hasPrefix("  ") }
                    .compactMap { $0.split(separator: " ").first }
                #expect(help.count > 10)
                for command in help { #expect(pages.contains("swrunc-\(command).8")) }
                for page in pages {
                    let outcome = launch(
                        ["/usr/bin/groff", "-man", "-ww", "-Tutf8", "\(directory)/\(page)"])
                    #expect(outcome.stderr.isEmpty, "\(page): \(outcome.stderr)")
                    #expect(outcome.stdout.contains("(8)"))
                }
            }
        }
    }
}
