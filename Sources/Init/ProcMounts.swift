import Glibc
import Sys

/// Nothing may be mounted over procfs but procfs, and only a few files that emulate its own below
/// it: programs, and other runtimes, write security labels there (CVE-2019-16884).
extension Performer {
    /// What lxcfs and the like stand in for.
    private static var emulated: [String] {
        [
            "proc/cpuinfo", "proc/diskstats", "proc/meminfo", "proc/stat", "proc/swaps",
            "proc/uptime", "proc/loadavg", "proc/slabinfo", "proc/sys/kernel/ns_last_pid",
            "proc/sys/crypto/fips_enabled",
        ]
    }

    /// - Parameter holdsProc: whether what is to be mounted is procfs.
    func refuseOverProc(
        _ mount: MountPlan, _ target: borrowing Fd, holdsProc: Bool
    ) throws(SysError) {
        try refuse(lexicalComponents(mount.destination), mount, holdsProc)
        // Links may lead there as well, once procfs is mounted.
        if try isProc(target) { try refuse(resolved(target), mount, holdsProc) }
    }

    func isProc(_ file: borrowing Fd) throws(SysError) -> Bool {
        try file.fileSystemType() == FileSystemMagic.proc
    }

    private func refuse(
        _ components: [Substring.UTF8View], _ mount: MountPlan, _ holdsProc: Bool
    ) throws(SysError) {
        guard let first = components.first, first.elementsEqual("proc".utf8) else { return }
        if components.count == 1 {
            if holdsProc { return }
            throw .refused(
                "\(quoted(mount.destination)) cannot be mounted because it is not of type proc")
        }
        let path = components.map { String(Substring($0)) }.joined(separator: "/")
        if Self.emulated.contains(where: { $0.utf8.elementsEqual(path.utf8) }) { return }
        throw .refused(
            "\(quoted(mount.destination)) cannot be mounted because it is inside /proc",
            hint: "only files that stand in for /proc/meminfo and its like may be mounted there")
    }

    /// Where `target` is, seen from the root.
    private func resolved(_ target: borrowing Fd) throws(SysError) -> [Substring.UTF8View] {
        let number = target.raw
        let path = try readLink(at: prepared.procfs, "self/fd/\(number)")
        let root = try withRoot { (root) throws(SysError) in
            try readLink(at: prepared.procfs, "self/fd/\(root.fd.raw)")
        }
        if root.utf8.elementsEqual("/".utf8) { return lexicalComponents(path) }
        guard path.utf8.starts(with: root.utf8) else { return [] }
        return lexicalComponents(String(Substring(path.utf8.dropFirst(root.utf8.count))))
    }
}

/// The components of a path, with `.` and `..` taken by their text.
func lexicalComponents(_ path: String) -> [Substring.UTF8View] {
    var components: [Substring.UTF8View] = []
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
        if part.elementsEqual([46]) { continue }
        if part.elementsEqual([46, 46]) {
            _ = components.popLast()
        } else {
            components.append(Substring(part).utf8)
        }
    }
    return components
}
