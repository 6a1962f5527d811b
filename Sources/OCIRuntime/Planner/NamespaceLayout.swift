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

    init(_ namespaces: [Namespace]) {
        for (index, namespace) in namespaces.enumerated() {
            let type = namespace.type
            if let path = namespace.path {
                joined.append((type, path, "/linux/namespaces/" + String(index)))
                joinedMask |= type.bit
            } else {
                new.append(type)
                newMask |= type.bit
            }
        }
    }

    /// Whether one is made for the container.
    func isNew(_ type: NamespaceType) -> Bool { newMask & type.bit != 0 }

    /// Whether the container joins one.
    func isJoined(_ type: NamespaceType) -> Bool { joinedMask & type.bit != 0 }

    /// Whether the container's is not the runtime's, as far as the config says.
    func has(_ type: NamespaceType) -> Bool { (newMask | joinedMask) & type.bit != 0 }

    /// The new ones that the init makes: a cgroup namespace shows the cgroup that it was made in, and the
    /// mqueue of an ipc namespace belongs to who made it, that is to the user namespace's root.
    var ofInit: [NamespaceType] { new.filter { $0 == .cgroup || ($0 == .ipc && has(.user)) } }

    /// Those that an `exec` enters.
    var types: [NamespaceType] { NamespaceType.allCases.filter { has($0) } }

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
    /// The joined namespaces that are entered before the clone, and those that the init enters.
    ///
    /// A joined pid or time namespace takes in children only. New namespaces beside a joined user
    /// namespace are to belong to it; and a new user namespace has no rights over joined ones.
    var order: (beforeClone: [NamespaceType], afterwards: [NamespaceType]) {
        var order: (beforeClone: [NamespaceType], afterwards: [NamespaceType]) = ([], [])
        for (type, _, _) in joined {
            if has(.user) || type == .pid || type == .time {
                order.beforeClone.append(type)
            } else {
                order.afterwards.append(type)
            }
        }
        return order
    }
}
