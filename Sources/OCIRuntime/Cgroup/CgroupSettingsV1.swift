import Init
import Spec

/// What config-linux.md's properties are called in cgroup v1.
extension CgroupPlanner {
    mutating func setV1(_ resources: Resources) throws(PlanError) {
        if let first = resources.unified.first {
            throw PlanError(
                "/linux/resources/unified/\(pointerMember(first.key))",
                "unified settings are for cgroup v2, and this host has cgroup v1",
                hint: "use /linux/resources/memory, cpu and so on")
        }
        try setV1CPU(resources.cpu)
        try setV1BlockIO(resources.blockIO)
        try setV1Pids(resources.pidsLimit)
        try setV1Hugepages(resources.hugepageLimits)
        try setV1Network(resources.network)
        try setRDMA(resources.rdma)
        // Last: from here on the memory of whoever joins counts.
        try setV1Memory(resources.memory)
    }

    private mutating func setV1Memory(_ memory: Resources.Memory) throws(PlanError) {
        let place = "/linux/resources/memory"
        try checkSwap(memory)
        let limit = try bytes(memory.limit, "\(place)/limit")
        if let limit {
            try set("memory", "memory.limit_in_bytes", "\(limit)", "\(place)/limit")
        }
        // In a new cgroup both are unlimited, and the kernel wants swap to be the larger at any time.
        if let swap = try bytes(memory.swap, "\(place)/swap") {
            if limit == -1, swap > 0 {
                throw PlanError(
                    "\(place)/swap",
                    "memory plus swap cannot be limited while memory is unlimited")
            }
            try set("memory", "memory.memsw.limit_in_bytes", "\(swap)", "\(place)/swap")
        }
        if let reservation = try bytes(memory.reservation, "\(place)/reservation") {
            try set(
                "memory", "memory.soft_limit_in_bytes", "\(reservation)", "\(place)/reservation")
        }
        if let kernel = try bytes(memory.kernel, "\(place)/kernel") {
            try set("memory", "memory.kmem.limit_in_bytes", "\(kernel)", "\(place)/kernel")
        }
        if let kernelTCP = try bytes(memory.kernelTCP, "\(place)/kernelTCP") {
            try set(
                "memory", "memory.kmem.tcp.limit_in_bytes", "\(kernelTCP)", "\(place)/kernelTCP")
        }
        if let useHierarchy = memory.useHierarchy {
            try set(
                "memory", "memory.use_hierarchy", useHierarchy ? "1" : "0",
                "\(place)/useHierarchy")
        }
        if let swappiness = try swappiness(memory) {
            try set("memory", "memory.swappiness", "\(swappiness)", "\(place)/swappiness")
        }
        if let disable = memory.disableOOMKiller, disable || isUpdate {
            try set(
                "memory", "memory.oom_control", disable ? "1" : "0", "\(place)/disableOOMKiller")
        }
    }

    /// nil where it is not set; -1, as an unsigned number, is Docker's way to say so.
    func swappiness(_ memory: Resources.Memory) throws(PlanError) -> UInt64? {
        guard let swappiness = memory.swappiness, swappiness != UInt64.max else { return nil }
        if swappiness > 100 {
            throw PlanError(
                "/linux/resources/memory/swappiness",
                "\(swappiness) is not in the range from 0 to 100")
        }
        return swappiness
    }

    private mutating func setV1CPU(_ cpu: Resources.CPU) throws(PlanError) {
        let place = "/linux/resources/cpu"
        try checkBurst(cpu)
        if let shares = cpu.shares, shares != 0 {
            // The kernel would take another number without a word.
            guard shares >= 2 else {
                throw PlanError("\(place)/shares", "the minimum allowed cpu-shares is 2")
            }
            guard shares <= 262_144 else {
                throw PlanError("\(place)/shares", "the maximum allowed cpu-shares is 262144")
            }
            try set("cpu", "cpu.shares", "\(shares)", "\(place)/shares")
        }
        if let period = cpu.period, period != 0 {
            try set("cpu", "cpu.cfs_period_us", "\(period)", "\(place)/period")
        }
        if let quota = cpu.quota, quota != 0 {
            try set("cpu", "cpu.cfs_quota_us", "\(quota)", "\(place)/quota")
        }
        if let burst = cpu.burst, burst != 0 || isUpdate {
            try set("cpu", "cpu.cfs_burst_us", "\(burst)", "\(place)/burst")
        }
        if let period = cpu.realtimePeriod, period != 0 {
            try set("cpu", "cpu.rt_period_us", "\(period)", "\(place)/realtimePeriod")
        }
        if let runtime = cpu.realtimeRuntime, runtime != 0 {
            try set("cpu", "cpu.rt_runtime_us", "\(runtime)", "\(place)/realtimeRuntime")
        }
        // After the shares, which the kernel refuses to change in an idle group.
        if let idle = cpu.idle, idle != 0 || isUpdate {
            try set("cpu", "cpu.idle", "\(idle)", "\(place)/idle")
        }
        if let cpus = cpu.cpus, !cpus.isEmpty {
            try set("cpuset", "cpuset.cpus", cpus, "\(place)/cpus")
        }
        if let mems = cpu.mems, !mems.isEmpty {
            try set("cpuset", "cpuset.mems", mems, "\(place)/mems")
        }
    }

