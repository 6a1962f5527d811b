import Glibc
import Sys

/// The protocol between host and init: one message per packet of a `SOCK_SEQPACKET` pair.
///
/// ```
///   host                               init
///    │ ── go ───────────────────────▶   │   your turn, from the next step on
///    │ ◀────────────────── reached k ── │   step k is yours
///    │ ◀──────────────────── warning ── │   any time
///    │ ◀─────────── terminal (+ fd) ─── │   the pty's master, without a console socket
///    │ ◀────────────────────── ready ── │   created
///    │ ── go ───────────────────────▶   │   the state is written down (`run`: and start)
///    ╎                                  │   blocked until `start` connects to the start socket
///  exec ◀─────────── namespace (+ fd) ── │   one each, to who connects to the socket for `exec`
///  start ── go ───────────────────▶     │
///    │ ◀────────────── moved (+ pidfd) ─ │   `exec`: another process goes on, in the pid namespace
///    │ ◀────────────────── executing ── │   about to execve; then EOF by close-on-exec
///    │ ◀──────── failed k + reason ──── │   instead of any of these
/// ```
package enum Message: Equatable, Sendable {
    case go
    case reached(Int)
    case warning(String)
    case terminal
    case ready
    case executing
    case moved(pid: Int32)
    case namespace(NamespaceKind)
    case failed(FailedStep, SysError)

    private enum Tag: UInt8 {
        case go = 1
        case reached, warning, terminal, ready, executing, moved, failed, namespace
    }

    /// The largest packet; longer reasons are cut.
    package static let limit = 8192

    /// Fields: tag, step (4 bytes), errno, pid or kind (4 bytes), then texts that a NUL ends: a warning, or
    /// the call, its hint, the step's name, subject and place, and the error's own place.
    package var bytes: [UInt8] {
        switch self {
        case .go: Self.encode(.go)
        case .reached(let step): Self.encode(.reached, step: step)
        case .warning(let text): Self.encode(.warning, [text])
        case .terminal: Self.encode(.terminal)
        case .ready: Self.encode(.ready)
        case .executing: Self.encode(.executing)
        case .moved(let pid): Self.encode(.moved, errno: pid)
        case .namespace(let kind): Self.encode(.namespace, errno: kind.rawValue)
        case .failed(let step, let error):
            Self.encode(
                .failed,
                [
                    error.call, error.hint ?? "", step.name, step.subject, step.place,
                    error.place ?? "",
                ],
                step: step.index, errno: error.errno)
        }
    }

    private static func encode(
        _ tag: Tag, _ texts: [String] = [], step: Int = 0, errno: Int32 = 0
    ) -> [UInt8] {
        var bytes = [tag.rawValue]
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: step >> shift)) }
        for shift in [0, 8, 16, 24] as [Int32] {
            bytes.append(UInt8(truncatingIfNeeded: errno >> shift))
        }
        for (index, text) in texts.enumerated() {
            // Together they fit into a packet.
            let room = [4000, 1600]
            bytes.append(contentsOf: text.utf8.prefix(index < 2 ? room[index] : 600))
            bytes.append(0)
        }
        return bytes
    }

    /// nil for bytes that are no message.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count >= 9, let tag = Tag(rawValue: bytes[0]) else { return nil }
        func number(_ at: Int) -> UInt32 {
            UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16
                | UInt32(bytes[at + 3]) << 24
        }
        let step = Int(number(1))
        let texts = bytes[9...].split(separator: 0, omittingEmptySubsequences: false)
        func text(_ index: Int) -> String {
            index < texts.count ? String(decoding: texts[index], as: UTF8.self) : ""
        }
        func part(_ index: Int) -> String? { text(index).isEmpty ? nil : text(index) }
        switch tag {
        case .go: self = .go
        case .reached: self = .reached(step)
        case .warning: self = .warning(text(0))
        case .terminal: self = .terminal
        case .ready: self = .ready
        case .executing: self = .executing
        case .moved: self = .moved(pid: Int32(bitPattern: number(5)))
        case .namespace:
            guard let kind = NamespaceKind(rawValue: Int32(bitPattern: number(5))) else {
                return nil
            }
            self = .namespace(kind)
        case .failed:
            self = .failed(
                FailedStep(index: step, name: text(2), subject: text(3), place: text(4)),
                SysError(text(0), Int32(bitPattern: number(5)), hint: part(1), place: part(5)))
        }
    }
}

/// A step that failed, in words as well: `start` has no plan to look it up in.
package struct FailedStep: Equatable, Sendable {
    package let index: Int
    package let name: String
    package let subject: String
    package let place: String

    package init(index: Int, name: String = "", subject: String = "", place: String = "") {
        self.index = index
        self.name = name
        self.subject = subject
        self.place = place
    }

    package init(index: Int, _ step: Step) {
        self.init(
            index: index, name: step.action.name, subject: step.action.subject, place: step.place)
    }
}

/// One end of the protocol.
package struct Channel: ~Copyable {
    private let socket: Fd

    package init(_ socket: consuming Fd) { self.socket = socket }

    package var raw: Int32 { socket.raw }

    package borrowing func send(_ message: Message, passing fd: Int32 = -1) throws(SysError) {
        try Sys.send(socket.raw, message.bytes, passing: fd)
    }

    /// The next message and the descriptor that came with it; nil when the other side has gone.
    /// - Throws: ETIMEDOUT where the socket has a time limit.
    package borrowing func receive() throws(SysError) -> (message: Message, fd: Int32)? {
        let packet: (bytes: [UInt8], fd: Int32)
        do throws(SysError) {
            packet = try Sys.receive(socket.raw, limit: Message.limit)
        } catch  where error.errno == ECONNRESET {
            // It left without reading all that we said. What it had said itself is there still.
            return try receive()
        } catch  where error.errno == EAGAIN {
            throw SysError("waiting for the container's init", ETIMEDOUT)
        }
        if packet.bytes.isEmpty { return nil }
        guard let message = Message(packet.bytes) else {
            throw SysError("reading the channel to the container's init", EPROTO)
        }
        return (message, packet.fd)
    }
}
