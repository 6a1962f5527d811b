import Glibc
import Sys
import Testing

@testable import swrunc

@Suite struct TimestampTests {
    /// Instants as `date -u -d @SECONDS` shows them.
    @Test(
        arguments: [
            (0, 0, "1970-01-01T00:00:00.000000000Z"),
            (-1, 999_999_999, "1969-12-31T23:59:59.999999999Z"),
            (68_169_599, 0, "1972-02-28T23:59:59.000000000Z"),
            (68_169_600, 0, "1972-02-29T00:00:00.000000000Z"),
            (68_256_000, 0, "1972-03-01T00:00:00.000000000Z"),
            (951_782_399, 5, "2000-02-28T23:59:59.000000005Z"),
            (951_782_400, 0, "2000-02-29T00:00:00.000000000Z"),
            (951_868_800, 0, "2000-03-01T00:00:00.000000000Z"),
            (978_307_199, 0, "2000-12-31T23:59:59.000000000Z"),
            (1_709_164_800, 123_456_789, "2024-02-29T00:00:00.123456789Z"),
            (1_735_689_599, 0, "2024-12-31T23:59:59.000000000Z"),
            (1_735_689_600, 0, "2025-01-01T00:00:00.000000000Z"),
            (2_147_483_648, 0, "2038-01-19T03:14:08.000000000Z"),
            (4_107_542_399, 0, "2100-02-28T23:59:59.000000000Z"),
            (4_107_542_400, 0, "2100-03-01T00:00:00.000000000Z"),
            (-2_203_891_200, 0, "1900-03-01T00:00:00.000000000Z"),
            (-62_135_596_800, 0, "0001-01-01T00:00:00.000000000Z"),
            (253_402_300_799, 999_999_999, "9999-12-31T23:59:59.999999999Z"),
        ] as [(Int64, Int64, String)])
    func instants(seconds: Int64, nanoseconds: Int64, text: String) {
        #expect(timestamp(seconds: seconds, nanoseconds: nanoseconds) == text)
    }

    /// Every day of the 400 years after which the calendar repeats follows the day before.
    @Test func everyDayFollowsTheOneBefore() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var (year, month, day) = (1970, 1, 1)
        for number in 0..<146_097 {
            let text = timestamp(seconds: Int64(number) * 86_400, nanoseconds: 0)
            let parts = text.prefix(10).split(separator: "-").compactMap { Int($0) }
            guard parts == [year, month, day] else {
                Issue.record("day \(number) is \(text), not \(year)-\(month)-\(day)")
                return
            }
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            day += 1
            if day > lengths[month - 1] + (month == 2 && leap ? 1 : 0) {
                (month, day) = (month + 1, 1)
            }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect(year == 2370)
    }
}

@Suite struct LogLineTests {
    private func line(_ format: LogFormat, _ level: LogLevel, _ message: String) -> String {
        String(decoding: logLine(format, level, message, time: "T"), as: UTF8.self)
    }

    @Test func json() {
        #expect(line(.json, .error, "no") == #"{"level":"error","msg":"no","time":"T"}"# + "\n")
        #expect(
            line(.json, .warning, "") == #"{"level":"warning","msg":"","time":"T"}"# + "\n")
    }

    @Test func text() {
        #expect(line(.text, .debug, "a b") == #"time="T" level=debug msg="a b""# + "\n")
        #expect(
            line(.text, .error, "open(\"/x\")\n\\")
                == #"time="T" level=error msg="open(\"/x\")\n\\""# + "\n")
    }

    @Test(arguments: [
        ("\"", "\\\""), ("\\", "\\\\"), ("/", "/"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"),
        ("\u{0}", "\\u0000"), ("\u{1b}[31m", "\\u001b[31m"), ("\u{8}\u{c}", "\\u0008\\u000c"),
        ("\u{1f}", "\\u001f"), ("\u{7f}", "\\u007f"), ("é\u{301}", "é\u{301}"),
        ("\u{2028}", "\u{2028}"), ("😀", "😀"), ("\r\n", "\\r\\n"),
        (
            String(decoding: [0x61, 0xff, 0xc3, 0x28] as [UInt8], as: UTF8.self),
            "a\u{fffd}\u{fffd}("
        ),
    ])
    func escapes(text: String, escaped: String) {
        #expect(
            line(.json, .error, text)
                == "{\"level\":\"error\",\"msg\":\"\(escaped)\",\"time\":\"T\"}\n")
        #expect(line(.text, .error, text) == "time=\"T\" level=error msg=\"\(escaped)\"\n")
    }

