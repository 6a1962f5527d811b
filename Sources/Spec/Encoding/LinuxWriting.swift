extension Linux: JSONWritable {
    /// Writes the Linux section.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("uidMappings", values: uidMappings)
            object.member("gidMappings", values: gidMappings)
            object.member("sysctl", nonEmpty: sysctl)
            object.member("resources", value: resources)
            object.member("cgroupsPath", cgroupsPath)
            object.member("namespaces", values: namespaces)
            object.member("devices", values: devices)
            object.member("netDevices", values: netDevices)
            object.member("seccomp", value: seccomp)
            object.member("rootfsPropagation", rootfsPropagation?.rawValue)
            object.member("maskedPaths", nonEmpty: maskedPaths)
            object.member("readonlyPaths", nonEmpty: readonlyPaths)
            object.member("mountLabel", mountLabel)
            object.member("intelRdt", value: intelRdt)
            object.member("memoryPolicy", value: memoryPolicy)
            object.member("personality", value: personality)
            object.member("timeOffsets", values: timeOffsets)
        }
    }
}

extension Namespace: JSONWritable {
    /// Writes the namespace.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("type", type.rawValue)
            object.member("path", path)
        }
    }
}

extension Device: JSONWritable {
    /// Writes the device.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("path", path)
            object.member("type", type.rawValue)
            object.member("major", major)
            object.member("minor", minor)
            object.member("fileMode", fileMode)
            object.member("uid", uid)
            object.member("gid", gid)
        }
    }
}

extension NetDevice: JSONWritable {
    /// Writes the network device.
    public func write(to writer: inout JSONWriter) {
        writer.object { $0.member("name", name) }
    }
}

extension IntelRDT: JSONWritable {
    /// Writes the settings.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("closID", closID)
            object.member("schemata", nonEmpty: schemata)
            object.member("l3CacheSchema", l3CacheSchema)
            object.member("memBwSchema", memBwSchema)
            object.member("enableMonitoring", ifTrue: enableMonitoring)
        }
    }
}

extension MemoryPolicy: JSONWritable {
    /// Writes the policy.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("mode", mode.rawValue)
            object.member("nodes", nodes)
            object.member("flags", nonEmpty: flags.map(\.rawValue))
        }
    }
}

extension Personality: JSONWritable {
    /// Writes the personality.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("domain", domain.rawValue)
            object.member("flags", nonEmpty: flags)
        }
    }
}

extension TimeOffset: JSONWritable {
    /// Writes the offset.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("secs", secs)
            object.member("nanosecs", nanosecs)
        }
    }
}

extension Seccomp: JSONWritable {
    /// Writes the filter.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("defaultAction", defaultAction.rawValue)
            object.member("defaultErrnoRet", defaultErrnoRet)
            object.member("architectures", nonEmpty: architectures.map(\.rawValue))
            object.member("flags", flags?.map(\.rawValue))
            object.member("listenerPath", listenerPath)
            object.member("listenerMetadata", listenerMetadata)
            object.member("syscalls", values: syscalls)
        }
    }
}

extension SeccompSyscall: JSONWritable {
    /// Writes the rule.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("names", names)
            object.member("action", action.rawValue)
            object.member("errnoRet", errnoRet)
            object.member("args", values: args)
        }
    }
}

extension SeccompArg: JSONWritable {
    /// Writes the condition.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("index", index)
            object.member("value", value)
            object.member("valueTwo", valueTwo)
            object.member("op", op.rawValue)
        }
    }
}
