import Glibc
import Sys

/// A connection to systemd: straight to its private socket, or to the bus that it is on.
///
/// The authentication (`EXTERNAL`: the kernel says who we are) is one round trip. All calls known by
/// then, the greeting of the bus included, go out in one write: a unit is started in another. They do
/// not go out together: a systemd that reads a call with the end of the authentication leaves it lying
/// until something else happens on the connection.
struct DBusConnection: ~Copyable {
    private let socket: Fd
    private let deadline: Deadline
    private let address: String
    private var outgoing: [UInt8] = []
    private var incoming: [UInt8] = []
    private var isAuthenticated = false
    private var serial: UInt32 = 0

    /// - Parameters:
    ///   - sockets: paths to try, one after the other.
    ///   - isBus: whether a path is a message bus, on which systemd has a name.
    init(
        _ sockets: [(path: String, isBus: Bool)], deadline: Deadline
    ) throws(SysError) {
        self.deadline = deadline
        var opened: (fd: Int32, path: String, isBus: Bool)?
        var failure = SysError.refused("there is no address of a bus")
        for (path, isBus) in sockets {
            do throws(SysError) {
                opened = (try connectSocket(.stream, path).release(), path, isBus)
                break
            } catch {
                failure = error
            }
        }
        guard let opened else { throw failure }
        let connected = Fd(owning: opened.fd)
        // D-Bus Specification, "Authentication Protocol": without an identity it is the kernel's.
        try sendAll(connected.raw, Array("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".utf8))
        socket = connected
        address = opened.path
        if opened.isBus {
            let bus = "org.freedesktop.DBus"
            _ = call(bus, path: "/org/freedesktop/DBus", bus, "Hello")
            _ = call(bus, path: "/org/freedesktop/DBus", bus, "AddMatch", "s") {
                $0.string(
                    "type='signal',sender='org.freedesktop.systemd1',"
                        + "interface='org.freedesktop.systemd1.Manager',member='JobRemoved'")
            }
        }
    }

    /// Queues a call; the next ``receive()`` sends it.
    /// - Returns: its serial.
    mutating func call(
        _ destination: String, path: String, _ interface: String, _ member: String,
        _ signature: String = "", _ arguments: (inout DBusWriter) -> Void = { _ in }
    ) -> UInt32 {
        serial += 1
        var body = DBusWriter()
        arguments(&body)
        var message = DBusWriter()
        for byte in [UInt8(ascii: "l"), DBusMessage.Kind.call.rawValue, 0, 1] as [UInt8] {
            message.number(byte)
        }
        message.number(UInt32(truncatingIfNeeded: body.bytes.count))
        message.number(serial)
        message.array(alignment: 8) {
            $0.field(1, "o", path)
            $0.field(2, "s", interface)
            $0.field(3, "s", member)
            $0.field(6, "s", destination)
            if !signature.isEmpty { $0.field(8, "g", signature) }
        }
        message.align(8)
        outgoing += message.bytes + body.bytes
        return serial
    }

    /// The next message.
    mutating func receive() throws(SysError) -> DBusMessage {
        while true {
            do throws(DBusError) {
                if let message = try nextMessage() { return message }
            } catch {
                throw .refused("\(quoted(address)): \(error.message)")
            }
            if isAuthenticated, !outgoing.isEmpty {
                try sendAll(socket.raw, outgoing)
                outgoing = []
            }
            let left = deadline.milliseconds
            guard left > 0, try poll(socket.raw, Int32(POLLIN), milliseconds: left) != 0 else {
                throw SysError(
                    "waiting for systemd's answer on \(quoted(address))", ETIMEDOUT,
                    hint: "see whether `systemctl list-jobs` answers, and what it waits for")
            }
            let bytes = try Fd.readSome(socket.raw, limit: 16384)
            if bytes.isEmpty {
                throw .refused(
                    "systemd closed the connection \(quoted(address))",
                    hint: isAuthenticated ? nil : "it does not let this user in")
            }
            incoming += bytes
        }
    }

    private mutating func nextMessage() throws(DBusError) -> DBusMessage? {
        if !isAuthenticated, try !finishAuthentication() { return nil }
        guard let length = try DBusMessage.length(incoming), incoming.count >= length else {
            return nil
        }
        let message = try DBusMessage(Array(incoming[..<length]))
        incoming.removeFirst(length)
        return message
    }

    /// Takes `DATA` and `OK …` from what came in; false while they are not all there.
    private mutating func finishAuthentication() throws(DBusError) -> Bool {
        while let end = incoming.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: incoming[..<end], as: UTF8.self)
            incoming.removeFirst(end + 1)
            if line.utf8.starts(with: "OK".utf8) {
                isAuthenticated = true
                return true
            }
            if !line.utf8.starts(with: "DATA".utf8) {
                throw DBusError("it does not let this user in (\(line.dropLast()))")
            }
        }
        return false
    }
}

extension DBusWriter {
    /// A header field: a code and a variant (D-Bus Specification, "Header Fields").
    fileprivate mutating func field(_ code: UInt8, _ type: String, _ text: String) {
        align(8)
        number(code)
        signature(type)
        if type.utf8.elementsEqual("g".utf8) { signature(text) } else { string(text) }
    }
}
