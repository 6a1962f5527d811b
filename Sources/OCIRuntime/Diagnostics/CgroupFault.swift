import Glibc
import Sys

/// Why the kernel refuses a value for a control file of a cgroup, for the hint of an error: looked up
/// only after it has refused it.
struct CgroupFault {
    let file: String
    let value: String
    /// The cgroup's directory.
    let directory: String

    /// - Returns: nil where nothing is known to help.
    func hint(_ errno: Int32) -> String? {
        switch (file, errno) {
        case ("memory.limit_in_bytes", EBUSY):
            "the cgroup already uses more than that: now \(number("memory.usage_in_bytes")) bytes, at "
                + "most \(number("memory.max_usage_in_bytes")) so far"
        case ("memory.memsw.limit_in_bytes", EBUSY):
            "the cgroup already uses more than that: now \(number("memory.memsw.usage_in_bytes")) "
                + "bytes, at most \(number("memory.memsw.max_usage_in_bytes")) so far"
        case ("memory.memsw.limit_in_bytes", EINVAL):
            "memory plus swap must not be below the memory limit, which is "
                + number("memory.limit_in_bytes")
        case ("cpuset.cpus", EBUSY), ("cpuset.mems", EBUSY):
            "a cgroup that the container made below its own has more than that, or a deadline of its "
                + "programs (SCHED_DEADLINE) finds no room there"
        case ("cpuset.cpus", EACCES), ("cpuset.mems", EACCES), ("cpuset.cpus", EINVAL),
            ("cpuset.mems", EINVAL), ("cpuset.cpus", ERANGE), ("cpuset.mems", ERANGE):
            "only what the parent cgroup has can be given on: \(parent(file))"
        case ("cpu.rt_runtime_us", EINVAL):
            "the parent cgroup's real-time budget is \(parent("cpu.rt_runtime_us")) of each "
                + "\(parent("cpu.rt_period_us")) µs, which what is below it shares"
        case ("memory.use_hierarchy", EINVAL): "this kernel always accounts hierarchically"
        case ("pids.max", EINVAL), ("pids.max", ERANGE): "it must be from 0 to 4194304, or max"
        case (_, EINVAL) where file.utf8.starts(with: "cpu.".utf8): bandwidth
        case (_, ENODEV): deviceFault
        case (_, EACCES), (_, EPERM): "this user may not change that setting"
        default: nil
        }
    }

    private var deviceFault: String {
        let device = value.split(separator: " ").first.map { String($0) } ?? value
        return exists("/sys/dev/block/\(device)")
            ? "a whole block device is wanted, and \(device) is a partition"
            : "the host has no block device \(device)"
    }

    /// What a file of the cgroup holds, on one line.
    private func number(_ name: String) -> String { Self.text("\(directory)/\(name)") ?? "unknown" }

    private func parent(_ name: String) -> String {
        let parent = splitPath(directory).parent
        let text = Self.text("\(parent)/\(name)") ?? "unknown"
        // On v2 that is empty where the parent sets none itself.
        return text.isEmpty ? Self.text("\(parent)/\(name).effective") ?? "unknown" : text
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? readFile(path, limit: 4096) else { return nil }
        return words(bytes).joined(separator: " ")
    }
}

extension CgroupFault {
    /// A share of the processors' time: `tg_set_cfs_bandwidth` in `kernel/sched/core.c`.
    private var bandwidth: String? {
        let parts = value.split(separator: " ").map { Int64($0) }
        switch file {
        case "cpu.cfs_quota_us": return quotaFault(parts.first ?? nil, period: nil)
        case "cpu.cfs_period_us": return periodFault(parts.first ?? nil)
        case "cpu.max":
            let period = parts.count > 1 ? parts[1] : nil
            return periodFault(period, orElse: quotaFault(parts.first ?? nil, period: period))
        case "cpu.cfs_burst_us", "cpu.max.burst":
            let quota =
                file == "cpu.max.burst" ? number("cpu.max") : number("cpu.cfs_quota_us")
            return "the burst must not be above the quota, which is \(quota)"
        case "cpu.weight": return "it must be from 1 to 10000"
        case "cpu.idle": return "it must be 0 or 1"
        default: return "out of the kernel's range, or more than the parent cgroup has"
        }
    }

    private func quotaFault(_ quota: Int64?, period: Int64?) -> String {
        if let quota, quota >= 0, quota < 1000 { return "the quota must be 1000 µs or more, or -1" }
        if let quota, quota > 17_592_186_044_415 {
            return "the quota must be 17592186044415 µs or less"
        }
        if let burst = Int64(number("cpu.cfs_burst_us")), let quota, burst > quota {
            return "the quota must not be below the burst, which is \(burst) µs"
        }
        return file == "cpu.max"
            ? "the quota must not be below the burst, which is \(number("cpu.max.burst")) µs"
            : "of each period that may not be more than the parent cgroup has, "
                + "\(parent("cpu.cfs_quota_us")) of \(parent("cpu.cfs_period_us")) µs; this cgroup's "
                + "period is \(number("cpu.cfs_period_us")) µs"
    }

    private func periodFault(_ period: Int64?, orElse other: String? = nil) -> String? {
        if let period, !(1000...1_000_000).contains(period) {
            return "the period must be from 1000 to 1000000 µs"
        }
        return other
            ?? "with this period the quota of \(number("cpu.cfs_quota_us")) µs is more than the parent "
            + "cgroup has, \(parent("cpu.cfs_quota_us")) of \(parent("cpu.cfs_period_us")) µs"
    }
}
