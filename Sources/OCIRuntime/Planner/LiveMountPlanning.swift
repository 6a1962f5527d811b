import Init
import Spec

/// Mounts of a container that exists already (crun's `mounts add` and `mounts remove`).
///
/// What the host has is opened by the host; a process that enters the container's namespaces resolves
/// the destinations beneath the container's root and attaches to what it found, as at `create`.
extension Planner {
    /// The plan that adds `mounts`, which are those of a config, found valid.
    package static func plan(
        adding mounts: [Mount], to config: Config, facts: HostFacts, options: PlanOptions
    ) throws(PlanError) -> Plan {
        var config = config
        config.mounts = mounts
        var planner = try Planner(config, facts, options)
        planner.isLive = true
        for (index, mount) in mounts.enumerated() { try planner.checkLive(mount, index) }
        try planner.checkLive()
        try planner.openMountSources()
        planner.enterRoot()
        for index in mounts.indices {
            planner.`init`("/mounts/" + String(index), .mount(try planner.mountPlan(index)))
        }
        planner.`init`("", .waitForStart)
        return planner.plan(process: nil)
    }

    /// The plan that removes what is mounted at the destinations of `mounts`.
    package static func plan(
        removing mounts: [Mount], from config: Config, facts: HostFacts, options: PlanOptions
    ) throws(PlanError) -> Plan {
        var planner = try Planner(config, facts, options)
        for (index, mount) in mounts.enumerated() { try planner.checkLive(mount, index) }
        try planner.checkLive()
        planner.enterRoot()
        for (index, mount) in mounts.enumerated() {
            planner.`init`(
                "/mounts/" + String(index), .unmount(path: planner.absolute(mount.destination)))
        }
        planner.`init`("", .waitForStart)
        return planner.plan(process: nil)
    }

    private func checkLive() throws(PlanError) {
        guard isPrivileged else {
            throw PlanError("", "only root may change the mounts of a running container")
        }
        guard namespaces.has(.mount) else {
            throw PlanError(
                "/linux/namespaces", "the container has no mount namespace of its own",
                hint: "its mounts would be the host's")
        }
    }

    private func checkLive(_ mount: Mount, _ index: Int) throws(PlanError) {
        let place = "/mounts/" + String(index)
        if mount.destination.utf8.split(separator: UInt8(ascii: "/"))
            .allSatisfy({ $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) })
        {
            throw PlanError(
                place + "/destination", "is the root, which is in use in a running container")
        }
        if mount.type == "cgroup" {
            throw PlanError(
                place + "/type", "cgroup is made up from the host's hierarchies, at create only")
        }
    }

    private mutating func enterRoot() {
        let joins = joins
        host("/linux/namespaces", .clone(new: [], join: joins.beforeClone, timeOffsets: []))
        if !joins.afterwards.isEmpty {
            `init`("/linux/namespaces", .joinNamespaces(joins.afterwards))
        }
        becomeNamespaceRoot(config.process)
        // Whoever enters a mount namespace stands in its root (setns(2)).
        `init`("", .changeRoot)
    }
}
