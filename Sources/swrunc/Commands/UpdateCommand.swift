import Arguments

/// `update`: change the resource limits of a container.
struct UpdateCommand: Verb, Equatable {
    static let name = CommandName.update

    let id: String
    /// A file with `linux.resources` of the specification, or `-` for standard input.
    var resources: String?

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        throw .notImplemented
    }
}

extension UpdateCommand {
    init(_ parsed: Parsed) {
        self.init(id: parsed.positionals[0], resources: parsed.text(Self.resourcesFlag))
    }

    private static let resourcesFlag = Flag(
        "resources", "r", .path("FILE"),
        help: "the limits as JSON, as in linux.resources; - reads standard input")

    static let command = Command(
        name.rawValue, summary: "change the resource limits of a container",
        positionals: [SharedFlags.id], flags: [resourcesFlag], hidden: true)
}
