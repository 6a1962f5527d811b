/// The kernel's capabilities in the order of their numbers (capabilities(7)).
let capabilityNames = [
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
]

/// The mask of a set of the config, less what this host cannot grant (in a user namespace of its
/// own a container has them all).
func capabilityMask(_ set: JSON, ownUserNamespace: Bool = false) -> UInt64 {
    var mask: UInt64 = 0
    for name in set.array.compactMap(\.string) {
        guard let number = capabilityNames.firstIndex(of: String(name.dropFirst(4))) else {
            continue
        }
        if ownUserNamespace || Host.hasCapability(number) { mask |= 1 << UInt64(number) }
    }
    return mask
}

/// As /proc/PID/status prints it.
func capabilityText(_ mask: UInt64) -> String {
    let digits = String(mask, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
