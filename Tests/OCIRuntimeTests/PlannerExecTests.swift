import Init
import Spec
import Testing

@testable import OCIRuntime

@Suite struct PlannerExec {
    private func plan(
        _ process: Process = Process(args: ["sh"]), in config: Config = .plain,
        _ facts: HostFacts = facts(), _ edit: (inout PlanOptions) -> Void = { _ in }
    ) throws -> Plan {
        var options = PlanOptions(id: "c1", bundle: "/bundle")
        edit(&options)
        return try Planner.plan(executing: process, in: config, facts: facts, options: options)
    }

    @Test func aPlainProcess() throws {
        #expect(
            try plan().names == [
                "host open cgroup", "host clone", "init join cgroup", "init reset CPU affinity",
                "init join namespaces",
                "init new keyring", "init change directory", "init find executable",
                "init new session", "init set identity", "init execute",
            ])
    }

    /// CAP_SYS_PTRACE reaches whatever it sees.
    @Test func whereItCouldBeTracedItIsSeenLast() throws {
        let config = Config.plain.with {
            $0.process?.capabilities = Capabilities(bounding: ["CAP_SYS_PTRACE"])
        }
        #expect(
            try plan(in: config).names == [
                "host open cgroup", "host clone", "init join cgroup", "init reset CPU affinity",
                "init join namespaces",
                "init new keyring", "init change directory", "init find executable",
                "init set identity", "init enter pid namespace", "init new session",
                "init execute",
            ])
        let filtered = config.with { $0.linux.seccomp = Seccomp(defaultAction: .allow) }
        let names = try plan(in: filtered).names
        #expect(
            names.suffix(5) == [
                "init enter pid namespace", "init new session", "init apply seccomp",
                "init set identity", "init execute",
            ])
        let mapped = Config.mapped.with {
            $0.process?.capabilities = Capabilities(bounding: ["CAP_SYS_PTRACE"])
        }
        #expect(try plan(in: mapped).first("enter pid namespace") == nil)
    }

    @Test func nothingIsMadeAndNobodyWaits() throws {
        let config = try fixture("docker-default.json")
        let plan = try plan(in: config)
        for name in [
            "create cgroup", "set cgroup", "mount", "make device", "pivot_root", "wait for start",
            "run hook", "set hostname", "set sysctl", "mask path", "bring up loopback",
        ] {
            #expect(plan.first(name) == nil)
        }
        // The container's filter holds for this process too.
        #expect(plan.first("load seccomp") != nil)
        #expect(plan.first("apply seccomp") != nil)
        #expect(plan.process?.args == ["sh"])
        #expect(plan.later.isEmpty)
    }

    @Test func namespaces() throws {
        let plan = try plan()
        #expect(plan.summaries("clone") == ["no new namespaces; inside the joined pid"])
        #expect(
            plan.summaries("join namespaces") == ["network, mount, ipc, uts, cgroup"])
        // Without rights the user namespace gives them.
        let rootless = try self.plan(in: .mapped, ordinaryUser())
        #expect(rootless.first("join namespaces") == nil)
        #expect(rootless.summaries("clone").first?.contains("user") == true)
    }

    @Test func theProcessIsItsOwn() throws {
        var process = Process(
            terminal: true, user: User(uid: 5, gid: 6, umask: 0o77), args: ["sh"], cwd: "/tmp",
            rlimits: [Rlimit(type: .core, soft: 0, hard: 0)], noNewPrivileges: true,
            oomScoreAdj: 3)
        process.execCPUAffinity = ExecCPUAffinity(initial: "0", final: "0-1")
        let plan = try plan(process) {
            $0.consoleSocket = "/c"
            $0.detached = true
        }
        #expect(plan.summaries("connect") == ["console socket /c"])
        #expect(plan.summaries("set CPU affinity") == ["0", "0-1"])
        #expect(plan.summaries("change directory") == ["/tmp"])
        #expect(plan.summaries("set umask") == ["077"])
        #expect(plan.identity?.uid == 5)
        let initial = try #require(plan.first("set CPU affinity"))
        let clone = try #require(plan.first("clone"))
        #expect(initial < clone)
        #expect(plan.first("set no_new_privs") != nil)
        #expect(plan.first("open console") != nil)
    }

    @Test func withoutAMountNamespaceTheRootIsChanged() throws {
        let config = Config.plain.with { $0.linux.namespaces = [Namespace(type: .pid)] }
        #expect(try plan(in: config).first("chroot") != nil)
        #expect(try plan().first("chroot") == nil)
    }

    @Test func refusals() throws {
        let terminal = Process(terminal: true, args: ["sh"])
        let error = try #require(throws: ConfigError.self) {
            try plan(terminal) { $0.detached = true }
        }
        #expect(error.place == "/process/terminal")
    }
}
