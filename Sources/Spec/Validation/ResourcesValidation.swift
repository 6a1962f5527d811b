extension Resources {
    /// Checks what the spec states and can be judged without the host, of limits on their own.
    public func validate() throws(ConfigError) {
        try validate(at: "")
    }

    func validate(at place: String) throws(ConfigError) {
        for (index, rule) in devices.enumerated() {
            try checkNumbers(rule.major, rule.minor, at: "\(place)/devices/\(index)")
        }
        try memory.validate(at: place + "/memory")
        try cpu.validate(at: place + "/cpu")
        if let pidsLimit, pidsLimit < -1 {
            throw ConfigError(
                place: place + "/pids/limit", message: "must be -1 for no limit, or from 0 on")
        }
        try blockIO.validate(at: place + "/blockIO")
        for (index, limit) in hugepageLimits.enumerated() where !limit.hasValidPageSize {
            throw ConfigError(
                place: "\(place)/hugepageLimits/\(index)/pageSize",
                message: "\(quoted(limit.pageSize)) is not a size such as 64KB, 2MB, 1GB")
        }
        for (index, priority) in network.priorities.enumerated()
        where !isInterfaceName(priority.name) {
            throw ConfigError(
                place: "\(place)/network/priorities/\(index)/name",
                message: "no valid name of a network device")
        }
        try checkMaps(at: place)
    }

    private func checkMaps(at place: String) throws(ConfigError) {
        for entry in rdma.entries {
            let place = place + "/rdma/" + escapePointer(entry.key)
            guard !entry.key.isEmpty, !entry.key.utf8.contains(where: { $0 <= 0x20 }) else {
                throw ConfigError(place: place, message: "no valid name of a device")
            }
            guard entry.value != RDMA() else {
                throw ConfigError(
                    place: place, message: "needs at least one of hcaHandles and hcaObjects")
            }
        }
        for entry in unified.entries {
            let key = entry.key
            guard !key.isEmpty, key != ".", key != "..", !key.utf8.contains(UInt8(ascii: "/"))
            else {
                throw ConfigError(
                    place: place + "/unified/" + escapePointer(key),
                    message: "not the name of a file in a cgroup")
            }
        }
    }
}

extension Resources.Memory {
    fileprivate func validate(at place: String) throws(ConfigError) {
        try check(limit, at: place, "limit")
        try check(reservation, at: place, "reservation")
        try check(swap, at: place, "swap")
        try check(kernel, at: place, "kernel")
        try check(kernelTCP, at: place, "kernelTCP")
        if let swappiness, swappiness > 100 {
            throw ConfigError(place: place + "/swappiness", message: "must be from 0 to 100")
        }
    }

    private func check(_ limit: Int64?, at place: String, _ name: String) throws(ConfigError) {
        guard let limit, limit < -1 else { return }
        throw ConfigError(
            place: "\(place)/\(name)", message: "must be -1 for no limit, or a number of bytes")
    }
}

extension Resources.CPU {
    fileprivate func validate(at place: String) throws(ConfigError) {
        if let quota, quota > 0, let burst, burst > UInt64(quota) {
            throw ConfigError(place: place + "/burst", message: "is larger than the quota")
        }
        if let idle, !(0...1 ~= idle) {
            throw ConfigError(place: place + "/idle", message: "must be 0 or 1")
        }
        try checkList(cpus, at: place + "/cpus")
        try checkList(mems, at: place + "/mems")
    }
}

extension Resources.BlockIO {
    fileprivate func validate(at place: String) throws(ConfigError) {
        for (index, device) in weightDevice.enumerated() {
            try checkNumbers(device.major, device.minor, at: "\(place)/weightDevice/\(index)")
            guard device.weight != nil || device.leafWeight != nil else {
                throw ConfigError(
                    place: "\(place)/weightDevice/\(index)",
                    message: "needs at least one of weight and leafWeight")
            }
        }
        try check(throttleReadBpsDevice, at: place + "/throttleReadBpsDevice")
        try check(throttleWriteBpsDevice, at: place + "/throttleWriteBpsDevice")
        try check(throttleReadIOPSDevice, at: place + "/throttleReadIOPSDevice")
        try check(throttleWriteIOPSDevice, at: place + "/throttleWriteIOPSDevice")
    }

    private func check(_ devices: [ThrottleDevice], at place: String) throws(ConfigError) {
        for (index, device) in devices.enumerated() {
            try checkNumbers(device.major, device.minor, at: "\(place)/\(index)")
        }
    }
}

/// Checks a device's numbers, of which those that are nil stand for all.
private func checkNumbers(
    _ major: Int64?, _ minor: Int64?, at place: @autoclosure () -> String
) throws(ConfigError) {
    let range = 0...Int64(UInt32.max)
    guard range ~= major ?? 0, range ~= minor ?? 0 else {
        throw ConfigError(
            place: place() + (range ~= major ?? 0 ? "/minor" : "/major"),
            message: "must be from 0 to 4294967295")
    }
}

extension Resources.HugepageLimit {
    /// `<size><unit-prefix>B` (config-linux.md, "Huge page limits").
    fileprivate var hasValidPageSize: Bool {
        let size = pageSize.utf8
        guard size.count >= 3, size.last == UInt8(ascii: "B"),
            let prefix = size.dropLast().last, "KMG".utf8.contains(prefix)
        else { return false }
        return size.first != UInt8(ascii: "0")
            && size.dropLast(2).allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }
}
