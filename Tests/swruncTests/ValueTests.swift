import Arguments
import Testing

@testable import swrunc

@Suite struct SignalNameTests {
    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("sigterm", 15), ("Term", 15), ("KILL", 9), ("9", 9),
            ("0", 0), ("1", 1), ("64", 64), ("32", 32), ("HUP", 1), ("CLD", 17), ("IOT", 6),
            ("POLL", 29), ("STKFLT", 16), ("SIGSYS", 31), ("RTMIN", 34), ("SIGRTMIN+0", 34),
            ("RTMIN+1", 35), ("rtmin+15", 49), ("RTMIN+30", 64), ("RTMAX", 64),
            ("SIGRTMAX-2", 62), ("RTMAX-30", 34), ("015", 15),
        ] as [(String, Int32)])
    func known(text: String, number: Int32) throws {
        #expect(try signalNumber(text) == number)
    }

    @Test(arguments: [
        "", "65", "-9", "+9", " 9", "9 ", "4294967305", "99999999999", "SIG", "SIGSIGTERM",
        "TERMINATE", "RTMIN+", "RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMAX-31", "RTMIN+-1",
        "RTMIN+99999999999", "T\u{0}ERM", "ſIGTERM",
    ])
    func unknown(text: String) {
        #expect(throws: UsageError("unknown signal \"\(text)\"")) { try signalNumber(text) }
    }
}

@Suite struct UserSpecTests {
    private static let flag = Flag("user", "u", .text("UID[:GID]"), help: "")

    @Test(
        arguments: [
            ("0", 0, nil), ("1", 1, nil), ("1000:1000", 1000, 1000), ("0:5", 0, 5), ("7:0", 7, 0),
            ("4294967294:4294967294", 4_294_967_294, 4_294_967_294), ("007", 7, nil),
        ] as [(String, UInt32, UInt32?)])
    func valid(text: String, uid: UInt32, gid: UInt32?) throws {
        #expect(try UserSpec(text, Self.flag) == UserSpec(uid: uid, gid: gid))
    }

    @Test(arguments: [
        "", ":", "1:", ":1", "abc", "1:abc", "abc:1", "1:2:3", "-1", "1:-1", "+1", " 1", "1 ",
        "1,2", "0x1", "1.0", "4294967295", "1:4294967295", "4294967296", "18446744073709551617",
        "root", "1\u{0}", "１",
    ])
    func invalid(text: String) {
        #expect(
            throws: UsageError(
                "invalid value \"\(text)\" for --user: use UID or UID:GID, in decimal")
        ) { try UserSpec(text, Self.flag) }
    }
}

@Suite struct PatternTests {
    @Test(arguments: [
        ("^web-[0-9]+$", "web-12", true), ("^web-[0-9]+$", "web-", false),
        ("web", "my-web-1", true), ("a|b", "xbx", true), ("", "anything", true), ("A", "a", false),
    ])
    func extendedExpressions(expression: String, id: String, matches: Bool) throws {
        let pattern = try Pattern(expression)
        let result = pattern.matches(id)
        #expect(result == matches)
    }

    @Test(arguments: ["(", "[", "a{2", "*a\\"])
    func broken(expression: String) {
        let error = #expect(throws: UsageError.self) { _ = try Pattern(expression) }
        #expect(
            error?.message.hasPrefix("invalid regular expression \"\(expression)\": ") == true)
        #expect(error?.message.hasSuffix(": ") == false)
    }
}

@Suite struct InheritedDescriptorsTests {
    @Test func standardDescriptorsOnly() throws {
        #expect(try InheritedDescriptors(preserving: 0).preserved == 0)
    }

    @Test(arguments: [100_000, Int32.max] as [Int32])
    func whatIsNotOpenCannotBePassedOn(count: Int32) {
        let error = #expect(throws: UsageError.self) {
            try InheritedDescriptors(preserving: count)
        }
        #expect(error?.message.hasPrefix("--preserve-fds \(count): ") == true)
    }
}

@Suite struct LimitTests {
    private static let flag = Flag("memory", "", .text("BYTES"), help: "")

    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("-1", -1), ("4096", 4096), ("1b", 1), ("1k", 1024), ("1K", 1024),
            ("2kb", 2048), ("2KiB", 2048), ("512m", 536_870_912), ("1.5g", 1_610_612_736),
            ("0.1875g", 201_326_592), ("1.5", 1), ("1 GiB", 1_073_741_824),
            ("2t", 2_199_023_255_552), ("8191p", 9_222_246_136_947_933_184),
            ("9223372036854775807", Int64.max), ("0.999999999k", 1023),
        ] as [(String, Int64)])
    func bytes(text: String, value: Int64) throws {
        #expect(try byteCount(text, Self.flag) == value)
    }

    @Test(arguments: [
        "", "-2", "+1", " 1", "1x", "k", ".5g", "1.g", "1.5.5g", "1,5g", "0x10", "1e3", "8192p",
        "9223372036854775808", "99999999999999999999", "1.1234567890g", "1kk", "1i", "１", "1\u{0}",
    ])
    func noBytes(text: String) {
        #expect(throws: UsageError.self) { try byteCount(text, Self.flag) }
    }

    @Test func wholeNumbers() throws {
        #expect(try wholeNumber("-1", Self.flag) == Int64(-1))
        #expect(try wholeNumber("65535", Self.flag) == UInt16.max)
        for text in ["", "+1", " 1", "1.0", "0x1", "65536", "-1"] {
            #expect(throws: UsageError.self) { let _: UInt16 = try wholeNumber(text, Self.flag) }
        }
    }

    @Test(
        arguments: [
            ("5s", 5000), ("500ms", 500), ("1m30s", 90000), ("1.5h", 5_400_000), ("7", 7000),
            ("0", 0), ("0.5s", 500), ("1us", 1), ("100ns", 1),
        ] as [(String, Int64)])
    func durations(text: String, value: Int64) throws {
        #expect(try duration(text, Self.flag) == value)
    }

    @Test(arguments: ["", "s", "5x", "-5s", "5 s", ".", "1.2.3s", "999999999999h", "nan", "inf"])
    func noDurations(text: String) {
        #expect(throws: UsageError.self) { try duration(text, Self.flag) }
    }
}

@Suite struct ProcessTableTests {
    @Test func linesAreChosenByTheirColumn() throws {
        let listing = "UID   PID  PPID\nroot    1     2\nroot    2     1\nroot   12     1\n"
        #expect(
            try PsCommand.lines(of: listing, about: [2]) == "UID   PID  PPID\nroot    2     1\n")
        #expect(try PsCommand.lines(of: listing, about: []) == "UID   PID  PPID\n")
        #expect(throws: Failure("couldn't find PID field in ps output")) {
            try PsCommand.lines(of: "COMMAND\nsh\n", about: [1])
        }
        #expect(throws: Failure.self) { try PsCommand.lines(of: "", about: [1]) }
    }
}
