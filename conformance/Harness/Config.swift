/// The config a clause starts from: what `spec` writes, without terminal and read-only root, and
/// small enough to read. A clause changes the one thing it is about.
func defaultConfig(cgroupsPath: String) -> JSON {
    [
        "ociVersion": "1.0.2",
        "process": [
            "terminal": false,
            "user": ["uid": 0, "gid": 0],
            "args": ["true"],
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "cwd": "/",
            "capabilities": capabilitySets(["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]),
            "noNewPrivileges": true,
        ],
        "root": ["path": "rootfs"],
        "hostname": "conformance",
        "mounts": defaultMounts,
        "linux": [
            "cgroupsPath": .string(cgroupsPath),
            "resources": ["devices": [["allow": false, "access": "rwm"]]],
            "namespaces": [
                ["type": "pid"], ["type": "network"], ["type": "ipc"], ["type": "uts"],
                ["type": "mount"],
            ],
            "maskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/sys/firmware"],
            "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"],
        ],
    ]
}

private let defaultMounts: JSON = [
    ["destination": "/proc", "type": "proc", "source": "proc"],
    [
        "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
        "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
    ],
    [
        "destination": "/dev/pts", "type": "devpts", "source": "devpts",
        "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
    ],
    [
        "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
        "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    ],
    [
        "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
        "options": ["nosuid", "noexec", "nodev"],
    ],
    [
        "destination": "/sys", "type": "sysfs", "source": "sysfs",
        "options": ["nosuid", "noexec", "nodev", "ro"],
    ],
]

/// Bounding, effective and permitted sets of the same capabilities, as engines write them.
func capabilitySets(_ names: [String]) -> JSON {
    ["bounding": JSON(names), "effective": JSON(names), "permitted": JSON(names)]
}

extension JSON {
    /// `config.program("echo", "x")` sets process.args.
    mutating func program(_ arguments: String...) { self.process.args = JSON(arguments) }

    /// The user's program is a shell running `script`.
    mutating func shell(_ script: String) { program("sh", "-c", script) }

    mutating func addMount(
        _ destination: String, type: String, source: String, options: [String] = []
    ) {
        self["mounts"].append([
            "destination": .string(destination), "type": .string(type), "source": .string(source),
            "options": JSON(options),
        ])
    }

    mutating func bind(_ source: String, at destination: String, options: [String] = []) {
        addMount(destination, type: "bind", source: source, options: ["bind"] + options)
    }

    /// Changes the mount at `destination`, which must be there.
    mutating func editMount(_ destination: String, _ edit: (inout JSON) -> Void) {
        for index in self["mounts"].array.indices
        where self["mounts"][index].destination.string == destination {
            edit(&self["mounts"][index])
        }
    }

    mutating func removeMount(_ destination: String) {
        self["mounts"] = .array(
            self["mounts"].array.filter { $0.destination.string != destination })
    }

    /// Replaces, or adds, the entry of one namespace type; without a path it is a new one.
    mutating func namespace(_ type: String, path: String? = nil) {
        removeNamespace(type)
        var entry: JSON = ["type": .string(type)]
        if let path { entry.path = .string(path) }
        self.linux.namespaces.append(entry)
    }

    mutating func removeNamespace(_ type: String) {
        self.linux.namespaces = .array(
            self.linux.namespaces.array.filter { $0.type.string != type })
    }

    /// A new user namespace where the container's root is host uid and gid `base`.
    mutating func userNamespace(base: Int = 0, size: Int = 65536) {
        namespace("user")
        let mapping: JSON = [["containerID": 0, "hostID": JSON(base), "size": JSON(size)]]
        self.linux.uidMappings = mapping
        self.linux.gidMappings = mapping
    }

    mutating func addHook(_ kind: String, _ hook: JSON) { self.hooks[kind].append(hook) }
}
