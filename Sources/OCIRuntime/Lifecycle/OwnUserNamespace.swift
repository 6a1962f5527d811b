import Spec
import Sys

extension Config {
    /// Gives an ordinary user's container, which can have no rights without one, a user namespace where
    /// the config names none: the user is its root, and from id 1 on it has the user's subordinate ids,
    /// where there are any (`subuid(5)`). So does crun.
    /// - Returns: whether that changed the config.
    mutating func addOwnUserNamespace() throws(PlanError) -> Bool {
        if effectiveUser == 0 { return false }
        if try HostFacts.gather().has(.sysAdmin) { return false }
        let given = linux.namespaces.first { $0.type == .user }
        guard given == nil || (given?.path == nil && linux.uidMappings.isEmpty) else {
            return false
        }
        if given == nil { linux.namespaces.append(Namespace(type: .user)) }
        if linux.uidMappings.isEmpty, linux.gidMappings.isEmpty {
            (linux.uidMappings, linux.gidMappings) = ownMappings()
        }
        return true
    }
}

/// Of a user without both kinds of subordinate ids, or without who may map them, the own ids alone.
private func ownMappings() -> (uid: [IDMapping], gid: [IDMapping]) {
    let uid = subordinates("/etc/subuid")
    let gid = subordinates("/etc/subgid")
    let mapsMore = !uid.isEmpty && !gid.isEmpty && exists("/usr/bin/newuidmap")
    func mappings(_ own: UInt32, _ more: [IDMapping]) -> [IDMapping] {
        [IDMapping(containerID: 0, hostID: own, size: 1)] + (mapsMore ? more : [])
    }
    return (mappings(effectiveUser, uid), mappings(effectiveGroup, gid))
}

/// The caller's ranges, one after the other from id 1 on.
private func subordinates(_ file: String) -> [IDMapping] {
    guard let bytes = try? readFile(file, limit: 1 << 20) else { return [] }
    let owners = [userName(effectiveUser), String(effectiveUser)]
    var mappings: [IDMapping] = []
    var next: UInt32 = 1
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count == 3, owners.contains(where: { $0.utf8.elementsEqual(fields[0].utf8) }),
            let first = UInt32(fields[1]), let size = UInt32(fields[2]), size > 0
        else { continue }
        let (end, overflow) = next.addingReportingOverflow(size)
        if overflow { break }
        mappings.append(IDMapping(containerID: next, hostID: first, size: size))
        next = end
    }
    return mappings
}
