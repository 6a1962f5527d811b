import Arguments
import OCIRuntime

/// `__complete`: what the scripts of `completion` ask while a command line is being typed.
///
/// Prints one candidate a line, with its meaning after a tab; or `:files` or `:directories` alone.
struct CompleteCommand: Verb, Equatable {
    static let name = CommandName.complete

    /// The words after the program's name up to the one that is being typed.
    let words: [String]

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        var globals: [(flag: Flag, value: String)] = []
        switch CommandName.program.completion(of: words, globals: &globals) {
        case .nothing: break
        case .files: try session.printText(":files\n")
        case .directories: try session.printText(":directories\n")
        case .words(let candidates):
            try session.printText(
                candidates.map { $0.help.isEmpty ? "\($0.word)\n" : "\($0.word)\t\($0.help)\n" }
                    .joined())
        case .containers:
            let root = globals.last { $0.flag.name == GlobalOptions.rootFlag.name }?.value
            let word = words.last ?? ""
            // Who may not read the directory has no containers to complete.
            let ids = (try? Runtime(root: root).ids()) ?? []
            try session.printText(
                ids.filter { $0.utf8.starts(with: word.utf8) }.map { $0 + "\n" }.joined())
        }
        return 0
    }
}

extension CompleteCommand {
    init(_ parsed: Parsed) {
        self.init(words: parsed.positionals)
    }

    static let command = Command(
        name.rawValue, summary: "answer the completion of a shell",
        positionals: [Positional("WORD", .any, help: "the command line so far")],
        order: .beforePositionals, hidden: true)
}
