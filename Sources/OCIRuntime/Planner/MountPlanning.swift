import Init
import Spec

/// One entry of `mounts` after the other (config.md, Mounts).
extension Planner {
    mutating func mountPlan(_ index: Int) throws(PlanError) -> MountPlan {
        let mount = config.mounts[index]
        let options = MountOptions(mount)
        let place = "/mounts/" + String(index)
        try checkOptions(options, mount, place)
        var plan = MountPlan(
            index: index, destination: absolute(mount.destination),
            kind: try kind(of: mount, options, place))
        plan.setting = options.setting
        plan.clearing = options.clearing
        plan.recursiveSetting = options.recursiveSetting
        plan.recursiveClearing = options.recursiveClearing
        plan.propagation = options.propagation
        plan.copyUp = options.copyUp
        let opens = opensSource(mount, options)
        if options.idMap(of: mount) != nil { _ = try idMappings(of: mount, place) }
        plan.idMap = opens ? nil : options.idMap(of: mount)
        plan.sourceNoFollow = options.sourceNoFollow
        plan.destinationNoFollow = options.destinationNoFollow
        plan.copySymlink = options.copySymlink
        plan.sourceIsOpen = opens
        return plan
    }

    /// A relative destination is relative to `/` (config.md, Mounts).
    func absolute(_ destination: String) -> String {
        destination.utf8.first == UInt8(ascii: "/") ? destination : "/" + destination
    }

    private mutating func kind(
        of mount: Mount, _ options: MountOptions, _ place: String
    ) throws(PlanError) -> MountPlan.Kind {
        if let path = annotations.systemdHierarchy, path.utf8.elementsEqual(mount.destination.utf8)
        {
            return .cgroup(.systemdOnly(readOnly: options.isReadOnly))
        }
        if options.isRemount { return .remount(superblock: remounted(mount, options)) }
        if options.isBind(mount) {
            return .bind(
                source: try bindSource(mount, place), recursive: options.isRecursiveBind)
        }
        guard let type = mount.type, !type.isEmpty else {
            throw PlanError(
                place + "/type", "is required for what is not a bind mount",
                hint: "give a type, or the option bind or rbind")
        }
        if type == "cgroup" {
            return .cgroup(try cgroupMount(options, place))
        }
        return .fileSystem(fileSystem(type, mount, options))
    }

    private func fileSystem(
        _ type: String, _ mount: Mount, _ options: MountOptions
    ) -> FileSystemPlan {
        var plan = FileSystemPlan(
            type: type, source: mount.source,
            superblockFlags: options.superblockFlags(isRemount: options.isRemount),
            classicFlags: options.classicFlags, data: options.data)
        if let label = config.linux.mountLabel, takesLabel(type), facts.seLinux() {
            plan.data.append(annotations.mountContext + "=\"" + label + "\"")
        }
        return plan
    }

    /// procfs and sysfs label their own files; an mqueue has one instance per namespace.
    private func takesLabel(_ type: String) -> Bool {
        type != "proc" && type != "sysfs" && type != "mqueue"
    }

    /// nil where only the attributes of the mount change, as with `bind,remount`.
    private func remounted(_ mount: Mount, _ options: MountOptions) -> FileSystemPlan? {
        if options.isBind(mount) { return nil }
        return fileSystem(mount.type ?? "none", mount, options)
    }

    /// Absolute, or relative to the bundle.
    func bindSource(_ mount: Mount, _ place: String) throws(PlanError) -> String {
        guard let source = mount.source, !source.isEmpty else {
            throw PlanError(place + "/source", "is required for a bind mount")
        }
        return source.below(options.bundle)
    }

