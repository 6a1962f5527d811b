import CSys
import Glibc

/// Two connected `SOCK_SEQPACKET` sockets: one message in, one message out.
@frozen package struct SocketPair: ~Copyable {
    package let ours: Fd
    package let theirs: Fd

    /// Gives both away by number, for a clone that goes on with one of them.
    package consuming func release() -> (ours: Int32, theirs: Int32) {
        (ours.release(), theirs.release())
    }
}

package func socketPair() throws(SysError) -> SocketPair {
    var fds: (Int32, Int32) = (-1, -1)
    let result = unsafe withUnsafeMutableBytes(of: &fds) {
        unsafe csys_socketpair(
            Int32(SOCK_SEQPACKET.rawValue),
            $0.baseAddress?.assumingMemoryBound(to: Int32.self))
    }
    try check(result, "socketpair(AF_UNIX, SOCK_SEQPACKET)")
    return SocketPair(ours: Fd(owning: fds.0), theirs: Fd(owning: fds.1))
}

/// The kinds of AF_UNIX socket used here.
package enum SocketKind {
    case stream, datagram, packet

    var type: Int32 {
        switch self {
        case .stream: Int32(SOCK_STREAM.rawValue)
        case .datagram: Int32(SOCK_DGRAM.rawValue)
        case .packet: Int32(SOCK_SEQPACKET.rawValue)
        }
    }
}

/// Connects to the AF_UNIX socket at `path`. A path over 107 bytes goes through its directory. Neither
/// this nor what is sent later waits longer than 10 s for the other side: ETIMEDOUT.
package func connectSocket(_ kind: SocketKind, _ path: String) throws(SysError) -> Fd {
    let fd = Fd(
        owning: try check(csys_unix_socket(kind.type), "socket(AF_UNIX)"))
    try check(csys_send_timeout(fd.raw, 10), "setsockopt(SO_SNDTIMEO)")
    do throws(SysError) {
        try throughShortPath(path) { (short) throws(SysError) in
            try check(unsafe csys_connect_unix(fd.raw, short), "connect(\(quoted(path)))")
        }
    } catch  where error.errno == EAGAIN {
        throw SysError(error.call, ETIMEDOUT, hint: "nobody accepts connections there")
    }
    return fd
}

/// Makes the AF_UNIX socket at `path`, bound and, but for datagrams, listening.
/// - Parameter mode: who may connect, whatever the umask: those with the right to write.
package func bindSocket(
    _ kind: SocketKind, _ path: String, mode: UInt32
) throws(SysError) -> Fd {
    let fd = Fd(
        owning: try check(csys_unix_socket(kind.type), "socket(AF_UNIX)"))
    let mask = setUmask(~mode & 0o777)
    defer { setUmask(mask) }
    try throughShortPath(path) { (short) throws(SysError) in
        try check(unsafe csys_bind_unix(fd.raw, short), "bind(\(quoted(path)))")
    }
    if kind != .datagram { try check(csys_listen(fd.raw, 16), "listen(\(quoted(path)))") }
    return fd
}

/// A `sockaddr_un` holds 107 bytes: a longer path is reached through a descriptor of its directory.
private func throughShortPath(
    _ path: String, _ body: (String) throws(SysError) -> Void
) throws(SysError) {
    if path.utf8.count < 108 { return try body(path) }
    let (parent, name) = splitPath(path)
    let directory = try openFile(parent, O_PATH | O_DIRECTORY)
    try body("/proc/self/fd/\(directory.raw)/\(name)")
}

/// Lets no receive wait longer than this: EAGAIN.
package func limitReceiving(_ socket: Int32, seconds: Int) throws(SysError) {
    try check(csys_receive_timeout(socket, seconds), "setsockopt(SO_RCVTIMEO)")
}

package func acceptConnection(_ listener: Int32) throws(SysError) -> Fd {
    Fd(owning: try checkRetrying({ csys_accept(listener) }, "accept(\(named(listener)))"))
}

/// Sends one message and, where `passing` is not -1, one descriptor (`SCM_RIGHTS`).
package func send(
    _ socket: Int32, _ bytes: [UInt8], passing fd: Int32 = -1
) throws(SysError) {
    try checkRetrying(
        { unsafe csys_send(socket, bytes, bytes.count, fd) }, "sendmsg(\(named(socket)))")
}

/// Sends all of `bytes` on a stream, which may take them in parts.
package func sendAll(_ socket: Int32, _ bytes: [UInt8]) throws(SysError) {
    var left = bytes
    while !left.isEmpty {
        let sent = try checkRetrying(
            { unsafe csys_send(socket, left, left.count, -1) }, "sendmsg(\(named(socket)))")
        left.removeFirst(sent)
    }
}

/// Receives one message of at most `limit` bytes, and the descriptor that came with it. An empty
/// message means that the other side has gone.
package func receive(
    _ socket: Int32, limit: Int
) throws(SysError) -> (bytes: [UInt8], fd: Int32) {
    var fd: Int32 = -1
    let bytes = unsafe try filled(limit: limit, "recvmsg(\(named(socket)))") {
        unsafe csys_receive(socket, $0, limit, &fd)
    }
    return (bytes, fd)
}

/// Brings an interface of this network namespace up (`netdevice(7)`).
package func bringUp(interface name: String) throws(SysError) {
    let socket = Fd(owning: try check(csys_inet_socket(), "socket(AF_INET)"))
    try check(
        unsafe csys_interface_up(socket.raw, name), "ioctl(\(quoted(name)), SIOCSIFFLAGS, IFF_UP)")
}
