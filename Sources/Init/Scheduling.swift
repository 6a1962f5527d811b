import Glibc
import Spec
import Sys

/// Limits and priorities of the program (runtime-spec `config.md`, Process).
extension Performer {
    /// `/proc/self/oom_score_adj`, written through the host's procfs.
    func setOOMScoreAdj(_ value: Int32) throws(SysError) {
        do throws(SysError) {
            try writeFile(at: prepared.procfs, "self/oom_score_adj", String(value))
        } catch {
            throw error.hinting("lowering it below the runtime's own needs CAP_SYS_RESOURCE")
        }
    }

    mutating func setRlimit(_ type: RlimitType, soft: UInt64, hard: UInt64) throws(SysError) {
        if type == .openFiles { limitsOpenFiles = true }
        do throws(SysError) {
            try setLimit(type.number, soft: soft, hard: hard, name: type.rawValue)
        } catch {
            throw error.hinting(
                "raising a hard limit needs CAP_SYS_RESOURCE in the initial user namespace")
        }
    }

    func setScheduler(_ scheduler: Scheduler) throws(SysError) {
        do throws(SysError) {
            try Sys.setScheduler(
                policy: scheduler.policy.number,
                flags: scheduler.flags.reduce(0) { $0 | $1.bit },
                nice: scheduler.nice, priority: UInt32(clamping: scheduler.priority),
                runtime: scheduler.runtime, deadline: scheduler.deadline, period: scheduler.period)
        } catch  where error.errno == EPERM {
            throw error.hinting(
                (scheduler.policy == .deadline ? missingCPUs : nil)
                    ?? "it needs CAP_SYS_NICE on the host")
        } catch  where error.errno == EBUSY {
            throw error.hinting("other deadlines leave these CPUs too little time for this one")
        }
    }

    /// Why the kernel refuses a deadline whoever asks for it: nil where that is not the reason
    /// (`sched(7)`, "Deadline scheduling").
    private var missingCPUs: String? {
        func lines(_ name: String) -> [ArraySlice<UInt8>] {
            let bytes = try? openFile(at: prepared.procfs, name, O_RDONLY).readAll()
            return (bytes ?? []).split(separator: UInt8(ascii: "\n"))
        }
        let name = "Cpus_allowed_list:\t"
        let line = lines("self/status").first { $0.starts(with: name.utf8) }
        guard
            let list = line.map({ String(decoding: $0.dropFirst(name.utf8.count), as: UTF8.self) }),
            let allowed = parseNumberList(list)
        else { return nil }
        // A line for each, and one for all of them.
        let online = lines("stat").count { $0.starts(with: "cpu".utf8) } - 1
        if allowed.count >= online { return nil }
        return
            "SCHED_DEADLINE needs all CPUs of the scheduling domain, and this process may use \(list) "
            + "alone: see /linux/resources/cpu/cpus"
    }

    func setIOPriority(_ priority: IOPriority) throws(SysError) {
        let kind: Int32 =
            switch priority.class {
            case .realtime: 1
            case .bestEffort: 2
            case .idle: 3
            }
        try Sys.setIOPriority(class: kind, level: priority.priority)
    }

    func setMemoryPolicy(_ policy: MemoryPolicy) throws(SysError) {
        let flags = policy.flags.reduce(0 as Int32) { $0 | $1.bit }
        var nodes: [Int] = []
        if let list = policy.nodes, !list.isEmpty {
            guard let numbers = parseNumberList(list) else {
                throw .refused("\(quoted(list)) is not a list of NUMA nodes such as 0-3,7")
            }
            nodes = numbers
        }
        try Sys.setMemoryPolicy(mode: policy.mode.number | flags, nodes: nodes)
    }

    func setCPUAffinity(_ list: String) throws(SysError) {
        guard let cpus = parseNumberList(list) else {
            throw .refused("\(quoted(list)) is not a list of CPUs such as 0-3,7")
        }
        try setAffinity(cpus: cpus)
    }

    func setPersonality(of domain: PersonalityDomain) throws(SysError) {
        let linux32: UInt = 8
        try Sys.setPersonality(domain == .linux32 ? linux32 : 0)
    }
}

extension RlimitType {
    /// The number in `getrlimit(2)`, as on x86 and ARM.
    package var number: Int32 {
        switch self {
        case .cpu: 0
        case .fileSize: 1
        case .data: 2
        case .stack: 3
        case .core: 4
        case .residentSet: 5
        case .processes: 6
        case .openFiles: 7
        case .lockedMemory: 8
        case .addressSpace: 9
        case .locks: 10
        case .pendingSignals: 11
        case .messageQueue: 12
        case .nice: 13
        case .realtimePriority: 14
        case .realtimeTime: 15
        }
    }
}

extension SchedulerPolicy {
    /// The number in `sched(7)`.
    fileprivate var number: UInt32 {
        switch self {
        case .other: 0
        case .fifo: 1
        case .roundRobin: 2
        case .batch: 3
        case .iso: 4
        case .idle: 5
        case .deadline: 6
        }
    }
}

extension SchedulerFlag {
    /// The bit of `sched_setattr(2)`.
    fileprivate var bit: UInt64 {
        switch self {
        case .resetOnFork: 0x01
        case .reclaim: 0x02
        case .deadlineOverrun: 0x04
        case .keepPolicy: 0x08
        case .keepParams: 0x10
        case .utilClampMin: 0x20
        case .utilClampMax: 0x40
        }
    }
}

extension MemoryPolicyMode {
    /// The number in `set_mempolicy(2)`.
    fileprivate var number: Int32 {
        switch self {
        case .default: 0
        case .preferred: 1
        case .bind: 2
        case .interleave: 3
        case .local: 4
        case .preferredMany: 5
        case .weightedInterleave: 6
        }
    }
}

extension MemoryPolicyFlag {
    /// The bit of `set_mempolicy(2)`.
    fileprivate var bit: Int32 {
        switch self {
        case .staticNodes: 1 << 15
        case .relativeNodes: 1 << 14
        case .numaBalancing: 1 << 13
        }
    }
}
