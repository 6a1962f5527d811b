import Spec
import Sys

/// A property of a unit, as `systemctl show` names it (org.freedesktop.systemd1(5)).
package struct UnitProperty: Sendable, Equatable {
    package var name: String
    package var value: DBusValue
    /// Whether a systemd that does not know it may do without: it is in the cgroup as well.
    package var isDispensable = true

    package init(_ name: String, _ value: DBusValue, isDispensable: Bool = true) {
        self.name = name
        self.value = value
        self.isDispensable = isDispensable
    }
}

/// `linux.resources` in systemd's terms.
///
/// The limits are written to the cgroup as well, which is what counts. systemd has to know them
/// because it writes its own idea of them whenever a unit is changed or the machine's units are
/// reloaded. What it has no property for, it does not touch: huge pages, rdma, bursts.
struct UnitProperties {
    let isUnified: Bool
    private(set) var list: [UnitProperty] = []

    /// - Parameter isUpdate: no rules then mean that the container's stay.
    init(_ resources: Resources, isUnified: Bool, isUpdate: Bool = false) {
        self.isUnified = isUnified
        setMemory(resources.memory)
        setCPU(resources.cpu)
        if let limit = resources.pidsLimit {
            set("TasksMax", .uint64(limit < 0 ? .max : UInt64(limit)))
        }
        setIO(resources.blockIO)
        if isUnified {
            // After the others, whose files these may be.
            for entry in resources.unified { setUnified(entry.key, entry.value) }
        } else if !isUpdate || !resources.devices.isEmpty {
            setDevices(resources.devices)
        }
    }

    /// The last one counts.
    private mutating func set(_ name: String, _ value: DBusValue) {
        list.removeAll { $0.name.utf8.elementsEqual(name.utf8) }
        list.append(UnitProperty(name, value))
    }

    private mutating func setMemory(_ memory: Resources.Memory) {
        func bytes(_ value: Int64?) -> UInt64? {
            guard let value, value != 0 else { return nil }
            return value < 0 ? .max : UInt64(value)
        }
        if let limit = bytes(memory.limit) {
            set(isUnified ? "MemoryMax" : "MemoryLimit", .uint64(limit))
        }
        guard isUnified else { return }
        if let reservation = bytes(memory.reservation) { set("MemoryLow", .uint64(reservation)) }
        if let swap = CgroupPlanner.swapOnly(
            memory.swap == 0 ? nil : memory.swap, memory.limit == 0 ? nil : memory.limit)
        {
            set("MemorySwapMax", .uint64(swap < 0 ? .max : UInt64(swap)))
        }
    }

    private mutating func setCPU(_ cpu: Resources.CPU) {
        if let shares = cpu.shares, shares != 0 {
            if isUnified {
                set("CPUWeight", .uint64(CgroupPlanner.weight(shares: shares)))
            } else {
                set("CPUShares", .uint64(shares))
            }
        }
        if cpu.quota ?? 0 != 0 || cpu.period ?? 0 != 0 {
            setBandwidth(quota: cpu.quota ?? -1, period: cpu.period ?? 0)
        }
        guard isUnified else { return }
        if let idle = cpu.idle, idle != 0 { set("CPUWeight", .uint64(0)) }
        if let cpus = cpu.cpus, !cpus.isEmpty { setList("AllowedCPUs", cpus) }
        if let mems = cpu.mems, !mems.isEmpty { setList("AllowedMemoryNodes", mems) }
    }

    /// systemd counts the quota for a second, in steps of 10 ms.
    private mutating func setBandwidth(quota: Int64, period: UInt64) {
        let length = period == 0 ? 100_000 : period
        if quota <= 0 {
            set("CPUQuotaPerSecUSec", .uint64(.max))
        } else {
            let (product, overflow) = UInt64(quota).multipliedReportingOverflow(by: 1_000_000)
            let step: UInt64 = 10_000
            let (steps, rest) = (overflow ? .max : product / length).quotientAndRemainder(
                dividingBy: step)
            let most = UInt64.max / step
            set("CPUQuotaPerSecUSec", .uint64(min(rest == 0 ? steps : steps + 1, most) * step))
        }
        if period != 0 { set("CPUQuotaPeriodUSec", .uint64(period)) }
    }

    /// A list of numbers as a mask, the lowest bit first.
    private mutating func setList(_ name: String, _ list: String) {
        guard let numbers = parseNumberList(list), let last = numbers.max() else { return }
        var mask = [UInt8](repeating: 0, count: last / 8 + 1)
        for number in numbers where number >= 0 { mask[number / 8] |= 1 << UInt8(number % 8) }
        set(name, .bytes(mask))
    }

