import Init
import Spec

/// Which namespaces a container has of its own: made for it, or joined by path. The rest is the
/// runtime's (config-linux.md, "Namespaces").
struct NamespaceLayout {
    /// In the order of the config.
    private(set) var new: [NamespaceType] = []
    private(set) var joined: [(type: NamespaceType, path: String, place: String)] = []
    private var newMask: UInt8 = 0
    private var joinedMask: UInt8 = 0

    init(_ namespaces: [Namespace]) throws(PlanError) {
        for (index, namespace) in namespaces.enumerated() {
            let type = namespace.type
            if has(type) {
                throw PlanError(
                    "/linux/namespaces/" + String(index),
                    "the type \"\(type.rawValue)\" is listed twice")
            }
            guard let path = namespace.path else {
                new.append(type)
                newMask |= type.bit
                continue
            }
            let place = "/linux/namespaces/" + String(index)
            guard path.utf8.first == UInt8(ascii: "/") else {
                throw PlanError(place + "/path", "must be absolute")
            }
            joined.append((type, path, place))
            joinedMask |= type.bit
        }
    }

    /// Whether one is made for the container.
    func isNew(_ type: NamespaceType) -> Bool { newMask & type.bit != 0 }

    /// Whether the container joins one.
    func isJoined(_ type: NamespaceType) -> Bool { joinedMask & type.bit != 0 }

    /// Whether the container's is not the runtime's, as far as the config says.
    func has(_ type: NamespaceType) -> Bool { (newMask | joinedMask) & type.bit != 0 }

    func path(_ type: NamespaceType) -> String? { joined.first { $0.type == type }?.path }
}

extension NamespaceType {
    fileprivate var bit: UInt8 {
        switch self {
        case .pid: 1
        case .network: 2
        case .mount: 4
        case .ipc: 8
        case .uts: 16
        case .user: 32
        case .cgroup: 64
        case .time: 128
        }
    }
}

extension NamespaceLayout {
    /// How to enter the joined namespaces: those that must be entered before the clone, and those
    /// that the init enters afterwards.
    ///
    /// A joined pid namespace only takes in children, so it comes first in any case. A joined user
    /// namespace must come before new namespaces, which are to belong to it. It gives rights over
    /// its own namespaces and takes away the host's: whoever has the host's enters the others with
    /// them and the user namespace last; whoever has none must enter it first.
    func order(privileged: Bool) -> (beforeClone: [NamespaceType], afterwards: [NamespaceType]) {
        let others = joined.map(\.type).filter { $0 != .user && $0 != .pid }
        let user: [NamespaceType] = isJoined(.user) ? [.user] : []
        let pid: [NamespaceType] = isJoined(.pid) ? [.pid] : []
        if isJoined(.user) && (!privileged && isJoined(.pid) || !new.isEmpty) {
            return (privileged ? pid + others + user : user + pid + others, [])
        }
        return (pid, privileged ? others + user : user + others)
    }
}
