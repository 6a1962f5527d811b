import Glibc
import Sys

/// The host's network devices that a container gets (config-linux.md, "Network Devices").
///
/// The kernel takes addresses and the state "up" off a device that it moves: both are given to it
/// again. As long as the container is being created the devices can also be given back; the sockets
/// keep its network namespace alive for that, and virtual devices with it.
struct NetDevices: ~Copyable {
    private var host: RouteSocket
    private var container: RouteSocket
    private let hostNamespace: Fd
    private let containerNamespace: Fd
    private var moved: [Moved] = []

    private struct Moved {
        /// As it was on the host.
        let link: NetworkLink
        let addresses: [NetworkAddress]
        /// Its number in the container.
        var index: Int32
    }

    /// - Parameters:
    ///   - namespace: the container's network namespace.
    ///   - procfs: the host's `/proc`.
    init(to namespace: consuming Fd, procfs: Int32) throws(SysError) {
        let own = try openFile(at: procfs, "self/ns/net", O_RDONLY)
        // A "move" within it would be none, and what is given back would be lost.
        guard try own.status().ino != namespace.status().ino else {
            throw .refused("the container's network namespace is the runtime's own")
        }
        let host = try RouteSocket()
        container = try Self.socket(in: namespace.raw, comingBackTo: own.raw)
        self.host = host
        hostNamespace = own
        containerNamespace = namespace
    }

    /// Not to come back is an error: hooks would run in the container's.
    private static func socket(
        in namespace: Int32, comingBackTo own: Int32
    ) throws(SysError) -> RouteSocket {
        let kind = NamespaceKind.network.rawValue
        try joinNamespace(namespace, kind)
        let socket: RouteSocket
        do throws(SysError) {
            socket = try RouteSocket()
        } catch {
            try joinNamespace(own, kind)
            throw error
        }
        try joinNamespace(own, kind)
        return socket
    }

    /// Moves one device, and brings it up with the permanent global addresses that it has.
    /// - Parameter newName: in the container; with `%d` the kernel finds a number for it; nil keeps it.
    mutating func move(_ name: String, to newName: String?) throws(SysError) {
        guard let link = try host.link(named: name) else {
            throw SysError("network device \(quoted(name))", ENODEV, hint: "see `ip link`")
        }
        let addresses = try host.addresses(of: link.index)
        let newName = newName ?? link.name
        let isTemplate = newName.utf8.contains(UInt8(ascii: "%"))
        if !isTemplate, try container.link(named: newName) != nil {
            throw SysError(
                "a network device \(quoted(newName)) in the container's network namespace", EEXIST,
                hint: "give another name, or one with %d in it")
        }
        // Only the first of two requests may name the device by a number that is the host's.
        let arrival = isTemplate ? "swrunc\(processID)" : newName
        do throws(SysError) {
            try host.move(link.index, to: containerNamespace.raw, as: arrival)
        } catch  where error.errno == EPERM {
            throw error.hinting("CAP_NET_ADMIN over the host's network namespace is needed")
        }
        guard let there = try container.link(named: arrival) else {
            throw SysError("network device \(quoted(arrival)), once moved", ENODEV)
        }
        moved.append(Moved(link: link, addresses: addresses, index: there.index))
        if isTemplate { try container.rename(there.index, to: newName) }
        let isRenamed = !newName.utf8.elementsEqual(link.name.utf8)
        for address in addresses where address.isPermanent && address.isGlobal {
            try container.add(address, to: there.index, labelled: !isRenamed)
        }
        try container.bringUp(there.index)
    }

    /// Gives all back that has been moved, as it was but for its routes.
    /// - Returns: warnings.
    mutating func giveBack() -> [String] {
        var warnings: [String] = []
        while let device = moved.popLast() {
            do throws(SysError) {
                try giveBack(device)
            } catch {
                warnings.append(
                    "network device \(quoted(device.link.name)) is not as it was: \(error)")
            }
        }
        return warnings
    }

    private mutating func giveBack(_ device: Moved) throws(SysError) {
        try container.move(device.index, to: hostNamespace.raw, as: device.link.name)
        guard let back = try host.link(named: device.link.name) else {
            throw SysError("network device \(quoted(device.link.name)), once back", ENODEV)
        }
        for address in device.addresses {
            try host.add(address, to: back.index, labelled: true)
        }
        if device.link.isUp { try host.bringUp(back.index) }
    }
}

extension HostPerformer {
    /// Keeps a namespace that the init may not have joined yet when the devices are to move there.
    mutating func keepNetworkNamespace() throws(SysError) {
        let next = plan.steps[(index + 1)...].prefix { $0.actor == .host }
        let moves = next.contains {
            if case .moveNetDevice = $0.action { true } else { false }
        }
        guard moves else { return }
        let known = prepared.namespaces + prepared.madeNamespaces
        if let (_, fd) = known.first(where: { $0.kind == .network }) {
            networkNamespace = try Fd.duplicate(fd)
        }
    }

    /// The first device opens the way there.
    mutating func moveNetDevice(_ name: String, to newName: String?) throws(SysError) {
        if netDevices == nil {
            let namespace =
                if let known = networkNamespace.take() {
                    known
                } else {
                    try openFile(at: prepared.procfs, "\(pid)/ns/net", O_RDONLY)
                }
            netDevices = try NetDevices(to: namespace, procfs: prepared.procfs)
        }
        try netDevices?.move(name, to: newName)
    }

    /// - Returns: warnings.
    mutating func giveBackNetDevices() -> [String] { netDevices?.giveBack() ?? [] }
}
