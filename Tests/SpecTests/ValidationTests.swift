import Testing

@testable import Spec

/// A change to a valid config, and the place of the error it must lead to.
struct Change: Sendable, CustomTestStringConvertible {
    var place: String?
    var message: String
    var apply: @Sendable (inout Config) -> Void

    init(
        _ place: String?, _ message: String = "",
        _ apply: @escaping @Sendable (inout Config) -> Void
    ) {
        self.place = place
        self.message = message
        self.apply = apply
    }

    var testDescription: String { "\(place ?? "valid") \(message)" }
}

/// A valid config with something in every section.
private func makeConfig() -> Config {
    var config = Config.template
    config.hooks.prestart = [Hook(path: "/bin/true", args: ["true"], timeout: 1)]
    config.process?.consoleSize = Box(height: 25, width: 80)
    config.linux.namespaces = NamespaceType.allCases.map { Namespace(type: $0) }
    config.linux.uidMappings = [IDMapping(containerID: 0, hostID: 1000, size: 10)]
    config.linux.gidMappings = [IDMapping(containerID: 0, hostID: 1000, size: 10)]
    config.linux.resources?.cpu = Resources.CPU(quota: 100, burst: 100, cpus: "0-3,7")
    config.linux.seccomp = Seccomp(
        defaultAction: .errno, defaultErrnoRet: 1,
        syscalls: [SeccompSyscall(names: ["read"], action: .allow)])
    return config
}

private func validationError(_ config: Config) -> ConfigError? {
    do throws(ConfigError) {
        _ = try config.validate()
        return nil
    } catch {
        return error
    }
}

@Suite struct ValidationTests {
    @Test func theBaseIsValid() throws {
        #expect(try makeConfig().validate() == [])
        #expect(try Config.template.validate() == [])
        #expect(try Config.rootlessTemplate(uid: 1000, gid: 100).validate() == [])
    }

    static let topLevel: [Change] = [
        Change("/root", "required") { $0.root = nil },
        Change("/root/path", "empty") { $0.root?.path = "" },
        Change(nil, "no process") { $0.process = nil },
        Change("/hostname", "64") { $0.hostname = String(repeating: "x", count: 65) },
        Change(nil, "64 bytes") { $0.hostname = String(repeating: "x", count: 64) },
        Change("/hostname", "UTS") { $0.linux.namespaces.removeAll { $0.type == .uts } },
        Change("/domainname", "UTS") {
            ($0.hostname, $0.domainname) = (nil, "d")
            $0.linux.namespaces.removeAll { $0.type == .uts }
        },
        Change("/annotations/", "empty") { $0.annotations = ["": "x"] },
        Change("/mounts/1/destination", "empty") { $0.mounts[1].destination = "" },
        Change("/mounts/2", "both uid and gid") {
            $0.mounts[2].uidMappings = [IDMapping(containerID: 0, hostID: 0, size: 1)]
        },
        Change("/mounts/2", "both uid and gid") {
            $0.mounts[2].gidMappings = [IDMapping(containerID: 0, hostID: 0, size: 1)]
        },
        Change("/mounts/0/gidMappings/0/size", "zero") {
            $0.mounts[0].uidMappings = [IDMapping(containerID: 0, hostID: 0, size: 1)]
            $0.mounts[0].gidMappings = [IDMapping(containerID: 0, hostID: 0, size: 0)]
        },
        Change("/hooks/prestart/0/path", "absolute") { $0.hooks.prestart[0].path = "bin/true" },
        Change("/hooks/prestart/0/path", "absolute") { $0.hooks.prestart[0].path = "" },
        Change("/hooks/poststop/1/timeout", "greater than zero") {
            $0.hooks.poststop = [Hook(path: "/a"), Hook(path: "/b", timeout: 0)]
        },
        Change("/hooks/createContainer/0/timeout", "greater than zero") {
            $0.hooks.createContainer = [Hook(path: "/a", timeout: -1)]
        },
        Change("/hooks/createRuntime/0/path") { $0.hooks.createRuntime = [Hook(path: "a")] },
        Change("/hooks/startContainer/0/path") { $0.hooks.startContainer = [Hook(path: "a")] },
        Change("/hooks/poststart/0/path") { $0.hooks.poststart = [Hook(path: "a")] },
    ]

