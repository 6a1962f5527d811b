import Spec

/// What a container has used so far, in the terms of runc's `events`, which are those of cgroup v1.
public struct Statistics: Sendable {
    /// Times in nanoseconds.
    struct CPU: Sendable {
        var total: UInt64 = 0
        var user: UInt64 = 0
        var kernel: UInt64 = 0
        var perCPU: [UInt64] = []
        var perCPUUser: [UInt64] = []
        var perCPUKernel: [UInt64] = []
        var periods: UInt64 = 0
        var throttledPeriods: UInt64 = 0
        var throttledTime: UInt64 = 0
        var pressure: Pressure?
    }

    /// In bytes. A limit is `UInt64.max` where cgroup v2 has none.
    struct MemoryEntry: Sendable {
        var limit: UInt64 = 0
        var usage: UInt64 = 0
        var max: UInt64 = 0
        var failures: UInt64 = 0
    }

    struct Memory: Sendable {
        var cache: UInt64 = 0
        var usage = MemoryEntry()
        /// Memory and swap together.
        var swap = MemoryEntry()
        var kernel = MemoryEntry()
        var kernelTCP = MemoryEntry()
        /// `memory.stat`, as it is.
        var raw: [(key: String, value: UInt64)] = []
        var pressure: Pressure?
    }

    /// One line of a table of the block I/O controller.
    struct BlockIOEntry: Sendable {
        var major: UInt64
        var minor: UInt64
        var operation: String
        var value: UInt64
    }

    struct Hugepages: Sendable {
        var pageSize: String
        var usage: UInt64
        var max: UInt64
        var failures: UInt64
    }

    /// The lines `some` and `full` of a pressure file: the averages as the kernel writes them.
    struct Pressure: Sendable {
        struct Line: Sendable {
            var averages: [(name: String, value: String)] = []
            var total: UInt64 = 0
        }
        var some = Line()
        var full = Line()
    }

    var cpu = CPU()
    /// The files of a v1 cpuset.
    var cpuset: (cpus: [UInt16], mems: [UInt16], numbers: [(name: String, value: Int64)]) =
        ([], [], Self.cpusetNumbers.map { ($0, 0) })
    var memory = Memory()
    var pids: (current: UInt64, limit: UInt64) = (0, 0)
    /// The tables by their names in the JSON.
    var blockIO: [(name: String, entries: [BlockIOEntry])] = []
    var blockIOPressure: Pressure?
    /// nil where the container has no class of service.
    var resourceDirector: ResourceDirector?
    var hugepages: [Hugepages] = []

    static let cpusetNumbers = [
        "cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page",
        "memory_spread_slab", "memory_pressure", "sched_load_balance", "sched_relax_domain_level",
    ]
}

// MARK: - JSON

extension Statistics: JSONWritable {
    /// Writes the `data` of runc's event `stats`.
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("cpu") { cpu.write(to: &$0) }
            $0.member("cpuset") { writeCpuset(to: &$0) }
            $0.member("memory") { memory.write(to: &$0) }
            $0.member("pids") {
                $0.member("current", pids.current)
                $0.member("limit", pids.limit)
            }
            $0.member("blkio") { writer in
                for table in blockIO {
                    writer.member(table.name, array: table.entries) { $1.write(to: &$0) }
                }
                blockIOPressure?.write(to: &writer)
            }
            $0.member("hugetlb") { writer in
                for entry in hugepages {
                    writer.member(entry.pageSize) {
                        $0.member("usage", entry.usage)
                        $0.member("max", entry.max)
                        $0.member("failcnt", entry.failures)
                    }
                }
            }
            $0.member("intel_rdt") { resourceDirector?.write(to: &$0) }
            $0.key("network_interfaces")
            $0.null()
        }
    }

    private func writeCpuset(to writer: inout JSONWriter) {
        writer.member("cpus", array: cpuset.cpus) { $0.integer($1) }
        writer.member("mems", array: cpuset.mems) { $0.integer($1) }
        for number in cpuset.numbers { writer.member(number.name, number.value) }
    }
}

extension Statistics.CPU {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("usage") {
            $0.member("total", total)
            $0.member("percpu", array: perCPU) { $0.integer($1) }
            $0.member("percpu_kernel", array: perCPUKernel) { $0.integer($1) }
            $0.member("percpu_user", array: perCPUUser) { $0.integer($1) }
            $0.member("kernel", kernel)
            $0.member("user", user)
        }
        writer.member("throttling") {
            $0.member("periods", periods)
            $0.member("throttledPeriods", throttledPeriods)
            $0.member("throttledTime", throttledTime)
        }
        pressure?.write(to: &writer)
    }
}

extension Statistics.Memory {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("cache", cache)
        for (name, entry) in [
            ("usage", usage), ("swap", swap), ("kernel", kernel), ("kernelTCP", kernelTCP),
        ] {
            writer.member(name) {
                $0.member("limit", entry.limit)
                $0.member("usage", entry.usage)
                $0.member("max", entry.max)
                $0.member("failcnt", entry.failures)
            }
        }
        writer.member("raw") { for entry in raw { $0.member(entry.key, entry.value) } }
        pressure?.write(to: &writer)
    }
}

extension Statistics.BlockIOEntry {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("major", major)
            $0.member("minor", minor)
            if !operation.isEmpty { $0.member("op", operation) }
            $0.member("value", value)
        }
    }
}

extension Statistics.Pressure {
    /// Writes the member `psi`.
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("psi") {
            for (name, line) in [("some", some), ("full", full)] {
                $0.member(name) {
                    for average in line.averages {
                        $0.key(average.name)
                        $0.raw(Array(average.value.utf8))
                    }
                    $0.member("total", line.total)
                }
            }
        }
    }
}
