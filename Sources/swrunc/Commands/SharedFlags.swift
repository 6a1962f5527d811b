import Arguments

/// Flags and arguments that several commands have.
enum SharedFlags {
    static let id = Positional("ID", .required, .containers, help: "the container")
    static let newID = Positional("ID", help: "the name of the container, unique below --root")

    static let bundle = Flag(
        "bundle", "b", .directory("DIR"), default: "the current directory",
        help: "the directory of the bundle")
    static let config = Flag(
        "config", "f", .path("FILE"), default: "config.json in the bundle",
        help: "the configuration")
    static let consoleSocket = Flag(
        "console-socket", "", .path("SOCKET"),
        help: "send the terminal's descriptor to the AF_UNIX socket at this path")
    static let pidfdSocket = Flag(
        "pidfd-socket", "", .path("SOCKET"),
        help: "send a pidfd of the process to the AF_UNIX socket at this path")
    static let pidFile = Flag(
        "pid-file", "", .path("FILE"), help: "write the process id to this file")
    static let preserveFds = Flag(
        "preserve-fds", "", .number("N"), default: "0",
        help: "pass on N descriptors, from 3 on, after those of $LISTEN_FDS")
    static let noPivot = Flag(
        "no-pivot", help: "move the root mount and chroot, for a host that runs from its initramfs")
    static let noSubreaper = Flag(
        "no-subreaper", help: "do not adopt and reap processes that the container leaves behind")
    static let detach = Flag("detach", "d", help: "do not wait for the process")
    static let format = Flag(
        "format", "f", .choice("FORMAT", ListFormat.allCases.map(\.rawValue)), default: "table",
        help: "how the list looks")
    static let regex = Flag(
        "regex", "r", help: "take ID as an extended regular expression and act on all it matches")
}

/// How a list is shown.
enum ListFormat: String, CaseIterable {
    case table
    case json

    init(_ parsed: Parsed) {
        self = parsed.text(SharedFlags.format).flatMap(Self.init(rawValue:)) ?? .table
    }
}
