import Arguments
import Spec

/// What `exec` changes in the `process` of the container's configuration.
struct ProcessChanges: Equatable {
    /// Replaces `args`; not empty.
    let arguments: [String]
    /// Replaces `cwd`.
    var cwd: String?
    /// Added to `env`, each `NAME=VALUE`.
    var env: [String] = []
    /// Replaces `user.uid` and, with a group, `user.gid`.
    var user: UserSpec?
    /// Added to `user.additionalGids`.
    var additionalGids: [UInt32] = []
    /// Replaces `selinuxLabel`.
    var processLabel: String?
    /// Replaces `apparmorProfile`.
    var apparmor: String?
    /// Replaces `noNewPrivileges`.
    var noNewPrivs: Bool?
    /// Added to the bounding, effective and permitted sets.
    var capabilities: [String] = []
}

extension ProcessChanges {
    init(_ parsed: Parsed, arguments: [String]) throws(UsageError) {
        self.init(
            arguments: arguments, cwd: parsed.text(Self.cwdFlag), env: parsed.texts(Self.envFlag),
            user: try parsed.text(Self.userFlag).map { (text) throws(UsageError) in
                try UserSpec(text, Self.userFlag)
            },
            additionalGids: try Self.gids(parsed.texts(Self.gidsFlag)),
            processLabel: parsed.text(Self.labelFlag), apparmor: parsed.text(Self.apparmorFlag),
            noNewPrivs: parsed.boolean(Self.noNewPrivsFlag),
            capabilities: parsed.texts(Self.capFlag))
        for variable in env {
            let end = variable.utf8.firstIndex(of: UInt8(ascii: "="))
            if end == nil || end == variable.startIndex {
                throw UsageError(
                    "invalid environment variable: "
                        + (end == nil ? "missing '='" : "name cannot be empty") + ", in "
                        + "\"\(variable)\" of --env")
            }
        }
    }

    /// The process with these changes. As runc has it, `exec` starts in a terminal only if asked to.
    func applied(to base: Process) -> Process {
        var process = base
        process.args = arguments
        process.terminal = false
        process.env += env
        if let cwd { process.cwd = cwd }
        if let user {
            process.user.uid = user.uid
            if let gid = user.gid { process.user.gid = gid }
        }
        process.user.additionalGids += additionalGids
        if let processLabel { process.selinuxLabel = processLabel }
        if let apparmor { process.apparmorProfile = apparmor }
        if let noNewPrivs { process.noNewPrivileges = noNewPrivs }
        if !capabilities.isEmpty {
            // Not the inheritable set (CVE-2022-29162), without which a capability cannot be ambient.
            var sets = process.capabilities ?? Capabilities()
            sets.bounding += capabilities
            sets.effective += capabilities
            sets.permitted += capabilities
            sets.ambient += capabilities.filter(sets.inheritable.contains)
            process.capabilities = sets
        }
        return process
    }

    /// What of a process the command line gives, and as what, for errors.
    var places: [(place: String, name: String)] {
        let given: [(isGiven: Bool, place: String, flag: Flag)] = [
            (cwd != nil, "cwd", Self.cwdFlag), (user != nil, "user/uid", Self.userFlag),
            (user?.gid != nil, "user/gid", Self.userFlag), (!env.isEmpty, "env", Self.envFlag),
            (!additionalGids.isEmpty, "user/additionalGids", Self.gidsFlag),
            (processLabel != nil, "selinuxLabel", Self.labelFlag),
            (apparmor != nil, "apparmorProfile", Self.apparmorFlag),
            (noNewPrivs != nil, "noNewPrivileges", Self.noNewPrivsFlag),
            (!capabilities.isEmpty, "capabilities", Self.capFlag),
        ]
        return [("/process/args", "COMMAND")]
            + given.filter(\.isGiven).map { ("/process/\($0.place)", "--\($0.flag.name)") }
    }

    private static func gids(_ texts: [String]) throws(UsageError) -> [UInt32] {
        try texts.map { (text) throws(UsageError) in
            guard let gid = identity(text.utf8) else {
                throw .invalid(text, for: gidsFlag, "not a group id in decimal")
            }
            return gid
        }
    }
}

extension ProcessChanges {
    private static let cwdFlag = Flag(
        "cwd", "", .directory("DIR"), help: "the working directory in the container")
    private static let envFlag = Flag(
        "env", "e", .text("NAME=VALUE"), repeats: true, help: "add a variable to the environment")
    private static let userFlag = Flag(
        "user", "u", .text("UID[:GID]"), help: "the user and group of the program, as numbers")
    private static let gidsFlag = Flag(
        "additional-gids", "g", .text("GID"), repeats: true, help: "add the program to a group")
    private static let labelFlag = Flag(
        "process-label", "", .text("LABEL"), help: "the SELinux label of the program")
    private static let apparmorFlag = Flag(
        "apparmor", "", .text("PROFILE"), help: "the AppArmor profile of the program")
    private static let noNewPrivsFlag = Flag(
        "no-new-privs", help: "never let the program gain privileges by executing another")
    private static let capFlag = Flag(
        "cap", "c", .text("CAPABILITY"), repeats: true,
        help: "add a capability to the bounding, effective and permitted sets")

    static let flags = [
        cwdFlag, envFlag, userFlag, gidsFlag, labelFlag, apparmorFlag, noNewPrivsFlag, capFlag,
    ]
}