    static let process: [Change] = [
        Change("/process/args", "args must not be empty") { $0.process?.args = [] },
        Change("/process/cwd", "absolute") { $0.process?.cwd = "tmp" },
        Change("/process/cwd", "Cwd property must not be empty") { $0.process?.cwd = "" },
        Change("/process/env/1", "missing '='") { $0.process?.env = ["A=", "B"] },
        Change("/process/env/0", "name cannot be empty") { $0.process?.env = ["=x"] },
        Change("/process/env/0", "missing '='") { $0.process?.env = [""] },
        Change(nil, "equals signs in values") { $0.process?.env = ["A==", "B= ="] },
        Change("/process/consoleSize", "65535") { $0.process?.consoleSize?.width = 65536 },
        Change(nil, "size without a terminal") {
            $0.process?.terminal = false
            $0.process?.consoleSize?.width = 65536
        },
        Change("/process/user/uid", "no id") { $0.process?.user.uid = 4_294_967_295 },
        Change("/process/user/gid", "no id") { $0.process?.user.gid = 4_294_967_295 },
        Change("/process/user/additionalGids/0", "no id") {
            $0.process?.user.additionalGids = [4_294_967_295]
        },
        Change("/process/user/umask", "511") { $0.process?.user.umask = 512 },
        Change(nil, "umask") { $0.process?.user.umask = 511 },
        Change("/process/oomScoreAdj") { $0.process?.oomScoreAdj = -1001 },
        Change("/process/oomScoreAdj") { $0.process?.oomScoreAdj = 1001 },
        Change("/process/rlimits/2", "twice") {
            $0.process?.rlimits = [
                Rlimit(type: .core, soft: 0, hard: 0), Rlimit(type: .nice, soft: 0, hard: 0),
                Rlimit(type: .core, soft: 0, hard: 0),
            ]
        },
        Change("/process/rlimits/0/soft", "hard") {
            $0.process?.rlimits = [Rlimit(type: .core, soft: 2, hard: 1)]
        },
        Change("/process/ioPriority/priority", "0 to 7") {
            $0.process?.ioPriority = IOPriority(class: .idle, priority: 8)
        },
        Change("/process/ioPriority/priority", "0 to 7") {
            $0.process?.ioPriority = IOPriority(class: .idle, priority: -1)
        },
        Change("/process/execCPUAffinity/initial", "list") {
            $0.process?.execCPUAffinity = ExecCPUAffinity(initial: "0-")
        },
        Change("/process/execCPUAffinity/final", "list") {
            $0.process?.execCPUAffinity = ExecCPUAffinity(initial: "1", final: "3-1")
        },
        Change("/process/scheduler/nice") {
            $0.process?.scheduler = Scheduler(policy: .other, nice: 20)
        },
        Change("/process/scheduler/priority", "SCHED_RR") {
            $0.process?.scheduler = Scheduler(policy: .roundRobin)
        },
        Change("/process/scheduler/priority", "SCHED_BATCH") {
            $0.process?.scheduler = Scheduler(policy: .batch, priority: 1)
        },
        Change("/process/scheduler", "SCHED_DEADLINE") {
            $0.process?.scheduler = Scheduler(policy: .deadline, runtime: 3, deadline: 2, period: 4)
        },
        Change("/process/scheduler", "only") {
            $0.process?.scheduler = Scheduler(policy: .fifo, priority: 1, runtime: 3)
        },
        Change(nil, "deadline") {
            $0.process?.scheduler = Scheduler(policy: .deadline, runtime: 1, deadline: 2, period: 2)
        },
    ]

