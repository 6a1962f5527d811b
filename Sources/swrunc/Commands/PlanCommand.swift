import Arguments
import OCIRuntime

/// `plan`: show the steps that `create` would take.
struct PlanCommand: Verb, Equatable {
    /// How the plan is shown.
    enum Format: String, CaseIterable {
        case text
        case json
    }

    static let name = CommandName.plan

    /// The id that the plan is made for, which occurs in paths; nil for a stand-in.
    var id: String?
    var bundle = "."
    /// Another configuration than the bundle's config.json.
    var config: String?
    var format = Format.text

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        var options = CreateOptions(id: id ?? "container", bundle: bundle)
        options.config = config
        let wanted = options
        let plan = try session.perform { (runtime) throws(RuntimeError) in try runtime.plan(wanted)
        }
        let report = PlanReport(plan)
        try session.print(format == .json ? report.json : Array(report.text.utf8))
        return 0
    }
}

extension PlanCommand {
    init(_ parsed: Parsed) {
        self.init(
            id: parsed.positionals.first, bundle: parsed.text(SharedFlags.bundle) ?? ".",
            config: parsed.text(SharedFlags.config),
            format: parsed.text(Self.formatFlag).flatMap(Format.init(rawValue:)) ?? .text)
    }

    private static let formatFlag = Flag(
        "format", "", .choice("FORMAT", Format.allCases.map(\.rawValue)), default: "text",
        help: "how the plan looks")

    static let command = Command(
        name.rawValue, summary: "show the steps that `create` would take, and take none",
        description: """
            Each step is shown with the place in the configuration that it comes from, such as
            /mounts/3, which is also how errors name it.
            """,
        positionals: [
            Positional("ID", .optional, help: "the name that the container would have")
        ],
        flags: [SharedFlags.bundle, SharedFlags.config, formatFlag])
}