    @Test func datagrams() {
        #expect(
            journalEntry(.warning, "a\nPRIORITY=0", name: "c1")
                == Array("MESSAGE=a\\nPRIORITY=0\nPRIORITY=4\nSYSLOG_IDENTIFIER=c1\n".utf8))
        #expect(
            syslogEntry(.error, "no\n", name: "c1", pid: 7) == Array("<27>c1[7]: no\\n".utf8))
    }
}

@Suite struct OutputTests {
    @Test(arguments: [
        ("plain é 😀", "plain é 😀"), ("a\nb", "a\\nb"), ("\u{1b}]0;x\u{7}", "\\u{1b}]0;x\\u{7}"),
        ("\u{9b}31m", "\\u{9b}31m"), ("£\u{7f}", "£\\u{7f}"), ("\r\n\t", "\\r\\n\\t"),
    ])
    func printableText(text: String, expected: String) {
        #expect(printable(text) == expected)
    }

    @Test func listLikeRunc() {
        #expect(
            ListCommand.table([])
                == "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n")
        let rows = [
            ListCommand.Row(
                id: "a", pid: 0, status: "stopped", bundle: "/b", created: "2026", owner: "root"),
            ListCommand.Row(
                id: "a-long-container-id", pid: 4_194_304, status: "running",
                bundle: "/bündel/\n", created: "2026", owner: "#1"),
        ]
        #expect(
            ListCommand.table(rows) == """
                ID                    PID         STATUS      BUNDLE       CREATED     OWNER
                a                     0           stopped     /b           2026        root
                a-long-container-id   4194304     running     /bündel/\\n   2026        #1

                """)
    }
}

@Suite struct ReportTests {
    /// Lets `body` report into a log file, and returns the file's lines.
    private func log(
        _ level: LogLevel, _ format: LogFormat = .json, _ body: (inout Report) -> Void
    ) throws -> [Substring] {
        var path = Array("/tmp/swrunc-log-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        try #require(descriptor >= 0)
        defer {
            close(descriptor)
            unlink(path)
        }
        let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var report = try Report(
            LogOptions(destination: .file(name), format: format, level: level))
        body(&report)
        return String(decoding: try readFile(name), as: UTF8.self).split(separator: "\n")
    }

    @Test func aFailureLeavesOneObjectAlthoughThereWereWarnings() throws {
        let lines = try log(.error) {
            $0.warning("careful")
            $0.debug("detail")
            $0.error("no")
        }
        #expect(lines.count == 1)
        #expect(
            lines.first?.hasPrefix(#"{"level":"error","msg":"no; warning: careful","time":"2"#)
                == true)
        #expect(lines.first?.hasSuffix(#"Z"}"#) == true)
    }

    @Test func aSuccessLeavesTheWarnings() throws {
        let lines = try log(.error) {
            $0.warning("careful")
            $0.warning("again")
            $0.writeHeldWarnings()
            $0.writeHeldWarnings()
        }
        #expect(lines.count == 2)
        #expect(lines.first?.contains(#""level":"warning","msg":"careful""#) == true)
        #expect(lines.last?.contains(#""msg":"again""#) == true)
    }

    @Test func warningsAndDetailsThatWereAskedForComeAtOnce() throws {
        #expect(try log(.warning) { $0.warning("careful") }.count == 1)
        #expect(try log(.warning) { $0.debug("detail") }.isEmpty)
        let lines = try log(.debug, .text) {
            $0.debug("detail")
            $0.warning("careful")
        }
        #expect(lines.first?.hasSuffix(" level=debug msg=\"detail\"") == true)
        #expect(lines.last?.hasSuffix(" level=warning msg=\"careful\"") == true)
    }

    @Test(arguments: [LogDestination.file("/nonexistent/log"), .file("/tmp")])
    func aLogThatCannotBeOpenedIsAnError(destination: LogDestination) {
        #expect(throws: SysError.self) { _ = try Report(LogOptions(destination: destination)) }
    }
}
