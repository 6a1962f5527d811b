import Glibc
import Init
import Spec

/// What config-linux.md's properties become in cgroup v2: the conversions that all peers agree on.
extension CgroupPlanner {
    mutating func setUnified(_ resources: Resources) throws(PlanError) {
        try setUnifiedCPU(resources.cpu)
        try setUnifiedIO(resources.blockIO)
        if let limit = resources.pidsLimit {
            try set("pids", "pids.max", pidsValue(limit), "/linux/resources/pids/limit")
        }
        for (index, limit) in resources.hugepageLimits.enumerated() {
            let place = "/linux/resources/hugepageLimits/\(index)"
            try checkPageSize(limit.pageSize, place)
            try set("hugetlb", "hugetlb.\(limit.pageSize).max", "\(limit.limit)", place)
            try set("hugetlb", "hugetlb.\(limit.pageSize).rsvd.max", "\(limit.limit)", place)
        }
        try refuseNetwork(resources.network)
        try setRDMA(resources.rdma)
        try setUnifiedMemory(resources.memory)
        // After all others: "Configuration unknown to the runtime MUST still be written".
        for entry in resources.unified {
            let place = "/linux/resources/unified/\(pointerMember(entry.key))"
            try checkFileName(entry.key, place)
            guard let dot = entry.key.utf8.firstIndex(of: UInt8(ascii: ".")) else {
                throw PlanError(
                    place, "\"\(entry.key)\" has not the form controller.setting")
            }
            let controller = String(entry.key[..<dot])
            if controller == "cgroup" {
                steps.append(
                    Step(
                        .host, place,
                        .setCgroup(controller: "", file: entry.key, value: entry.value)))
            } else {
                try set(controller, entry.key, entry.value, place)
            }
        }
    }

    private func refuse(_ place: String, _ name: String, hint: String? = nil) -> PlanError {
        PlanError(place, "cgroup v2 has no \(name)", hint: hint)
    }

    private mutating func setUnifiedMemory(_ memory: Resources.Memory) throws(PlanError) {
        let place = "/linux/resources/memory"
        try checkSwap(memory)
        if memory.kernel ?? 0 != 0 || memory.kernelTCP ?? 0 != 0 {
            warn(
                place, "cgroup v2 counts kernel memory as memory; kernel and kernelTCP are ignored")
        }
        if try swappiness(memory) != nil {
            throw refuse("\(place)/swappiness", "swappiness per cgroup")
        }
        if memory.disableOOMKiller == true {
            throw refuse(
                "\(place)/disableOOMKiller", "way to disable the OOM killer",
                hint: "memory.oom.group or memory.high may be set through /linux/resources/unified")
        }
        if memory.useHierarchy == false {
            throw refuse("\(place)/useHierarchy", "accounting that is not hierarchical")
        }
        let limit = try bytes(memory.limit, "\(place)/limit")
        if let swap = swapOnly(try bytes(memory.swap, "\(place)/swap"), limit) {
            try set("memory", "memory.swap.max", limitText(swap), "\(place)/swap")
        }
        if let limit { try set("memory", "memory.max", limitText(limit), "\(place)/limit") }
        if let reservation = try bytes(memory.reservation, "\(place)/reservation") {
            try set("memory", "memory.low", limitText(reservation), "\(place)/reservation")
        }
    }

    private func limitText(_ value: Int64) -> String { value < 0 ? "max" : "\(value)" }

    /// v1 limits memory plus swap, v2 swap alone. Unlimited memory means unlimited swap, unless swap
    /// is limited itself.
    private func swapOnly(_ swap: Int64?, _ limit: Int64?) -> Int64? {
        guard let swap else { return limit == -1 ? -1 : nil }
        guard swap > 0, let limit, limit > 0 else { return swap }
        return swap - limit
    }

    private mutating func setUnifiedCPU(_ cpu: Resources.CPU) throws(PlanError) {
        let place = "/linux/resources/cpu"
        try checkBurst(cpu)
        if cpu.realtimePeriod ?? 0 != 0 {
            throw refuse("\(place)/realtimePeriod", "real-time limits")
        }
        if cpu.realtimeRuntime ?? 0 != 0 {
            throw refuse("\(place)/realtimeRuntime", "real-time limits")
        }
        if let shares = cpu.shares, shares != 0 {
            try set("cpu", "cpu.weight", "\(Self.weight(shares: shares))", "\(place)/shares")
        }
        let quota = cpu.quota ?? 0
        let period = cpu.period ?? 0
        if quota != 0 || period != 0 {
            let time = quota > 0 ? "\(quota)" : "max"
            try set(
                "cpu", "cpu.max", "\(time) \(period == 0 ? 100_000 : period)",
                quota != 0 ? "\(place)/quota" : "\(place)/period")
        }
        if let burst = cpu.burst, burst != 0 || isUpdate {
            try set("cpu", "cpu.max.burst", "\(burst)", "\(place)/burst")
        }
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

    /// `cpu.weight` (1 to 10000) of `cpu.shares` (2 to 262144): the quadratic fit through the two ends
    /// and the default, 1024 to 100, that runc, crun and youki use.
    static func weight(shares: UInt64) -> UInt64 {
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        let log = log2(Double(shares))
        return UInt64(pow(10, (log * log + 125 * log) / 612 - 7.0 / 34).rounded(.up))
    }

    /// `io.weight` (1 to 10000) of `blkio.weight` (10 to 1000), linearly.
    static func ioWeight(_ weight: UInt16) -> UInt64 {
        1 + (UInt64(max(weight, 10)) - 10) * 9999 / 990
    }

    private mutating func setUnifiedIO(_ blockIO: Resources.BlockIO) throws(PlanError) {
        let place = "/linux/resources/blockIO"
        // Without the BFQ scheduler io.weight stands in for io.bfq.weight, converted.
        if let weight = blockIO.weight, weight != 0 {
            try set("io", "io.bfq.weight", "\(weight)", "\(place)/weight")
        }
        if blockIO.leafWeight ?? 0 != 0 { throw refuse("\(place)/leafWeight", "leaf weight") }
        for (index, device) in blockIO.weightDevice.enumerated() {
            let at = "\(place)/weightDevice/\(index)"
            let number = try number(device.major, device.minor, at)
            if device.leafWeight ?? 0 != 0 { throw refuse("\(at)/leafWeight", "leaf weight") }
            if let weight = device.weight, weight != 0 {
                try set("io", "io.bfq.weight", "\(number) \(weight)", "\(at)/weight")
            }
        }
        for (name, devices, file) in throttles(blockIO) {
            for (index, device) in devices.enumerated() {
                let at = "\(place)/\(name)/\(index)"
                let number = try number(device.major, device.minor, at)
                try set("io", "io.max", "\(number) \(file.v2)=\(device.rate)", at)
            }
        }
    }

    private func refuseNetwork(_ network: Resources.Network) throws(PlanError) {
        let place = "/linux/resources/network"
        if network.classID ?? 0 != 0 {
            throw refuse(
                "\(place)/classID", "net_cls controller",
                hint: "match the cgroup's path instead (iptables -m cgroup --path)")
        }
        if !network.priorities.isEmpty {
            throw refuse("\(place)/priorities", "net_prio controller")
        }
    }
}
