/// Reads a command line against a list of flags.
///
/// The rules are those of Go's flag package and of getopt_long together, because the callers of
/// runc and of crun rely on one or the other: `--flag value`, `--flag=value`, `-flag value`,
/// `-f value`, `-fvalue`, `-f=value`, `--switch=false`, several one-letter switches in one
/// argument, and `--` to end the flags. The argument after a flag that takes a value is that value
/// whatever it looks like.
package struct Parser {
    private let arguments: [String]
    private let notText: [Int]
    /// The index of the first argument that has not been read.
    package private(set) var position: Int
    /// What has been read so far; after an error, what preceded it.
    package private(set) var parsed = Parsed()

    /// - Parameters:
    ///   - arguments: the arguments.
    ///   - notText: the indices of those that are not valid UTF-8, which it is an error to read.
    ///   - start: the index of the first argument to read.
    package init(_ arguments: [String], notText: [Int] = [], from start: Int) {
        self.arguments = arguments
        self.notText = notText
        position = start
    }

    /// Hands over what has been read, so that the next reading starts afresh.
    package mutating func take() -> Parsed {
        defer { parsed = Parsed() }
        return parsed
    }

    /// Takes the next argument as it is, or nil when there is none.
    package mutating func nextWord() throws(UsageError) -> String? {
        guard position < arguments.count else { return nil }
        let word = try text(at: position, "argument \(position)")
        position += 1
        return word
    }

    /// Reads the flags before the command, and stops at the command.
    package mutating func readGlobals(_ flags: [Flag]) throws(UsageError) {
        while position < arguments.count, !parsed.wantsHelp {
            let argument = try text(at: position, "argument \(position)")
            if isPositional(argument) { return }
            position += 1
            if argument.utf8.elementsEqual("--".utf8) { return }
            try readFlag(argument, flags: flags, globals: [])
        }
    }

    /// Reads all the arguments of a command.
    package mutating func read(_ command: Command, globals: [Flag]) throws(UsageError) {
        while position < arguments.count {
            let argument = try text(at: position, "argument \(position)")
            position += 1
            if isPositional(argument) {
                parsed.positionals.append(argument)
                if case .beforePositionals = command.order { try takeRest() }
            } else if argument.utf8.elementsEqual("--".utf8) {
                try takeRest()
            } else if case .anywhereWithSignals = command.order, !parsed.positionals.isEmpty,
                argument.utf8.dropFirst().allSatisfy(isDigit)
            {
                parsed.positionals.append(String(argument.dropFirst()))
            } else {
                try readFlag(argument, flags: command.flags, globals: globals)
                if parsed.wantsHelp { return }
            }
        }
        try checkCount(command)
        for (positional, text) in zip(command.positionals, parsed.positionals) {
            guard case .words(let words) = positional.values else { continue }
            if words.contains(where: { $0.utf8.elementsEqual(text.utf8) }) { continue }
            throw UsageError(
                "invalid value \"\(text)\" for \(positional.name): use \(alternatives(words))")
        }
    }

    /// Whether an argument is no flag; a lone `-` stands for standard input.
    private func isPositional(_ argument: String) -> Bool {
        argument.utf8.first != UInt8(ascii: "-") || argument.utf8.count == 1
    }

    /// Takes every argument that is left as a positional one.
    private mutating func takeRest() throws(UsageError) {
        while position < arguments.count {
            parsed.positionals.append(try text(at: position, "argument \(position)"))
            position += 1
        }
    }

    private func text(at index: Int, _ what: @autoclosure () -> String) throws(UsageError) -> String
    {
        if notText.contains(index) { throw UsageError("\(what()) is not valid UTF-8") }
        return arguments[index]
    }

    private func checkCount(_ command: Command) throws(UsageError) {
        let required = command.positionals.count { $0.arity == .required }
        let most =
            command.positionals.contains { $0.arity == .any } ? Int.max : command.positionals.count
        let count = parsed.positionals.count
        guard count < required || count > most else { return }
        let limit =
            if required == most { "exactly \(required)" } else if count < required {
                "a minimum of \(required)"
            } else { "a maximum of \(most)" }
        let detail =
            count < required
            ? "\(command.positionals[count].name) is missing"
            : "\"\(parsed.positionals[most])\" is one too many"
        throw UsageError("\"\(command.name)\" requires \(limit) argument(s): \(detail)")
    }
}

