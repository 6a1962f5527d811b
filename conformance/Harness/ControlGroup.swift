import Foundation
import Testing

/// Control files by the names they have in each version of cgroups, so that a clause is written once.
struct ControlFile: Sendable {
    /// The controller and the file in cgroup v1.
    var v1: (controller: String, file: String)
    /// The file in cgroup v2.
    var v2: String

    init(_ controller: String, _ file: String, v2: String) {
        v1 = (controller, file)
        self.v2 = v2
    }

    static let freezer = ControlFile("freezer", "freezer.state", v2: "cgroup.events")
    static let pids = ControlFile("pids", "pids.max", v2: "pids.max")
    static let memory = ControlFile("memory", "memory.limit_in_bytes", v2: "memory.max")
    static let swap = ControlFile("memory", "memory.memsw.limit_in_bytes", v2: "memory.swap.max")
    static let reservation = ControlFile("memory", "memory.soft_limit_in_bytes", v2: "memory.low")
    static let shares = ControlFile("cpu", "cpu.shares", v2: "cpu.weight")
    static let quota = ControlFile("cpu", "cpu.cfs_quota_us", v2: "cpu.max")
    static let period = ControlFile("cpu", "cpu.cfs_period_us", v2: "cpu.max")
    static let idle = ControlFile("cpu", "cpu.idle", v2: "cpu.idle")
    static let burst = ControlFile("cpu", "cpu.cfs_burst_us", v2: "cpu.max.burst")
    static let cpus = ControlFile("cpuset", "cpuset.cpus", v2: "cpuset.cpus")
    static let mems = ControlFile("cpuset", "cpuset.mems", v2: "cpuset.mems")
    static let hugepages = ControlFile(
        "hugetlb", "hugetlb.2MB.limit_in_bytes", v2: "hugetlb.2MB.max")
    static let memoryHigh = ControlFile("memory", "none", v2: "memory.high")
    static let processes = ControlFile("pids", "cgroup.procs", v2: "cgroup.procs")
    static let cpuStatistics = ControlFile("cpu", "cpu.stat", v2: "cpu.stat")
    static let blockWeight = ControlFile("blkio", "blkio.bfq.weight", v2: "io.bfq.weight")
}

extension ControlFile {
    /// What it reads in a cgroup; "" where it is not.
    func read(in cgroup: String) -> String {
        let path =
            Host.isUnified
            ? "/sys/fs/cgroup\(cgroup)/\(v2)"
            : "\(Host.controller(v1.controller) ?? "/none")\(cgroup)/\(v1.file)"
        return readText(path).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

extension Host {
    /// Whether containers live in cgroup v2: it is what is mounted on `/sys/fs/cgroup`.
    static let isUnified = exists("/sys/fs/cgroup/cgroup.controllers")

    /// The v2 hierarchy beside those of v1; nil where there are not both.
    static let hybrid: String? = {
        let path = "/sys/fs/cgroup/unified"
        return exists(path + "/cgroup.controllers") ? path : nil
    }()
}

extension Container {
    /// The container's cgroup directory on v2.
    var unifiedDirectory: String {
        let line = readText("/proc/\(pid)/cgroup").split(separator: "\n")
            .first { $0.hasPrefix("0::") }
        return "/sys/fs/cgroup" + (line?.dropFirst(3) ?? "/none")
    }

    /// The path of a control file of the running container.
    func path(of file: ControlFile) -> String {
        Host.isUnified
            ? "\(unifiedDirectory)/\(file.v2)" : "\(cgroup(file.v1.controller))/\(file.v1.file)"
    }

    /// What the file reads.
    func reads(_ file: ControlFile) -> String {
        readText(path(of: file)).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Whether the kernel says that every process is frozen.
    var isFrozen: Bool {
        let text = reads(.freezer)
        return Host.isUnified ? text.contains("frozen 1") : text == "FROZEN"
    }
}

extension Container {
    /// The init moves, as it could itself, into another cgroup of every hierarchy.
    func moveInit(to path: String) throws {
        for hierarchy in Leaks.hierarchies {
            let directory = hierarchy + path
            mkdir(directory, 0o755)
            for file in ["cpuset.cpus", "cpuset.mems"] where !Host.isUnified {
                guard exists("\(directory)/\(file)") else { continue }
                try writeText(readText("\(hierarchy)/\(file)"), to: "\(directory)/\(file)")
            }
            try writeText("\(pid)", to: directory + "/cgroup.procs")
        }
    }

    /// What a process of the container says about its cgroups: by hierarchy, the path.
    func memberships(_ text: String) -> [String: String] {
        var paths: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3 { paths[String(parts[1])] = String(parts[2]) }
        }
        return paths
    }
}
