import Glibc
import Sys

/// The processes of a cgroup: who they are, freezing, killing.
extension Cgroup {
    /// Whether the container has a cgroup at all.
    package var hasDirectories: Bool { !members.isEmpty }

    /// The pids in the cgroup and the cgroups that the container made below it, sorted. Processes of
    /// other pid namespaces, which have no pid here, are left out.
    package func pids() throws(SysError) -> [Int32] { try processes(in: members) }

    /// A process that moved itself may be in one hierarchy's cgroup and not in another's.
    private func processes(in directories: [Directory]) throws(SysError) -> [Int32] {
        var pids = Set<Int32>()
        for directory in directories { pids.formUnion(try processes(in: directory)) }
        return pids.sorted()
    }

    func processes(in directory: Directory) throws(SysError) -> [Int32] {
        var pids: [Int32] = []
        try walkDirectories(directory.full) { (fd) throws(SysError) in
            for name in ["cgroup.procs", "cgroup.threads"] {
                do throws(SysError) {
                    let file = try openFile(at: fd, name, O_RDONLY)
                    let bytes = try file.readAll()
                    for word in bytes.split(separator: UInt8(ascii: "\n")) {
                        let pid = Int32(String(decoding: word, as: UTF8.self))
                        if let pid, pid > 0 { pids.append(pid) }
                    }
                    return
                } catch let error where error.errno == EOPNOTSUPP {
                    continue  // a threaded v2 cgroup lists threads only
                } catch let error where error.errno == ENOENT || error.errno == ENODEV {
                    return  // it vanished
                }
            }
        }
        pids.sort()
        return pids
    }

    /// Sends a signal to every process of the cgroup, this one excepted.
    ///
    /// The cgroup is frozen meanwhile, so that no process forks away and no pid is recycled. Where it
    /// cannot be frozen, pidfds and a second look make sure of it.
    package func signalAll(_ signal: Int32) throws(SysError) {
        try signalAll(signal, in: members)
    }

    private func signalAll(_ signal: Int32, in directories: [Directory]) throws(SysError) {
        if try processes(in: directories).isEmpty { return }
        if signal == SIGKILL, try killUnified() { return }

        let wasFrozen = isFrozen
        let isHeld = wasFrozen || (try? freeze(within: 500)) != nil
        defer { if signal == SIGKILL { try? thawAll() } else if !wasFrozen { try? thaw() } }
        let held = isHeld ? Set(try processes(in: [freezerDirectory].compactMap { $0 })) : []
        // Once more: some may have forked before they were frozen.
        for pid in try processes(in: directories) where pid != processID {
            try send(signal, to: pid, in: directories, isHeld: held.contains(pid))
        }
    }

    /// False on v1 and before Linux 5.14.
    private func killUnified() throws(SysError) -> Bool {
        guard isUnified else { return false }
        do throws(SysError) {
            try writeFile("\(members[0].full)/cgroup.kill", "1")
            return true
        } catch let error where error.errno == ENOENT {
            return false
        }
    }

    private func send(
        _ signal: Int32, to pid: Int32, in directories: [Directory], isHeld: Bool
    ) throws(SysError) {
        do throws(SysError) {
            if isHeld { return try signalProcess(pid, signal) }
            let process = try ProcessHandle(pid)
            // Still listed after it was opened: so it is of that very process.
            guard try processes(in: directories).contains(pid) else { return }
            try process.signal(signal)
        } catch let error where error.errno == ESRCH {
            return
        }
    }
}

// MARK: - Freezing

extension Cgroup {
    /// The freezer's file and its words.
    private typealias Freezer = (path: String, freeze: String, thaw: String)

    private var freezer: Freezer? {
        if isUnified { return ("\(members[0].full)/cgroup.freeze", "1", "0") }
        return directory(of: "freezer").map { ("\($0.full)/freezer.state", "FROZEN", "THAWED") }
    }

    private var freezerDirectory: Directory? { isUnified ? unified : directory(of: "freezer") }

    /// The path of the cgroup in which the container is paused.
    package var freezerPath: String? { freezerDirectory?.full }

    /// The cgroup in which a process is that pausing the container does not stop; nil where it does.
    func placeOutside(of pid: Int32) -> String? {
        guard let own = freezerDirectory,
            let other = Self.directory(of: pid, otherThan: own),
            !CgroupPath.isBelow(other.path, own.path, orSame: true)
        else { return nil }
        return other.full
    }

    /// Whether the container is paused. One without a freezer or without its cgroup never is.
    package var isFrozen: Bool {
        guard let freezer else { return false }
        return (try? Self.reads(freezer.path, freezer.freeze)) ?? false
    }

    static func isFrozen(_ directory: Directory) -> Bool {
        let full = directory.full
        if directory.isUnified { return (try? reads("\(full)/cgroup.freeze", "1")) ?? false }
        guard directory.has("freezer") else { return false }
        return (try? reads("\(full)/freezer.state", "FROZEN")) ?? false
    }

    static func reads(_ path: String, _ value: String) throws(SysError) -> Bool {
        try readFile(path).starts(with: value.utf8)
    }

    /// Stops all processes of the cgroup, and waits until they are.
    /// - Parameter milliseconds: after which the cgroup is thawed again and ETIMEDOUT thrown.
    package func freeze(within milliseconds: Int64 = 10_000) throws(SysError) {
        guard let freezer else {
            throw .refused(
                "cannot toggle freezer: cgroups not configured for container, or without a freezer",
                hint: "on cgroup v1 the freezer controller must be mounted when it is created")
        }
        do throws(SysError) {
            try writeFile(freezer.path, freezer.freeze)
            try waitUntilFrozen(freezer, Deadline(milliseconds: milliseconds))
        } catch {
            // Half frozen is worse than running.
            try? writeFile(freezer.path, freezer.thaw)
            throw error
        }
    }

