import Foundation
import Testing

/// The far end of `--console-socket`: receives the master of the container's terminal.
final class ConsoleSocket {
    let path: String
    private let listener: Int32

    init(path: String) throws {
        self.path = path
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let bound = withUnixAddress(path) { bind(listener, $0, $1) }
        guard listener >= 0, bound == 0, listen(listener, 4) == 0 else {
            throw HarnessError("console socket \(path): \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(listener) }

    func receive() throws -> Terminal { Terminal(master: try descriptor()) }

    /// Accepts one connection and takes the one descriptor sent over it.
    func descriptor() throws -> Int32 {
        guard becomesReadable(listener) else { throw HarnessError("nothing came over \(path)") }
        let connection = accept(listener)
        defer { close(connection) }
        return try receiveDescriptor(connection)
    }
}

/// One descriptor from a SCM_RIGHTS message (the CMSG macros are not visible to Swift).
func receiveDescriptor(_ connection: Int32) throws -> Int32 {
    var bytes: [UInt8] = []
    return try receiveDescriptor(connection, &bytes)
}

/// The same, with the bytes that came with it.
func receiveDescriptor(_ connection: Int32, _ bytes: inout [UInt8]) throws -> Int32 {
    var name = [UInt8](repeating: 0, count: 4096)
    var control = [UInt64](repeating: 0, count: 8)
    let received: Int = name.withUnsafeMutableBytes { name in
        control.withUnsafeMutableBytes { control in
            var vector = iovec(iov_base: name.baseAddress, iov_len: name.count)
            return withUnsafeMutablePointer(to: &vector) { vector in
                var message = msghdr()
                message.msg_iov = vector
                message.msg_iovlen = 1
                message.msg_control = control.baseAddress
                message.msg_controllen = control.count
                return recvmsg(connection, &message, Int32(MSG_CMSG_CLOEXEC))
            }
        }
    }
    // struct cmsghdr { size_t len; int level; int type; } and then the descriptor
    let descriptor = Int32(truncatingIfNeeded: control[2])
    let isRights = control[1] == UInt64(UInt32(SOL_SOCKET)) | UInt64(UInt32(1)) << 32
    guard received > 0, isRights, control[0] == 20 else {
        throw HarnessError("no descriptor came, \(received) bytes")
    }
    bytes = Array(name.prefix(received))
    return descriptor
}

private func accept(_ listener: Int32) -> Int32 {
    accept4(
        listener, __SOCKADDR_ARG(__sockaddr__: nil), nil, Int32(SOCK_CLOEXEC.rawValue))
}

func withUnixAddress<R>(_ path: String, _ body: (__CONST_SOCKADDR_ARG, socklen_t) -> R) -> R {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
    return withUnsafePointer(to: &address) {
        body(
            __CONST_SOCKADDR_ARG(__sockaddr_un__: $0), socklen_t(MemoryLayout<sockaddr_un>.size))
    }
}

/// The master side of a terminal.
final class Terminal {
    let master: Int32
    private(set) var text = ""

    init(master: Int32) {
        self.master = master
        _ = fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK)
    }

    /// A new pair; `slave` is the path of its other end.
    static func make(rows: UInt16 = 24, columns: UInt16 = 80) throws -> (Terminal, slave: String) {
        let master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0, grantpt(master) == 0, unlockpt(master) == 0,
            let name = ptsname(master)
        else { throw HarnessError("no terminal: \(String(cString: strerror(errno)))") }
        let terminal = Terminal(master: master)
        let slave = String(cString: name)
        terminal.resize(rows: rows, columns: columns)
        return (terminal, slave)
    }

    deinit { close(master) }

    func type(_ text: String) {
        _ = Array(text.utf8).withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
    }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Reads until `text` was printed; false when that does not come in time.
    func prints(_ expected: String, within seconds: Double = longEnough) -> Bool {
        eventually(within: seconds) {
            self.readSome()
            return self.text.contains(expected)
        }
    }

    /// Forgets what was printed so far.
    func forget() { text = "" }

    /// Reads until the other end is closed, or the time is over.
    func readToEnd() -> String {
        _ = eventually { !self.readSome() }
        return text.replacingOccurrences(of: "\r\n", with: "\n")
    }

    /// False once the other end is closed.
    @discardableResult
    private func readSome() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        // A container that prints without end must not take the test process with it.
        while text.utf8.count < 4 << 20 {
            let count = read(master, &buffer, buffer.count)
            if count > 0 {
                text += String(decoding: buffer[..<count], as: UTF8.self)
            } else {
                return count < 0 && errno == EAGAIN
            }
        }
        return false
    }

    /// The terminal's modes, for comparing before and after.
    var modes: [UInt32] {
        var modes = termios()
        tcgetattr(master, &modes)
        return [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
    }
}