    private mutating func setUnified(_ file: String, _ value: String) {
        let number: UInt64? =
            value.utf8.elementsEqual("max".utf8) ? .max : UInt64(value)
        switch file {
        case "memory.max": number.map { set("MemoryMax", .uint64($0)) }
        case "memory.high": number.map { set("MemoryHigh", .uint64($0)) }
        case "memory.low": number.map { set("MemoryLow", .uint64($0)) }
        case "memory.min": number.map { set("MemoryMin", .uint64($0)) }
        case "memory.swap.max": number.map { set("MemorySwapMax", .uint64($0)) }
        case "memory.zswap.max": number.map { set("MemoryZSwapMax", .uint64($0)) }
        case "pids.max": number.map { set("TasksMax", .uint64($0)) }
        case "cpu.weight": number.map { set("CPUWeight", .uint64($0)) }
        case "cpu.idle": if number == 1 { set("CPUWeight", .uint64(0)) }
        case "io.weight": number.map { set("IOWeight", .uint64($0)) }
        case "cpuset.cpus": setList("AllowedCPUs", value)
        case "cpuset.mems": setList("AllowedMemoryNodes", value)
        case "cpu.max":
            let parts = value.utf8.split(separator: UInt8(ascii: " ")).map { Substring($0) }
            guard let first = parts.first else { return }
            setBandwidth(
                quota: Int64(first) ?? -1, period: parts.count > 1 ? UInt64(parts[1]) ?? 0 : 0)
        default: break
        }
    }
}

// MARK: - Block devices, and devices of v1

extension UnitProperties {
    private mutating func setIO(_ blockIO: Resources.BlockIO) {
        if let weight = blockIO.weight, weight != 0 { set(io("Weight"), .uint64(scaled(weight))) }
        let weights = blockIO.weightDevice.compactMap { device in
            device.weight.flatMap {
                $0 == 0 ? nil : numbered(device.major, device.minor, scaled($0))
            }
        }
        if !weights.isEmpty { set(io("DeviceWeight"), .numbered(weights)) }
        setThrottle("ReadBandwidth", blockIO.throttleReadBpsDevice)
        setThrottle("WriteBandwidth", blockIO.throttleWriteBpsDevice)
        guard isUnified else { return }
        setThrottle("ReadIOPS", blockIO.throttleReadIOPSDevice)
        setThrottle("WriteIOPS", blockIO.throttleWriteIOPSDevice)
    }

    private func io(_ name: String) -> String { (isUnified ? "IO" : "BlockIO") + name }

    private mutating func setThrottle(
        _ name: String, _ devices: [Resources.BlockIO.ThrottleDevice]
    ) {
        if devices.isEmpty { return }
        set(
            io(isUnified ? "\(name)Max" : name),
            .numbered(devices.map { numbered($0.major, $0.minor, $0.rate) }))
    }

    private func numbered(_ major: Int64, _ minor: Int64, _ number: UInt64) -> DBusValue.Numbered {
        DBusValue.Numbered(name: "/dev/block/\(major):\(minor)", number: number)
    }

    /// v2: the weight of which systemd makes this weight for the BFQ scheduler again.
    private func scaled(_ weight: UInt16) -> UInt64 {
        let weight = UInt64(weight)
        return isUnified && weight > 100 ? 100 + (weight - 100) * 11 : weight
    }

    /// On v1 systemd opens all devices again when it looks after a unit without rules of its own, so
    /// it gets the container's. A part that it has no words for is left out of its list, and stays in
    /// the cgroup.
    ///
    /// On v2 it leaves alone what others attach: a list of its own there could only take away, after
    /// a reload, what a hook has added (a GPU).
    private mutating func setDevices(_ rules: [Resources.DeviceRule]) {
        guard let list = try? DeviceList(rules, place: ""), !list.allowsByDefault else { return }
        set("DevicePolicy", .string("strict"))
        set(
            "DeviceAllow",
            .paired(
                list.exceptions.flatMap { rule in
                    names(rule).map { DBusValue.Paired(name: $0, value: access(rule)) }
                }))
    }

    private func access(_ rule: Resources.DeviceRule) -> String {
        (rule.access.contains(.read) ? "r" : "") + (rule.access.contains(.write) ? "w" : "")
            + (rule.access.contains(.mknod) ? "m" : "")
    }

    /// systemd.resource-control(5), DeviceAllow=.
    private func names(_ rule: Resources.DeviceRule) -> [String] {
        let kind = rule.type == .block ? "block" : "char"
        switch (rule.major, rule.minor) {
        case (nil, nil): return ["\(kind)-*"]
        case (let major?, let minor?): return ["/dev/\(kind)/\(major):\(minor)"]
        case (136?, nil) where rule.type == .character: return ["char-pts"]
        case (let major?, nil): return ["\(kind)-\(major)"]
        default: return []
        }
    }
}
