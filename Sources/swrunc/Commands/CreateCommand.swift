import Arguments
import OCIRuntime

/// `create`: make a container and leave its program waiting.
struct CreateCommand: Verb, Equatable {
    static let name = CommandName.create

    let options: CreationOptions

    var preservedDescriptors: Int32? { options.preserveFds }

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let options = options.forRuntime(session.inherited)
        try session.explain(options)
        session.warn(
            try session.performProtected { (runtime) throws(RuntimeError) in
                try runtime.create(options)
            })
        return 0
    }
}

extension CreateCommand {
    init(_ parsed: Parsed) {
        self.init(options: CreationOptions(parsed))
    }

    static let command = Command(
        name.rawValue, summary: "create a container and leave its program waiting for `start`",
        description: """
            Everything the configuration asks for is set up, and errors in it are reported; only the
            program itself is not executed yet.
            """,
        positionals: [SharedFlags.newID],
        flags: CreationOptions.flags + [CreationOptions.noSubreaperIgnored])
}

/// What `create` and `run` have in common.
struct CreationOptions: Equatable {
    let id: String
    var bundle = "."
    /// Another configuration than the bundle's config.json.
    var config: String?
    var consoleSocket: String?
    var pidfdSocket: String?
    var pidFile: String?
    var noPivot = false
    var noNewKeyring = false
    var preserveFds: Int32 = 0
}

extension CreationOptions {
    init(_ parsed: Parsed) {
        self.init(
            id: parsed.positionals[0],
            bundle: parsed.text(SharedFlags.bundle) ?? ".",
            config: parsed.text(SharedFlags.config),
            consoleSocket: parsed.text(SharedFlags.consoleSocket),
            pidfdSocket: parsed.text(SharedFlags.pidfdSocket),
            pidFile: parsed.text(SharedFlags.pidFile),
            noPivot: parsed.isOn(SharedFlags.noPivot),
            noNewKeyring: parsed.isOn(Self.noNewKeyringFlag),
            preserveFds: parsed.number(SharedFlags.preserveFds) ?? 0)
    }

    /// The same for the runtime.
    func forRuntime(_ inherited: InheritedDescriptors) -> CreateOptions {
        var options = CreateOptions(id: id, bundle: bundle)
        options.config = config
        options.consoleSocket = consoleSocket
        options.pidfdSocket = pidfdSocket
        options.pidFile = pidFile
        options.noPivot = noPivot
        options.noNewKeyring = noNewKeyring
        options.preservedFds = inherited.listening + inherited.preserved
        options.listenFds = inherited.listening
        return options
    }

    static let flags = [
        SharedFlags.bundle, SharedFlags.config, SharedFlags.consoleSocket, SharedFlags.pidfdSocket,
        SharedFlags.pidFile, SharedFlags.noPivot, noNewKeyringFlag, SharedFlags.preserveFds,
    ]

    private static let noNewKeyringFlag = Flag(
        "no-new-keyring", help: "keep the caller's session keyring")
    /// `create` waits for nothing, so that it has nothing to reap.
    static let noSubreaperIgnored = Flag(
        "no-subreaper", standing: .obsolete, help: "no effect")
}
