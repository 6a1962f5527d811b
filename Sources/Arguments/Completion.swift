/// What a shell may offer for the last word of a command line that is being typed.
package enum Completion: Equatable, Sendable {
    case nothing
    case files
    case directories
    /// The ids of containers that exist.
    case containers
    case words([Candidate])

    /// One word to offer, and what it means.
    package struct Candidate: Equatable, Sendable {
        package let word: String
        package let help: String

        package init(_ word: String, _ help: String = "") {
            self.word = word
            self.help = help
        }
    }
}

extension Program {
    /// What fits in the place of the last of `words`.
    /// - Parameters:
    ///   - words: those after the program's name; the last one is being typed, perhaps still empty.
    ///   - globals: gets the flags before the command with their values, as far as they are complete.
    package func completion(
        of words: [String], globals: inout [(flag: Flag, value: String)]
    ) -> Completion {
        var line = Line(program: self)
        for word in words.dropLast() {
            guard line.read(word) else { return .nothing }
        }
        globals = line.globals
        return line.completion(of: words.last ?? "")
    }
}

/// A command line as far as it has been typed.
private struct Line {
    let program: Program
    var command: Command?
    var globals: [(flag: Flag, value: String)] = []
    /// The flag whose value comes next.
    private var pending: Flag?
    /// How many positional arguments the command has so far.
    private var positionals = 0
    private var flagsEnded = false

    init(program: Program) { self.program = program }

    private var flags: [Flag] { (command?.flags ?? program.flags) + [Flag.help] }

    /// Takes one whole word; false where nothing sensible can follow.
    mutating func read(_ word: String) -> Bool {
        if let flag = pending {
            note(flag, word)
            pending = nil
        } else if isFlag(word) {
            readFlag(word)
        } else if command == nil {
            command = program.commands.first { $0.name.utf8.elementsEqual(word.utf8) }
            flagsEnded = false
            return command != nil
        } else {
            positionals += 1
            if case .beforePositionals? = command?.order { flagsEnded = true }
        }
        return true
    }

    private func isFlag(_ word: String) -> Bool {
        !flagsEnded && word.utf8.first == UInt8(ascii: "-") && word.utf8.count > 1
    }

    private mutating func readFlag(_ word: String) {
        if word.utf8.elementsEqual("--".utf8) {
            flagsEnded = true
            return
        }
        let body = word.drop { $0 == "-" }
        let name = body.prefix { $0 != "=" }
        if let flag = flags.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
            if name.endIndex < body.endIndex {
                note(flag, String(body[name.endIndex...].dropFirst()))
            } else if !flag.isSwitch {
                pending = flag
            }
        } else if let letter = body.utf8.last,
            let flag = flags.first(where: { $0.letters.utf8.contains(letter) }), !flag.isSwitch
        {
            pending = flag
        }
    }

    private mutating func note(_ flag: Flag, _ value: String) {
        if command == nil { globals.append((flag, value)) }
    }

    /// What fits in the place of the word that is being typed.
    func completion(of word: String) -> Completion {
        if let pending { return pending.completion(of: word, prefix: "") }
        if isFlag(word) || word.utf8.elementsEqual("-".utf8) {
            let name = word.drop { $0 == "-" }.prefix { $0 != "=" }
            if word.utf8.contains(UInt8(ascii: "=")),
                let flag = flags.first(where: { $0.name.utf8.elementsEqual(name.utf8) })
            {
                return flag.completion(of: word, prefix: "--\(flag.name)=")
            }
            return .words(
                flags.filter { $0.standing == .current }
                    .map { .init("--" + $0.name, $0.help) }.matching(word))
        }
        guard let command else { return .words(program.commandCandidates.matching(word)) }
        guard let positional = command.positional(positionals) else { return .nothing }
        switch positional.values {
        case .any: return .nothing
        case .containers: return .containers
        case .commands: return .words(program.commandCandidates.matching(word))
        case .files: return .files
        case .words(let words): return .words(words.map { .init($0) }.matching(word))
        }
    }
}

extension Program {
    fileprivate var commandCandidates: [Completion.Candidate] {
        commands.filter { !$0.hidden }.map { .init($0.name, $0.summary) }
    }
}

extension Command {
    /// What the positional argument at `index` is; the last one may stand for many.
    fileprivate func positional(_ index: Int) -> Positional? {
        if index < positionals.count { return positionals[index] }
        guard let last = positionals.last, last.arity == .any else { return nil }
        return last
    }
}

extension Flag {
    fileprivate var isSwitch: Bool {
        if case .boolean = value { true } else { false }
    }

    fileprivate func completion(of word: String, prefix: String) -> Completion {
        let words: [String]
        switch value {
        case .boolean: words = ["true", "false"]
        case .choice(_, let choices): words = choices
        case .path: return .files
        case .directory: return .directories
        case .text, .number: return .nothing
        }
        return .words(words.map { .init(prefix + $0) }.matching(word))
    }
}

extension [Completion.Candidate] {
    fileprivate func matching(_ word: String) -> [Completion.Candidate] {
        filter { $0.word.utf8.starts(with: word.utf8) }
    }
}
