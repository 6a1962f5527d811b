import Testing

@testable import Arguments

@Suite struct HelpTests {
    private static let command = Command(
        "list", summary: "list things",
        description: """
            A first paragraph that is long enough to be wrapped somewhere, because it has more than
            eighty columns.

              kept   as it is

            A second one.
            """,
        positionals: [
            Positional("ID", help: "the one"), Positional("NAME", .optional, help: "another"),
            Positional("ARG", .any, help: "the rest"),
        ],
        flags: [
            Flag(
                "format", "fF", .choice("FORMAT", ["table", "json", "text"]), default: "table",
                help: "how it looks"),
            Flag("quiet", help: "show less"),
            Flag("env", "e", .text("NAME=VALUE"), repeats: true, help: "a variable"),
            Flag("a-name-too-long-for-its-column", "", .path("FILE"), help: "a file"),
            Flag("secret", standing: .hidden, help: "not shown"),
            Flag("ancient", standing: .obsolete, help: "not shown"),
        ],
        exitStatus: "Always 0.")

    @Test func commandHelp() {
        #expect(
            Self.command.help(program: "prog") == """
                Usage: prog list [FLAGS] ID [NAME] [ARG...]

                List things.

                A first paragraph that is long enough to be wrapped somewhere, because it has
                more than eighty columns.

                  kept   as it is

                A second one.

                Arguments:
                  ID    the one
                  NAME  another
                  ARG   the rest

                Flags:
                  -f, --format FORMAT   how it looks (table, json or text; default: table)
                      --quiet           show less
                  -e, --env NAME=VALUE  a variable (may be repeated)
                      --a-name-too-long-for-its-column FILE
                                        a file
                  -h, --help            show this help

                Exit status:
                  Always 0.

                """)
    }

    @Test func programHelp() {
        let program = Program(
            "prog", summary: "do things", description: "Things are done.",
            flags: [Flag("debug", help: "show more")],
            groups: [
                CommandGroup(
                    "Commands", [Self.command, Command("go", summary: "go on", hidden: true)]),
                CommandGroup("Hidden", [Command("went", summary: "be gone", hidden: true)]),
                CommandGroup("Others", [Command("stand", summary: "stay")]),
            ])
        #expect(
            program.help == """
                Usage: prog [FLAGS] COMMAND [FLAGS] [ARGUMENTS]

                Do things.

                Things are done.

                Commands:
                  list   list things

                Others:
                  stand  stay

                Flags, before the command:
                      --debug  show more
                  -h, --help   show this help

                Run `prog COMMAND --help` for the flags of a command.

                """)
    }

    @Test func wordsLongerThanTheLineStayWhole() {
        #expect(wrap("a bcdefgh ij k", width: 4) == ["a", "bcdefgh", "ij k"])
        #expect(wrap("", width: 4) == [])
        #expect(wrap("abcd efgh", width: 4) == ["abcd", "efgh"])
        #expect(wrap("ab cd", width: 5) == ["ab cd"])
    }

    @Test(arguments: [
        ([], ""), (["a"], "a"), (["a", "b"], "a or b"), (["a", "b", "c"], "a, b or c"),
    ])
    func alternativesForAPerson(words: [String], expected: String) {
        #expect(alternatives(words) == expected)
    }
}
