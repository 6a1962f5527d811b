/// A kernel parameter's name, as sysctl(8) takes it.
public struct SysctlName: Sendable, Equatable {
    /// The path below `/proc/sys`: `net/ipv4/ip_forward`.
    public let path: String

    /// Parses a name, with either separator: when the first one is a dot, dots separate and slashes
    /// stand for dots within a component, else the other way round.
    ///
    /// - Returns: nil if a component is empty, `.` or `..`: the path would lead out of `/proc/sys`.
    public init?(_ name: String) {
        let (dot, slash) = (UInt8(ascii: "."), UInt8(ascii: "/"))
        let isDotted = name.utf8.first { $0 == dot || $0 == slash } == dot
        var bytes: [UInt8] = []
        bytes.reserveCapacity(name.utf8.count)
        var separators = 0
        // Whether the component so far is empty or all dots.
        var isDots = true
        for byte in name.utf8 {
            guard byte > 0x20, byte != 0x7F else { return nil }
            if byte == (isDotted ? dot : slash) {
                guard !isDots else { return nil }
                separators += 1
                isDots = true
                bytes.append(slash)
            } else {
                let byte = byte == slash ? dot : byte
                if byte != dot { isDots = false }
                bytes.append(byte)
            }
        }
        guard separators > 0, !isDots else { return nil }
        path = String(decoding: bytes, as: UTF8.self)
    }

    /// The type of namespace the parameter belongs to, or nil if it is the whole host's.
    public var namespace: NamespaceType? {
        switch path {
        case "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall",
            "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced":
            return .ipc
        case "kernel/domainname", "kernel/hostname":
            return .uts
        default:
            if path.utf8.starts(with: "fs/mqueue/".utf8) { return .ipc }
            if path.utf8.starts(with: "net/".utf8) { return .network }
            if path.utf8.starts(with: "user/".utf8) { return .user }
            return nil
        }
    }
}

extension Linux {
    /// Parameters that are not the container's own are refused: they would change the host's.
    func checkSysctl() throws(ConfigError) {
        for entry in sysctl.entries {
            let place = "/linux/sysctl/" + escapePointer(entry.key)
            let key = "sysctl \(quoted(entry.key))"
            guard let name = SysctlName(entry.key) else {
                throw ConfigError(place: place, message: "no valid name of a kernel parameter")
            }
            guard let type = name.namespace else {
                throw ConfigError(
                    place: place,
                    message:
                        "\(key) is not in a separate kernel namespace: it would be set for the host"
                )
            }
            guard has(type) else {
                throw ConfigError(
                    place: place, message: "\(key) \(type.refusal)",
                    hint: "add {\"type\": \"\(type.rawValue)\"} to /linux/namespaces")
            }
            if name.path == "kernel/hostname" {
                throw ConfigError(
                    place: place,
                    message:
                        "\(key) is not allowed as it conflicts with the OCI \"hostname\" field",
                    hint: "set /hostname instead")
            }
        }
    }
}

extension NamespaceType {
    /// Why a parameter of the host's namespace of this type is not set, in runc's words.
    fileprivate var refusal: String {
        switch self {
        case .ipc: "is not allowed in the hosts ipc namespace"
        case .network: "not allowed in host network namespace"
        case .user: "not allowed: setting ucounts without a user namespace"
        default: "is not in a separate kernel namespace: there is none of type \(rawValue)"
        }
    }
}
