import Spec
import Sys

/// crun's mount option `idmap=uids=0-1-10#10-11-10;gids=0-100-10`: ranges of ids in the file system,
/// on the host, and their length. A range that starts with `@` counts the second number in the
/// container's user namespace.
struct IDMapOption {
    private(set) var uid: [IDMapping] = []
    private(set) var gid: [IDMapping] = []

    /// - Parameters:
    ///   - text: what follows `idmap=`.
    ///   - linux: has the mappings of the container's user namespace.
    init(_ text: String, in linux: Linux, place: String) throws(PlanError) {
        for list in text.utf8.split(separator: UInt8(ascii: ";")) {
            let parts = list.split(
                separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Self.invalid(text, place) }
            if parts[0].elementsEqual("uids".utf8) {
                uid += try Self.ranges(parts[1], linux.uidMappings, text, place)
            } else if parts[0].elementsEqual("gids".utf8) {
                gid += try Self.ranges(parts[1], linux.gidMappings, text, place)
            } else {
                throw Self.invalid(text, place)
            }
        }
        if uid.isEmpty || gid.isEmpty { throw Self.invalid(text, place) }
    }

    private static func ranges(
        _ list: Substring.UTF8View, _ outer: [IDMapping], _ text: String, _ place: String
    ) throws(PlanError) -> [IDMapping] {
        var mappings: [IDMapping] = []
        for var range in list.split(separator: UInt8(ascii: "#")) {
            let isRelative = range.first == UInt8(ascii: "@")
            if isRelative { range.removeFirst() }
            let numbers = range.split(
                separator: UInt8(ascii: "-"), omittingEmptySubsequences: false
            ).map { UInt32(String(Substring($0))) }
            guard numbers.count == 3, let inside = numbers[0], var host = numbers[1],
                let size = numbers[2], size > 0, !range.contains(UInt8(ascii: "+"))
            else { throw invalid(text, place) }
            if isRelative { host = try absolute(host, size, outer, place) }
            mappings.append(IDMapping(containerID: inside, hostID: host, size: size))
        }
        return mappings
    }

    /// The host's id of the container's `first`; the whole range must lie in one mapping.
    private static func absolute(
        _ first: UInt32, _ size: UInt32, _ outer: [IDMapping], _ place: String
    ) throws(PlanError) -> UInt32 {
        for mapping in outer where first >= mapping.containerID {
            let offset = first - mapping.containerID
            guard offset < mapping.size, size <= mapping.size - offset else { continue }
            let (host, overflow) = mapping.hostID.addingReportingOverflow(offset)
            if !overflow { return host }
        }
        throw PlanError(
            place,
            "no mapping of the container's user namespace covers \(first) to \(first)+\(size)")
    }

    private static func invalid(_ text: String, _ place: String) -> PlanError {
        PlanError(
            place, "\(quoted(text)) are no mappings",
            hint: "write idmap=uids=FIRST-HOST-COUNT#...;gids=FIRST-HOST-COUNT#...")
    }
}
