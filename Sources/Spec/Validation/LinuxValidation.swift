extension Linux {
    func validate(warnings: inout [ConfigWarning]) throws(ConfigError) {
        try checkNamespaces()
        try checkUserNamespace()
        try checkTimeOffsets()
        for (index, device) in devices.enumerated() {
            try device.validate(at: "/linux/devices", index)
        }
        try checkNetDevices()
        try checkCgroupsPath()
        try resources?.validate(at: "/linux/resources")
        try intelRdt?.validate()
        try memoryPolicy?.validate()
        try checkSysctl()
        try seccomp?.validate()
        try checkAbsolute(maskedPaths, at: "/linux/maskedPaths")
        try checkAbsolute(readonlyPaths, at: "/linux/readonlyPaths")
        if let personality, !personality.flags.isEmpty {
            throw ConfigError(
                place: "/linux/personality/flags/0",
                message: "unknown flag \(quoted(personality.flags[0]))",
                hint: "the spec defines none")
        }
    }

    func has(_ type: NamespaceType) -> Bool {
        namespaces.contains { $0.type == type }
    }

    private func checkNamespaces() throws(ConfigError) {
        for (index, namespace) in namespaces.enumerated() {
            if namespaces[..<index].contains(where: { $0.type == namespace.type }) {
                throw ConfigError(
                    place: "/linux/namespaces/\(index)",
                    message: "duplicated ns \(quoted(namespace.type.rawValue))")
            }
            if let path = namespace.path, !isAbsolute(path) {
                throw notAbsolute(path, at: "/linux/namespaces/\(index)/path")
            }
        }
        guard has(.mount) || (maskedPaths.isEmpty && readonlyPaths.isEmpty) else {
            // Without a mount namespace they would be the host's.
            throw ConfigError(
                place: maskedPaths.isEmpty ? "/linux/readonlyPaths" : "/linux/maskedPaths",
                message: "unable to restrict sys entries without a private MNT namespace",
                hint: "add {\"type\": \"mount\"} to /linux/namespaces")
        }
    }

    private func checkUserNamespace() throws(ConfigError) {
        try checkMappings(uidMappings, at: "/linux/uidMappings")
        try checkMappings(gidMappings, at: "/linux/gidMappings")
        guard let index = namespaces.firstIndex(where: { $0.type == .user }) else {
            guard uidMappings.isEmpty, gidMappings.isEmpty else {
                throw ConfigError(
                    place: uidMappings.isEmpty ? "/linux/gidMappings" : "/linux/uidMappings",
                    message: "user namespace mappings specified, but user namespace isn't enabled",
                    hint: "add {\"type\": \"user\"} to /linux/namespaces")
            }
            return
        }
        guard namespaces[index].path == nil else { return }
        guard !uidMappings.isEmpty, !gidMappings.isEmpty else {
            throw ConfigError(
                place: uidMappings.isEmpty ? "/linux/uidMappings" : "/linux/gidMappings",
                message: "user namespaces enabled, but no \(uidMappings.isEmpty ? "uid" : "gid") "
                    + "mappings found for the new one of /linux/namespaces/\(index)")
        }
    }

    private func checkTimeOffsets() throws(ConfigError) {
        guard !timeOffsets.isEmpty else { return }
        guard let namespace = namespaces.first(where: { $0.type == .time }) else {
            throw ConfigError(
                place: "/linux/timeOffsets",
                message:
                    "time namespace offsets specified, but time namespace isn't enabled in the config",
                hint: "add {\"type\": \"time\"} to /linux/namespaces")
        }
        guard namespace.path == nil else {
            throw ConfigError(
                place: "/linux/timeOffsets",
                message:
                    "time namespace enabled, but both namespace path and time offsets specified")
        }
        for entry in timeOffsets.entries {
            let place = "/linux/timeOffsets/" + escapePointer(entry.key)
            guard entry.key == "monotonic" || entry.key == "boottime" else {
                throw ConfigError(
                    place: place, message: "unknown clock", hint: "known are monotonic, boottime")
            }
            guard entry.value.nanosecs < 1_000_000_000 else {
                throw ConfigError(
                    place: place + "/nanosecs", message: "must be less than 1000000000")
            }
        }
    }

    private func checkNetDevices() throws(ConfigError) {
        guard let first = netDevices.entries.first else { return }
        guard has(.network) else {
            throw ConfigError(
                place: "/linux/netDevices/" + escapePointer(first.key),
                message: "is set without a network namespace",
                hint: "add {\"type\": \"network\"} to /linux/namespaces")
        }
        var names: [String] = []
        for entry in netDevices.entries {
            let place = "/linux/netDevices/" + escapePointer(entry.key)
            guard isInterfaceName(entry.key) else {
                throw ConfigError(place: place, message: "no valid name of a network device")
            }
            let name = entry.value.name ?? entry.key
            guard isInterfaceName(name), hasOneNumberAtMost(name) else {
                throw ConfigError(
                    place: place + "/name", message: "no valid name of a network device")
            }
            guard !names.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
                throw ConfigError(place: place, message: "a second device named \(quoted(name))")
            }
            if !name.utf8.contains(UInt8(ascii: "%")) { names.append(name) }
        }
    }

    private func checkCgroupsPath() throws(ConfigError) {
        guard let cgroupsPath, hasParentComponent(cgroupsPath) else { return }
        throw ConfigError(
            place: "/linux/cgroupsPath", message: "\(quoted(cgroupsPath)) has a component \"..\"")
    }
}

