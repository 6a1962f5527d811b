import Testing

@testable import Spec

@Suite struct ParserTests {
    @Test func everyCutIsAnError() {
        let lines = fullConfig.split(separator: "\n").map { $0.drop { $0 == " " } }
        let document = Array(lines.joined().utf8)
        #expect(parseError(document) == nil)
        for length in 0..<document.count {
            let error = parseError(Array(document[..<length]))
            #expect(error?.place == "", "cut after \(length) bytes")
        }
    }

    /// Changes bytes at pseudo-random places: whatever comes of it, no trap, and every error of the
    /// decoder names a place that the document has.
    @Test func everyDamageIsSurvived() throws {
        let document = Array(fullConfig.utf8)
        let alphabet = Array("\"\\{}[],:0-9eEu.tfn\u{0}\u{1}\u{80}ÿ/ ".utf8)
        var random: UInt64 = 42
        func next(_ bound: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(random >> 33) % bound
        }
        var errors = 0
        for _ in 0..<1000 {
            var damaged = document
            for _ in 0...next(3) {
                let position = next(damaged.count)
                switch next(3) {
                case 0: damaged[position] = alphabet[next(alphabet.count)]
                case 1: damaged.remove(at: position)
                default: damaged.insert(alphabet[next(alphabet.count)], at: position)
                }
            }
            if let error = configError(damaged) {
                errors += 1
                #expect(error.place == "" || error.place.hasPrefix("/"))
            }
        }
        #expect(errors > 400)
    }

