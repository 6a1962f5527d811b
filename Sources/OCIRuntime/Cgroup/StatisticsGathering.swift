import Glibc
import Init
import Spec
import Sys

extension Statistics {
    init(of cgroup: Cgroup, _ group: ResctrlGroup?) {
        resourceDirector = group.map { ResourceDirector(of: $0) }
        if cgroup.isUnified {
            gatherUnified(cgroup.files(of: ""))
        } else {
            gatherV1(cgroup)
        }
    }
}

// MARK: - cgroup v1

extension Statistics {
    private mutating func gatherV1(_ cgroup: Cgroup) {
        gatherCPU(cgroup.files(of: "cpuacct"))
        let throttling = cgroup.files(of: "cpu")
        cpu.periods = throttling.number("nr_periods", in: "cpu.stat") ?? 0
        cpu.throttledPeriods = throttling.number("nr_throttled", in: "cpu.stat") ?? 0
        cpu.throttledTime = throttling.number("throttled_time", in: "cpu.stat") ?? 0
        let sets = cgroup.files(of: "cpuset")
        cpuset.cpus = sets.list("cpuset.cpus")
        cpuset.mems = sets.list("cpuset.mems")
        cpuset.numbers = Self.cpusetNumbers.map { name in
            (name, sets.lines("cpuset.\(name)").first.flatMap { Int64($0) } ?? 0)
        }
        gatherMemory(cgroup.files(of: "memory"))
        gatherPids(cgroup.files(of: "pids"))
        gatherBlockIO(cgroup.files(of: "blkio"))
        let pages = cgroup.files(of: "hugetlb")
        hugepages = Self.pageSizes(pages, ending: ".usage_in_bytes").map { size in
            let prefix = "hugetlb.\(size)"
            let kept =
                pages.number("\(prefix).rsvd.usage_in_bytes") == nil ? prefix : "\(prefix).rsvd"
            return Hugepages(
                pageSize: size, usage: pages.number("\(kept).usage_in_bytes") ?? 0,
                max: pages.number("\(kept).max_usage_in_bytes") ?? 0,
                failures: pages.number("\(kept).failcnt") ?? 0)
        }
    }

    private mutating func gatherCPU(_ files: ControlFiles) {
        cpu.total = files.number("cpuacct.usage") ?? 0
        cpu.user = files.number("cpuacct.usage_user") ?? 0
        cpu.kernel = files.number("cpuacct.usage_sys") ?? 0
        cpu.perCPU = files.numbers("cpuacct.usage_percpu")
        cpu.perCPUUser = files.numbers("cpuacct.usage_percpu_user")
        cpu.perCPUKernel = files.numbers("cpuacct.usage_percpu_sys")
    }

    private mutating func gatherMemory(_ files: ControlFiles) {
        func entry(_ prefix: String) -> MemoryEntry {
            MemoryEntry(
                limit: files.number("\(prefix).limit_in_bytes") ?? 0,
                usage: files.number("\(prefix).usage_in_bytes") ?? 0,
                max: files.number("\(prefix).max_usage_in_bytes") ?? 0,
                failures: files.number("\(prefix).failcnt") ?? 0)
        }
        memory.usage = entry("memory")
        memory.swap = entry("memory.memsw")
        memory.kernel = entry("memory.kmem")
        memory.kernelTCP = entry("memory.kmem.tcp")
        memory.raw = files.table("memory.stat")
        memory.cache = memory.raw.first { $0.key == "cache" }?.value ?? 0
    }

    private mutating func gatherPids(_ files: ControlFiles) {
        pids.current = files.number("pids.current") ?? 0
        // No limit is 0, as runc has it.
        pids.limit = files.number("pids.max").flatMap { $0 == .max ? nil : $0 } ?? 0
    }

    /// The counters of the scheduler that has any: BFQ's, those of the schedulers before it, or those
    /// of the throttling, which every kernel has.
    private mutating func gatherBlockIO(_ files: ControlFiles) {
        let tables = [
            ("ioServiceBytesRecursive", "io_service_bytes"), ("ioServicedRecursive", "io_serviced"),
            ("ioQueueRecursive", "io_queued"), ("ioServiceTimeRecursive", "io_service_time"),
            ("ioWaitTimeRecursive", "io_wait_time"), ("ioMergedRecursive", "io_merged"),
            ("ioTimeRecursive", "time"), ("sectorsRecursive", "sectors"),
        ]
        blockIO = tables.map { name, file in
            let entries = ["blkio.bfq", "blkio", "blkio.throttle"].lazy
                .map { Self.entries(files.lines("\($0).\(file)_recursive")) }
                .first { !$0.isEmpty }
            return (name, entries ?? [])
        }
    }