    /// Options that would be understood wrongly or not at all.
    private mutating func checkOptions(
        _ options: MountOptions, _ mount: Mount, _ place: String
    ) throws(PlanError) {
        if options.copySymlink && (options.sourceNoFollow || options.destinationNoFollow) {
            throw PlanError(
                place + "/options",
                "copy-symlink cannot be combined with src-nofollow or dest-nofollow")
        }
        if options.isBind(mount) && !options.isRemount {
            let ignored = options.data + options.superblockNamesOfBind
            if !ignored.isEmpty {
                warn(
                    place + "/options",
                    "a bind mount has its source's file system, so this does nothing: "
                        + ignored.joined(separator: ","))
            }
        }
        if options.copyUp && mount.type != "tmpfs" {
            warn(place + "/options", "tmpcopyup is for tmpfs only")
        }
        if config.linux.mountLabel != nil && !facts.seLinux() && !warnedAboutLabel {
            warnedAboutLabel = true
            warn("/linux/mountLabel", "ignored: SELinux is not enabled on this host")
        }
    }

    /// The mappings of an idmapped mount: its own, or those of the container's user namespace
    /// (config.md, `idmap`); empty where that is joined, and has them.
    func idMappings(
        of mount: Mount, _ place: String
    ) throws(PlanError) -> (uid: [IDMapping], gid: [IDMapping]) {
        guard isPrivileged else {
            throw PlanError(place, "id-mapped mounts are not supported for rootless containers")
        }
        let options = MountOptions(mount)
        if options.isRemount || mount.type == "cgroup" {
            throw PlanError(place, "has no ids of its own to map")
        }
        if let text = options.idMapText {
            let option = try IDMapOption(text, in: config.linux, place: place + "/options")
            return (option.uid, option.gid)
        }
        if !mount.uidMappings.isEmpty { return (mount.uidMappings, mount.gidMappings) }
        if namespaces.isNew(.user) { return (config.linux.uidMappings, config.linux.gidMappings) }
        if namespaces.isJoined(.user) { return ([], []) }
        throw PlanError(
            place + "/options",
            "idmap needs uidMappings and gidMappings, or a user namespace that has them")
    }

    /// Without a cgroup of its own, the container sees the runtime's.
    private mutating func cgroupMount(
        _ options: MountOptions, _ place: String
    ) throws(PlanError) -> CgroupMountPlan {
        let cgroup = self.cgroup ?? (layout: facts.cgroups(), path: CgroupPath.own)
        let plan = CgroupPlanner.mountPlan(
            layout: cgroup.layout, path: cgroup.path, ownNamespace: namespaces.isNew(.cgroup),
            readOnly: options.isReadOnly, isRootless: isRootless)
        if options.data.isEmpty { return plan }
        guard case .unified(var system) = plan else {
            warn(
                place + "/options",
                "only a cgroup2 mount of the container's own has options, so this does nothing: "
                    + options.data.joined(separator: ","))
            return plan
        }
        system.data = options.data
        return .unified(system)
    }
}

extension String {
    /// The path, or where it is relative what it is below `directory`.
    func below(_ directory: String) -> String {
        utf8.first == UInt8(ascii: "/") ? self : directory + "/" + self
    }
}

extension CgroupMountPlan {
    /// systemd's own v1 hierarchy alone: for one that is too old for v2, on a host of v2.
    fileprivate static func systemdOnly(readOnly: Bool) -> CgroupMountPlan {
        let systemd = Hierarchy(
            name: "systemd", options: ["none", "name=systemd", "xattr"], source: "", aliases: [])
        return .hierarchies([systemd], readOnly: readOnly)
    }
}

extension Mount {
    var hasMappings: Bool { !uidMappings.isEmpty || !gidMappings.isEmpty }

    /// Whether it has mappings in any form.
    var mayBringMappings: Bool {
        hasMappings
            || options.contains {
                // Of thirty options or so none begins like that.
                ($0.utf8.first == UInt8(ascii: "i") || $0.utf8.first == UInt8(ascii: "r"))
                    && ($0.utf8.starts(with: "idmap=".utf8) || $0.utf8.starts(with: "ridmap=".utf8))
            }
    }
}

extension MountOptions {
    /// The option decides; the type alone does too, as engines write it.
    func isBind(_ mount: Mount) -> Bool { isBind || mount.type == "bind" }

    func idMap(of mount: Mount) -> MountPlan.IDMapKind? {
        if let idMap { return idMap }
        return mount.hasMappings ? .single : nil
    }
}