extension Device {
    fileprivate func validate(at place: String, _ index: Int) throws(ConfigError) {
        guard isAbsolute(path) else { throw notAbsolute(path, at: "\(place)/\(index)/path") }
        guard !hasParentComponent(path), path.utf8.contains(where: { $0 != UInt8(ascii: "/") })
        else {
            throw ConfigError(
                place: "\(place)/\(index)/path", message: "\(quoted(path)) names no device")
        }
        // The kernel's dev_t: 12 bits for the major, 20 for the minor number.
        guard 0...0xFFF ~= major else {
            throw ConfigError(place: "\(place)/\(index)/major", message: "must be from 0 to 4095")
        }
        guard 0...0xF_FFFF ~= minor else {
            throw ConfigError(
                place: "\(place)/\(index)/minor", message: "must be from 0 to 1048575")
        }
    }
}

/// Whether the kernel takes a name for a network device (dev_valid_name in net/core/dev.c).
func isInterfaceName(_ name: String) -> Bool {
    1...15 ~= name.utf8.count && name != "." && name != ".."
        && !name.utf8.contains { byte in
            byte == UInt8(ascii: "/") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: " ")
                || 0x09...0x0D ~= byte
        }
}

/// Whether a name is plain, or a template with one `%d` (`__dev_alloc_name`).
private func hasOneNumberAtMost(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "%"), omittingEmptySubsequences: false)
    return parts.count == 1 || parts.count == 2 && parts[1].first == UInt8(ascii: "d")
}

/// Checks the ranges of a mapping as user_namespaces(7) demands: 1 to 340 of them, none empty, none
/// beyond 32 bits, none overlapping.
func checkMappings(_ mappings: [IDMapping], at place: String) throws(ConfigError) {
    guard mappings.count <= 340 else {
        throw ConfigError(place: place, message: "has more than 340 ranges, the kernel's limit")
    }
    for (index, mapping) in mappings.enumerated() {
        guard mapping.size > 0 else {
            throw ConfigError(
                place: "\(place)/\(index)/size", message: "must be greater than zero")
        }
        // The id 4294967295, which is (uid_t)-1, means "none" and cannot be mapped.
        let last = UInt32.max - mapping.size
        guard mapping.containerID <= last, mapping.hostID <= last else {
            let name = mapping.containerID > last ? "containerID" : "hostID"
            throw ConfigError(
                place: "\(place)/\(index)/\(name)",
                message: "the range of \(mapping.size) ids ends beyond 4294967294")
        }
        for earlier in mappings[..<index]
        where overlap(earlier.containerID, earlier.size, mapping.containerID, mapping.size)
            || overlap(earlier.hostID, earlier.size, mapping.hostID, mapping.size)
        {
            throw ConfigError(
                place: "\(place)/\(index)", message: "the range overlaps one before it")
        }
    }
}

private func overlap(_ a: UInt32, _ aSize: UInt32, _ b: UInt32, _ bSize: UInt32) -> Bool {
    UInt64(a) < UInt64(b) + UInt64(bSize) && UInt64(b) < UInt64(a) + UInt64(aSize)
}
