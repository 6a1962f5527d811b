import Arguments
import CVersion
import Spec

/// What `--version` shows.
enum Version {
    /// The version of this program.
    static let number = "0.1.0"
    /// The commit this program was built from.
    static var commit: String { unsafe String(cString: swrunc_commit()) }

    /// The lines that Docker and containerd read: they look for `version`, `commit:` and `spec:`.
    ///
    /// - Parameter libseccomp: the version of the library linked in, or nil when it is not known.
    static func text(libseccomp: String?) -> String {
        var text = "\(Program.name) version \(number)\ncommit: \(commit)\nspec: \(specVersion)\n"
        if let libseccomp { text += "libseccomp: \(libseccomp)\n" }
        return text
    }
}
