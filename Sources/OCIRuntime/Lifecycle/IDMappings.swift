import Glibc
import Init
import Spec
import Sys

/// Writes `uid_map` and `gid_map` of a process in a new user namespace (`user_namespaces(7)`), through
/// `newuidmap(1)` and `newgidmap(1)` where the caller may not do it itself.
struct IDMappings: Equatable {
    let uid: [IDMapping]
    let gid: [IDMapping]

    func write(for pid: Int32, procfs: Int32) throws(SysError) {
        let uid = try ranges(uid, "uid_map")
        let gid = try ranges(gid, "gid_map")
        let needed = Capability.setuid.mask | Capability.setgid.mask
        let mayMap = try ThreadCapabilities().permitted & needed == needed
        if !mayMap, !isOwnSingleID {
            try runMapper("newuidmap", pid, uid)
            try runMapper("newgidmap", pid, gid)
            return
        }
        if !mayMap {
            // Without CAP_SETGID in the parent namespace, gid_map wants setgroups denied first.
            try writeFile(at: procfs, "\(pid)/setgroups", "deny")
        }
        try writeFile(at: procfs, "\(pid)/uid_map", text(uid))
        try writeFile(at: procfs, "\(pid)/gid_map", text(gid))
    }

    /// A user namespace with these mappings and no process in it, to carry an idmapped mount's.
    func namespace(procfs: Int32) throws(SysError) -> Fd {
        let pair = try socketPair()
        let (ours, end) = (pair.ours.raw, pair.theirs.raw)
        let holder = try Sys.clone(flags: NamespaceKind.user.bit) {
            // Until the namespace is open this process keeps it alive, and not after the host's death.
            closeDescriptor(ours)
            _ = try? receive(end, limit: 1)
            exitNow(0)
        }
        defer {
            try? holder.signal(SIGKILL)
            _ = try? wait(pidfd: holder.pidfd.raw)
        }
        try write(for: holder.pid, procfs: procfs)
        return try openFile(at: procfs, "\(holder.pid)/ns/user", O_RDONLY)
    }

    /// The one mapping that an ordinary user may write: the own id, alone.
    var isOwnSingleID: Bool {
        uid.count == 1 && gid.count == 1 && uid[0].size == 1 && gid[0].size == 1
            && uid[0].hostID == effectiveUser && gid[0].hostID == effectiveGroup
    }

    /// The kernel takes 340 ranges, written at once, in less than a page (`user_namespaces(7)`). What goes
    /// on where the one before it ends needs no range of its own.
    private func ranges(_ all: [IDMapping], _ file: String) throws(SysError) -> [IDMapping] {
        let (most, page) = (340, Int(sysconf(Int32(_SC_PAGESIZE))))
        if all.count <= most, text(all).utf8.count < page { return all }
        var ranges: [IDMapping] = []
        for next in all {
            if let last = ranges.last, let joined = last.joined(with: next) {
                ranges[ranges.count - 1] = joined
            } else {
                ranges.append(next)
            }
        }
        let size = text(ranges).utf8.count
        guard ranges.count <= most, size < page else {
            throw .refused(
                "\(ranges.count) ranges of ids are too many for \(file): the kernel takes \(most), and "
                    + "\(page - 1) bytes of text, which these have \(size) of")
        }
        return ranges
    }

    private func text(_ mappings: [IDMapping]) -> String {
        mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }

    private static let mappers = ["newuidmap", "newgidmap"]

    /// Who would map an ordinary user's subordinate ids, and is not there.
    static var missingMapper: String? { mappers.first { path(ofMapper: $0) == nil } }

    private static func path(ofMapper name: String) -> String? {
        (environmentVariable("PATH") ?? "/usr/bin").split(separator: ":").lazy
            .map { "\($0)/\(name)" }.first { exists($0) }
    }

    private func runMapper(_ name: String, _ pid: Int32, _ mappings: [IDMapping]) throws(SysError) {
        guard let path = Self.path(ofMapper: name) else {
            throw .refused(
                "there is no \(name), which maps the ids of an ordinary user",
                hint: "install it (Debian's uidmap)")
        }
        let arguments =
            [name, "\(pid)"]
            + mappings.flatMap { ["\($0.containerID)", "\($0.hostID)", "\($0.size)"] }
        var output = try Pipe()
        let vectors = ProgramVectors(arguments: arguments, environment: Environment())
        let end = output.write
        let process = try Sys.clone(flags: 0) {
            try? replaceStandardStreams(end, end, end)
            let error = Sys.execute(path, vectors)
            try? Fd.writeOnce(2, "\(error)")
            exitNow(127)
        }
        output.closeWrite()
        let said = try Fd.readSome(output.read, limit: 2048)
        let status = try wait(pidfd: process.pidfd.raw)
        guard status == .exited(0) else {
            let text = String(decoding: said, as: UTF8.self)
                .split(whereSeparator: \.isNewline).joined(separator: " | ")
            throw .refused(
                "\(arguments.joined(separator: " ")): \(text)",
                hint: "see subuid(5) and subgid(5): the caller's ranges must cover the mappings")
        }
    }
}

extension IDMapping {
    /// Both as one range; nil where `next` does not go on where this one ends.
    fileprivate func joined(with next: IDMapping) -> IDMapping? {
        let (inside, first) = containerID.addingReportingOverflow(size)
        let (host, second) = hostID.addingReportingOverflow(size)
        let (sum, third) = size.addingReportingOverflow(next.size)
        guard !first, !second, !third, next.containerID == inside, next.hostID == host else {
            return nil
        }
        return IDMapping(containerID: containerID, hostID: hostID, size: sum)
    }
}
