/// What a command line said: the flags with their values, checked, and the positional arguments.
package struct Parsed: Sendable {
    enum Value: Sendable {
        case boolean(Bool)
        case text(String)
        case number(Int32)
    }

    struct Occurrence: Sendable {
        let name: String
        let value: Value
    }

    var occurrences: [Occurrence] = []
    /// The arguments that are neither flags nor values of flags, in order.
    package internal(set) var positionals: [String] = []
    /// Whether `--help` was met; nothing after it has been read.
    package internal(set) var wantsHelp = false

    package init() {}

    /// The last occurrence of a flag.
    private func last(_ flag: Flag) -> Value? {
        occurrences.last { $0.name.utf8.elementsEqual(flag.name.utf8) }?.value
    }

    /// The value of a boolean flag, or nil when it was not given.
    package func boolean(_ flag: Flag) -> Bool? {
        if case .boolean(let value) = last(flag) { value } else { nil }
    }

    /// Whether a boolean flag was given and not set to false.
    package func isOn(_ flag: Flag) -> Bool {
        boolean(flag) ?? false
    }

    /// The value of a flag that takes a text, a path or a choice.
    package func text(_ flag: Flag) -> String? {
        if case .text(let value) = last(flag) { value } else { nil }
    }

    /// Every value of a flag that may be repeated, in order.
    package func texts(_ flag: Flag) -> [String] {
        occurrences.compactMap {
            guard $0.name.utf8.elementsEqual(flag.name.utf8), case .text(let value) = $0.value
            else { return nil }
            return value
        }
    }

    /// The value of a flag that takes a number.
    package func number(_ flag: Flag) -> Int32? {
        if case .number(let value) = last(flag) { value } else { nil }
    }

    /// Which of the flags was given last, or nil when none was: for flags that overrule each other.
    package func lastGiven(_ flags: Flag...) -> Flag? {
        for occurrence in occurrences.reversed() {
            if let flag = flags.first(where: { $0.name.utf8.elementsEqual(occurrence.name.utf8) }) {
                return flag
            }
        }
        return nil
    }
}
