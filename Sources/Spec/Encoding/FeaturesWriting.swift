extension Features: JSONWritable {
    /// Writes the features: what is nil is left out, what is empty is written.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("ociVersionMin", ociVersionMin)
            object.member("ociVersionMax", ociVersionMax)
            object.member("hooks", hooks)
            object.member("mountOptions", mountOptions)
            object.member("linux", value: linux)
            object.member("annotations", annotations)
            object.member("potentiallyUnsafeConfigAnnotations", potentiallyUnsafeConfigAnnotations)
        }
    }
}

extension LinuxFeatures: JSONWritable {
    /// Writes the Linux section.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("namespaces", namespaces)
            object.member("capabilities", capabilities)
            object.member("cgroup", value: cgroup)
            object.member("seccomp", value: seccomp)
            object.member("apparmor", isEnabled: apparmor)
            object.member("selinux", isEnabled: selinux)
            object.member("intelRdt", value: intelRdt)
            object.member("memoryPolicy", value: memoryPolicy)
            if idmappedMounts != nil {
                object.member("mountExtensions") { (mounts: inout JSONWriter) in
                    mounts.member("idmap", isEnabled: idmappedMounts)
                }
            }
            object.member("netDevices", isEnabled: netDevices)
        }
    }
}

extension LinuxFeatures.Cgroup: JSONWritable {
    /// Writes what of cgroups is implemented.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("v1", v1)
            object.member("v2", v2)
            object.member("systemd", systemd)
            object.member("systemdUser", systemdUser)
            object.member("rdma", rdma)
        }
    }
}

extension LinuxFeatures.Seccomp: JSONWritable {
    /// Writes what of seccomp is implemented.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("enabled", enabled)
            object.member("actions", actions)
            object.member("operators", operators)
            object.member("archs", archs)
            object.member("knownFlags", knownFlags)
            object.member("supportedFlags", supportedFlags)
        }
    }
}

extension LinuxFeatures.IntelRDT: JSONWritable {
    /// Writes what of the Resource Director is implemented.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("enabled", enabled)
            object.member("schemata", schemata)
            object.member("monitoring", monitoring)
        }
    }
}

extension LinuxFeatures.MemoryPolicy: JSONWritable {
    /// Writes what of memory policies is implemented.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("modes", modes)
            object.member("flags", flags)
        }
    }
}

extension JSONWriter {
    /// Writes `{"enabled": …}` unless it is nil.
    fileprivate mutating func member(_ name: String, isEnabled: Bool?) {
        guard let isEnabled else { return }
        member(name) { (object: inout JSONWriter) in object.member("enabled", isEnabled) }
    }
}
