extension Resources: JSONWritable {
    /// Writes the limits.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("devices", values: devices)
            if memory != Memory() { object.member("memory", value: memory) }
            if cpu != CPU() { object.member("cpu", value: cpu) }
            if let pidsLimit {
                object.member("pids") { (pids: inout JSONWriter) in
                    pids.member("limit", pidsLimit)
                }
            }
            if blockIO != BlockIO() { object.member("blockIO", value: blockIO) }
            object.member("hugepageLimits", values: hugepageLimits)
            if network != Network() { object.member("network", value: network) }
            object.member("rdma", values: rdma)
            object.member("unified", nonEmpty: unified)
        }
    }
}

extension Resources.DeviceRule: JSONWritable {
    /// Writes the rule.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("allow", allow)
            object.member("type", type == .all ? nil : type.rawValue)
            object.member("major", major)
            object.member("minor", minor)
            object.member("access", access.letters)
        }
    }
}

extension Resources.DeviceRule.Access {
    /// The letters of the accesses, such as `rwm`: what the config and the v1 controller take.
    public var letters: String {
        (contains(.read) ? "r" : "") + (contains(.write) ? "w" : "") + (contains(.mknod) ? "m" : "")
    }
}

extension Resources.Memory: JSONWritable {
    /// Writes the limits.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("limit", limit)
            object.member("reservation", reservation)
            object.member("swap", swap)
            object.member("kernel", kernel)
            object.member("kernelTCP", kernelTCP)
            object.member("swappiness", swappiness)
            object.member("disableOOMKiller", disableOOMKiller)
            object.member("useHierarchy", useHierarchy)
            object.member("checkBeforeUpdate", checkBeforeUpdate)
        }
    }
}

extension Resources.CPU: JSONWritable {
    /// Writes the limits.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("shares", shares)
            object.member("quota", quota)
            object.member("burst", burst)
            object.member("period", period)
            object.member("realtimeRuntime", realtimeRuntime)
            object.member("realtimePeriod", realtimePeriod)
            object.member("cpus", cpus)
            object.member("mems", mems)
            object.member("idle", idle)
        }
    }
}

extension Resources.BlockIO: JSONWritable {
    /// Writes the limits.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("weight", weight)
            object.member("leafWeight", leafWeight)
            object.member("weightDevice", values: weightDevice)
            object.member("throttleReadBpsDevice", values: throttleReadBpsDevice)
            object.member("throttleWriteBpsDevice", values: throttleWriteBpsDevice)
            object.member("throttleReadIOPSDevice", values: throttleReadIOPSDevice)
            object.member("throttleWriteIOPSDevice", values: throttleWriteIOPSDevice)
        }
    }
}

extension Resources.BlockIO.WeightDevice: JSONWritable {
    /// Writes the weight.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("major", major)
            object.member("minor", minor)
            object.member("weight", weight)
            object.member("leafWeight", leafWeight)
        }
    }
}

extension Resources.BlockIO.ThrottleDevice: JSONWritable {
    /// Writes the limit.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("major", major)
            object.member("minor", minor)
            object.member("rate", rate)
        }
    }
}

extension Resources.HugepageLimit: JSONWritable {
    /// Writes the limit.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("pageSize", pageSize)
            object.member("limit", limit)
        }
    }
}

extension Resources.Network: JSONWritable {
    /// Writes the settings.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("classID", classID)
            object.member("priorities", values: priorities)
        }
    }
}

extension Resources.Network.Priority: JSONWritable {
    /// Writes the priority.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("name", name)
            object.member("priority", priority)
        }
    }
}

extension Resources.RDMA: JSONWritable {
    /// Writes the limits.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("hcaHandles", hcaHandles)
            object.member("hcaObjects", hcaObjects)
        }
    }
}
