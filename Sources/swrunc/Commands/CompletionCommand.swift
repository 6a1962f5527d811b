import Arguments

/// `completion`: print what teaches a shell to complete this program's command line.
struct CompletionCommand: Verb, Equatable {
    static let name = CommandName.completion

    let shell: Shell

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        try session.printText(shell.completionScript)
        return 0
    }
}

extension CompletionCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        guard let shell = Shell(rawValue: parsed.positionals[0]) else {
            throw UsageError("unknown shell \"\(parsed.positionals[0])\"")
        }
        self.init(shell: shell)
    }

    static let command = Command(
        name.rawValue, summary: "print a script for completion in a shell",
        description: """
            It completes commands, flags, their values and the ids of containers:

              bash: source <(\(Program.name) completion bash)
              zsh:  source <(\(Program.name) completion zsh)
              fish: \(Program.name) completion fish | source
            """,
        positionals: [
            Positional(
                "SHELL", .required, .words(Shell.allCases.map(\.rawValue)), help: "the shell")
        ])
}
