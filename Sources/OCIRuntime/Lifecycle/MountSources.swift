import Glibc
import Init
import Sys

/// What the host opens and maps of bind mounts, for the init to attach.
extension HostPerformer {
    /// Without mappings it is the joined user namespace whose mappings count. A source that the host
    /// has opened is mapped by the host, who has the right to.
    mutating func openIDMap(_ mount: Int, _ mappings: IDMappings) throws(SysError) {
        var namespace = prepared.namespaces.first { $0.kind == .user }?.fd ?? -1
        if !mappings.uid.isEmpty {
            namespace = keep(try mappings.namespace(procfs: prepared.procfs))
        }
        guard let source = prepared.mountSources[mount] else {
            prepared.idMaps[mount] = namespace
            return
        }
        let recursive = plan.steps.contains {
            if case .mount(let plan) = $0.action {
                plan.index == mount && plan.idMap == .recursive
            } else {
                false
            }
        }
        try mapIDs(of: source, mount, by: namespace, recursive)
    }

    private func origin(of mount: Int) -> String {
        for step in plan.steps {
            switch step.action {
            case .openMountSource(mount, let source, _, _): return source
            case .mount(let plan) where plan.index == mount: return plan.origin
            default: continue
            }
        }
        return "the mount"
    }

    private func mapIDs(
        of source: Int32, _ mount: Int, by namespace: Int32, _ recursive: Bool
    ) throws(SysError) {
        do throws(SysError) {
            try setMountAttributes(
                source, MountAttributes(setting: MountAttributes.idMap), recursive: recursive,
                userNamespace: namespace)
        } catch {
            throw idMapFault(error, on: source, of: origin(of: mount))
        }
    }

    /// A detached copy of a bind source. Out of a shared mount it becomes a slave, so that nothing
    /// mounted in the container comes back to the host.
    func openSource(
        _ path: String, _ recursive: Bool, _ followingLink: Bool
    ) throws(SysError) -> Fd {
        let tree: Fd
        do throws(SysError) {
            tree = try cloneMount(path, recursive: recursive, followingLink: followingLink)
        } catch {
            throw error.explaining(path)
        }
        try setMountAttributes(
            tree.raw, MountAttributes(), propagation: UInt64(MS_SLAVE), recursive: recursive)
        return tree
    }

    /// Maps the ids of a source that the init would not have the right to map.
    func mapMountSource(
        _ mount: Int, _ mappings: IDMappings, _ recursive: Bool
    ) throws(SysError) {
        let namespace = try mappings.namespace(procfs: prepared.procfs)
        guard let source = prepared.mountSources[mount] else {
            throw NewerCall.openTree.unavailable("open_tree() for an id-mapped mount")
        }
        try mapIDs(of: source, mount, by: namespace.raw, recursive)
    }
}
