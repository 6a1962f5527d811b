import Arguments
import OCIRuntime

/// `checkpoint`: write the processes of a container to files, from which they can be restored.
struct CheckpointCommand: Verb, Equatable {
    static let name = CommandName.checkpoint

    let id: String
    var options = ImageFlags()
    /// The images of an earlier `--pre-dump`.
    var parentPath: String?
    var leaveRunning = false
    var preDump = false
    var skipsInFlight = false
    var linkRemap = false
    /// Gets a byte once the pages can be asked for.
    var statusFd: Int32?
    /// `ADDRESS:PORT` of what takes the pages.
    var pageServer: String?

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        var options = CheckpointOptions(options.forRuntime(session.globals))
        options.parentPath = parentPath
        options.leaveRunning = leaveRunning
        options.preDump = preDump
        options.skipsInFlight = skipsInFlight
        options.linkRemap = linkRemap
        options.statusFd = statusFd
        options.pageServer = try pageServer.map { (text) throws(Failure) in try Self.server(text) }
        let wanted = options
        session.warn(
            try session.perform { (runtime) throws(RuntimeError) in
                try runtime.checkpoint(id, wanted)
            })
        return 0
    }

    /// `ADDRESS:PORT`, where an address of IPv6 is in brackets.
    static func server(_ text: String) throws(Failure) -> (address: String, port: UInt16) {
        let parts = text.utf8
        guard let colon = parts.lastIndex(of: UInt8(ascii: ":")), colon > parts.startIndex,
            let port = UInt16(text[parts.index(after: colon)...]), port > 0
        else { throw Failure("--page-server: \(text) is not ADDRESS:PORT") }
        var address = parts[..<colon]
        if address.first == UInt8(ascii: "["), address.last == UInt8(ascii: "]") {
            address = address.dropFirst().dropLast()
        }
        return (String(Substring(address)), port)
    }
}

extension CheckpointCommand {
    init(_ parsed: Parsed) {
        self.init(
            id: parsed.positionals[0], options: ImageFlags(parsed),
            parentPath: parsed.text(Self.parentFlag),
            leaveRunning: parsed.isOn(Self.leaveRunningFlag),
            preDump: parsed.isOn(Self.preDumpFlag),
            skipsInFlight: parsed.isOn(Self.skipInFlightFlag),
            linkRemap: parsed.isOn(Self.linkRemapFlag),
            statusFd: parsed.number(Self.statusFdFlag),
            pageServer: parsed.text(Self.pageServerFlag))
    }

    private static let parentFlag = Flag(
        "parent-path", "", .directory("DIR"),
        help: "the images of an earlier --pre-dump, relative to --image-path")
    private static let leaveRunningFlag = Flag(
        "leave-running", help: "let the container go on afterwards")
    private static let preDumpFlag = Flag(
        "pre-dump", help: "write the memory only, and let the container go on")
    private static let skipInFlightFlag = Flag(
        "tcp-skip-in-flight", help: "leave out TCP connections that are not established yet")
    private static let linkRemapFlag = Flag(
        "link-remap", help: "make names again for open files that have been removed")
    private static let statusFdFlag = Flag(
        "status-fd", "", .number("N"),
        help: "write a byte to this descriptor once --lazy-pages is ready")
    private static let pageServerFlag = Flag(
        "page-server", "", .text("ADDRESS:PORT"), help: "send the memory to a page server")

    static let command = Command(
        name.rawValue, summary: "write the processes of a container to files",
        description: """
            `\(Program.name) restore` makes a container of them again. CRIU does the work.
            """,
        positionals: [SharedFlags.id],
        flags: ImageFlags.flags + [
            parentFlag, leaveRunningFlag, preDumpFlag, skipInFlightFlag, linkRemapFlag,
            statusFdFlag, pageServerFlag,
        ])
}

/// What `checkpoint` and `restore` have in common.
struct ImageFlags: Equatable {
    /// The directory of the images; nil for `checkpoint` in the current one.
    var imagePath: String?
    /// The directory of logs and statistics.
    var workPath: String?
    var tcpEstablished = false
    var externalUnixSockets = false
    var shellJob = false
    var fileLocks = false
    var lazyPages = false
    var autoDedup = false
    var cgroupsMode: String?
    /// Namespaces that are made but not filled again.
    var emptyNamespaces: [String] = []
    var networkLock: String?

    /// The same for the runtime. Network namespaces are left empty in any case.
    func forRuntime(_ globals: GlobalOptions) -> ImageOptions {
        var options = ImageOptions(imagePath: imagePath ?? "checkpoint")
        if let criu = globals.criu { options.criu = criu }
        options.workPath = workPath
        options.tcpEstablished = tcpEstablished
        options.externalUnixSockets = externalUnixSockets
        options.shellJob = shellJob
        options.fileLocks = fileLocks
        options.lazyPages = lazyPages
        options.autoDedup = autoDedup
        options.cgroupsMode = cgroupsMode.flatMap(ImageOptions.CgroupsMode.init(rawValue:))
        options.networkLock = networkLock.flatMap(ImageOptions.NetworkLock.init(rawValue:))
        return options
    }
}

extension ImageFlags {
    init(_ parsed: Parsed) {
        self.init(
            imagePath: parsed.text(Self.imageFlag), workPath: parsed.text(Self.workFlag),
            tcpEstablished: parsed.isOn(Self.establishedFlag),
            externalUnixSockets: parsed.isOn(Self.externalFlag),
            shellJob: parsed.isOn(Self.shellJobFlag), fileLocks: parsed.isOn(Self.fileLocksFlag),
            lazyPages: parsed.isOn(Self.lazyPagesFlag),
            autoDedup: parsed.isOn(Self.autoDedupFlag),
            cgroupsMode: parsed.text(Self.cgroupsFlag),
            emptyNamespaces: parsed.texts(Self.emptyFlag),
            networkLock: parsed.text(Self.networkLockFlag))
    }

    private static let imageFlag = Flag(
        "image-path", "", .directory("DIR"), default: "checkpoint", help: "where the images are")
    private static let workFlag = Flag(
        "work-path", "", .directory("DIR"), default: "that of the images",
        help: "where logs and statistics go")
    private static let establishedFlag = Flag(
        "tcp-established", help: "take open TCP connections along")
    private static let externalFlag = Flag(
        "ext-unix-sk", help: "allow Unix sockets whose other end is outside")
    private static let shellJobFlag = Flag(
        "shell-job", help: "allow processes that belong to the caller's session and terminal")
    private static let fileLocksFlag = Flag("file-locks", help: "take file locks along")
    private static let lazyPagesFlag = Flag(
        "lazy-pages", help: "leave the memory behind until it is used")
    private static let autoDedupFlag = Flag(
        "auto-dedup", help: "remove from earlier images what later ones hold")
    private static let cgroupsFlag = Flag(
        "manage-cgroups-mode", "", .choice("MODE", ["soft", "full", "strict", "ignore"]),
        default: "soft", help: "how far the settings of cgroups are kept")
    private static let emptyFlag = Flag(
        "empty-ns", "", .choice("NAMESPACE", ["network"]), repeats: true,
        help: "leave a namespace empty")
    private static let networkLockFlag = Flag(
        "network-lock", "", .choice("METHOD", ["iptables", "nftables", "skip"]),
        help: "how connections are held meanwhile")

    static let flags = [
        imageFlag, workFlag, establishedFlag, externalFlag, shellJobFlag, fileLocksFlag,
        lazyPagesFlag, autoDedupFlag, cgroupsFlag, emptyFlag, networkLockFlag,
    ]
}
