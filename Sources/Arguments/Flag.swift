/// One flag of a command: how it is written, what it takes and what it means.
///
/// Flags are constants of a table that yields parsing, help, man pages and shell completions.
package struct Flag: Sendable {
    /// What follows the flag. The string is the placeholder shown in help, such as `DIR`.
    package enum Value: Sendable {
        /// On or off: `--name`, `--name=true`, `--name=false`.
        case boolean
        /// Any text.
        case text(String)
        /// The path of a file or socket.
        case path(String)
        /// The path of a directory.
        case directory(String)
        /// A decimal number from 0 to `Int32.max`.
        case number(String)
        /// One of a few words.
        case choice(String, [String])
    }

    /// Whether help and completions offer the flag.
    package enum Standing: Sendable {
        case current
        /// Works, but is not offered.
        case hidden
        /// Accepted for the sake of callers of other runtimes; has no effect.
        case obsolete
    }

    package let name: String
    /// The one-letter spellings; help shows the first.
    package let letters: String
    package let value: Value
    /// A clause in lower case, without the choices and the default, which help adds.
    package let help: String
    package let fallback: String?
    /// Whether every occurrence counts; of any other flag the last one wins.
    package let repeats: Bool
    package let standing: Standing

    package init(
        _ name: String, _ letters: String = "", _ value: Value = .boolean, repeats: Bool = false,
        default fallback: String? = nil, standing: Standing = .current, help: String
    ) {
        self.name = name
        self.letters = letters
        self.value = value
        self.help = help
        self.fallback = fallback
        self.repeats = repeats
        self.standing = standing
    }

    /// The flag that every command has; the parser stops at it.
    package static let help = Flag("help", "h?", help: "show this help")

    /// `--usage` is crun's, and glibc's argp's, for much the same.
    static func isHelp(_ name: some Sequence<UInt8>) -> Bool {
        name.elementsEqual(help.name.utf8) || name.elementsEqual("usage".utf8)
    }
}

extension Flag.Value {
    /// The placeholder shown in help, or nil for a flag without a value.
    package var placeholder: String? {
        switch self {
        case .boolean: nil
        case .text(let name), .path(let name), .directory(let name), .number(let name): name
        case .choice(let name, _): name
        }
    }
}
