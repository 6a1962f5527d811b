/// A program's environment: a map, though its form is a list of `NAME=value`. Where a name is given twice
/// `getenv(3)` finds the first, while everybody who adds one to a list means it to count. So the last
/// value counts, in the place of the first.
package struct Environment: Sendable, Equatable {
    package private(set) var entries: [String] = []
    /// Of the entries' names, so that a look-up compares few of them.
    private var hashes: [UInt64] = []

    package init(_ assignments: [String] = []) {
        entries.reserveCapacity(assignments.count + 8)
        hashes.reserveCapacity(assignments.count + 8)
        for assignment in assignments { set(assignment) }
    }

    /// Sets a variable, given as `NAME=value`.
    package mutating func set(_ assignment: String) {
        let hash = hash(ofNameIn: assignment)
        if let index = index(ofNameIn: assignment, hash) {
            entries[index] = assignment
        } else {
            entries.append(assignment)
            hashes.append(hash)
        }
    }

    package mutating func remove(_ name: String) {
        guard let index = index(ofNameIn: name, hash(ofNameIn: name)) else { return }
        entries.remove(at: index)
        hashes.remove(at: index)
    }

    package func value(of name: String) -> String? {
        guard let index = index(ofNameIn: name, hash(ofNameIn: name)) else { return nil }
        return String(Substring(entries[index].utf8.dropFirst(name.utf8.count + 1)))
    }

    private func index(ofNameIn assignment: String, _ hash: UInt64) -> Int? {
        hashes.indices.first {
            hashes[$0] == hash && nameBytes(entries[$0]).elementsEqual(nameBytes(assignment))
        }
    }

    private func nameBytes(_ assignment: String) -> some Sequence<UInt8> {
        assignment.utf8.prefix { $0 != UInt8(ascii: "=") }
    }

    /// FNV-1a.
    private func hash(ofNameIn assignment: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in assignment.utf8 {
            if byte == UInt8(ascii: "=") { break }
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return hash
    }
}