    private func waitUntilFrozen(_ freezer: Freezer, _ deadline: Deadline) throws(SysError) {
        var pause: Int64 = 50_000
        var tries = 0
        while try !isSettled(freezer) {
            if deadline.milliseconds == 0 {
                throw SysError(
                    "write(\(quoted(freezer.path)), \"\(freezer.freeze)\")", ETIMEDOUT,
                    hint: "a process of the container is stuck in the kernel")
            }
            sleep(nanoseconds: pause)
            pause = min(pause * 2, 10_000_000)
            if isUnified { continue }
            // v1: a process that forked while it was being frozen is caught by writing again; one
            // that waits for another, which is frozen, only by letting all go on for a moment.
            tries += 1
            if tries.isMultiple(of: 50) {
                try writeFile(freezer.path, freezer.thaw)
                sleep(nanoseconds: 10_000_000)
            }
            try writeFile(freezer.path, freezer.freeze)
        }
    }

    private func isSettled(_ freezer: Freezer) throws(SysError) -> Bool {
        guard isUnified else { return try Self.reads(freezer.path, freezer.freeze) }
        let events = words(try readFile("\(members[0].full)/cgroup.events"))
        guard let index = events.firstIndex(of: "frozen"), index + 1 < events.count else {
            return true
        }
        return events[index + 1] == "1"
    }

    /// Lets the processes run again.
    package func thaw() throws(SysError) {
        guard let freezer else { return }
        try writeFile(freezer.path, freezer.thaw)
    }

    /// Lets what was killed die: frozen processes of cgroup v1 do not, and the container may have
    /// frozen cgroups that it made below its own.
    package func thawAll() throws(SysError) {
        if isUnified, isFrozen { try thaw() }
        guard !isUnified, let directory = directory(of: "freezer") else { return }
        try walkDirectories(directory.full) { (fd) throws(SysError) in
            do throws(SysError) {
                try writeFile(at: fd, "freezer.state", "THAWED")
            } catch  where error.errno == ENOENT || error.errno == ENODEV {
                return  // it vanished
            }
        }
    }
}

extension Cgroup {
    /// v1: what keeps a process from dying of SIGKILL, a frozen cgroup that is not the container's; nil where
    /// none does.
    func freezerHint(of pid: Int32) -> String? {
        guard let own = directory(of: "freezer") else { return nil }
        var path = Self.directory(of: pid, otherThan: own)?.full ?? own.full
        // The one that was told to, not what is below it and stands still with it.
        while path.utf8.count > own.mountPoint.utf8.count {
            if (try? Self.reads("\(path)/freezer.self_freezing", "1")) == true {
                return "the freezer cgroup \(path) holds it, and has to be thawed"
            }
            path = splitPath(path).parent
        }
        return nil
    }
}

// MARK: - Removing

extension Cgroup {
    /// Removes the cgroup and the cgroups below it, killing what is left in them. One that has gone
    /// already is fine.
    /// - Parameter milliseconds: how long processes may take to die.
    /// - Throws: EBUSY with the directory and the processes that are left.
    package func remove(within milliseconds: Int64 = 10_000) throws(SysError) {
        // The top of a hierarchy is nobody's, whatever a state file says.
        guard isMine, members.allSatisfy({ $0.path.utf8.contains { $0 != UInt8(ascii: "/") } })
        else {
            return
        }
        var left: [Directory] = []
        for directory in members where try !remove(directory) { left.append(directory) }
        if left.isEmpty { return }
        let deadline = Deadline(milliseconds: milliseconds)
        var pause: Int64 = 100_000
        while true {
            try signalAll(SIGKILL, in: left)
            let remaining = left
            left = []
            for directory in remaining where try !removeTree(directory) { left.append(directory) }
            guard let first = left.first else { return }
            if deadline.milliseconds == 0 { throw try busy(first) }
            sleep(nanoseconds: pause)
            pause = min(pause * 2, 20_000_000)
        }
    }

    /// The same for a cgroup that a config alone tells of. In a hybrid host's v2 others may live, to whom
    /// `create` has left it: nobody is killed there. An init whose `create` is gone ends by itself.
    mutating func removeUnrecorded() throws(SysError) {
        let unified = goesWithoutUnified ? unified : nil
        if unified != nil { members.removeLast() }
        try remove()
        guard let unified else { return }
        let deadline = Deadline(milliseconds: 2000)
        while try !remove(unified), deadline.milliseconds > 0 { sleep(nanoseconds: 1_000_000) }
    }

    /// False where something is left in it.
    private func remove(_ directory: Directory) throws(SysError) -> Bool {
        do throws(SysError) {
            try removeDirectory(directory.full)
            return true
        } catch let error where error.errno == ENOENT {
            return true
        } catch let error where error.errno == EBUSY || error.errno == ENOTEMPTY {
            return false
        }
    }

    private func removeTree(_ directory: Directory) throws(SysError) -> Bool {
        try walkDirectories(
            directory.full, leaving: { parent, name in _ = name.removeDirectory(at: parent) })
        return try remove(directory)
    }

    private func busy(_ directory: Directory) throws(SysError) -> SysError {
        let pids = try processes(in: directory)
        let shown = pids.prefix(5).map { "\($0)" }.joined(separator: ", ")
        let reason = pids.first.flatMap { freezerHint(of: $0) } ?? "still in it, though killed"
        return SysError(
            "rmdir(\(quoted(directory.full)))", EBUSY,
            hint: pids.isEmpty
                ? "nothing is in it, and still the kernel holds it" : "\(reason): \(shown)")
    }
}
