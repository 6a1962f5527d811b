import Testing

@testable import Arguments

/// A command with one flag of every kind.
private let everything = Command(
    "act", summary: "do",
    positionals: [
        Positional("ID", help: "the one"), Positional("EXTRA", .optional, help: "another"),
    ],
    flags: [
        Flag("all", "a", help: "everything"),
        Flag("brief", "bB", help: "little"),
        Flag("file", "f", .path("FILE"), help: "a file"),
        Flag("format", "", .choice("FORMAT", ["table", "json"]), help: "a format"),
        Flag("count", "n", .number("N"), help: "a number"),
        Flag("env", "e", .text("NAME=VALUE"), repeats: true, help: "a variable"),
        Flag("old", standing: .obsolete, help: "nothing"),
    ])

private func flag(_ name: String) throws -> Flag {
    try #require(everything.flags.first { $0.name == name })
}

private func parse(
    _ arguments: [String], notText: [Int] = [], order: Command.Order = .anywhere,
    globals: [Flag] = []
) throws -> Parsed {
    let command = Command(
        everything.name, summary: everything.summary,
        positionals: order == .beforePositionals
            ? [Positional("ID", help: ""), Positional("ARG", .any, help: "")]
            : everything.positionals,
        flags: everything.flags, order: order)
    var parser = Parser(arguments, notText: notText, from: 0)
    try parser.read(command, globals: globals)
    return parser.take()
}

@Suite struct ParserTests {
    @Test(arguments: [
        "--file x id", "--file=x id", "-file x id", "-file=x id", "-f x id", "-f=x id", "-fx id",
        "id --file x", "id -fx", "--file y --file x id", "--file x -- id", "-afx id", "-abf x id",
        "-file=y -fx id",
    ])
    func valueSpellings(line: String) throws {
        let parsed = try parse(line.split(separator: " ").map(String.init))
        #expect(parsed.text(try flag("file")) == "x")
        #expect(parsed.positionals == ["id"])
    }

    @Test(arguments: [
        ("--all id", true), ("-all id", true), ("-a id", true), ("--all=true id", true),
        ("--all=1 id", true), ("--all=T id", true), ("-a=yes id", true), ("--all=false id", false),
        ("-all=0 id", false), ("-a=no id", false), ("--all --all=F id", false),
        ("--all=FALSE --all id", true), ("-ba id", true), ("-ba=false id", false),
        ("-Ba id", true),
    ])
    func booleans(line: String, value: Bool) throws {
        let parsed = try parse(line.split(separator: " ").map(String.init))
        #expect(parsed.boolean(try flag("all")) == value)
        #expect(parsed.isOn(try flag("all")) == value)
    }

    @Test func whatWasNotGivenIsAbsent() throws {
        let parsed = try parse(["id"])
        #expect(parsed.boolean(try flag("all")) == nil)
        #expect(parsed.isOn(try flag("all")) == false)
        #expect(parsed.text(try flag("file")) == nil)
        #expect(parsed.texts(try flag("env")) == [])
        #expect(parsed.number(try flag("count")) == nil)
        #expect(!parsed.wantsHelp)
    }

    @Test func theArgumentAfterAFlagIsItsValueWhateverItLooksLike() throws {
        #expect(try parse(["--file", "--all", "id"]).text(flag("file")) == "--all")
        #expect(try parse(["--file", "--", "id"]).text(flag("file")) == "--")
        #expect(try parse(["-f", "", "id"]).text(flag("file")) == "")
        #expect(try parse(["--file=", "id"]).text(flag("file")) == "")
        #expect(try parse(["-f=", "id"]).text(flag("file")) == "")
        #expect(try parse(["--file=a=b", "id"]).text(flag("file")) == "a=b")
    }

    @Test func repeatedValuesKeepTheirOrder() throws {
        let parsed = try parse(["-e", "A=1", "id", "--env=B=2", "-eC=3"])
        #expect(parsed.texts(try flag("env")) == ["A=1", "B=2", "C=3"])
    }

    @Test(arguments: [
        ("0", 0 as Int32), ("7", 7), ("007", 7), ("2147483647", 2_147_483_647),
    ])
    func numbers(text: String, value: Int32) throws {
        #expect(try parse(["-n", text, "id"]).number(flag("count")) == value)
    }

