import Glibc
import Spec
import Sys

/// `/sys/fs/cgroup`: a mount of type `cgroup` (config-linux.md, Default Filesystems).
extension Performer {
    mutating func mountCgroups(_ mount: MountPlan, _ plan: CgroupMountPlan) throws(SysError) {
        switch plan {
        case .unified(let cgroup2): try mountNew(mount, cgroup2)
        case .unifiedBind(let source, let fallback):
            try bind(mount, source: existing(source, or: fallback), recursive: true)
        case .hierarchies(let hierarchies, let readOnly):
            try mountHierarchies(mount, hierarchies, readOnly)
        }
    }

    /// The host may have been refused to make the container's cgroup.
    private func existing(_ source: String, or fallback: String?) -> String {
        guard let fallback else { return source }
        return exists(source) ? source : fallback
    }

    /// cgroup v1: a tmpfs with one directory per hierarchy. It is ours alone until the container
    /// runs, so names are enough below it.
    private func mountHierarchies(
        _ mount: MountPlan, _ hierarchies: [CgroupMountPlan.Hierarchy], _ readOnly: Bool
    ) throws(SysError) {
        let target = try openTarget(mount.destination, directory: true)
        try refuseOverProc(mount, target, holdsProc: false)
        let all = mount.setting & ~mount.recursiveClearing | mount.recursiveSetting
        let attributes = readOnly ? all | MountAttributes.readOnly : all
        let tmpfs = FileSystemPlan(type: "tmpfs", source: "tmpfs", data: ["mode=755"])
        let writable = attributes & ~MountAttributes.readOnly
        // In a detached root it could not be changed once attached.
        let top =
            if rootIsDetached {
                try detached(tmpfs, writable)
            } else {
                try mountHeld(tmpfs, writable, on: target.raw, mount.destination)
            }
        let mask = setUmask(0)
        defer { setUmask(mask) }
        for hierarchy in hierarchies {
            let path = "\(mount.destination)/\(hierarchy.name)"
            try makeDirectory(at: top.raw, hierarchy.name, mode: 0o755)
            if let options = hierarchy.options {
                let entry = try openFile(at: top.raw, hierarchy.name, O_PATH | O_DIRECTORY)
                let cgroup = FileSystemPlan(type: "cgroup", source: "cgroup", data: options)
                try mountClassic(cgroup, attributes, on: entry.raw, path)
            } else {
                try bindHierarchy(hierarchy, attributes, in: top, path)
            }
            for alias in hierarchy.aliases {
                try makeSymbolicLink(to: hierarchy.name, at: top.raw, alias)
            }
        }
        if attributes & MountAttributes.readOnly != 0 {
            try setReadOnly(mount.destination, top)
        }
        if rootIsDetached { try attach(top.raw, on: target.raw, mount.destination) }
        try propagate(mount, top)
    }

    private func bindHierarchy(
        _ hierarchy: CgroupMountPlan.Hierarchy, _ attributes: UInt64, in top: borrowing Fd,
        _ path: String
    ) throws(SysError) {
        let source = existing(hierarchy.source, or: hierarchy.fallback)
        let change = MountAttributes(setting: attributes).normalized
        do throws(SysError) {
            let tree = try cloneMount(source, recursive: false)
            try setMountAttributes(tree.raw, change, recursive: false)
            try keepFromHost(tree.raw)
            try attachMount(tree.raw, in: top.raw, hierarchy.name, path: path)
        } catch let error where error.errno == ENOSYS {
            let from = try openFile(source, O_PATH | O_DIRECTORY)
            let entry = try openFile(at: top.raw, hierarchy.name, O_PATH | O_DIRECTORY)
            try bindClassic(from: from, on: entry, path, recursive: false)
            try remountClassic(path, try openMounted(path, of: from), change)
        }
    }
}
