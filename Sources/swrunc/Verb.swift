import Arguments

/// One command of the program: its place in the command table, its options as a plain value, and
/// what it does.
protocol Verb: Sendable {
    /// The command's name.
    static var name: CommandName { get }
    /// The command's entry in the table of commands.
    static var command: Command { get }
    /// The exit status when the work fails, or a value on the command line is wrong. It is always 1 where
    /// the line cannot be understood at all.
    static var failureStatus: Int32 { get }
    /// How many descriptors from 3 on the caller wants passed on; nil where there is no program to
    /// get any.
    var preservedDescriptors: Int32? { get }

    /// Turns a parsed command line, whose number of positional arguments is right, into options.
    init(_ parsed: Parsed) throws(UsageError)
    /// Does the work.
    ///
    /// - Returns: the exit status of the program.
    func run(_ session: inout Session) throws(Failure) -> Int32
}

extension Verb {
    static var failureStatus: Int32 { 1 }
    var preservedDescriptors: Int32? { nil }
}

/// What every command is given besides its own options.
struct Session {
    let globals: GlobalOptions
    let inherited: InheritedDescriptors
    var report: Report
}

/// A command that did not succeed.
struct Failure: Error, Equatable {
    /// What failed and why, in one line, without the program's and the command's name.
    let message: String

    init(_ message: String) {
        self.message = message
    }
}
