import Arguments
import OCIRuntime

/// `restore`: make a container of the files that `checkpoint` wrote.
struct RestoreCommand: Verb, Equatable {
    static let name = CommandName.restore

    let id: String
    var options = ImageFlags()
    var bundle = "."
    var consoleSocket: String?
    var pidFile: String?
    var detach = false
    var noPivot = false
    var noSubreaper = false
    var tcpClose = false
    /// `TYPE:NAME` of the profile to restore under.
    var lsmProfile: String?
    /// The SELinux context of the mounts.
    var lsmMountContext: String?

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        var container = CreateOptions(id: id, bundle: bundle)
        container.consoleSocket = consoleSocket
        container.pidFile = pidFile
        var options = RestoreOptions(options.forRuntime(session.globals), container)
        options.tcpClose = tcpClose
        options.lsmProfile = lsmProfile
        options.lsmMountContext = lsmMountContext
        var how = RunOptions()
        how.detach = detach
        how.noSubreaper = noSubreaper
        let (wanted, way) = (options, how)
        let result = try session.performProtected { (runtime) throws(RuntimeError) in
            try runtime.restore(wanted, way)
        }
        session.warn(result.warnings)
        return result.status
    }
}

extension RestoreCommand {
    init(_ parsed: Parsed) {
        self.init(
            id: parsed.positionals[0], options: ImageFlags(parsed),
            bundle: parsed.text(SharedFlags.bundle) ?? ".",
            consoleSocket: parsed.text(SharedFlags.consoleSocket),
            pidFile: parsed.text(SharedFlags.pidFile), detach: parsed.isOn(SharedFlags.detach),
            noPivot: parsed.isOn(SharedFlags.noPivot),
            noSubreaper: parsed.isOn(SharedFlags.noSubreaper),
            tcpClose: parsed.isOn(Self.tcpCloseFlag), lsmProfile: parsed.text(Self.profileFlag),
            lsmMountContext: parsed.text(Self.mountContextFlag))
    }

    private static let tcpCloseFlag = Flag(
        "tcp-close", help: "restore open TCP connections as closed ones")
    private static let profileFlag = Flag(
        "lsm-profile", "", .text("TYPE:NAME"),
        help: "the profile of a security module, such as selinux:CONTEXT")
    private static let mountContextFlag = Flag(
        "lsm-mount-context", "", .text("CONTEXT"), help: "the SELinux context of the mounts")

    static let command = Command(
        name.rawValue, summary: "make a container of what `checkpoint` wrote",
        description: "CRIU does the work.", positionals: [SharedFlags.newID],
        flags: [
            SharedFlags.bundle, SharedFlags.consoleSocket, SharedFlags.pidFile, SharedFlags.detach,
            SharedFlags.noPivot, SharedFlags.noSubreaper,
        ] + ImageFlags.flags + [tcpCloseFlag, profileFlag, mountContextFlag])
}
