import Init
import Spec
import Testing

@testable import OCIRuntime

@Suite struct PlannerLiveMounts {
    private let data = Mount(destination: "/data", source: "/s", options: ["bind"])
    private let scratch = Mount(destination: "/t", type: "tmpfs")

    private func plan(
        _ mounts: [Mount], in config: Config = .plain, _ host: HostFacts = facts()
    ) throws(PlanError) -> Plan {
        try Planner.plan(
            adding: mounts, to: config, facts: host,
            options: PlanOptions(id: "c", bundle: "/bundle"))
    }

    @Test func theHostOpensWhatTheContainerCannotSee() throws {
        let plan = try plan([scratch, data])
        #expect(
            plan.names == [
                "host open mount source", "host clone", "init join namespaces", "init chroot",
                "init mount", "init mount", "init wait for start",
            ])
        #expect(plan.places("open mount source") == ["/mounts/1"])
        #expect(plan.mount(0)?.destination == "/t")
        #expect(plan.mount(1)?.sourceIsOpen == true)
        // A new procfs is to be that of the container's pid namespace.
        #expect(plan.summaries("clone") == ["no new namespaces; inside the joined pid"])
        #expect(try self.plan([data], in: .mapped).first("become root") != nil)
    }

    @Test func removing() throws {
        let plan = try Planner.plan(
            removing: [data, scratch], from: .plain, facts: facts(),
            options: PlanOptions(id: "c", bundle: "/bundle"))
        #expect(
            plan.names == [
                "host clone", "init join namespaces", "init chroot", "init unmount",
                "init unmount", "init wait for start",
            ])
        #expect(plan.step("unmount")?.action.subject == "/data")
    }

    @Test func refusals() {
        let shared = Config.plain.with { $0.linux.namespaces.removeAll { $0.type == .mount } }
        #expect(throws: PlanError.self) { try plan([scratch], in: shared) }
        #expect(throws: PlanError.self) { try plan([scratch], in: .plain, ordinaryUser()) }
        #expect(throws: PlanError.self) { try plan([Mount(destination: "/c", type: "cgroup")]) }
        for root in ["/", "//", ".", "/../", ""] {
            #expect(throws: PlanError.self, "\(root)") {
                try plan([Mount(destination: root, type: "tmpfs")])
            }
        }
    }
}