    static let linux: [Change] = [
        Change("/linux/namespaces/8", "duplicated ns") {
            $0.linux.namespaces.append(.init(type: .pid))
        },
        Change("/linux/namespaces/0/path", "absolute") { $0.linux.namespaces[0].path = "ns" },
        Change("/linux/maskedPaths", "private MNT namespace") {
            $0.linux.namespaces.removeAll { $0.type == .mount }
        },
        Change("/linux/readonlyPaths", "private MNT namespace") {
            $0.linux.maskedPaths = []
            $0.linux.namespaces.removeAll { $0.type == .mount }
        },
        Change("/linux/maskedPaths/1", "absolute") { $0.linux.maskedPaths[1] = "proc" },
        Change("/linux/readonlyPaths/0", "absolute") { $0.linux.readonlyPaths[0] = "" },
        Change("/linux/uidMappings", "user namespace") {
            $0.linux.namespaces.removeAll { $0.type == .user }
        },
        Change("/linux/gidMappings", "user namespace") {
            $0.linux.uidMappings = []
            $0.linux.namespaces.removeAll { $0.type == .user }
        },
        Change("/linux/uidMappings", "no uid mappings") { $0.linux.uidMappings = [] },
        Change("/linux/gidMappings", "no gid mappings") { $0.linux.gidMappings = [] },
        Change(nil, "joined user namespace") {
            ($0.linux.uidMappings, $0.linux.gidMappings) = ([], [])
            $0.linux.namespaces = [
                Namespace(type: .user, path: "/proc/1/ns/user"), Namespace(type: .uts),
                Namespace(type: .mount),
            ]
        },
        Change("/linux/uidMappings/0/size", "zero") { $0.linux.uidMappings[0].size = 0 },
        Change("/linux/gidMappings/0/hostID", "beyond") {
            $0.linux.gidMappings[0] = IDMapping(containerID: 0, hostID: .max - 9, size: 10)
        },
        Change(nil, "the last id") {
            $0.linux.gidMappings[0] = IDMapping(containerID: 0, hostID: .max - 10, size: 10)
        },
        Change("/linux/uidMappings/0/containerID", "beyond") {
            $0.linux.uidMappings[0].containerID = .max
        },
        Change("/linux/uidMappings/1", "overlaps") {
            $0.linux.uidMappings.append(IDMapping(containerID: 9, hostID: 5000, size: 1))
        },
        Change("/linux/uidMappings/1", "overlaps") {
            $0.linux.uidMappings.append(IDMapping(containerID: 90, hostID: 900, size: 101))
        },
        Change(nil, "adjacent") {
            $0.linux.uidMappings.append(IDMapping(containerID: 10, hostID: 900, size: 100))
        },
        Change("/linux/uidMappings", "340") {
            $0.linux.uidMappings = (0..<341).map {
                IDMapping(containerID: $0, hostID: $0, size: 1)
            }
        },
        Change("/linux/timeOffsets", "time namespace") {
            $0.linux.timeOffsets = ["boottime": TimeOffset(secs: 1)]
            $0.linux.namespaces.removeAll { $0.type == .time }
        },
        Change("/linux/timeOffsets", "both namespace path and time offsets") {
            $0.linux.timeOffsets = ["boottime": TimeOffset(secs: 1)]
            $0.linux.namespaces[7].path = "/proc/1/ns/time"
        },
        Change("/linux/timeOffsets/realtime", "clock") {
            $0.linux.timeOffsets = ["boottime": TimeOffset(), "realtime": TimeOffset()]
        },
        Change("/linux/timeOffsets/monotonic/nanosecs", "1000000000") {
            $0.linux.timeOffsets = ["monotonic": TimeOffset(nanosecs: 1_000_000_000)]
        },
        Change("/linux/devices/0/path", "absolute") {
            $0.linux.devices = [Device(path: "dev/x", type: .character)]
        },
        Change("/linux/devices/0/path", "no device") {
            $0.linux.devices = [Device(path: "/dev/../x", type: .character)]
        },
        Change("/linux/devices/0/path", "no device") {
            $0.linux.devices = [Device(path: "//", type: .character)]
        },
        Change("/linux/devices/1/major", "4095") {
            $0.linux.devices = [
                Device(path: "/dev/x", type: .block, major: 4095, minor: 1_048_575),
                Device(path: "/dev/y", type: .block, major: 4096),
            ]
        },
        Change("/linux/devices/0/minor", "1048575") {
            $0.linux.devices = [Device(path: "/dev/y", type: .block, minor: -1)]
        },
        Change("/linux/netDevices/eth0", "network namespace") {
            $0.linux.netDevices = ["eth0": NetDevice()]
            $0.linux.namespaces.removeAll { $0.type == .network }
        },
        Change("/linux/netDevices/a~1b", "valid name") {
            $0.linux.netDevices = ["eth0": NetDevice(), "a/b": NetDevice()]
        },
        Change("/linux/netDevices/eth0/name", "valid name") {
            $0.linux.netDevices = ["eth0": NetDevice(name: "sixteen_bytes_xx")]
        },
        Change("/linux/netDevices/eth0/name", "valid name") {
            $0.linux.netDevices = ["eth0": NetDevice(name: "net%s")]
        },
        Change("/linux/netDevices/eth1", "second") {
            $0.linux.netDevices = ["eth0": NetDevice(name: "eth1"), "eth1": NetDevice()]
        },
        Change(nil, "a template for two") {
            $0.linux.netDevices = ["a": NetDevice(name: "net%d"), "b": NetDevice(name: "net%d")]
        },
        Change(nil, "template of a name") {
            $0.linux.netDevices = ["eth0": NetDevice(name: "net%d")]
        },
        Change("/linux/cgroupsPath", "..") { $0.linux.cgroupsPath = "/a/../b" },
        Change("/linux/cgroupsPath", "..") { $0.linux.cgroupsPath = ".." },
        Change(nil, "cgroupsPath of systemd") { $0.linux.cgroupsPath = "system.slice:a..b:c" },
        Change("/linux/personality/flags/0", "flag") {
            $0.linux.personality = Personality(domain: .linux, flags: ["X"])
        },
        Change("/linux/intelRdt/closID", "name") { $0.linux.intelRdt = IntelRDT(closID: "a/b") },
        Change("/linux/intelRdt/closID", "name") { $0.linux.intelRdt = IntelRDT(closID: "..") },
        Change(nil, "the root class") { $0.linux.intelRdt = IntelRDT(closID: "/") },
        Change("/linux/intelRdt/schemata/1", "newlines") {
            $0.linux.intelRdt = IntelRDT(schemata: ["a", "b\nc"])
        },
        Change(nil, "what a schema only should be") {
            $0.linux.intelRdt = IntelRDT(l3CacheSchema: "L3DATA:0=f\nL3CODE:0=f")
        },
        Change("/linux/intelRdt/memBwSchema", "MB:") {
            $0.linux.intelRdt = IntelRDT(memBwSchema: "L3:0")
        },
        Change("/linux/memoryPolicy/nodes", "empty") {
            $0.linux.memoryPolicy = MemoryPolicy(mode: .local, nodes: "1")
        },
        Change("/linux/memoryPolicy/nodes", "required") {
            $0.linux.memoryPolicy = MemoryPolicy(mode: .bind)
        },
        Change("/linux/memoryPolicy/nodes", "list") {
            $0.linux.memoryPolicy = MemoryPolicy(mode: .bind, nodes: "all")
        },
        Change("/linux/memoryPolicy/flags", "exclude") {
            $0.linux.memoryPolicy = MemoryPolicy(
                mode: .preferred, flags: [.staticNodes, .relativeNodes])
        },
    ]

