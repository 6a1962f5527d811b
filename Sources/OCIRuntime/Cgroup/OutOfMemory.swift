import Glibc
import Sys

/// What the kernel tells of a cgroup that ran out of memory.
extension Cgroup {
    private var memoryFiles: ControlFiles { files(of: "memory") }

    /// How many processes of the cgroup the kernel has killed for want of memory. 0 where it does not
    /// count them (v1 before Linux 4.13).
    var outOfMemoryKills: UInt64 {
        memoryFiles.number(
            "oom_kill", in: isUnified ? "memory.events" : "memory.oom_control") ?? 0
    }

    /// Whether the cgroup has run out of memory since the last look.
    /// - Parameters:
    ///   - kills: ``outOfMemoryKills`` at the last look.
    ///   - signalled: whether the descriptor of ``openOutOfMemoryEvents()`` was readable. On v1 that is
    ///     enough, for the OOM killer may be off; but the end of the cgroup makes it readable too.
    func hasRunOutOfMemory(since kills: inout UInt64, signalled: Bool) -> Bool {
        if !isUnified { return signalled && memoryFiles.text("memory.oom_control") != nil }
        let now = outOfMemoryKills
        defer { kills = now }
        return now > kills
    }

    /// The memory limit with its file, for the message about a process that was killed at it: nil
    /// where no process was.
    var exhaustedMemoryLimit: String? {
        guard outOfMemoryKills > 0 else { return nil }
        let name = isUnified ? "memory.max" : "memory.limit_in_bytes"
        guard let limit = memoryFiles.lines(name).first else { return nil }
        return "\(name) = \(limit)"
    }

    /// A descriptor that becomes readable when the cgroup may have run out of memory.
    func openOutOfMemoryEvents() throws(SysError) -> Fd {
        guard let directory = memoryFiles.directory else {
            throw .refused(
                "the container has no cgroup of the memory controller, which would tell that it runs "
                    + "out of memory")
        }
        return isUnified
            ? try openWatch(of: ["\(directory)/memory.events"])
            : try openCgroupEvents(directory, "memory.oom_control")
    }
}

extension RuntimeError {
    /// The kernel has killed the container's init at its memory limit, before it executed the program.
    init(outOfMemory limit: String) {
        self.init(
            "the container's init ran out of memory and was killed: \(limit)",
            place: "/linux/resources/memory/limit", hint: "a process needs more than that to start")
    }
}
