import Init
import Spec
import Sys

@testable import OCIRuntime

/// A host with the classic hierarchies and one with cgroup v2.
extension CgroupLayout {
    static let classic = CgroupLayout(
        hierarchies: ["memory", "cpu,cpuacct", "devices", "pids", "freezer", "name=systemd"].map {
            Hierarchy(
                controllers: $0,
                mountPoint: "/sys/fs/cgroup/" + ($0 == "name=systemd" ? "systemd" : $0), own: "/")
        }, unified: nil)
    static let v2 = CgroupLayout(
        hierarchies: [],
        unified: Hierarchy(controllers: "", mountPoint: "/sys/fs/cgroup", own: "/"),
        unifiedControllers: ["memory", "cpu", "pids", "io", "cpuset", "hugetlb"])
}

/// Root on a plain host, unless told otherwise.
func facts(
    _ layout: CgroupLayout = .classic, _ edit: (inout HostFacts) -> Void = { _ in }
) -> HostFacts {
    var facts = HostFacts(cgroups: { layout })
    edit(&facts)
    return facts
}

/// An ordinary user.
func ordinaryUser() -> HostFacts {
    facts {
        $0.euid = 1000
        $0.egid = 1000
        $0.permitted = 0
    }
}

extension Config {
    /// All namespaces but user and time, a process, nothing else.
    static var plain: Config {
        var config = Config(root: Root(path: "rootfs"), process: Process(args: ["true"]))
        config.linux.namespaces = [.mount, .pid, .network, .ipc, .uts, .cgroup].map {
            Namespace(type: $0)
        }
        return config
    }

    /// The same in a user namespace.
    static var mapped: Config {
        var config = plain
        config.linux.namespaces.append(Namespace(type: .user))
        config.linux.uidMappings = [IDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        config.linux.gidMappings = config.linux.uidMappings
        return config
    }

    func with(_ edit: (inout Config) -> Void) -> Config {
        var config = self
        edit(&config)
        return config
    }

    func plan(
        _ facts: HostFacts = facts(), _ edit: (inout PlanOptions) -> Void = { _ in }
    ) throws(ConfigError) -> Plan {
        var options = PlanOptions(id: "c1", bundle: "/bundle", listensForStart: true)
        edit(&options)
        return try Planner.plan(self, facts: facts, options: options)
    }
}

extension Plan {
    /// `actor name`, in order.
    var names: [String] { steps.map { $0.actor.rawValue + " " + $0.action.name } }

    func first(_ name: String) -> Int? { steps.firstIndex { $0.action.name == name } }

    func step(_ name: String) -> Step? { steps.first { $0.action.name == name } }

    func places(_ name: String) -> [String] {
        steps.filter { $0.action.name == name }.map(\.place)
    }

    func summaries(_ name: String) -> [String] {
        steps.filter { $0.action.name == name }.map(\.action.summary)
    }

    /// The plan of the mount at `index`.
    func mount(_ index: Int) -> MountPlan? {
        for step in steps {
            if case .mount(let mount) = step.action, mount.index == index { return mount }
        }
        return nil
    }

    var identity: IdentityPlan? {
        for step in steps { if case .setIdentity(let identity) = step.action { return identity } }
        return nil
    }

    /// How often the work goes from host to init or back; the clone itself is none.
    var handovers: Int {
        zip(steps, steps.dropFirst()).count { step, next in
            if case .clone = step.action { return false }
            return step.actor != next.actor
        }
    }
}

/// A config that an engine wrote, from the conformance fixtures.
func fixture(_ name: String) throws -> Config {
    let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let config = try Config(
        parsing: try readFile("/" + tests + "/conformance/fixtures/" + name))
    _ = try config.validate()
    return config
}
