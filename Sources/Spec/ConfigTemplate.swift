extension Config {
    /// The configuration that the `spec` command writes: a shell in a terminal, with few rights.
    ///
    /// The same as runc's but for the host name, and the cgroup namespace that runc adds on cgroup
    /// v2 only.
    public static var template: Config {
        let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        return Config(
            ociVersion: specVersion,
            root: Root(path: "rootfs", readonly: true),
            mounts: templateMounts,
            process: Process(
                terminal: true,
                args: ["sh"],
                env: [
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "TERM=xterm",
                ],
                capabilities: Capabilities(
                    bounding: capabilities, effective: capabilities, permitted: capabilities),
                rlimits: [Rlimit(type: .openFiles, soft: 1024, hard: 1024)],
                noNewPrivileges: true),
            hostname: "swrunc",
            linux: Linux(
                namespaces: [.pid, .network, .ipc, .uts, .mount, .cgroup].map { type in
                    Namespace(type: type)
                },
                resources: Resources(devices: [Resources.DeviceRule(allow: false)]),
                maskedPaths: [
                    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                    "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
                ],
                readonlyPaths: [
                    "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
                ]))
    }

    /// The configuration that `spec --rootless` writes: for a user without privileges.
    ///
    /// Without a network namespace, which such a user could not connect to anything; with `/sys`
    /// bound from the host, as sysfs can be mounted only by the owner of the network namespace;
    /// and with nothing that needs a cgroup or ids that are not mapped.
    ///
    /// - Parameters:
    ///   - uid: the user that becomes root in the container.
    ///   - gid: the group that becomes root's.
    public static func rootlessTemplate(uid: UInt32, gid: UInt32) -> Config {
        var config = template
        for index in config.mounts.indices {
            if config.mounts[index].destination == "/sys" {
                config.mounts[index] = Mount(
                    destination: "/sys", type: "none", source: "/sys",
                    options: ["rbind", "nosuid", "noexec", "nodev", "ro"])
            } else {
                config.mounts[index].options.removeAll { option in
                    option.utf8.starts(with: "uid=".utf8) || option.utf8.starts(with: "gid=".utf8)
                }
            }
        }
        config.linux.namespaces.removeAll { $0.type == .network }
        config.linux.namespaces.append(Namespace(type: .user))
        config.linux.uidMappings = [IDMapping(containerID: 0, hostID: uid, size: 1)]
        config.linux.gidMappings = [IDMapping(containerID: 0, hostID: gid, size: 1)]
        config.linux.resources = nil
        return config
    }

    private static var templateMounts: [Mount] {
        [
            Mount(destination: "/proc", type: "proc", source: "proc"),
            Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Mount(
                destination: "/dev/pts", type: "devpts", source: "devpts",
                options: [
                    "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5",
                ]),
            Mount(
                destination: "/dev/shm", type: "tmpfs", source: "shm",
                options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
            Mount(
                destination: "/dev/mqueue", type: "mqueue", source: "mqueue",
                options: ["nosuid", "noexec", "nodev"]),
            Mount(
                destination: "/sys", type: "sysfs", source: "sysfs",
                options: ["nosuid", "noexec", "nodev", "ro"]),
            Mount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                options: ["nosuid", "noexec", "nodev", "relatime", "ro"]),
        ]
    }
}