    private mutating func setV1BlockIO(_ blockIO: Resources.BlockIO) throws(PlanError) {
        if blockIO == Resources.BlockIO() { return }
        let place = "/linux/resources/blockIO"
        // The files of the BFQ scheduler, blkio.bfq.weight and so on, stand in for these.
        if let weight = blockIO.weight, weight != 0 {
            try set("blkio", "blkio.weight", "\(weight)", "\(place)/weight")
        }
        if let weight = blockIO.leafWeight, weight != 0 {
            try set("blkio", "blkio.leaf_weight", "\(weight)", "\(place)/leafWeight")
        }
        for (index, device) in blockIO.weightDevice.enumerated() {
            let at = "\(place)/weightDevice/\(index)"
            let number = try number(device.major, device.minor, at)
            if let weight = device.weight, weight != 0 {
                try set("blkio", "blkio.weight_device", "\(number) \(weight)", "\(at)/weight")
            }
            if let weight = device.leafWeight, weight != 0 {
                try set(
                    "blkio", "blkio.leaf_weight_device", "\(number) \(weight)", "\(at)/leafWeight")
            }
        }
        for (name, devices, file) in throttles(blockIO) {
            for (index, device) in devices.enumerated() {
                let at = "\(place)/\(name)/\(index)"
                let number = try number(device.major, device.minor, at)
                try set("blkio", "blkio.throttle.\(file.v1)", "\(number) \(device.rate)", at)
            }
        }
    }

    /// The four lists of rates by their name in the config, with the v1 file and the v2 key.
    func throttles(_ blockIO: Resources.BlockIO) -> [(
        name: String, devices: [Resources.BlockIO.ThrottleDevice],
        file: (v1: String, v2: String)
    )] {
        [
            ("throttleReadBpsDevice", blockIO.throttleReadBpsDevice, ("read_bps_device", "rbps")),
            (
                "throttleWriteBpsDevice", blockIO.throttleWriteBpsDevice,
                ("write_bps_device", "wbps")
            ),
            (
                "throttleReadIOPSDevice", blockIO.throttleReadIOPSDevice,
                ("read_iops_device", "riops")
            ),
            (
                "throttleWriteIOPSDevice", blockIO.throttleWriteIOPSDevice,
                ("write_iops_device", "wiops")
            ),
        ]
    }

    private mutating func setV1Pids(_ limit: Int64?) throws(PlanError) {
        guard let limit else { return }
        try set("pids", "pids.max", pidsValue(limit), "/linux/resources/pids/limit")
    }

    /// 0 is a limit: nothing but the first process, which the kernel counts too, so 1 for it.
    func pidsValue(_ limit: Int64) -> String {
        limit < 0 ? "max" : "\(max(limit, 1))"
    }

    private mutating func setV1Hugepages(
        _ limits: [Resources.HugepageLimit]
    ) throws(PlanError) {
        for (index, limit) in limits.enumerated() {
            let place = "/linux/resources/hugepageLimits/\(index)"
            try checkPageSize(limit.pageSize, place)
            let prefix = "hugetlb.\(limit.pageSize)"
            try set("hugetlb", "\(prefix).limit_in_bytes", "\(limit.limit)", place)
            try set("hugetlb", "\(prefix).rsvd.limit_in_bytes", "\(limit.limit)", place)
        }
    }

    private mutating func setV1Network(_ network: Resources.Network) throws(PlanError) {
        let place = "/linux/resources/network"
        if let classID = network.classID, classID != 0 {
            try set("net_cls", "net_cls.classid", "\(classID)", "\(place)/classID")
        }
        for (index, entry) in network.priorities.enumerated() {
            try set(
                "net_prio", "net_prio.ifpriomap", "\(entry.name) \(entry.priority)",
                "\(place)/priorities/\(index)")
        }
    }

    /// The same file on v1 and v2.
    mutating func setRDMA(_ devices: OrderedMap<Resources.RDMA>) throws(PlanError) {
        for entry in devices {
            let place = "/linux/resources/rdma/\(pointerMember(entry.key))"
            var value = entry.key
            if let handles = entry.value.hcaHandles { value += " hca_handle=\(handles)" }
            if let objects = entry.value.hcaObjects { value += " hca_object=\(objects)" }
            if entry.value == Resources.RDMA() {
                throw PlanError(
                    place, "has neither hcaHandles nor hcaObjects")
            }
            try set("rdma", "rdma.max", value, place)
        }
    }
}