    @Test(arguments: [
        ("", "the document is empty"), (" \n\t ", "the document is empty"),
        ("{", "line 1, column 2 (byte 1)"), ("[1,\n2,\n 3", "line 3, column 3"),
        ("{} {}", "trailing garbage"), ("{}x", "not valid JSON"), ("[1] 2", "trailing garbage"),
        ("[01]", "not valid JSON"), ("[1.]", "not valid JSON"), ("[+1]", "not valid JSON"),
        ("[.5]", "not valid JSON"), ("[1e]", "not valid JSON"), ("[-]", "not valid JSON"),
        ("[NaN]", "not valid JSON"), ("[tru]", "not valid JSON"), ("[truex]", "not valid JSON"),
        ("[1,]", "not valid JSON"), ("[,1]", "not valid JSON"), (#"{"a":1,}"#, "not valid JSON"),
        (#"{"a" 1}"#, "not valid JSON"), ("{1:2}", "not valid JSON"), ("['a']", "not valid JSON"),
        ("// c\n{}", "not valid JSON"), ("/* c */{}", "not valid JSON"),
        ("[\"a\u{1}b\"]", "not valid JSON"), ("[\"a\nb\"]", "not valid JSON"),
        (#"["\x"]"#, "not valid JSON"), (#"["\u12g4"]"#, "not valid JSON"),
        (#"["\u123"]"#, "not valid JSON"), ("[\"a]", "premature EOF"),
        ("\u{FEFF}{}", "not valid JSON"), ("]", "not valid JSON"), ("[}", "not valid JSON"),
    ])
    func brokenGrammarIsAnError(document: String, message: String) {
        let error = parseError(document)
        #expect(error?.place == "")
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "none")")
    }

    @Test(arguments: [
        [0xFF], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
        [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
        [0x80], [0xE2, 0x82], [0xC3, 0x28],
    ])
    func malformedUTF8IsAnError(sequence: [UInt8]) {
        for prefix in ["{\"ok\": [\"", "{\""] {
            let suffix = prefix == "{\"" ? "\": 1}" : "\"]}"
            let document = Array(prefix.utf8) + sequence + Array(suffix.utf8)
            let error = parseError(document)
            #expect(error?.message.contains("(byte \(prefix.utf8.count)): not UTF-8") == true)
        }
    }

    @Test(arguments: [
        #"["\ud800"]"#, #"["\ud800x"]"#, #"["\ud800\n"]"#, #"["\ud800\ud800"]"#, #"["\udc00"]"#,
        #"["\udfff\ud800"]"#, #"{"\uDBFF": 1}"#, #"["\\\ud800"]"#,
    ])
    func loneSurrogatesAreErrors(document: String) {
        #expect(parseError(document)?.message.hasSuffix("half of a surrogate pair") == true)
    }

    @Test(arguments: [
        (#"["\ud83d\ude00"]"#, "😀"), (#"["\\ud800"]"#, "\\ud800"), (#"["\u00e9\/\b"]"#, "é/\u{8}"),
        (#"["\"\\\n\r\t\f"]"#, "\"\\\n\r\t\u{c}"), ("[\"\u{7f}é\u{10FFFF}\"]", "\u{7f}é\u{10FFFF}"),
        (#"["\uFFFF"]"#, "\u{FFFF}"), (#"[""]"#, ""),
    ])
    func stringsAreUnescaped(document: String, text: String) throws {
        let texts = try JSONValue(parsing: Array(document.utf8))
            .list { value throws(ConfigError) in try value.string() }
        #expect(texts.map { Array($0.utf8) } == [Array(text.utf8)])
    }

    @Test(arguments: [
        (#"{"a": ["b", "c\u0000d"]}"#, "/a/1"), (#"{"a": {"x/y": "\u0000"}}"#, "/a/x~1y"),
        (#"{"a": [{}, {"b": 1, "\u0000": 2}]}"#, "/a/1"), (#""\u0000""#, ""),
        (#"{"\u0000": 2}"#, ""),
    ])
    func escapedNULIsAnErrorWithItsPlace(document: String, place: String) {
        let error = parseError(document)
        #expect(error?.place == place)
        #expect(error?.message.contains("NUL") == true)
    }

    @Test func rawNULIsAnError() {
        #expect(parseError("[\"a\u{0}b\"]") != nil)
        #expect(parseError("[1]\u{0}") != nil)
        #expect(parseError("\u{0}[1]") != nil)
    }

    @Test(arguments: [
        (#"{"a": 1, "b": 2, "a": 3}"#, "/a"), (#"{"x": [1, {"a": 1, "\u0061": 2}]}"#, "/x/1/a"),
        (#"{"": 1, "": 2}"#, "/"), (#"{"a/b": {"~": 0, "~": 0}}"#, "/a~1b/~0"),
        (#"{"a": {"b": 1}, "c": {"b": 1}, "a": {}}"#, "/a"),
    ])
    func membersGivenTwiceAreErrors(document: String, place: String) {
        #expect(parseError(document) == ConfigError(place: place, message: "given twice"))
    }

    @Test func membersGivenTwiceAreFoundAmongMany() {
        let members = (0..<500).map { "\"k\($0)\": [0]" }
        for (position, twice) in [(0, "k499"), (250, "k250"), (500, "k0")] {
            var members = members
            members.insert("\"\(twice)\": 1", at: position)
            let error = parseError("{\"o\": {" + members.joined(separator: ",") + "}}")
            #expect(error == ConfigError(place: "/o/" + twice, message: "given twice"))
        }
        #expect(parseError("{" + members.joined(separator: ",") + "}") == nil)
        // Canonically equivalent, but not the same.
        #expect(parseError("{\"\u{e9}\": 1, \"e\u{301}\": 2}") == nil)
    }

    @Test func nestingIsBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(parseError(nested(128)) == nil)
        #expect(parseError(nested(129))?.message == "nested deeper than 128 levels")
        #expect(parseError(nested(100_000))?.message == "nested deeper than 128 levels")
        #expect(
            parseError(String(repeating: "{\"a\":", count: 100_000))?.message
                == "nested deeper than 128 levels")
        // Where it is would be as long as it is deep.
        #expect(parseError(String(repeating: "[", count: 100_000))?.place == "")
    }

    @Test func sizeIsBounded() {
        let spaces = [UInt8](repeating: 0x20, count: (16 << 20) + 1)
        #expect(parseError(spaces)?.message.contains("16777217 bytes") == true)
        let values = "[" + String(repeating: "0,", count: 1 << 20) + "0]"
        #expect(parseError(values)?.message.contains("1048576 values") == true)
    }

    @Test func numbersKeepTheirText() throws {
        let document = Array("[1e999, -0, 123456789012345678901234567890, 0.10]".utf8)
        let numbers = try JSONValue(parsing: document)
            .list { value throws(ConfigError) in try value.number() }
        #expect(numbers == ["1e999", "-0", "123456789012345678901234567890", "0.10"])
        #expect(try JSONValue(parsing: Array("42".utf8)).integer() == 42)
        #expect(try JSONValue(parsing: Array("-0".utf8)).integer(UInt8.self) == 0)
    }

    @Test func longTextsAreCutInMessages() {
        let long = String(repeating: "9", count: 1_000_000)
        let error = configError(
            "{\"ociVersion\": \"1.0.0\", \"process\": {\"oomScoreAdj\": \(long)}}")
        #expect(error?.message.utf8.count ?? 0 < 200)
        let name = String(repeating: "n", count: 1_000_000)
        let twice = parseError("{\"\(name)\": 1, \"\(name)\": 2}")
        #expect(twice?.place.utf8.count ?? 0 < 400)
    }
}
