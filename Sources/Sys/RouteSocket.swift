import CSys
import Glibc

/// A network device.
package struct NetworkLink: Sendable, Equatable {
    /// Its number in its network namespace.
    package let index: Int32
    package let name: String
    package let isUp: Bool
}

/// An address of a network device, with all that the kernel has said of it.
package struct NetworkAddress: Sendable, Equatable {
    fileprivate struct Attribute: Sendable, Equatable {
        let type: UInt16
        let value: [UInt8]
    }

    fileprivate let family: UInt8
    fileprivate let prefixLength: UInt8
    fileprivate let scope: UInt8
    fileprivate let flags: UInt32
    fileprivate let attributes: [Attribute]

    /// Set by somebody, for good: not by a protocol, for a time (`IFA_F_PERMANENT`).
    package var isPermanent: Bool { flags & 0x80 != 0 }
    /// For the whole world, `RT_SCOPE_UNIVERSE`, and not only for this link or host.
    package var isGlobal: Bool { scope == 0 }
}

/// A socket of `rtnetlink(7)`: the network devices of the network namespace that it was made in, which
/// lives on with it.
package struct RouteSocket: ~Copyable {
    private let socket: Fd
    private var sequence: UInt32 = 0

    /// For the network namespace of this process.
    package init() throws(SysError) {
        let socket = Fd(
            owning: try check(csys_route_socket(), "socket(AF_NETLINK, NETLINK_ROUTE)"))
        try check(csys_connect_kernel(socket.raw), "connect(NETLINK_ROUTE)")
        // Words for what fails, without the request repeated before them: Linux 4.12.
        for option in [10, 11] as [Int32] { _ = csys_netlink_option(socket.raw, option) }
        try limitReceiving(socket.raw, seconds: 10)
        self.socket = socket
    }

    /// The device of this name; nil where there is none.
    package mutating func link(named name: String) throws(SysError) -> NetworkLink? {
        var request = request(.getLink, fixed: linkHeader(0))
        request.add(LinkAttribute.name, name)
        let answers: [NetlinkMessage]
        do throws(SysError) {
            answers = try ask(request, "RTM_GETLINK, \(quoted(name))")
        } catch  where error.errno == ENODEV {
            return nil
        }
        for answer in answers where answer.type == Kind.newLink.rawValue {
            if let link = NetworkLink(answer) { return link }
        }
        return nil
    }

    /// The addresses of a device, in the kernel's order.
    package mutating func addresses(of index: Int32) throws(SysError) -> [NetworkAddress] {
        // A list that has changed meanwhile says so.
        for _ in 0..<10 {
            let dump: UInt16 = 0x300
            let request = request(
                .getAddress, dump, fixed: [UInt8](repeating: 0, count: addressHeaderSize))
            let answers = try ask(request, "RTM_GETADDR")
            let isInterrupted: UInt16 = 0x10
            if answers.contains(where: { $0.flags & isInterrupted != 0 }) { continue }
            return answers.compactMap {
                $0.type == Kind.newAddress.rawValue ? NetworkAddress($0, of: index) : nil
            }
        }
        throw SysError("rtnetlink(RTM_GETADDR)", EINTR, hint: "the addresses keep changing")
    }

    /// Moves a device to another network namespace, where it gets a name. There it is down, and has no
    /// addresses.
    package mutating func move(
        _ index: Int32, to namespace: Int32, as name: String
    ) throws(SysError) {
        var request = request(.setLink, fixed: linkHeader(index))
        request.add(LinkAttribute.namespace, UInt32(bitPattern: namespace))
        request.add(LinkAttribute.name, name)
        try ask(request, "RTM_SETLINK, IFLA_NET_NS_FD, \(quoted(name))")
    }

    /// - Parameter name: with `%d` in it a number is found that makes it unique.
    package mutating func rename(_ index: Int32, to name: String) throws(SysError) {
        var request = request(.setLink, fixed: linkHeader(index))
        request.add(LinkAttribute.name, name)
        try ask(request, "RTM_SETLINK, IFLA_IFNAME, \(quoted(name))")
    }

    package mutating func bringUp(_ index: Int32) throws(SysError) {
        try ask(request(.setLink, fixed: linkHeader(index, isUp: true)), "RTM_SETLINK, IFF_UP")
    }

    /// - Parameter labelled: with the address's label, which begins with the device's name.
    package mutating func add(
        _ address: NetworkAddress, to index: Int32, labelled: Bool
    ) throws(SysError) {
        let create: UInt16 = 0x600
        let header =
            [address.family, address.prefixLength, 0, address.scope]
            + native(UInt32(bitPattern: index))
        var request = request(.newAddress, create, fixed: header)
        for attribute in address.attributes
        where attribute.type != AddressAttribute.label || labelled {
            request.add(attribute.type, attribute.value)
        }
        try ask(request, "RTM_NEWADDR")
    }

    private enum Kind: UInt16 {
        case newLink = 16
        case getLink = 18
        case setLink = 19
        case newAddress = 20
        case getAddress = 22
    }

    private mutating func request(
        _ kind: Kind, _ flags: UInt16 = 0, fixed: [UInt8]
    ) -> NetlinkRequest {
        sequence &+= 1
        let requestAndAcknowledge: UInt16 = 0x5
        return NetlinkRequest(
            type: kind.rawValue, flags: flags | requestAndAcknowledge, sequence: sequence,
            fixed: fixed)
    }

    /// What the kernel answers, up to its word that this is all.
    @discardableResult
    private func ask(
        _ request: NetlinkRequest, _ call: @autoclosure () -> String
    ) throws(SysError) -> [NetlinkMessage] {
        try send(socket.raw, request.bytes)
        var answers: [NetlinkMessage] = []
        while true {
            let datagram = try receive(socket.raw, limit: 1 << 17)
            guard !datagram.bytes.isEmpty, let messages = NetlinkMessage.all(in: datagram.bytes)
            else { throw SysError("rtnetlink(\(call()))", EPROTO) }
            for message in messages where message.sequence == sequence {
                guard let (errno, words) = message.outcome else {
                    answers.append(message)
                    continue
                }
                if errno == 0 { return answers }
                throw SysError("rtnetlink(\(call()))", errno, hint: words)
            }
        }
    }
}