    static let resources: [Change] = [
        Change("/devices/1/major", "from 0") {
            $0.linux.resources?.devices.append(.init(allow: true, major: -2))
        },
        Change("/devices/1/minor", "from 0") {
            $0.linux.resources?.devices.append(.init(allow: true, minor: 1 << 32))
        },
        Change("/memory/limit", "-1") { $0.linux.resources?.memory.limit = -2 },
        Change("/memory/swap", "-1") { $0.linux.resources?.memory.swap = .min },
        Change(nil, "no limit") { $0.linux.resources?.memory.swap = -1 },
        Change("/memory/swappiness", "100") { $0.linux.resources?.memory.swappiness = 101 },
        Change("/cpu/burst", "quota") { $0.linux.resources?.cpu.burst = 101 },
        Change(nil, "burst without a quota") {
            $0.linux.resources?.cpu.quota = -1
            $0.linux.resources?.cpu.burst = 101
        },
        Change("/cpu/idle", "0 or 1") { $0.linux.resources?.cpu.idle = 2 },
        Change("/cpu/cpus", "list") { $0.linux.resources?.cpu.cpus = "0\n1" },
        Change("/cpu/mems", "list") { $0.linux.resources?.cpu.mems = "70000" },
        Change("/pids/limit", "-1") { $0.linux.resources?.pidsLimit = -2 },
        Change(nil, "zero is a limit") { $0.linux.resources?.pidsLimit = 0 },
        Change("/blockIO/weightDevice/0", "at least one") {
            $0.linux.resources?.blockIO.weightDevice = [.init(major: 8, minor: 0)]
        },
        Change("/blockIO/weightDevice/0/major", "from 0") {
            $0.linux.resources?.blockIO.weightDevice = [.init(major: -1, minor: 0, weight: 1)]
        },
        Change("/blockIO/throttleWriteIOPSDevice/0/minor", "from 0") {
            $0.linux.resources?.blockIO.throttleWriteIOPSDevice = [
                .init(major: 8, minor: -1, rate: 1)
            ]
        },
        Change("/network/priorities/0/name", "valid name") {
            $0.linux.resources?.network.priorities = [.init(name: "a b", priority: 1)]
        },
        Change("/rdma/mlx", "at least one") {
            $0.linux.resources?.rdma = ["mlx": Resources.RDMA()]
        },
        Change("/rdma/m x", "valid name") {
            $0.linux.resources?.rdma = ["m x": Resources.RDMA(hcaHandles: 1)]
        },
        Change("/unified/..~1memory.max", "file") {
            $0.linux.resources?.unified = ["../memory.max": "1"]
        },
        Change("/unified/..", "file") { $0.linux.resources?.unified = ["..": "1"] },
        Change("/unified/", "file") { $0.linux.resources?.unified = ["": "1"] },
    ]

