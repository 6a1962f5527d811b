extension Resources {
    /// These limits with an update's in their place. What an update does not have stays: what is
    /// absent, and what is zero where zero says "not set".
    public func updated(by update: Resources) -> Resources {
        var result = self
        if !update.devices.isEmpty { result.devices = update.devices }
        result.memory = memory.updated(by: update.memory)
        result.cpu = cpu.updated(by: update.cpu)
        result.pidsLimit = update.pidsLimit ?? pidsLimit
        result.blockIO = blockIO.updated(by: update.blockIO)
        merge(&result.hugepageLimits, update.hugepageLimits) { $0.pageSize == $1.pageSize }
        result.network.classID = given(update.network.classID) ?? network.classID
        merge(&result.network.priorities, update.network.priorities) { $0.name == $1.name }
        result.rdma = merged(rdma, update.rdma)
        result.unified = merged(unified, update.unified)
        return result
    }

    /// An update with what has to be written along with its parts, from the limits as they are to
    /// become: quota and period share a file of cgroup v2, and memory and swap depend on each other.
    public func completed(from merged: Resources) -> Resources {
        var result = self
        if given(cpu.quota) != nil || given(cpu.period) != nil {
            result.cpu.quota = merged.cpu.quota
            result.cpu.period = merged.cpu.period
        }
        if given(memory.limit) != nil || given(memory.swap) != nil {
            result.memory.limit = merged.memory.limit
            result.memory.swap = merged.memory.swap
        }
        return result
    }
}

/// nil for the zero that engines write for "not set".
private func given<Number: FixedWidthInteger>(_ value: Number?) -> Number? {
    value == 0 ? nil : value
}

private func merge<Element>(
    _ elements: inout [Element], _ updates: [Element], _ areSame: (Element, Element) -> Bool
) {
    for update in updates {
        // Of two about the same the last one counts.
        if let index = elements.lastIndex(where: { areSame($0, update) }) {
            elements[index] = update
        } else {
            elements.append(update)
        }
    }
}

private func merged<Value>(
    _ map: OrderedMap<Value>, _ update: OrderedMap<Value>
) -> OrderedMap<Value> {
    var result = OrderedMap<Value>()
    for entry in map.entries {
        result.append(key: entry.key, value: update[entry.key] ?? entry.value)
    }
    for entry in update.entries { result.append(key: entry.key, value: entry.value) }
    return result
}

extension Resources.Memory {
    fileprivate func updated(by update: Self) -> Self {
        var result = self
        result.limit = given(update.limit) ?? limit
        result.swap = given(update.swap) ?? swap
        // A limit on memory plus swap means nothing once memory has none.
        if update.limit == -1, given(update.swap) == nil { result.swap = -1 }
        result.reservation = given(update.reservation) ?? reservation
        result.kernel = given(update.kernel) ?? kernel
        result.kernelTCP = given(update.kernelTCP) ?? kernelTCP
        result.swappiness = update.swappiness ?? swappiness
        result.disableOOMKiller = update.disableOOMKiller ?? disableOOMKiller
        result.useHierarchy = update.useHierarchy ?? useHierarchy
        result.checkBeforeUpdate = update.checkBeforeUpdate ?? checkBeforeUpdate
        return result
    }
}

extension Resources.CPU {
    fileprivate func updated(by update: Self) -> Self {
        var result = self
        result.shares = given(update.shares) ?? shares
        result.quota = given(update.quota) ?? quota
        result.period = given(update.period) ?? period
        result.burst = update.burst ?? burst
        result.realtimeRuntime = given(update.realtimeRuntime) ?? realtimeRuntime
        result.realtimePeriod = given(update.realtimePeriod) ?? realtimePeriod
        result.cpus = update.cpus ?? cpus
        result.mems = update.mems ?? mems
        result.idle = update.idle ?? idle
        return result
    }
}

extension Resources.BlockIO {
    fileprivate func updated(by update: Self) -> Self {
        var result = self
        result.weight = given(update.weight) ?? weight
        result.leafWeight = given(update.leafWeight) ?? leafWeight
        for device in update.weightDevice {
            var device = device
            if let old = weightDevice.last(where: {
                $0.major == device.major && $0.minor == device.minor
            }) {
                device.weight = device.weight ?? old.weight
                device.leafWeight = device.leafWeight ?? old.leafWeight
            }
            merge(&result.weightDevice, [device]) { $0.major == $1.major && $0.minor == $1.minor }
        }
        merge(&result.throttleReadBpsDevice, update.throttleReadBpsDevice, isSameDevice)
        merge(&result.throttleWriteBpsDevice, update.throttleWriteBpsDevice, isSameDevice)
        merge(&result.throttleReadIOPSDevice, update.throttleReadIOPSDevice, isSameDevice)
        merge(&result.throttleWriteIOPSDevice, update.throttleWriteIOPSDevice, isSameDevice)
        return result
    }

    private func isSameDevice(_ one: ThrottleDevice, _ other: ThrottleDevice) -> Bool {
        one.major == other.major && one.minor == other.minor
    }
}
