import Init
import Spec
import Testing

@testable import OCIRuntime

/// Namespaces, devices, ids and capabilities.
@Suite struct PlannerNamespaces {
    private func clone(_ plan: Plan) throws -> (new: [NamespaceType], join: [NamespaceType]) {
        guard case .clone(let new, let join, _)? = plan.step("clone")?.action else {
            throw ConfigError(place: "", message: "no clone")
        }
        return (new, join)
    }

    private func joins(_ plan: Plan) -> [NamespaceType] {
        guard case .joinNamespaces(let types)? = plan.step("join namespaces")?.action else {
            return []
        }
        return types
    }

    private func config(_ namespaces: [(NamespaceType, String?)]) -> Config {
        Config.plain.with {
            $0.linux.namespaces = namespaces.map { Namespace(type: $0.0, path: $0.1) }
        }
    }

    @Test func newOnesAreClonedButTheCgroupNamespace() throws {
        let plan = try Config.plain.plan()
        #expect(try clone(plan).new == [.mount, .pid, .network, .ipc, .uts])
        #expect(try clone(plan).join.isEmpty)
        #expect(plan.first("new namespaces") != nil)
    }

    @Test func joinedOnesAreOpenedAndJoined() throws {
        let plan = try config([
            (.mount, nil), (.network, "/n"), (.ipc, "/i"), (.pid, "/p"), (.time, "/t"),
        ]).plan()
        #expect(
            plan.summaries("open namespace") == ["network /n", "ipc /i", "pid /p", "time /t"])
        #expect(plan.places("open namespace").first == "/linux/namespaces/1")
        // Those that take in children only must be entered before the clone.
        #expect(try clone(plan) == ([.mount], [.pid, .time]))
        #expect(joins(plan) == [.network, .ipc])
        // The loopback of a joined network is not ours to touch.
        #expect(plan.first("bring up loopback") == nil)
    }

    /// New namespaces belong to the user namespace that is there when they are made.
    @Test func allAreJoinedBeforeTheCloneBesideAUserNamespace() throws {
        let joined = try config([(.user, "/u"), (.network, "/n"), (.mount, nil), (.pid, nil)])
            .plan()
        #expect(try clone(joined) == ([.mount, .pid], [.user, .network]))
        #expect(joins(joined).isEmpty)
        #expect(joined.first("map ids") == nil)
        #expect(joined.first("become root") != nil)
        let new = try Config.mapped.with {
            $0.linux.namespaces.removeAll { $0.type == .network }
            $0.linux.namespaces.append(Namespace(type: .network, path: "/n"))
        }.plan()
        #expect(try clone(new).join == [.network])
        #expect(joins(new).isEmpty)
    }

    @Test func withoutARootTheProgramsUserBuilds() throws {
        let config = Config.mapped.with {
            $0.linux.uidMappings = [IDMapping(containerID: 1000, hostID: 100_000, size: 10)]
            $0.linux.gidMappings = $0.linux.uidMappings
            $0.process?.user = User(uid: 1001, gid: 1002)
            $0.linux.devices = [Device(path: "/dev/p", type: .fifo, major: 0, minor: 0)]
        }
        let plan = try config.plan()
        guard case .becomeNamespaceRoot(let builder)? = plan.step("become root")?.action else {
            throw ConfigError(place: "", message: "no step")
        }
        #expect(builder == NamespaceBuilder(uid: 1001, gid: 1002))
        guard case .makeDevice(let device)? = plan.step("make device")?.action else {
            throw ConfigError(place: "", message: "no step")
        }
        #expect(device.uid == 1001 && device.gid == 1002)
    }

    /// The init of a created container is not dumpable: only CAP_SYS_PTRACE reaches its namespaces.
    @Test func withoutTracingTheInitHandsItsNamespacesOut() throws {
        let types: [NamespaceType] = [.pid, .network, .mount, .ipc, .uts, .user, .cgroup]
        let plan = try Config.mapped.plan(
            facts { $0.permitted &= ~Capability.sysPtrace.mask })
        guard case .listenForExec(let listed)? = plan.step("listen for exec")?.action else {
            throw ConfigError(place: "", message: "no step")
        }
        #expect(listed == types)
        #expect(try Config.mapped.plan().step("listen for exec") == nil)
    }

    @Test func aNewUserNamespaceIsMappedByTheHost() throws {
        let plan = try Config.mapped.plan()
        let clone = try #require(plan.first("clone"))
        #expect(plan.names[clone + 1] == "host map ids")
        #expect(plan.first("become root") != nil)
    }

    /// Only the host may lower the score then; the clone inherits it.
    @Test func theOOMScoreIsSetByWhoeverMay() throws {
        let plain = try Config.plain.with { $0.process?.oomScoreAdj = -5 }.plan()
        #expect(plain.step("set oom_score_adj")?.actor == .`init`)
        let mapped = try Config.mapped.with { $0.process?.oomScoreAdj = -5 }.plan()
        #expect(mapped.step("set oom_score_adj")?.actor == .host)
        let score = try #require(mapped.first("set oom_score_adj"))
        let clone = try #require(mapped.first("clone"))
        #expect(score < clone)
    }

    @Test func timeOffsets() throws {
        let plan = try Config.plain.with {
            $0.linux.namespaces.append(Namespace(type: .time))
            $0.linux.timeOffsets = ["monotonic": TimeOffset(secs: 7), "boottime": TimeOffset()]
        }.plan()
        guard case .clone(_, _, let offsets)? = plan.step("clone")?.action else { return }
        #expect(offsets.map(\.clock) == ["monotonic", "boottime"])
        #expect(offsets.first?.offset.secs == 7)
    }

    @Test func withoutAMountNamespace() throws {
        let plan = try config([(.pid, nil)]).with {
            $0.root?.readonly = true
            $0.mounts = [Mount(destination: "/p", type: "proc")]
        }.plan()
        #expect(plan.summaries("open root") == ["/bundle/rootfs"])
        let steps = ["open root", "mount", "make device", "make root read-only", "chroot"]
        let places = try steps.map { try #require(plan.first($0), "\($0)") }
        #expect(places == places.sorted())
        for name in ["pivot_root", "set propagation"] { #expect(plan.first(name) == nil) }
    }

    @Test(
        arguments: [
            (nil, "rslave", nil), (.slave, "rslave", nil), (.rprivate, "rprivate", nil),
            (.shared, "shared", "shared"),
            // Bind mounts are still to be made from the copies of the host's.
            (.runbindable, "rslave", "runbindable"),
        ] as [(RootfsPropagation?, String, String?)])
    func rootPropagation(
        _ propagation: RootfsPropagation?, _ before: String, _ after: String?
    ) throws {
        let plan = try Config.plain.with { $0.linux.rootfsPropagation = propagation }.plan()
        #expect(plan.summaries("set propagation") == [before])
        #expect(plan.summaries("set root propagation") == (after.map { [$0] } ?? []))
    }

    @Test func sysctls() throws {
        let plan = try Config.plain.with {
            $0.linux.sysctl = [
                "net.ipv4.conf.eth0/1.forwarding": "1", "kernel/shmmax": "2",
                "fs.mqueue.msg_max": "3", "kernel.domainname": "d",
            ]
        }.plan()
        #expect(
            plan.summaries("set sysctl") == [
                "net/ipv4/conf/eth0.1/forwarding = 1", "kernel/shmmax = 2",
                "fs/mqueue/msg_max = 3", "kernel/domainname = d",
            ])
        #expect(plan.places("set sysctl")[1] == "/linux/sysctl/kernel~1shmmax")
    }

    // MARK: Devices

    @Test(arguments: [false, true])
    func devices(_ inUserNamespace: Bool) throws {
        let plan = try Config.plain.with {
            $0.linux.devices = [
                Device(path: "/dev//null", type: .character, major: 1, minor: 3, fileMode: 0o20600),
                Device(path: "/dev/ptmx", type: .character, major: 5, minor: 2),
                Device(path: "/dev/pipe", type: .fifo),
            ]
        }.plan(facts { $0.inUserNamespace = inUserNamespace })
        // mknod(2) makes but FIFOs in a user namespace.
        #expect(
            plan.summaries(inUserNamespace ? "bind device" : "make device").prefix(6) == [
                "/dev/zero c 1:5 0666", "/dev/full c 1:7 0666", "/dev/random c 1:8 0666",
                "/dev/urandom c 1:9 0666", "/dev/tty c 5:0 0666", "/dev//null c 1:3 0600",
            ])
        #expect(plan.summaries("make device").last == "/dev/pipe p 0666")
        #expect(plan.summaries("make link").count == 6)
    }

    @Test(arguments: ["/dev", "/dev/", "//dev/.", "/x/../dev"])
    func aBoundDevIsLeftAsItIs(_ path: String) throws {
        let mount = Mount(destination: path, source: "/dev", options: ["rbind"])
        let plan = try Config.plain.with { $0.mounts = [mount] }.plan()
        #expect(plan.first("make device") == nil)
        #expect(plan.first("make link") == nil)
    }

    @Test(arguments: ["/device", "/dev/shm", "/de", "/", "/dev/x/.."])
    func otherPathsAreNotDev(_ path: String) {
        #expect(isDev(path) == (path == "/dev/x/.."))
    }

    // MARK: Capabilities

    private func identity(
        _ capabilities: Capabilities, _ facts: HostFacts = facts(), _ config: Config = .plain
    ) throws -> (sets: CapabilitySets, warnings: [String]) {
        let plan = try config.with { $0.process?.capabilities = capabilities }.plan(facts)
        return (try #require(plan.identity?.capabilities), plan.warnings)
    }

    @Test(arguments: Capability.allCases)
    func everyCapability(_ capability: Capability) throws {
        let name = [capability.name]
        let (sets, warnings) = try identity(
            Capabilities(
                bounding: name, effective: name, inheritable: name, permitted: name, ambient: name))
        let mask: UInt64 = 1 << UInt64(capability.rawValue)
        #expect(
            sets
                == CapabilitySets(
                    bounding: mask, effective: mask, inheritable: mask, permitted: mask,
                    ambient: mask))
        #expect(warnings.isEmpty)
    }

    @Test func whatTheHostCannotGrantIsLeftOut() throws {
        let wanted = ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_NO_SUCH_THING"]
        let all = Capabilities(
            bounding: wanted, effective: wanted, inheritable: wanted, permitted: wanted,
            ambient: wanted)
        let poor = facts {
            $0.permitted &= ~(1 << 24)
            $0.bounding &= ~(1 << 24)
        }
        let (sets, warnings) = try identity(all, poor)
        #expect(
            sets
                == CapabilitySets(
                    bounding: 1, effective: 1, inheritable: 1, permitted: 1, ambient: 1))
        #expect(
            warnings == [
                "/process/capabilities: left out what cannot be granted: CAP_SYS_RESOURCE"
            ])
        // A user namespace of its own grants all.
        #expect(try identity(all, poor, .mapped).sets.bounding == 1 << 24 | 1)
    }

    /// capabilities(7): effective within permitted, ambient within permitted and inheritable.
    @Test func setsStayWithinEachOther() throws {
        let (sets, warnings) = try identity(
            Capabilities(
                effective: ["CAP_CHOWN", "CAP_KILL"], inheritable: ["CAP_KILL"],
                permitted: ["CAP_CHOWN"], ambient: ["CAP_CHOWN", "CAP_KILL"]))
        #expect(sets.effective == 1)
        #expect(sets.ambient == 0)
        #expect(warnings.count == 1)
    }

    @Test func anOlderKernelsCapabilities() throws {
        let old = facts { $0.lastCapability = 37 }
        #expect(try identity(Capabilities(bounding: ["CAP_BPF"]), old).sets.bounding == 0)
    }

    @Test func groups() throws {
        let config = Config.plain.with {
            $0.process?.user = User(uid: 1, gid: 2, additionalGids: [3])
        }
        #expect(
            try config.plan().identity
                == IdentityPlan(uid: 1, gid: 2, groups: [3], capabilities: CapabilitySets()))
        let own = [IDMapping(containerID: 0, hostID: 1000, size: 1)]
        let rootless = Config.mapped.with {
            $0.linux.uidMappings = own
            $0.linux.gidMappings = own
        }
        #expect(try rootless.plan(ordinaryUser()).identity?.groups == nil)
        // newgidmap(1) keeps setgroups(2).
        let ranges = Config.mapped.with { $0.process?.user.additionalGids = [3] }
        #expect(try ranges.plan(ordinaryUser()).identity?.groups == [3])
    }
}
