import Arguments
import Glibc
import Sys

/// The messages of one invocation: errors on standard error and in the log, warnings in the log.
///
/// Without `--log`, standard error is the log: an error is one plain line there, or with
/// `--log-format json` one object. Engines read all output of a command that succeeded, so that
/// warnings are written to standard error only where it is a terminal, or where they were asked for.
/// Of a command that failed they take a log in JSON to be one object: the warnings are in it, after the
/// error.
struct Report {
    /// The log, open until the process ends; -1 when standard error is the log.
    private let descriptor: Int32
    private let options: LogOptions
    private var heldWarnings: [String] = []

    /// Opens the log.
    init(_ options: LogOptions) throws(SysError) {
        self.options = options
        descriptor =
            switch options.destination {
            case .standardError: -1
            case .file(let path):
                try Self.openLog(path).release()
            case .journal:
                try connectSocket(.datagram, "/run/systemd/journal/socket").release()
            case .syslog:
                try connectSocket(.datagram, "/dev/log").release()
            }
    }

    /// A pipe that nobody reads is refused, not waited for, and one that is full loses a message.
    private static func openLog(_ path: String) throws(SysError) -> Fd {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY
        do throws(SysError) {
            return try openFile(path, flags, mode: 0o644)
        } catch  where error.errno == ENXIO {
            throw error.hinting("nobody reads the pipe, or it is a socket")
        } catch {
            throw error.explaining(path)
        }
    }

    /// Reports what made the command fail, and the warnings held back so far.
    mutating func error(_ message: String) {
        let isOneEntry = options.format == .json && options.destination.isStream
        let entry = isOneEntry ? [message] + heldWarnings : [message]
        writeHeldWarnings(toLog: !isOneEntry)
        write(.error, entry.joined(separator: "; warning: "))
        if options.destination != .standardError { writeLine(message, to: 2) }
    }

    /// Reports something that the caller should know but that stops nothing.
    ///
    /// Unless warnings were asked for they are held back until it is known how the command ends, because
    /// Podman takes the log of a command that failed to be a single object.
    mutating func warning(_ message: String) {
        if options.level >= .warning {
            write(.warning, message)
        } else {
            heldWarnings.append(message)
        }
    }

    /// Reports what only somebody who looks for a mistake wants to know.
    func debug(_ message: @autoclosure () -> String) {
        if hasDebug { write(.debug, message()) }
    }

    var hasDebug: Bool { options.level >= .debug }

    /// Writes the warnings held back so far: the command has succeeded, or can fail no more.
    mutating func writeHeldWarnings(toLog: Bool = true) {
        if heldWarnings.isEmpty { return }
        let isFile = toLog && options.destination != .standardError
        let isSeen = isTerminal(2)
        for message in heldWarnings {
            if isFile { write(.warning, message) }
            if isSeen { writeLine("\(Program.name): warning: \(message)", to: 2) }
        }
        heldWarnings = []
    }

    /// Writes one message to the log. A log that cannot be written does not change what the command
    /// does, but is worth a line on standard error.
    private func write(_ level: LogLevel, _ message: String) {
        do throws(SysError) {
            switch options.destination {
            case .standardError:
                try writeStandardError(level, message)
            case .file:
                let line = logLine(options.format, level, message, time: timestamp())
                try swrunc.write(line, to: descriptor)
            case .journal(let name):
                try send(descriptor, journalEntry(level, message, name: name))
            case .syslog(let name):
                try send(descriptor, syslogEntry(level, message, name: name, pid: getpid()))
            }
        } catch {
            writeLine("\(Program.name): cannot log: \(error.description)", to: 2)
        }
    }

    private func writeStandardError(
        _ level: LogLevel, _ message: String
    ) throws(SysError) {
        switch (options.format, level) {
        case (.text, .error): writeLine(message, to: 2)
        case (.text, _): writeLine("\(Program.name): \(level.name): \(message)", to: 2)
        case (.json, _):
            try swrunc.write(logLine(.json, level, message, time: timestamp()), to: 2)
        }
    }
}

/// The fields of the journal's native protocol, one a line (systemd's JOURNAL_NATIVE_PROTOCOL).
func journalEntry(_ level: LogLevel, _ message: String, name: String) -> [UInt8] {
    Array(
        """
        MESSAGE=\(printable(message))
        PRIORITY=\(level.severity)
        SYSLOG_IDENTIFIER=\(printable(name))

        """.utf8)
}

/// A message as syslog(3) sends it, facility daemon; the receiver fills in the time.
func syslogEntry(_ level: LogLevel, _ message: String, name: String, pid: Int32) -> [UInt8] {
    Array("<\(3 * 8 + level.severity)>\(printable(name))[\(pid)]: \(printable(message))".utf8)
}
