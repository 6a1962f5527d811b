import Init
import Spec
import Testing

@testable import OCIRuntime

/// The order of the steps: runtime.md, Lifecycle, and what the kernel demands.
@Suite struct PlannerOrder {
    static let fixtures = [
        "docker-default.json", "podman-default.json", "podman-uidmap.json",
        "containerd-ctr-seccomp.json",
    ]

    /// A config with everything in it whose order matters.
    static func full(_ noNewPrivileges: Bool) -> Config {
        let hook = Hook(path: "/bin/true")
        return Config.plain.with {
            $0.hooks = Hooks(
                prestart: [hook], createRuntime: [hook], createContainer: [hook],
                startContainer: [hook], poststart: [hook], poststop: [hook])
            $0.hostname = "host"
            $0.domainname = "domain"
            $0.root?.readonly = true
            $0.mounts = [Mount(destination: "/proc", type: "proc")]
            $0.linux.sysctl = ["net.ipv4.ip_forward": "1"]
            $0.linux.maskedPaths = ["/proc/kcore"]
            $0.linux.readonlyPaths = ["/proc/sys"]
            $0.linux.seccomp = Seccomp(defaultAction: .allow)
            $0.linux.devices = [Device(path: "/dev/fuse", type: .character, major: 10, minor: 229)]
            $0.process?.noNewPrivileges = noNewPrivileges
            $0.process?.terminal = true
            $0.process?.user.umask = 0o27
            $0.process?.cwd = "/work"
            $0.process?.rlimits = [Rlimit(type: .openFiles, soft: 10, hard: 20)]
            $0.process?.oomScoreAdj = 5
            $0.process?.scheduler = Scheduler(policy: .batch)
        }
    }

