import Arguments

/// The options before the command.
struct GlobalOptions: Equatable {
    /// Who makes the containers' cgroups.
    enum CgroupManager: String, CaseIterable {
        case cgroupfs
        case systemd
        case disabled
    }

    /// Whether a failure to set up a cgroup for want of permission is tolerated.
    enum Rootless: String, CaseIterable {
        case yes = "true"
        case no = "false"
        case auto
    }

    /// The directory of the containers' states; nil for the default.
    var root: String?
    var log = LogOptions()
    var cgroupManager = CgroupManager.cgroupfs
    var rootless = Rootless.auto
    /// The CRIU program; nil for the one on PATH.
    var criu: String?
    var wantsVersion = false

    init() {}

    init(_ parsed: Parsed) {
        adopt(parsed)
    }

    /// Sets every option that was given.
    mutating func adopt(_ parsed: Parsed) {
        root = parsed.text(Self.rootFlag) ?? root
        log.destination =
            parsed.text(Self.logFlag).map(LogDestination.init) ?? log.destination
        log.format =
            parsed.text(Self.logFormat).flatMap(LogFormat.init(rawValue:)) ?? log.format
        log.level = parsed.text(Self.logLevel).flatMap(LogLevel.init(_:)) ?? log.level
        if parsed.isOn(Self.debug) { log.level = .debug }
        cgroupManager = Self.manager(parsed) ?? cgroupManager
        rootless = parsed.text(Self.rootlessFlag).flatMap(Rootless.init(rawValue:)) ?? rootless
        criu = parsed.text(Self.criuFlag) ?? criu
        wantsVersion = wantsVersion || parsed.isOn(Self.version)
    }

    /// `--systemd-cgroup` is `--cgroup-manager systemd`; the one given last counts.
    private static func manager(_ parsed: Parsed) -> CgroupManager? {
        switch parsed.lastGiven(systemdCgroup, cgroupManagerFlag)?.name {
        case systemdCgroup.name: parsed.isOn(systemdCgroup) ? .systemd : .cgroupfs
        case cgroupManagerFlag.name:
            parsed.text(cgroupManagerFlag).flatMap(CgroupManager.init(rawValue:))
        default: nil
        }
    }
}

extension GlobalOptions {
    static let rootFlag = Flag(
        "root", "", .directory("DIR"),
        default: "/run/swrunc, or $XDG_RUNTIME_DIR/swrunc for a user without privileges",
        help: "where the state of containers is kept")
    static let logFlag = Flag(
        "log", "", .text("FILE"),
        help: "append errors and warnings to a file, to journald:NAME or to syslog:NAME")
    static let logFormat = Flag(
        "log-format", "", .choice("FORMAT", LogFormat.allCases.map(\.rawValue)), default: "text",
        help: "how a line of the log looks")
    static let logLevel = Flag(
        "log-level", "", .choice("LEVEL", LogLevel.allCases.map(\.name)), default: "error",
        help: "the least important messages that are reported at once")
    static let debug = Flag("debug", help: "short for --log-level debug")
    static let systemdCgroup = Flag("systemd-cgroup", help: "short for --cgroup-manager systemd")
    static let cgroupManagerFlag = Flag(
        "cgroup-manager", "", .choice("NAME", CgroupManager.allCases.map(\.rawValue)),
        default: "cgroupfs", help: "who makes the cgroups of containers")
    static let rootlessFlag = Flag(
        "rootless", "", .choice("WHEN", Rootless.allCases.map(\.rawValue)), default: "auto",
        help: "do without a cgroup that may not be made, unless the configuration names it")
    static let criuFlag = Flag(
        "criu", "", .path("FILE"), default: "criu",
        help: "the CRIU program for checkpoint and restore")
    static let version = Flag("version", "vV", help: "show the version")

    static let flags = [
        rootFlag, logFlag, logFormat, logLevel, debug, systemdCgroup, cgroupManagerFlag,
        rootlessFlag, criuFlag, version,
    ]
}
