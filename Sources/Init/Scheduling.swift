import Glibc
import Spec
import Sys

/// Limits and priorities of the program (runtime-spec `config.md`, Process).
extension Performer {
    /// `/proc/self/oom_score_adj`; written through the host's procfs.
    func setOOMScoreAdj(_ value: Int32) throws(SysError) {
        try writeFile(at: prepared.procfs, "self/oom_score_adj", String(value))
    }

    func setRlimit(_ type: RlimitType, soft: UInt64, hard: UInt64) throws(SysError) {
        do throws(SysError) {
            try setLimit(type.number, soft: soft, hard: hard, name: type.rawValue)
        } catch {
            throw error.hinting(
                "raising a hard limit needs CAP_SYS_RESOURCE in the initial user namespace")
        }
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
