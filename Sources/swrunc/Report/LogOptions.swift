/// Where messages go, how they look and which are wanted.
struct LogOptions: Equatable {
    var destination = LogDestination.standardError
    var format = LogFormat.text
    var level = LogLevel.error
}

/// How a line of the log looks.
enum LogFormat: String, CaseIterable {
    case text
    case json
}

/// How important a message is, and which messages are wanted.
enum LogLevel: Int, CaseIterable, Comparable {
    case error
    case warning
    case debug

    init?(_ name: String) {
        guard let level = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = level
    }

    /// The name on the command line and in the log.
    var name: String {
        switch self {
        case .error: "error"
        case .warning: "warning"
        case .debug: "debug"
        }
    }

    /// The severity of syslog(3).
    var severity: Int {
        switch self {
        case .error: 3
        case .warning: 4
        case .debug: 7
        }
    }

    static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
}

/// The destinations of `--log`.
enum LogDestination: Equatable {
    case standardError
    case file(String)
    /// The journal of systemd, under this identifier.
    case journal(String)
    /// The system log, under this identifier.
    case syslog(String)

    /// Whether its entries are bytes one after the other, and in the format that was asked for.
    var isStream: Bool {
        switch self {
        case .standardError, .file: true
        case .journal, .syslog: false
        }
    }

    /// Reads `[file:]PATH`, `journald:NAME` or `syslog:NAME`.
    init(_ text: String) {
        if text.hasPrefix("journald:") {
            self = .journal(String(text.dropFirst("journald:".count)))
        } else if text.hasPrefix("syslog:") {
            self = .syslog(String(text.dropFirst("syslog:".count)))
        } else {
            let path = text.hasPrefix("file:") ? String(text.dropFirst("file:".count)) : text
            // An error is on standard error anyway, and would be there twice.
            self = path.isEmpty || path == "/dev/stderr" ? .standardError : .file(path)
        }
    }
}