    @Test func aPlainContainer() throws {
        #expect(
            try Config.plain.plan(facts { $0.hasKernelCore = false }).names == [
                "host create cgroup", "host restrict devices", "host listen for start",
                "host clone", "init join cgroup", "init reset CPU affinity",
                "init new namespaces", "init new session",
                "init new keyring", "init bring up loopback", "init set propagation",
                "init open root", "init make device", "init make device", "init make device",
                "init make device", "init make device", "init make device", "init make link",
                "init make link", "init make link", "init make link", "init make link",
                "init pivot_root", "init change directory", "init set umask",
                "init find executable",
                "init wait for start", "init set identity", "init execute",
            ])
    }

    @Test(arguments: [false, true])
    func hooksComeAtTheirMoments(_ noNewPrivileges: Bool) throws {
        let plan = try Self.full(noNewPrivileges).plan()
        func hook(_ kind: String) -> Int? {
            plan.steps.firstIndex { $0.place == "/hooks/" + kind + "/0" }
        }
        let order = [
            plan.first("mount"), plan.first("open console"), hook("prestart"),
            hook("createRuntime"), hook("createContainer"), plan.first("pivot_root"),
            plan.first("wait for start"), hook("startContainer"), plan.first("execute"),
        ].compactMap { $0 }
        #expect(order.count == 9)
        #expect(order == order.sorted())
        let actors = plan.steps.filter { $0.place.hasPrefix("/hooks/") }.map(\.actor)
        #expect(actors == [.host, .host, .`init`, .`init`])
        #expect(plan.later.map(\.place) == ["/hooks/poststart/0", "/hooks/poststop/0"])
    }

    /// Without no_new_privs seccomp(2) takes CAP_SYS_ADMIN; with it, the filter comes last.
    @Test(arguments: [false, true])
    func seccompAndIdentity(_ noNewPrivileges: Bool) throws {
        let plan = try Self.full(noNewPrivileges).plan()
        let end = plan.names.suffix(noNewPrivileges ? 5 : 4)
        #expect(
            Array(end)
                == (noNewPrivileges
                    ? [
                        "init set limit", "init set no_new_privs", "init set identity",
                        "init apply seccomp", "init execute",
                    ]
                    : ["init set limit", "init apply seccomp", "init set identity", "init execute"])
        )
    }

    /// An agent gets one descriptor: the hooks share the program's filter then.
    @Test(arguments: [false, true])
    func hooksShareAnAgentsFilter(_ noNewPrivileges: Bool) throws {
        let config = Self.full(noNewPrivileges).with {
            $0.linux.seccomp?.listenerPath = "/agent"
            $0.linux.seccomp?.syscalls = [SeccompSyscall(names: ["mount"], action: .notify)]
        }
        let plan = try config.plan()
        let filter = try #require(plan.first("apply seccomp"))
        #expect(plan.steps[filter + 1].place == "/hooks/startContainer/0")
        #expect(plan.names.filter { $0 == "init apply seccomp" }.count == 1)
        #expect(Array(plan.names.suffix(2)) == ["init set identity", "init execute"])
        let without = try config.with { $0.hooks = Hooks() }.plan()
        #expect(
            without.names.last { $0 != "init execute" }
                == (noNewPrivileges
                    ? "init apply seccomp" : "init set identity"))
    }

    @Test(arguments: [
        // The sysctls lie below a path that becomes read-only.
        ("set sysctl", "make path read-only"), ("make path read-only", "mask path"),
        ("pivot_root", "make root read-only"), ("pivot_root", "make directory"),
        ("make directory", "make root read-only"), ("mask path", "change directory"),
        ("pivot_root", "set sysctl"),
        ("make device", "pivot_root"), ("set propagation", "open root"), ("open root", "mount"),
        ("mount", "make device"), ("raise limit", "clone"), ("load seccomp", "clone"),
        ("change directory", "set umask"), ("set umask", "find executable"),
        ("set scheduler", "wait for start"), ("find executable", "wait for start"),
        ("new session", "open console"), ("join cgroup", "new namespaces"),
    ])
    func pairs(_ earlier: String, _ later: String) throws {
        let plan = try Self.full(false).plan()
        let first = try #require(plan.first(earlier))
        let second = try #require(plan.first(later))
        #expect(first < second)
    }

    static let all: [Config] =
        [.plain, .mapped, full(false), full(true)] + fixtures.compactMap { try? fixture($0) }

    @Test(arguments: all.indices)
    func everyPlan(_ index: Int) throws {
        let plan = try Self.all[index].plan(facts(index.isMultiple(of: 2) ? .classic : .v2))
        let wait = try #require(plan.first("wait for start"))
        let clone = try #require(plan.first("clone"))
        #expect(plan.names.filter { $0.hasSuffix(" clone") }.count == 1)
        #expect(plan.names.filter { $0.hasSuffix(" execute") } == ["init execute"])
        #expect(plan.names.last == "init execute")
        // Nothing of the host's once the container waits, nothing of the init's before it is.
        #expect(plan.steps[wait...].allSatisfy { $0.actor == .`init` })
        #expect(plan.steps[...clone].allSatisfy { $0.actor == .host })
        let hooks = Self.all[index].hooks
        let stops = !hooks.prestart.isEmpty || !hooks.createRuntime.isEmpty
        #expect(
            plan.handovers
                == (stops ? 2 : 0) + (plan.first("map ids") == nil ? 0 : 1))
        for step in plan.steps where !step.place.isEmpty { #expect(step.place.hasPrefix("/")) }
        #expect(plan.state.id == "c1")
        #expect(plan.state.bundle == "/bundle")
    }

    @Test func fixturesAreThere() {
        #expect(Self.all.count == 4 + Self.fixtures.count)
    }

    @Test(arguments: fixtures)
    func whatEnginesWriteIsPlannedWithoutComplaint(_ name: String) throws {
        let config = try fixture(name)
        let plan = try config.plan()
        #expect(plan.warnings.isEmpty)
        #expect(plan.places("mount").count == config.mounts.count)
        #expect(plan.places("mask path").count == config.linux.maskedPaths.count)
        #expect(plan.places("make path read-only").count == config.linux.readonlyPaths.count)
        #expect(plan.process?.args == config.process?.args)
    }

    @Test func withoutAProcessThePlanEndsWaiting() throws {
        let plan = try Config.plain.with { $0.process = nil }.plan()
        #expect(plan.names.last == "init wait for start")
        #expect(plan.process == nil)
        #expect(plan.first("change directory") == nil)
    }

    @Test func optionsChangeThePlan() throws {
        let config = Config.plain
        #expect(try config.plan { $0.listensForStart = false }.first("listen for start") == nil)
        #expect(try config.plan { $0.noNewKeyring = true }.first("new keyring") == nil)
        let noPivot = try config.plan { $0.noPivot = true }
        #expect(noPivot.first("pivot_root") == nil)
        #expect(noPivot.first("move root") != nil)
        let disabled = try config.plan { $0.cgroupManager = .disabled }
        #expect(disabled.first("create cgroup") == nil)
        #expect(disabled.first("join cgroup") == nil)
        let console = try config.with { $0.process?.terminal = true }.plan {
            $0.consoleSocket = "/c.sock"
            $0.detached = true
        }
        #expect(console.summaries("connect") == ["console socket /c.sock"])
    }

    /// The clone starts in its cgroup.
    @Test func onCgroupV2NothingIsJoined() throws {
        let plan = try Config.plain.plan(facts(.v2))
        #expect(plan.first("create cgroup") != nil)
        #expect(plan.first("join cgroup") == nil)
    }
}
