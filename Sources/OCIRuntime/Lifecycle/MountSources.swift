import Glibc
import Init
import Sys

/// What is open for mounts until the clone has descriptors of its own: there may be thousands.
struct MountSources: ~Copyable {
    private var opened: [Int32] = []
    /// Mounts with the same mappings share a namespace: it takes a process to make.
    private var namespaces: [(mappings: IDMappings, fd: Int32)] = []

    deinit { for fd in opened { closeDescriptor(fd) } }

    mutating func keep(_ fd: consuming Fd) -> Int32 {
        let raw = fd.release()
        opened.append(raw)
        return raw
    }

    /// A user namespace that has `mappings`.
    mutating func userNamespace(
        _ mappings: IDMappings, procfs: Int32
    ) throws(SysError) -> Int32 {
        if let made = namespaces.first(where: { $0.mappings == mappings }) { return made.fd }
        let fd = keep(try mappings.namespace(procfs: procfs))
        namespaces.append((mappings, fd))
        return fd
    }
}

/// What the host opens and maps of bind mounts, for the init to attach.
extension HostPerformer {
    /// A detached copy of a bind source. Out of a shared mount it becomes a slave, so that nothing
    /// mounted in the container comes back to the host.
    mutating func openMountSource(
        _ mount: Int, _ path: String, _ recursive: Bool, _ followingLink: Bool
    ) throws(SysError) {
        let tree: Fd
        do throws(SysError) {
            tree = try cloneMount(path, recursive: recursive, followingLink: followingLink)
        } catch {
            throw error.explaining(path)
        }
        try setMountAttributes(
            tree.raw, MountAttributes(), propagation: UInt64(MS_SLAVE), recursive: recursive)
        prepared.mountSources[mount] = mountSources.keep(tree)
    }

    /// For the init to apply.
    mutating func openIDMap(_ mount: Int, _ mappings: IDMappings) throws(SysError) {
        prepared.idMaps[mount] = try userNamespace(mappings)
    }

    /// Maps the ids of a source that the init would not have the right to map.
    mutating func mapMountSource(
        _ mount: Int, _ mappings: IDMappings, _ recursive: Bool
    ) throws(SysError) {
        guard let source = prepared.mountSources[mount] else {
            throw NewerCall.openTree.unavailable("open_tree() for an id-mapped mount")
        }
        let namespace = try userNamespace(mappings)
        do throws(SysError) {
            try setMountAttributes(
                source, MountAttributes(setting: MountAttributes.idMap), recursive: recursive,
                userNamespace: namespace)
        } catch {
            throw idMapFault(error, on: source, of: origin(of: mount))
        }
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

    /// A user namespace that has `mappings`, the joined one without any.
    private mutating func userNamespace(_ mappings: IDMappings) throws(SysError) -> Int32 {
        if !mappings.uid.isEmpty {
            return try mountSources.userNamespace(mappings, procfs: prepared.procfs)
        }
        if let joined = prepared.namespaces.first(where: { $0.kind == .user }) { return joined.fd }
        // That of a container which exists: its pidfd is no namespace's file.
        guard prepared.containerInit >= 0 else {
            throw .refused("there is no joined user namespace whose mappings could be applied")
        }
        let namespace = try openFile(
            at: prepared.procfs, "\(prepared.containerPid)/ns/user", O_RDONLY)
        // It still lives, so its number was not another's.
        if try waitForEnd(of: prepared.containerInit, milliseconds: 0).ended {
            throw .refused("the container has ended")
        }
        return mountSources.keep(namespace)
    }
}
