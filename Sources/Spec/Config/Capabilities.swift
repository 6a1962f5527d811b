/// The five capability sets of a process (config.md, "Linux Process"; capabilities(7)).
///
/// Names stay as written: one that nobody knows is a warning, not an error.
public struct Capabilities: Sendable, Equatable {
    /// The bounding set.
    public var bounding: [String]
    /// The effective set.
    public var effective: [String]
    /// The inheritable set.
    public var inheritable: [String]
    /// The permitted set.
    public var permitted: [String]
    /// The ambient set.
    public var ambient: [String]

    /// Makes the sets.
    public init(
        bounding: [String] = [], effective: [String] = [], inheritable: [String] = [],
        permitted: [String] = [], ambient: [String] = []
    ) {
        self.bounding = bounding
        self.effective = effective
        self.inheritable = inheritable
        self.permitted = permitted
        self.ambient = ambient
    }
}

/// A capability that Linux knows; the raw value is its number in `linux/capability.h`.
public enum Capability: UInt8, Sendable, CaseIterable {
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case chown, dacOverride, dacReadSearch, fowner, fsetid, kill, setgid, setuid, setpcap,
        linuxImmutable, netBindService, netBroadcast, netAdmin, netRaw, ipcLock, ipcOwner,
        sysModule, sysRawio, sysChroot, sysPtrace, sysPacct, sysAdmin, sysBoot, sysNice,
        sysResource, sysTime, sysTtyConfig, mknod, lease, auditWrite, auditControl, setfcap,
        macOverride, macAdmin, syslog, wakeAlarm, blockSuspend, auditRead, perfmon, bpf,
        checkpointRestore

    /// The names in the order of the numbers.
    static let names: [String] = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
        "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
        "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
        "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
        "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
        "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
        "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ]

    /// The spec's name, such as `CAP_CHOWN`.
    public var name: String { Self.names[Int(rawValue)] }

    /// The capability of a name such as `CAP_CHOWN`, or nil if this runtime knows none.
    public init?(name: String) {
        // == is quick on ASCII; only its Unicode equivalents (U+212A for a K) must be kept out.
        guard let number = Self.names.firstIndex(of: name),
            Self.names[number].utf8.count == name.utf8.count
        else { return nil }
        self.init(rawValue: UInt8(number))
    }
}

extension Capabilities {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            bounding: try object.strings("bounding") ?? [],
            effective: try object.strings("effective") ?? [],
            inheritable: try object.strings("inheritable") ?? [],
            permitted: try object.strings("permitted") ?? [],
            ambient: try object.strings("ambient") ?? [])
    }
}
