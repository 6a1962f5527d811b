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
        try setMountAttributes(
            source, MountAttributes(setting: MountAttributes.idMap), recursive: recursive,
            userNamespace: namespace)
    }

    /// A detached copy of a bind source. Out of a shared mount it becomes a slave, so that nothing
    /// mounted in the container comes back to the host.
    func openSource(
        _ path: String, _ recursive: Bool, _ followingLink: Bool
    ) throws(SysError) -> Fd {
        let tree = try cloneMount(path, recursive: recursive, followingLink: followingLink)
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
        try setMountAttributes(
            source, MountAttributes(setting: MountAttributes.idMap), recursive: recursive,
            userNamespace: namespace.raw)
    }
}