    static let seccomp: [Change] = [
        Change("/defaultErrnoRet", "no errno") { $0.linux.seccomp?.defaultAction = .allow },
        Change("/defaultErrnoRet", "4095") { $0.linux.seccomp?.defaultErrnoRet = 4096 },
        Change("/defaultAction", "default") {
            $0.linux.seccomp = Seccomp(defaultAction: .notify, listenerPath: "/s")
        },
        Change("/listenerMetadata", "listenerPath") { $0.linux.seccomp?.listenerMetadata = "m" },
        Change("/syscalls/0/names", "at least one") { $0.linux.seccomp?.syscalls[0].names = [] },
        Change("/syscalls/0/errnoRet", "no errno") { $0.linux.seccomp?.syscalls[0].errnoRet = 1 },
        Change("/syscalls/0/errnoRet", "65535") {
            $0.linux.seccomp?.syscalls[0].action = .trace
            $0.linux.seccomp?.syscalls[0].errnoRet = 65536
        },
        Change("/syscalls/0/args/1/index", "six") {
            $0.linux.seccomp?.syscalls[0].args = [
                SeccompArg(index: 5, value: 0, op: .equal),
                SeccompArg(index: 6, value: 0, op: .equal),
            ]
        },
        Change("/syscalls/0/action", "listenerPath") {
            $0.linux.seccomp?.syscalls[0].action = .notify
        },
        Change(nil, "notify") {
            $0.linux.seccomp?.syscalls[0].action = .notify
            $0.linux.seccomp?.listenerPath = "/run/s"
            $0.linux.seccomp?.listenerMetadata = "m"
        },
    ]

