import Testing

@testable import Arguments

@Suite struct CompletionTests {
    private static let program = Program(
        "prog", summary: "do things", description: "",
        flags: [
            Flag("root", "", .directory("DIR"), help: "where"), Flag("debug", help: "show more"),
            Flag("level", "", .choice("LEVEL", ["low", "high"]), help: "how much"),
        ],
        groups: [
            CommandGroup(
                "All",
                [
                    Command(
                        "list", summary: "list things",
                        flags: [
                            Flag("format", "f", .choice("FORMAT", ["table", "json"]), help: "how"),
                            Flag("file", "", .path("FILE"), help: "from where"),
                            Flag("old", standing: .obsolete, help: "no effect"),
                        ]),
                    Command(
                        "exec", summary: "execute",
                        positionals: [
                            Positional("ID", .required, .containers, help: "which"),
                            Positional("ARG", .any, help: "the rest"),
                        ], flags: [Flag("env", "e", .text("X"), help: "more")],
                        order: .beforePositionals),
                    Command(
                        "mounts", summary: "change mounts",
                        positionals: [
                            Positional("WHAT", .required, .words(["add", "remove"]), help: "what"),
                            Positional("FILE", .required, .files, help: "which"),
                        ]),
                    Command(
                        "help", summary: "explain",
                        positionals: [Positional("COMMAND", .optional, .commands, help: "which")]),
                    Command("secret", summary: "not shown", hidden: true),
                ])
        ])

    private func complete(_ line: String) -> Completion {
        var globals: [(flag: Flag, value: String)] = []
        return Self.program.completion(
            of: line.split(separator: " ", omittingEmptySubsequences: false).map(String.init),
            globals: &globals)
    }

    private func words(_ line: String) -> [String] {
        guard case .words(let words) = complete(line) else { return ["no words"] }
        return words.map(\.word)
    }

    @Test(arguments: [
        ("", ["list", "exec", "mounts", "help"]), ("l", ["list"]), ("--debug e", ["exec"]),
        ("secre", []), ("--", ["--root", "--debug", "--level", "--help"]),
        ("--level ", ["low", "high"]), ("--level=h", ["--level=high"]), ("-level h", ["high"]),
        ("--root /r l", ["list"]), ("--root=/r l", ["list"]),
        ("list -", ["--format", "--file", "--help"]), ("list --fo", ["--format"]),
        ("list --format j", ["json"]), ("list -f ", ["table", "json"]),
        ("list --format=", ["--format=table", "--format=json"]), ("mounts a", ["add"]),
        ("help m", ["mounts"]), ("--debug=", ["--debug=true", "--debug=false"]),
    ])
    func wordsAreOffered(line: String, expected: [String]) {
        #expect(words(line) == expected)
    }

    @Test(
        arguments: [
            ("--root ", .directories), ("--root=/t", .directories), ("list --file x", .files),
            ("mounts add ", .files), ("exec ", .containers), ("exec -e A=1 c", .containers),
            ("exec -- c", .containers), ("exec c ", .nothing), ("exec c --", .nothing),
            ("nope ", .nothing), ("exec -e ", .nothing), ("mounts add f ", .nothing),
        ] as [(String, Completion)])
    func orSomethingElse(line: String, expected: Completion) {
        #expect(complete(line) == expected)
    }

    @Test func candidatesSayWhatTheyMean() {
        #expect(complete("li") == .words([.init("list", "list things")]))
        #expect(complete("list --fi") == .words([.init("--file", "from where")]))
    }

    @Test func flagsBeforeTheCommandComeBack() {
        var globals: [(flag: Flag, value: String)] = []
        _ = Self.program.completion(
            of: ["--root", "/a", "--root=/b", "exec", ""], globals: &globals)
        #expect(globals.map(\.flag.name) == ["root", "root"])
        #expect(globals.map(\.value) == ["/a", "/b"])
    }
}
