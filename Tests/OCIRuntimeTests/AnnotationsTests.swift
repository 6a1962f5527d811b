import Init
import Spec
import Testing

@testable import OCIRuntime

@Suite struct AnnotationsTests {
    private func plan(
        _ annotations: OrderedMap<String>, _ layout: CgroupLayout = .v2,
        manager: CgroupManager = .cgroupfs, _ edit: (inout Config) -> Void = { _ in }
    ) throws(PlanError) -> Plan {
        var config = Config.plain
        config.annotations = annotations
        edit(&config)
        return try Planner.plan(
            config, facts: facts(layout) { $0.seLinux = { true } },
            options: PlanOptions(id: "c1", bundle: "/bundle", cgroupManager: manager))
    }

    private func index(_ plan: Plan, _ title: String) throws -> Int {
        try #require(plan.steps.firstIndex { $0.title.hasPrefix(title) })
    }

    @Test("the label of mounts is in the option of that type", arguments: [nil, "fscontext"])
    func context(type: String?) throws {
        let annotations: OrderedMap<String> =
            type.map { ["run.oci.mount_context_type": $0] } ?? [:]
        let plan = try plan(annotations) {
            $0.linux.mountLabel = "label"
            $0.mounts = [Mount(destination: "/tmp", type: "tmpfs", source: "tmpfs")]
        }
        let step = try #require(plan.steps.first { $0.place == "/mounts/0" })
        guard case .mount(let mount) = step.action, case .fileSystem(let system) = mount.kind
        else { throw ConfigError("", "no mount") }
        #expect(system.data.contains((type ?? "context") + "=\"label\""))
    }

    @Test("the init leaves for the delegated cgroup after its cgroup namespace is made")
    func delegated() throws {
        let plan = try plan(["run.oci.delegate-cgroup": "/a//./b/"])
        let moves = try index(plan, "enter sub-cgroup /annotations/run.oci.delegate-cgroup (/a/b)")
        #expect(try moves > index(plan, "new namespaces"))
        #expect(try moves < index(plan, "open root"))
    }

    @Test("a subgroup without systemd is ignored with a warning, and without cgroup v2 refused")
    func subgroup() throws {
        let annotations: OrderedMap<String> = ["run.oci.systemd.subgroup": "sub"]
        #expect(try plan(annotations).warnings.contains { $0.contains("systemd.subgroup") })
        #expect(throws: PlanError.self) { try plan(annotations, .classic, manager: .systemd) }
    }

    @Test("files of hooks are opened where there are hooks, from the bundle on")
    func hookOutput() throws {
        let annotations: OrderedMap<String> = ["run.oci.hooks.stderr": "log"]
        #expect(try !plan(annotations).steps.contains { $0.title.contains("hook output") })
        let plan = try plan(annotations) { $0.hooks.prestart = [Hook(path: "/bin/true")] }
        #expect(
            try index(
                plan,
                "open hook output /annotations/run.oci.hooks.stderr (stderr /bundle/log)")
                < index(plan, "clone"))
    }

    @Test(
        "base64", arguments: [("", []), ("AQ==", [1]), ("AQI=", [1, 2]), ("/+8A", [255, 239, 0])])
    func base64(text: String, bytes: [UInt8]) {
        #expect(decodedBase64(text) == bytes)
    }

    @Test("what is no base64", arguments: ["A", "AQ", "AQ=", "A===", "AQ==AQ==", "A Q=", "é==="])
    func notBase64(text: String) { #expect(decodedBase64(text) == nil) }
}