    @Test(
        arguments: topLevel + process + linux
            + resources.map { change in
                Change(change.place.map { "/linux/resources" + $0 }, change.message, change.apply)
            }
            + seccomp.map { change in
                Change(change.place.map { "/linux/seccomp" + $0 }, change.message, change.apply)
            })
    func changeIsJudged(change: Change) {
        var config = makeConfig()
        change.apply(&config)
        let error = validationError(config)
        #expect(error?.place == change.place)
        guard let error else { return }
        #expect((error.message + (error.hint ?? "")).contains(change.message), "\(error)")
    }

    @Test(arguments: [
        "1.0.0", "1.0.2-dev", "1.3.0", "1.3.0+dev", "1.3.1", "1.99.0", "1.0.0-rc.5+x.07-y",
        "1.2.3-0a.x-y.0",
    ])
    func versionIsTaken(version: String) {
        var config = makeConfig()
        config.ociVersion = version
        #expect(validationError(config) == nil)
    }

    @Test(arguments: [
        ("", "SemVer"), ("1", "SemVer"), ("1.0", "SemVer"), ("1.0.0.0", "SemVer"),
        ("v1.0.0", "SemVer"), ("01.0.0", "SemVer"), ("1.0.0-", "SemVer"), ("1.0.0+", "SemVer"),
        ("1.0.0-a..b", "SemVer"), ("1.0.0-01", "SemVer"), ("1.0.0-é", "SemVer"),
        ("1.-1.0", "SemVer"), ("1.0.0 ", "SemVer"), ("١.0.0", "SemVer"), ("1.0.0+a+b", "SemVer"),
        ("0.9.0", "unsupported"), ("2.0.0", "unsupported"), ("10.0.0-dev", "unsupported"),
    ])
    func versionIsRefused(version: String, message: String) {
        var config = makeConfig()
        config.ociVersion = version
        let error = validationError(config)
        #expect(error?.place == "/ociVersion")
        #expect(error?.message.contains(message) == true)
    }

    @Test(
        arguments: [
            ("net.ipv4.ip_forward", nil, nil), ("net/ipv4/conf/eth0.100/forwarding", nil, nil),
            ("kernel.shmmax", nil, nil), ("fs.mqueue.msg_max", nil, nil),
            ("kernel.domainname", nil, nil), ("user.max_user_namespaces", nil, nil),
            ("kernel.shmmax", .ipc, "ipc"), ("net.core.somaxconn", .network, "network"),
            ("fs/mqueue/msg_max", .ipc, "ipc"), ("user.max_user_namespaces", .user, "user"),
            ("kernel.hostname", nil, "hostname"), ("kernel.core_pattern", nil, "host"),
            ("vm.swappiness", nil, "host"), ("net", nil, "valid name"), ("", nil, "valid name"),
            ("net..x", nil, "valid name"), ("net.ipv4.", nil, "valid name"),
            (".net.x", nil, "valid name"), ("net/../kernel/core_pattern", nil, "valid name"),
            ("net.//.kernel", nil, "valid name"), ("/net/x", nil, "valid name"),
            ("net.x\n", nil, "valid name"),
        ] as [(String, NamespaceType?, String?)])
    func sysctlIsJudged(name: String, without type: NamespaceType?, message: String?) {
        var linux = Linux(
            namespaces: NamespaceType.allCases.map { Namespace(type: $0) },
            sysctl: ["net.core.somaxconn": "1"])
        linux.namespaces.removeAll { $0.type == type }
        if type == .network { linux.sysctl = [:] }
        linux.sysctl.append(key: name, value: "1")
        var error: ConfigError?
        do throws(ConfigError) { try linux.checkSysctl() } catch let found { error = found }
        #expect((error == nil) == (message == nil))
        guard let error, let message else { return }
        #expect(error.place == "/linux/sysctl/" + escapePointer(name))
        #expect(error.message.contains(message))
    }

