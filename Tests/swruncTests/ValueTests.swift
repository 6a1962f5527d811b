import Arguments
import Testing

@testable import swrunc

@Suite struct SignalNameTests {
    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("sigterm", 15), ("Term", 15), ("KILL", 9), ("9", 9),
            ("1", 1), ("64", 64), ("32", 32), ("HUP", 1), ("CLD", 17), ("IOT", 6), ("POLL", 29),
            ("STKFLT", 16), ("SIGSYS", 31), ("RTMIN", 34), ("SIGRTMIN+0", 34), ("RTMIN+1", 35),
            ("rtmin+15", 49), ("RTMIN+30", 64), ("RTMAX", 64), ("SIGRTMAX-2", 62), ("RTMAX-30", 34),
            ("015", 15),
        ] as [(String, Int32)])
    func known(text: String, number: Int32) throws {
        #expect(try signalNumber(text) == number)
    }

    @Test(arguments: [
        "", "0", "65", "-9", "+9", " 9", "9 ", "4294967305", "99999999999", "SIG", "SIGSIGTERM",
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
