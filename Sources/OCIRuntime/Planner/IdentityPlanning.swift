import Init
import Spec

/// Who the program runs as, and with which capabilities.
extension Planner {
    func identityGroups(of user: User) throws(PlanError) -> [UInt32]? {
        if annotations.keepsGroups { return nil }
        guard deniesSetgroups else { return user.additionalGids }
        if !user.additionalGids.isEmpty {
            throw PlanError(
                "/process/user/additionalGids",
                "cannot set any additional groups in a rootless container",
                hint: options.idLack ?? "map more group ids with newgidmap, or run as root")
        }
        return nil
    }

    /// An ordinary user that maps only its own group must give up `setgroups(2)`
    /// (user_namespaces(7)); with more groups, newgidmap writes the map and the right stays.
    private var deniesSetgroups: Bool {
        if facts.inUserNamespace && facts.setgroupsDenied() { return true }
        guard namespaces.isNew(.user), !facts.has(.setgid) else { return false }
        let mappings = config.linux.gidMappings
        return mappings.count == 1 && mappings[0].size == 1
    }

    mutating func identity(of process: Process) throws(PlanError) -> IdentityPlan {
        let user = process.user
        if namespaces.isNew(.user) { try checkMapped(user) }
        return IdentityPlan(
            uid: user.uid, gid: user.gid, groups: try identityGroups(of: user),
            groupsMayBeDenied: hasUserNamespace,
            capabilities: grant(process.capabilities ?? Capabilities()))
    }

    /// Enters the user namespace for good.
    mutating func becomeNamespaceRoot(_ process: Process?) {
        guard hasUserNamespace else { return }
        let other = builder(for: process)
        `init`("/linux/namespaces", .becomeNamespaceRoot(otherwise: other))
    }

    /// Without a root it is the program's user, as crun has it; of a container without a program, whoever
    /// is mapped first.
    private func builder(for process: Process?) -> NamespaceBuilder {
        NamespaceBuilder(
            uid: process?.user.uid ?? config.linux.uidMappings.first?.containerID ?? 0,
            gid: process?.user.gid ?? config.linux.gidMappings.first?.containerID ?? 0)
    }

    /// Whose the container's devices are.
    var deviceOwner: NamespaceBuilder {
        let other = builder(for: config.process)
        guard namespaces.isNew(.user) else { return NamespaceBuilder(uid: 0, gid: 0) }
        return NamespaceBuilder(
            uid: config.linux.uidMappings.maps(0) ? 0 : other.uid,
            gid: config.linux.gidMappings.maps(0) ? 0 : other.gid)
    }

    private func checkMapped(_ user: User) throws(PlanError) {
        try checkMapped(user: user.uid, "/process/user/uid")
        try checkMapped(group: user.gid, "/process/user/gid")
        if annotations.keepsGroups { return }
        for (index, gid) in user.additionalGids.enumerated() {
            try checkMapped(group: gid, "/process/user/additionalGids/" + String(index))
        }
    }

    private func checkMapped(user id: UInt32, _ place: String) throws(PlanError) {
        if config.linux.uidMappings.maps(id) { return }
        throw PlanError(place, "\(id) is not in /linux/uidMappings", hint: options.idLack)
    }

    private func checkMapped(group id: UInt32, _ place: String) throws(PlanError) {
        if config.linux.gidMappings.maps(id) { return }
        throw PlanError(place, "\(id) is not in /linux/gidMappings", hint: options.idLack)
    }

    /// To a new user namespace's kernel an owner of a file system that has no id there is an invalid
    /// option: here it has a place and a reason.
    func checkMountOwners() throws(PlanError) {
        for (index, mount) in config.mounts.enumerated()
        where mount.type == "devpts" || mount.type == "tmpfs" {
            for (option, text) in mount.options.enumerated() {
                let place = "/mounts/" + String(index) + "/options/" + String(option)
                if let id = number(text, after: "uid=") { try checkMapped(user: id, place) }
                if let id = number(text, after: "gid=") { try checkMapped(group: id, place) }
            }
        }
    }

    private func number(_ option: String, after key: String) -> UInt32? {
        guard option.utf8.starts(with: key.utf8) else { return nil }
        return UInt32(String(Substring(option.utf8.dropFirst(key.utf8.count))))
    }

    /// The sets as far as the host grants them: what it cannot grant is a warning, not an error
    /// (config.md, Linux Process).
    private mutating func grant(_ wanted: Capabilities) -> CapabilitySets {
        // Shifted by 64 or more it is 0, and all bits are known.
        let known: UInt64 = (2 << UInt64(facts.lastCapability)) &- 1
        let permittable = hasUserNamespace ? known : facts.permitted & known
        let boundable = hasUserNamespace ? known : facts.bounding & known
        var refused: [String] = []
        var sets = CapabilitySets()
        sets.bounding = mask(wanted.bounding, of: boundable, &refused)
        sets.permitted = mask(wanted.permitted, of: permittable, &refused)
        sets.inheritable = mask(wanted.inheritable, of: permittable, &refused)
        sets.effective = mask(wanted.effective, of: sets.permitted, &refused)
        sets.ambient = mask(wanted.ambient, of: sets.permitted & sets.inheritable, &refused)
        if !refused.isEmpty {
            warn(
                "/process/capabilities",
                "left out what cannot be granted: " + refused.joined(separator: ", "))
        }
        return sets
    }

    private func mask(
        _ names: [String], of grantable: UInt64, _ refused: inout [String]
    ) -> UInt64 {
        var mask: UInt64 = 0
        for name in names {
            // Names that nobody knows have been warned about when the config was read.
            guard let bit = Capability(name: name)?.mask else { continue }
            if grantable & bit != 0 {
                mask |= bit
            } else if !refused.contains(name) {
                refused.append(name)
            }
        }
        return mask
    }
}

extension [IDMapping] {
    /// Whether an id of the container has one on the host.
    func maps(_ id: UInt32) -> Bool { hostID(of: id) != nil }

    /// The host's id of one of the container's.
    func hostID(of id: UInt32) -> UInt32? {
        for mapping in self
        where mapping.containerID <= id && id - mapping.containerID < mapping.size {
            let (host, overflow) = mapping.hostID.addingReportingOverflow(id - mapping.containerID)
            return overflow ? nil : host
        }
        return nil
    }
}