    /// Lines `8:0 Read 4096` or `8:0 4096`; the sums `Total` go without a device.
    private static func entries(_ lines: [Substring]) -> [BlockIOEntry] {
        lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let (major, minor) = words.first.flatMap(numbers), words.count >= 2,
                let value = words.last.flatMap({ UInt64($0) })
            else { return nil }
            return BlockIOEntry(
                major: major, minor: minor, operation: words.count == 3 ? String(words[1]) : "",
                value: value)
        }
    }

    /// `8:0`
    private static func numbers(_ device: Substring) -> (UInt64, UInt64)? {
        let parts = device.split(separator: ":")
        guard parts.count == 2, let major = UInt64(parts[0]), let minor = UInt64(parts[1]) else {
            return nil
        }
        return (major, minor)
    }

    /// The sizes of huge pages that there are files of.
    private static func pageSizes(_ files: ControlFiles, ending: String) -> [String] {
        guard let directory = files.directory,
            let names = try? openFile(directory, O_RDONLY | O_DIRECTORY).names()
        else { return [] }
        return names.filter {
            $0.hasPrefix("hugetlb.") && $0.hasSuffix(ending) && !$0.hasSuffix(".rsvd" + ending)
        }.map { String($0.dropFirst(8).dropLast(ending.utf8.count)) }.sorted()
    }
}

// MARK: - cgroup v2

extension Statistics {
    private mutating func gatherUnified(_ files: ControlFiles) {
        let times = files.table("cpu.stat")
        func time(_ key: String) -> UInt64 { times.first { $0.key == key }?.value ?? 0 }
        cpu.total = time("usage_usec") &* 1000
        cpu.user = time("user_usec") &* 1000
        cpu.kernel = time("system_usec") &* 1000
        cpu.periods = time("nr_periods")
        cpu.throttledPeriods = time("nr_throttled")
        cpu.throttledTime = time("throttled_usec") &* 1000
        cpu.pressure = files.pressure("cpu.pressure")
        cpuset.cpus = files.list("cpuset.cpus")
        cpuset.mems = files.list("cpuset.mems")
        gatherUnifiedMemory(files)
        gatherPids(files)
        gatherUnifiedIO(files)
        hugepages = Self.pageSizes(files, ending: ".current").map { size in
            let prefix = "hugetlb.\(size)"
            return Hugepages(
                pageSize: size,
                usage: files.number("\(prefix).rsvd.current")
                    ?? files.number("\(prefix).current") ?? 0,
                max: 0, failures: files.number("max", in: "\(prefix).events") ?? 0)
        }
    }

    private mutating func gatherUnifiedMemory(_ files: ControlFiles) {
        memory.usage = MemoryEntry(
            limit: files.number("memory.max") ?? 0, usage: files.number("memory.current") ?? 0,
            max: files.number("memory.peak") ?? 0,
            failures: files.number("max", in: "memory.events") ?? 0)
        // v1 counts memory and swap together.
        if let swap = files.number("memory.swap.current") {
            let limit = files.number("memory.swap.max") ?? .max
            let (sum, overflow) = limit.addingReportingOverflow(memory.usage.limit)
            memory.swap.limit = overflow ? .max : sum
            memory.swap.usage = swap &+ memory.usage.usage
            memory.swap.failures = files.number("max", in: "memory.swap.events") ?? 0
        }
        memory.raw = files.table("memory.stat")
        memory.cache = memory.raw.first { $0.key == "file" }?.value ?? 0
        memory.kernel.usage = memory.raw.first { $0.key == "kernel" }?.value ?? 0
        memory.pressure = files.pressure("memory.pressure")
    }

    /// Lines `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
    private mutating func gatherUnifiedIO(_ files: ControlFiles) {
        let columns = [
            ("rbytes", "Read", true), ("wbytes", "Write", true), ("dbytes", "Discard", true),
            ("rios", "Read", false), ("wios", "Write", false), ("dios", "Discard", false),
        ]
        var bytes: [BlockIOEntry] = []
        var operations: [BlockIOEntry] = []
        for line in files.lines("io.stat") {
            let words = line.split(separator: " ")
            guard let (major, minor) = words.first.flatMap(Self.numbers) else { continue }
            for word in words.dropFirst() {
                let parts = word.split(separator: "=")
                guard parts.count == 2, let value = UInt64(parts[1]),
                    let (_, name, isBytes) = columns.first(where: { $0.0 == parts[0] })
                else { continue }
                let entry = BlockIOEntry(major: major, minor: minor, operation: name, value: value)
                if isBytes { bytes.append(entry) } else { operations.append(entry) }
            }
        }
        blockIO = [("ioServiceBytesRecursive", bytes), ("ioServicedRecursive", operations)]
        blockIOPressure = files.pressure("io.pressure")
    }
}