extension Parser {
    /// Reads one argument that starts with a dash, and the value after it where it takes one.
    private mutating func readFlag(
        _ argument: String, flags: [Flag], globals: [Flag]
    ) throws(UsageError) {
        let bytes = argument.utf8
        let isLong = bytes.starts(with: "--".utf8)
        let body = bytes.dropFirst(isLong ? 2 : 1)
        let name = body.prefix { $0 != UInt8(ascii: "=") }
        if let flag = flags.first(where: { $0.name.utf8.elementsEqual(name) })
            ?? (Flag.isHelp(name) ? Flag.help : nil)
        {
            let inline = name.endIndex == body.endIndex ? nil : body[name.endIndex...].dropFirst()
            try apply(flag, inline.map { String(Substring($0)) })
        } else if !isLong {
            try readLetters(body, argument, flags: flags, globals: globals)
        } else {
            throw .unknownFlag("--" + String(Substring(name)), flags: flags, globals: globals)
        }
    }

    /// Reads one-letter flags: switches, and at the end perhaps one that takes a value.
    private mutating func readLetters(
        _ letters: Substring.UTF8View, _ argument: String, flags: [Flag], globals: [Flag]
    ) throws(UsageError) {
        var rest = letters
        while let letter = rest.first {
            guard
                let flag = flags.first(where: { $0.letters.utf8.contains(letter) })
                    ?? (Flag.help.letters.utf8.contains(letter) ? Flag.help : nil)
            else {
                let name = argument.utf8.prefix { $0 != UInt8(ascii: "=") }
                throw .unknownFlag(String(Substring(name)), flags: flags, globals: globals)
            }
            rest = rest.dropFirst()
            let hasEquals = rest.first == UInt8(ascii: "=")
            if case .boolean = flag.value, !hasEquals {
                try apply(flag, nil)
                continue
            }
            let inline = hasEquals ? rest.dropFirst() : rest
            try apply(flag, inline.isEmpty && !hasEquals ? nil : String(Substring(inline)))
            return
        }
    }

    /// Records a flag with the value written in the same argument, or else the next argument.
    private mutating func apply(_ flag: Flag, _ inline: String?) throws(UsageError) {
        if case .boolean = flag.value {
            let value = try inline.map { (text) throws(UsageError) in try boolean(text, flag) }
            if flag.name.utf8.elementsEqual(Flag.help.name.utf8) {
                parsed.wantsHelp = value ?? true
            } else {
                record(flag, .boolean(value ?? true))
            }
            return
        }
        let given: String
        if let inline {
            given = inline
        } else {
            guard position < arguments.count else {
                throw UsageError("flag needs an argument: --\(flag.name)")
            }
            given = try text(at: position, "the value of --\(flag.name)")
            position += 1
        }
        record(flag, try value(given, of: flag))
    }

    private mutating func record(_ flag: Flag, _ value: Parsed.Value) {
        parsed.occurrences.append(.init(name: flag.name, value: value))
    }

    private func value(_ text: String, of flag: Flag) throws(UsageError) -> Parsed.Value {
        switch flag.value {
        case .boolean:
            return .boolean(try boolean(text, flag))
        case .text, .path, .directory:
            return .text(text)
        case .number:
            guard let number = decimal(text.utf8), let small = Int32(exactly: number) else {
                throw .invalid(text, for: flag, "not a number from 0 to \(Int32.max)")
            }
            return .number(small)
        case .choice(_, let words):
            guard words.contains(where: { $0.utf8.elementsEqual(text.utf8) }) else {
                throw .invalid(text, for: flag, "use \(alternatives(words))")
            }
            return .text(text)
        }
    }

    /// The spellings that Go's strconv.ParseBool takes, in any case, and yes and no as well.
    private func boolean(_ text: String, _ flag: Flag) throws(UsageError) -> Bool {
        switch text.lowercased() {
        case "true", "t", "1", "yes": return true
        case "false", "f", "0", "no": return false
        default: throw .invalid(text, for: flag, "use true or false")
        }
    }
}

/// The words as a list for a person: `a`, `a or b`, `a, b or c`.
func alternatives(_ words: [String]) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " or " + last
}

/// Whether a byte is an ASCII digit.
func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
}

/// The number that decimal digits spell, or nil for anything else: a sign, a blank, nothing at all,
/// a number that is too large.
///
/// Strict on purpose: a user id read by a lenient parser became root (CVE-2026-30892).
package func decimal(_ digits: some Sequence<UInt8>) -> UInt32? {
    var value: UInt32?
    for byte in digits {
        guard isDigit(byte) else { return nil }
        let (tenfold, tooLarge) = (value ?? 0).multipliedReportingOverflow(by: 10)
        let (sum, overflow) = tenfold.addingReportingOverflow(UInt32(byte - UInt8(ascii: "0")))
        guard !tooLarge, !overflow else { return nil }
        value = sum
    }
    return value
}