    @Test func sysctlNamesBecomePaths() {
        #expect(
            SysctlName("net.ipv4.conf.eno2/100.rp_filter")?.path
                == "net/ipv4/conf/eno2.100/rp_filter")
        #expect(
            SysctlName("net/ipv4/conf/eno2.100/rp_filter")?.path
                == "net/ipv4/conf/eno2.100/rp_filter")
    }

    @Test(arguments: [
        ("64KB", true), ("2MB", true), ("1GB", true), ("16GB", true), ("", false), ("B", false),
        ("KB", false), ("0KB", false), ("02MB", false), ("2M", false), ("2TB", false),
        ("2mb", false), ("-2MB", false), ("2 MB", false), ("2MB\n", false), ("../2MB", false),
    ])
    func hugepageSizeIsJudged(size: String, isValid: Bool) {
        var config = makeConfig()
        config.linux.resources?.hugepageLimits = [.init(pageSize: size, limit: 1)]
        let place = validationError(config)?.place
        #expect(place == (isValid ? nil : "/linux/resources/hugepageLimits/0/pageSize"))
    }

    @Test(
        arguments: [
            ("0", [0...0]), ("0-3,7", [0...3, 7...7]), ("5,1-1", [5...5, 1...1]),
            ("65535", [65535...65535]), ("", nil), (",", nil), ("1,", nil), ("1-", nil),
            ("-1", nil),
            ("2-1", nil), ("1-2-3", nil), ("+1", nil), (" 1", nil), ("65536", nil), ("0x1", nil),
            ("99999999999", nil),
        ] as [(String, [ClosedRange<UInt32>]?)])
    func listsAreParsed(text: String, ranges: [ClosedRange<UInt32>]?) {
        #expect(NumberList(text)?.ranges == ranges)
    }

    @Test func warningsNameTheirPlace() throws {
        var config = makeConfig()
        config.mounts[3].destination = "dev/shm"
        config.process?.capabilities?.ambient = ["CAP_KILL", "CAP_FLY", "kill"]
        let warnings = try config.validate()
        #expect(
            warnings.map(\.place) == [
                "/mounts/3/destination", "/process/capabilities/ambient/1",
                "/process/capabilities/ambient/2",
            ])
        #expect(warnings[1].message == "unknown capability \"CAP_FLY\" is ignored")
    }

    @Test func processesAndResourcesAreJudgedOnTheirOwn() {
        #expect(
            throws: ConfigError(
                place: "/cwd", message: "Cwd must be an absolute path, and \"x\" is not")
        ) {
            try Process(args: ["a"], cwd: "x").validate()
        }
        #expect(throws: ConfigError.self) {
            try Resources(memory: Resources.Memory(limit: -5)).validate()
        }
    }

    @Test func capabilitiesHaveTheKernelsNumbers() {
        #expect(Capability.allCases.count == Capability.names.count)
        #expect(Capability(name: "CAP_SYS_ADMIN")?.rawValue == 21)
        #expect(Capability(name: "CAP_CHECKPOINT_RESTORE")?.rawValue == 40)
        #expect(Capability(name: "CAP_\u{212A}ILL") == nil)
        #expect(Capability.setfcap.name == "CAP_SETFCAP")
        for capability in Capability.allCases {
            let name = "CAP_" + capability.name.dropFirst(4)
            let plain = name.dropFirst(4).replacing("_", with: "").lowercased()
            #expect(plain == "\(capability)".lowercased())
        }
    }
}
