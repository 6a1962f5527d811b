/// A command line that cannot be understood, or asks for something that is not offered.
package struct UsageError: Error, Equatable {
    /// What is wrong, in one line, without the program's name.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }
}

extension UsageError {
    /// - Parameters:
    ///   - spelling: the flag as it was written, with its dashes and without its value.
    ///   - flags: what the command offers.
    ///   - globals: what may stand only before the command.
    static func unknownFlag(_ spelling: String, flags: [Flag], globals: [Flag]) -> UsageError {
        let name = String(spelling.drop { $0 == "-" })
        // As Go's parsers have it, which write any flag with one dash.
        let message = "flag provided but not defined: -\(name)"
        if globals.contains(where: { $0.name.utf8.elementsEqual(name.utf8) }) {
            return UsageError("\(message); --\(name) stands before the command")
        }
        let names = flags.filter { $0.standing == .current }.map(\.name)
        if let nearest = nearest(to: name, among: names) {
            return UsageError("\(message); did you mean --\(nearest)?")
        }
        return UsageError(message)
    }

    /// A first argument that is no command of the program.
    package static func unknownCommand(_ name: String, program: Program) -> UsageError {
        let names = program.commands.filter { !$0.hidden }.map(\.name)
        if let nearest = nearest(to: name, among: names) {
            return UsageError("unknown command: \(name); did you mean \(nearest)?")
        }
        return UsageError("unknown command: \(name)")
    }

    /// A flag's value that is not what the flag takes.
    package static func invalid(_ value: String, for flag: Flag, _ reason: String) -> UsageError {
        UsageError("invalid value \"\(value)\" for --\(flag.name): \(reason)")
    }
}
