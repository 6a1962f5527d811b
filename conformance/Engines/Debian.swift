import Foundation
import Testing

/// The Debian whose engines are driven: this machine's own, or the one whose root file system is
/// `ENGINE_ROOT` (`scripts/debian-13` makes it).
enum Debian {
    static let root: String? = {
        let given = ProcessInfo.processInfo.environment["ENGINE_ROOT"] ?? ""
        return given.isEmpty ? nil : given
    }()

    /// 12, 13, …
    static let version: Int = {
        let line = readText((root ?? "") + "/etc/os-release").split(separator: "\n")
            .first { $0.hasPrefix("VERSION_ID=") }
        return Int(line?.split(separator: "\"").last ?? "") ?? 0
    }()

    /// Where engines set up networks with CNI's plugins, and not with Netavark.
    static let hasCNI = version < 13
}

extension Trait where Self == ConditionTrait {
    /// For what the engines before a Debian's cannot do.
    static func requiresDebian(_ version: Int, _ reason: Comment) -> Self {
        .enabled(if: Debian.version >= version, "Debian \(Debian.version): \(reason)")
    }

    /// CRIU is the engines' own; of another Debian's the control tells whether it works here.
    static var requiresTheirCRIU: Self {
        .enabled(
            if: Debian.root != nil || Host.criuProblem == nil,
            "this host: \(Host.criuProblem ?? "")")
    }
}
