import Glibc
import Init
import Spec
import Sys

/// Writes `uid_map` and `gid_map` of a process in a new user namespace (`user_namespaces(7)`), through
/// `newuidmap(1)` and `newgidmap(1)` where the caller may not do it itself.
struct IDMappings {
    let uid: [IDMapping]
    let gid: [IDMapping]

    func write(for pid: Int32, procfs: Int32) throws(SysError) {
        if effectiveUser != 0, !isOwnSingleID {
            try runMapper("newuidmap", pid, uid)
            try runMapper("newgidmap", pid, gid)
            return
        }
        if effectiveUser != 0 {
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
        let holder = try Sys.clone(flags: UInt64(NamespaceKind.user.rawValue)) {
            // Until the namespace is open this process keeps it alive, and not after the host's death.
            closeDescriptor(ours)
            _ = try? receive(end, limit: 1)
            exitNow(0)
        }
        defer {
            try? signal(holder.pidfd.raw, SIGKILL)
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

    private func text(_ mappings: [IDMapping]) -> String {
        mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }

    private func runMapper(_ name: String, _ pid: Int32, _ mappings: [IDMapping]) throws(SysError) {
        let arguments =
            [name, "\(pid)"]
            + mappings.flatMap { ["\($0.containerID)", "\($0.hostID)", "\($0.size)"] }
        var output = try Pipe()
        let vectors = ProgramVectors(arguments: arguments, environment: Environment())
        let end = output.write
        let process = try Sys.clone(flags: 0) {
            try? replaceStandardStreams(end, end, end)
            let error = Sys.execute("/usr/bin/\(name)", vectors)
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
