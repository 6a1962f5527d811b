import Init
import Spec

/// What a valid config may still not ask for: of this host, or with these options.
extension Planner {
    mutating func check() throws(PlanError) {
        try checkNetDevices()
        try checkUserNamespace()
        if !namespaces.has(.mount) { try checkWithoutMountNamespace() }
        if options.noPivot, let propagation = config.linux.rootfsPropagation,
            propagation == .private || propagation == .rprivate
        {
            throw PlanError(
                "/linux/rootfsPropagation",
                "\(propagation.rawValue) is not safe without pivot_root",
                hint: "leave out --no-pivot")
        }
    }

    private func checkNetDevices() throws(PlanError) {
        guard let first = config.linux.netDevices.entries.first,
            let path = namespaces.path(.network), facts.isOwnNamespace(.network, path)
        else { return }
        throw PlanError(
            "/linux/netDevices/" + escapePointer(first.key),
            "has nowhere to go: the joined network namespace is the runtime's own")
    }

    private mutating func checkUserNamespace() throws(PlanError) {
        if namespaces.isNew(.user) { return try checkMountOwners() }
        if namespaces.isJoined(.user) {
            // Engines write both; what counts is what the namespace has (runc takes it, too).
            if !config.linux.uidMappings.isEmpty || !config.linux.gidMappings.isEmpty {
                warn("/linux/uidMappings", "ignored: the joined user namespace has its own")
            }
        } else if !isPrivileged {
            throw PlanError(
                "/linux/namespaces", "rootless container requires user namespaces",
                hint: "swrunc spec --rootless writes such a config")
        }
    }

    /// Its mounts are a copy that is finished before the change of root.
    private func checkWithoutMountNamespace() throws(PlanError) {
        let place: String? =
            if !config.linux.maskedPaths.isEmpty {
                "/linux/maskedPaths/0"
            } else if !config.linux.readonlyPaths.isEmpty {
                "/linux/readonlyPaths/0"
            } else if config.linux.rootfsPropagation != nil {
                "/linux/rootfsPropagation"
            } else {
                nil
            }
        if let place {
            throw PlanError(
                place, "needs a new mount namespace",
                hint: "add {\"type\": \"mount\"} to /linux/namespaces")
        }
    }
}