    @Test(arguments: [
        "", "-1", "+1", " 1", "1 ", "0x10", "1e3", "2147483648", "99999999999999999999", "１",
        "one",
    ])
    func wrongNumbers(text: String) {
        #expect(
            throws: UsageError(
                "invalid value \"\(text)\" for --count: not a number from 0 to 2147483647")
        ) { try parse(["--count", text, "id"]) }
    }

    @Test(
        arguments: [
            (["--file"], "flag needs an argument: --file"),
            (["id", "-f"], "flag needs an argument: --file"),
            (["-file"], "flag needs an argument: --file"),
            (["--all=maybe", "id"], "invalid value \"maybe\" for --all: use true or false"),
            (["--all=", "id"], "invalid value \"\" for --all: use true or false"),
            (["--format", "xml"], "invalid value \"xml\" for --format: use table or json"),
            (["--fiel", "x"], "flag provided but not defined: -fiel; did you mean --file?"),
            (["--form=x"], "flag provided but not defined: -form; did you mean --format?"),
            (["-zip"], "flag provided but not defined: -zip"),
            (["-z"], "flag provided but not defined: -z"),
            (["--olt"], "flag provided but not defined: -olt"),
            (["--nothing-like-it"], "flag provided but not defined: -nothing-like-it"),
            (["--=x"], "flag provided but not defined: -"),
            (
                ["--root", "x"],
                "flag provided but not defined: -root; --root stands before the command"
            ),
            ([], "\"act\" requires a minimum of 1 argument(s): ID is missing"),
            (
                ["a", "b", "c"],
                "\"act\" requires a maximum of 2 argument(s): \"c\" is one too many"
            ),
        ] as [([String], String)])
    func errors(arguments: [String], message: String) {
        let globals = [Flag("root", "", .directory("DIR"), help: "somewhere")]
        #expect(throws: UsageError(message)) { try parse(arguments, globals: globals) }
    }

    @Test(arguments: [
        (["id", "?"], "argument 1 is not valid UTF-8"),
        (["id", "--file", "?"], "the value of --file is not valid UTF-8"),
        (["id", "--", "?"], "argument 2 is not valid UTF-8"),
        (["--file=?"], "argument 0 is not valid UTF-8"),
    ])
    func whatIsNotTextIsRefused(arguments: [String], message: String) {
        #expect(throws: UsageError(message)) {
            try parse(arguments, notText: [arguments.count - 1])
        }
    }

    @Test func exactCount() {
        var parser = Parser(["a", "b"], from: 0)
        let command = Command(
            "start", summary: "", positionals: [Positional("ID", help: "")])
        #expect(
            throws: UsageError(
                "\"start\" requires exactly 1 argument(s): \"b\" is one too many")
        ) { try parser.read(command, globals: []) }
    }

    @Test func flagsEndAtTheFirstPositionalWhereTheRestIsACommandLine() throws {
        let parsed = try parse(
            ["-a", "id", "ls", "-a", "--help", "--", "--file"], order: .beforePositionals)
        #expect(parsed.positionals == ["id", "ls", "-a", "--help", "--", "--file"])
        #expect(!parsed.wantsHelp)
        let ended = try parse(["--", "-id", "-l"], order: .beforePositionals)
        #expect(ended.positionals == ["-id", "-l"])
    }

    @Test func aDoubleDashEndsTheFlags() throws {
        #expect(try parse(["--", "-x"]).positionals == ["-x"])
        #expect(try parse(["id", "--", "--"]).positionals == ["id", "--"])
        #expect(try parse(["id", "-"]).positionals == ["id", "-"])
    }

    @Test func aNumberWithADashIsASignalOnlyAfterThePositional() throws {
        #expect(
            try parse(["id", "-9"], order: .anywhereWithSignals).positionals == ["id", "9"])
        #expect(throws: UsageError("flag provided but not defined: -9")) {
            try parse(["-9", "id"], order: .anywhereWithSignals)
        }
        #expect(throws: UsageError("flag provided but not defined: -9")) {
            try parse(["id", "-9"])
        }
        #expect(throws: UsageError("flag provided but not defined: -KILL")) {
            try parse(["id", "-KILL"], order: .anywhereWithSignals)
        }
    }

    @Test(arguments: [
        ["--help"], ["-h"], ["-?"], ["-help"], ["--usage"], ["id", "--help", "--bogus"],
        ["-ah", "--bogus"], ["a", "b", "c", "-h"],
    ])
    func helpStopsTheReading(arguments: [String]) throws {
        #expect(try parse(arguments).wantsHelp)
    }

    @Test func whatPrecedesAnErrorIsKept() throws {
        var parser = Parser(["--file", "log", "--bogus", "--all"], from: 0)
        #expect(throws: UsageError.self) { try parser.readGlobals(everything.flags) }
        let parsed = parser.take()
        #expect(parsed.text(try flag("file")) == "log")
        #expect(parsed.boolean(try flag("all")) == nil)
    }

    @Test func globalsEndAtTheCommand() throws {
        var parser = Parser(["x", "--file", "log", "-a", "go", "--all=false"], from: 1)
        try parser.readGlobals(everything.flags)
        #expect(parser.take().isOn(try flag("all")))
        #expect(try parser.nextWord() == "go")
        #expect(parser.position == 5)
        #expect(parser.take().boolean(try flag("all")) == nil)
    }

    @Test func ofFlagsThatOverruleEachOtherTheLastCounts() throws {
        let parsed = try parse(["-a", "--brief", "--file", "x", "id"])
        #expect(parsed.lastGiven(try flag("all"), try flag("brief"))?.name == "brief")
        #expect(parsed.lastGiven(try flag("all"))?.name == "all")
        #expect(parsed.lastGiven(try flag("env")) == nil)
    }
}

@Suite struct DecimalTests {
    @Test(
        arguments: [
            ("0", 0), ("00", 0), ("10", 10), ("4294967295", UInt32.max), ("4294967296", nil),
            ("", nil), ("-0", nil), ("1a", nil), ("1\u{0}", nil), ("٣", nil),
            ("42949672950", nil), ("18446744073709551616", nil),
        ] as [(String, UInt32?)])
    func digits(text: String, value: UInt32?) {
        #expect(decimal(text.utf8) == value)
    }
}

@Suite struct NearestTests {
    private static let names = [
        "create", "start", "run", "state", "exec", "kill", "delete", "list",
    ]

    @Test(
        arguments: [
            ("craete", "create"), ("creat", "create"), ("strat", "start"), ("stat", "state"),
            ("rum", "run"), ("exce", "exec"), ("kil", "kill"), ("del", "delete"), ("lsit", "list"),
            ("CREATE", nil), ("attach", nil), ("", nil), ("x", nil),
            (String(repeating: "create", count: 1000), nil),
        ] as [(String, String?)])
    func suggestion(word: String, expected: String?) {
        #expect(nearest(to: word, among: Self.names) == expected)
    }

    @Test(arguments: [
        ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("abc", "abd", 1),
        ("abc", "acb", 1), ("ca", "abc", 3), ("kitten", "sitting", 3),
    ])
    func distance(from: String, to: String, expected: Int) {
        #expect(edits(Array(from.utf8), Array(to.utf8)) == expected)
    }
}
