/// A config with every property of the runtime-spec's Linux configuration, each with a value of
/// its right type. It is not meant to run: the clauses break it in one place and look at the error.
enum Everything {
    static func config(cgroupsPath: String) -> JSON {
        var config = defaultConfig(cgroupsPath: cgroupsPath)
        config.root.readonly = false
        config.domainname = "example"
        config.annotations = ["key": "value"]
        config.process = process
        config.hooks = hooks
        config["mounts"].append([
            "destination": "/everything", "type": "none", "source": "/tmp",
            "options": ["bind", "idmap"], "uidMappings": .array([mapping]),
            "gidMappings": .array([mapping]),
        ])
        config.linux.uidMappings = .array([mapping])
        config.linux.gidMappings = .array([mapping])
        config.linux.timeOffsets = ["monotonic": ["secs": 1, "nanosecs": 2]]
        config.linux.namespaces = [["type": "pid"], ["type": "network", "path": "/proc/1/ns/net"]]
        config.linux.devices = [
            [
                "type": "c", "path": "/dev/fuse", "major": 10, "minor": 229, "fileMode": 438,
                "uid": 0, "gid": 0,
            ]
        ]
        config.linux.netDevices = ["eth9": ["name": "inside"]]
        config.linux.sysctl = ["net.core.somaxconn": "256"]
        config.linux.rootfsPropagation = "slave"
        config.linux.mountLabel = ""
        config.linux.personality = ["domain": "LINUX", "flags": []]
        config.linux.intelRdt = [
            "closID": "x", "l3CacheSchema": "L3:0=f", "memBwSchema": "MB:0=20",
            "schemata": ["L3:0=f"], "enableMonitoring": false,
        ]
        config.linux.memoryPolicy = ["mode": "MPOL_DEFAULT", "nodes": "0", "flags": []]
        config.linux.resources = resources
        config.linux.seccomp = seccomp
        return config
    }

    private static let mapping: JSON = ["containerID": 0, "hostID": 1000, "size": 10]

    private static let process: JSON = [
        "terminal": false, "consoleSize": ["height": 24, "width": 80],
        "user": ["uid": 0, "gid": 0, "umask": 18, "additionalGids": [5]],
        "args": ["true"], "env": ["PATH=/bin"], "cwd": "/",
        "rlimits": [["type": "RLIMIT_CORE", "soft": 0, "hard": 0]],
        "capabilities": [
            "bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"],
            "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"],
        ],
        "noNewPrivileges": true, "apparmorProfile": "", "selinuxLabel": "", "oomScoreAdj": 1,
        "scheduler": [
            "policy": "SCHED_OTHER", "nice": 1, "priority": 0,
            "flags": ["SCHED_FLAG_RESET_ON_FORK"], "runtime": 1, "deadline": 1, "period": 1,
        ],
        "ioPriority": ["class": "IOPRIO_CLASS_BE", "priority": 1],
        "execCPUAffinity": ["initial": "0", "final": "0"],
    ]

    private static let hooks: JSON = {
        let hook: JSON = [["path": "/bin/true", "args": ["true"], "env": ["A=1"], "timeout": 1]]
        return [
            "prestart": hook, "createRuntime": hook, "createContainer": hook,
            "startContainer": hook, "poststart": hook, "poststop": hook,
        ]
    }()

    private static let resources: JSON = {
        let rate: JSON = [["major": 8, "minor": 0, "rate": 600]]
        return [
            "devices": [
                ["allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"]
            ],
            "memory": [
                "limit": 100, "reservation": 100, "swap": 100, "kernel": 1, "kernelTCP": 1,
                "swappiness": 1, "disableOOMKiller": false, "useHierarchy": true,
                "checkBeforeUpdate": true,
            ],
            "cpu": [
                "shares": 1, "quota": 1000, "burst": 1, "period": 1000, "realtimeRuntime": 1,
                "realtimePeriod": 1, "cpus": "0", "mems": "0", "idle": 0,
            ],
            "pids": ["limit": 10],
            "blockIO": [
                "weight": 10, "leafWeight": 10,
                "weightDevice": [["major": 8, "minor": 0, "weight": 10, "leafWeight": 10]],
                "throttleReadBpsDevice": rate, "throttleWriteBpsDevice": rate,
                "throttleReadIOPSDevice": rate, "throttleWriteIOPSDevice": rate,
            ],
            "hugepageLimits": [["pageSize": "2MB", "limit": 1]],
            "network": ["classID": 1, "priorities": [["name": "lo", "priority": 1]]],
            "rdma": ["mlx5_1": ["hcaHandles": 1, "hcaObjects": 1]],
            "unified": ["memory.high": "1"],
        ]
    }()

    private static let seccomp: JSON = [
        "defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1,
        "architectures": ["SCMP_ARCH_X86_64"], "flags": ["SECCOMP_FILTER_FLAG_LOG"],
        "listenerPath": "/tmp/none", "listenerMetadata": "x",
        "syscalls": [
            [
                "names": ["getcwd"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1,
                "args": [["index": 0, "value": 1, "valueTwo": 2, "op": "SCMP_CMP_EQ"]],
            ]
        ],
    ]
}

/// A place in a JSON value, as in a JSON pointer.
struct Place: Sendable, CustomStringConvertible {
    enum Step: Sendable {
        case member(String)
        case element(Int)
    }

    var steps: [Step]

    var description: String {
        steps.map {
            switch $0 {
            case .member(let name): "/" + name
            case .element(let index): "/\(index)"
            }
        }.joined()
    }

    /// The property's own name: the last member on the way.
    var name: String {
        for step in steps.reversed() { if case .member(let name) = step { return name } }
        return ""
    }

    func set(_ value: JSON, in root: JSON) -> JSON { Self.set(value, at: steps[...], in: root) }

    private static func set(_ value: JSON, at steps: ArraySlice<Step>, in node: JSON) -> JSON {
        guard let step = steps.first else { return value }
        var node = node
        switch step {
        case .member(let name):
            node[name] = set(value, at: steps.dropFirst(), in: node[name])
        case .element(let index):
            node[index] = set(value, at: steps.dropFirst(), in: node[index])
        }
        return node
    }
}

extension JSON {
    /// Every value below, with its place, parents before children, in the order of the keys.
    var everyPlace: [(Place, JSON)] {
        var found: [(Place, JSON)] = []
        collect([], &found)
        return found
    }

    private func collect(_ steps: [Place.Step], _ found: inout [(Place, JSON)]) {
        if !steps.isEmpty { found.append((Place(steps: steps), self)) }
        for (index, element) in array.enumerated() {
            element.collect(steps + [.element(index)], &found)
        }
        for (name, member) in object.sorted(by: { $0.key < $1.key }) {
            member.collect(steps + [.member(name)], &found)
        }
    }
}
