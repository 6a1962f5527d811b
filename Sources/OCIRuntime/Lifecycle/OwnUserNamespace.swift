import Spec
import Sys

extension Config {
    /// Gives an ordinary user's container, which can have no rights without one, a user namespace where
    /// the config names none: the user is its root, and from id 1 on it has the user's subordinate ids,
    /// where there are any (`subuid(5)`). So does crun.
    /// - Returns: what it was given; nil where nothing was changed.
    mutating func addOwnUserNamespace() throws(PlanError) -> OwnIDs? {
        if effectiveUser == 0 { return nil }
        if try HostFacts.gather().has(.sysAdmin) { return nil }
        let given = linux.namespaces.first { $0.type == .user }
        guard given == nil || (given?.path == nil && linux.uidMappings.isEmpty) else {
            return nil
        }
        if given == nil { linux.namespaces.append(Namespace(type: .user)) }
        let own = OwnIDs()
        if linux.uidMappings.isEmpty, linux.gidMappings.isEmpty {
            (linux.uidMappings, linux.gidMappings) = (own.uid, own.gid)
        }
        return own
    }
}

/// The ids that an ordinary user may have in a user namespace. Without both kinds of subordinate ids, or
/// without who may map them, these are the own ones alone.
struct OwnIDs {
    private(set) var uid = [IDMapping(containerID: 0, hostID: effectiveUser, size: 1)]
    private(set) var gid = [IDMapping(containerID: 0, hostID: effectiveGroup, size: 1)]
    /// Why there are no more, and what to do about it; nil where there are.
    private(set) var lack: String?

    init() {
        let user = userName(effectiveUser)
        let moreUsers = Self.subordinates("/etc/subuid", of: user)
        let moreGroups = Self.subordinates("/etc/subgid", of: user)
        if moreUsers.isEmpty || moreGroups.isEmpty {
            let file = moreUsers.isEmpty ? "/etc/subuid" : "/etc/subgid"
            lack =
                "the container has no more ids than the user's own, as \(file) has none for "
                + "\(quoted(user)): see `usermod --add-subuids` and `--add-subgids`"
        } else if let mapper = IDMappings.missingMapper {
            lack =
                "the container has no more ids than the user's own, as there is no \(mapper): "
                + "install it (Debian's uidmap)"
        } else {
            uid += moreUsers
            gid += moreGroups
        }
    }

    /// The user's ranges, one after the other from id 1 on.
    private static func subordinates(_ file: String, of user: String) -> [IDMapping] {
        guard let bytes = try? readFile(file, limit: 1 << 20) else { return [] }
        let owners = [user, String(effectiveUser)]
        var mappings: [IDMapping] = []
        var next: UInt32 = 1
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
                .map { String(decoding: $0, as: UTF8.self) }
            guard fields.count == 3,
                owners.contains(where: { $0.utf8.elementsEqual(fields[0].utf8) }),
                let first = UInt32(fields[1]), let size = UInt32(fields[2]), size > 0
            else { continue }
            let (end, overflow) = next.addingReportingOverflow(size)
            if overflow { break }
            mappings.append(IDMapping(containerID: next, hostID: first, size: size))
            next = end
        }
        return mappings
    }
}