private enum LinkAttribute {
    static let name: UInt16 = 3
    static let namespace: UInt16 = 28
}

private enum AddressAttribute {
    static let label: UInt16 = 3
    static let flags: UInt16 = 8
    /// IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST, IFA_ANYCAST, IFA_CACHEINFO (how long it is
    /// valid), IFA_FLAGS, IFA_RT_PRIORITY, IFA_PROTO.
    static let kept: [UInt16] = [1, 2, label, 4, 5, 6, flags, 9, 11]
}

private let linkHeaderSize = 16
private let addressHeaderSize = 8

/// `struct ifinfomsg`.
private func linkHeader(_ index: Int32, isUp: Bool = false) -> [UInt8] {
    let up: UInt32 = isUp ? 1 : 0
    return native(UInt32(0)) + native(UInt32(bitPattern: index)) + native(up) + native(up)
}

extension NetworkLink {
    init?(_ message: NetlinkMessage) {
        guard let index = message.payload.uint32(at: 4), let flags = message.payload.uint32(at: 8),
            let name = message.attributes(after: linkHeaderSize).first(where: {
                $0.type == LinkAttribute.name
            })
        else { return nil }
        self.init(index: Int32(bitPattern: index), name: text(name.value), isUp: flags & 1 != 0)
    }
}

extension NetworkAddress {
    /// nil for an address of another device.
    init?(_ message: NetlinkMessage, of index: Int32) {
        let payload = message.payload
        guard payload.count >= addressHeaderSize,
            payload.uint32(at: 4) == UInt32(bitPattern: index)
        else { return nil }
        let fixed = payload.prefix(4).map { $0 }
        let attributes = message.attributes(after: addressHeaderSize)
        family = fixed[0]
        prefixLength = fixed[1]
        scope = fixed[3]
        let all = attributes.first { $0.type == AddressAttribute.flags }
        flags = all?.value.uint32(at: 0) ?? UInt32(fixed[2])
        self.attributes = attributes.compactMap {
            AddressAttribute.kept.contains($0.type)
                ? Attribute(type: $0.type, value: Array($0.value)) : nil
        }
    }
}
