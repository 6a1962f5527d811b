import Arguments
import OCIRuntime
import Spec

/// `features`: show what the runtime supports.
struct FeaturesCommand: Verb, Equatable {
    static let name = CommandName.features

    init(_: Parsed) {}

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        try session.print(Runtime.features(version: Version.number).json(.spaces(2)))
        return 0
    }
}

extension FeaturesCommand {
    static let command = Command(
        name.rawValue, summary: "show what this runtime supports as JSON",
        description: "The document is that of features.md in the OCI runtime specification.")
}
