import Init
import Spec

/// Kernel parameters: only those that a namespace of the container's own holds, for all others are
/// the host's (config-linux.md, Sysctl).
extension Planner {
    mutating func setSysctls() throws(PlanError) {
        for entry in config.linux.sysctl {
            let place = pointer("/linux/sysctl", entry.key)
            let path = try sysctlPath(entry.key, place)
            try checkNamespace(of: path, place)
            `init`(place, .setSysctl(path: path, value: entry.value))
        }
    }

    /// The file below `/proc/sys`. As in sysctl(8), of `.` and `/` the one that comes first separates
    /// and the other one stands for itself: `net.ipv4.conf.eth0/1.forwarding`.
    private func sysctlPath(_ key: String, _ place: String) throws(PlanError) -> String {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        let first = key.utf8.first { $0 == dot || $0 == slash }
        var bytes = Array(key.utf8)
        if first == dot {
            for index in bytes.indices {
                if bytes[index] == dot {
                    bytes[index] = slash
                } else if bytes[index] == slash {
                    bytes[index] = dot
                }
            }
        }
        for part in bytes.split(separator: slash, omittingEmptySubsequences: false)
        where part.isEmpty || part.elementsEqual([dot]) || part.elementsEqual([dot, dot]) {
            throw PlanError(place, "is no name of a kernel parameter")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func checkNamespace(of path: String, _ place: String) throws(PlanError) {
        guard let type = sysctlNamespace(path) else {
            throw PlanError(place, "is not in a namespace of its own: it would change the host")
        }
        if path == "kernel/hostname" {
            throw PlanError(place, "conflicts with the property hostname", hint: "set /hostname")
        }
        let isHosts = namespaces.path(type).map { facts.isOwnNamespace(type, $0) } ?? false
        guard namespaces.has(type), !isHosts else {
            throw PlanError(
                place, "needs a new \(type.rawValue) namespace: it would change the host")
        }
    }

    private func sysctlNamespace(_ path: String) -> NamespaceType? {
        switch path {
        case "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall",
            "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced":
            return .ipc
        case "kernel/hostname", "kernel/domainname": return .uts
        default: break
        }
        if path.utf8.starts(with: "net/".utf8) { return .network }
        if path.utf8.starts(with: "fs/mqueue/".utf8) { return .ipc }
        if path.utf8.starts(with: "user/".utf8) { return .user }
        return nil
    }
}
