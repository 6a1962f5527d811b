import Glibc
import Spec
import Sys

/// What is left where `open_tree(2)`, `move_mount(2)` or `mount_setattr(2)` is not available: `mount(2)`,
/// with files named by their descriptor in the host's procfs.
extension Performer {
    /// Calls `body` with a path to what is open as `fd`. The path starts at the host's procfs, which
    /// is the current directory meanwhile, and so depends on nothing in the container.
    func withPath(
        _ fd: Int32, _ body: (String) throws(SysError) -> Void
    ) throws(SysError) {
        try Sys.changeDirectory(to: prepared.procfs)
        do throws(SysError) {
            try body("self/fd/\(fd)")
        } catch {
            try enterRoot()
            throw error
        }
        try enterRoot()
    }

    mutating func bindClassic(
        _ mount: MountPlan, source: String, recursive: Bool
    ) throws(SysError) {
        if mount.idMap != nil {
            throw NewerCall.mountSetattr.unavailable("mount_setattr(MOUNT_ATTR_IDMAP)")
        }
        if isRoot(mount.destination) {
            throw NewerCall.openTree.unavailable("open_tree(\(quoted(source))) for a mount on /")
        }
        let flags = O_PATH | (mount.sourceNoFollow || mount.copySymlink ? O_NOFOLLOW : 0)
        let from: Fd
        do throws(SysError) {
            from = try openFile(source, flags)
        } catch {
            throw error.hinting(bindHint(error.errno))
        }
        if mount.copySymlink, try from.status().isSymlink {
            return try copySymlink(from, to: mount.destination)
        }
        let target = try openTarget(of: mount, directory: from.status().isDirectory)
        try refuseOverProc(mount, target, holdsProc: isProc(from))
        try bindClassic(from: from, on: target, mount.destination, recursive: recursive)
        let mounted = try openMounted(mount.destination, of: from)
        try changeClassic(mount, mounted)
    }

    /// The mount that was just made at `path` from `source`: nobody may have put another one in its
    /// way meanwhile.
    func openMounted(_ path: String, of source: borrowing Fd) throws(SysError) -> Fd {
        let expected = try source.status()
        let mounted = try openMounted(path, O_PATH | (expected.isSymlink ? O_NOFOLLOW : 0))
        let found = try mounted.status()
        guard found.dev == expected.dev, found.ino == expected.ino else {
            throw .refused("\(quoted(path)) was replaced while it was mounted")
        }
        return mounted
    }

    func bindClassic(
        from: borrowing Fd, on target: borrowing Fd, _ path: String, recursive: Bool
    ) throws(SysError) {
        let source = from.raw
        try withPath(target.raw) { (target) throws(SysError) in
            try Sys.mount(
                source: "self/fd/\(source)", target: target, type: nil,
                flags: MountFlags.bind | (recursive ? MountFlags.recursive : 0), data: nil,
                shown: path)
        }
    }

    /// Attributes and propagation of the mount at the destination.
    func changeClassic(_ mount: MountPlan, _ mounted: borrowing Fd) throws(SysError) {
        if mount.recursiveSetting | mount.recursiveClearing != 0 {
            throw NewerCall.mountSetattr.unavailable("mount_setattr(AT_RECURSIVE)")
        }
        let attributes = MountAttributes(setting: mount.setting, clearing: mount.clearing)
        if !attributes.isEmpty { try remountClassic(mount.destination, mounted, attributes) }
        try propagateClassic(mount.propagation, mount.destination, mounted)
    }

    /// `MS_REMOUNT|MS_BIND` sets all attributes at once: those it has stay, but for the changes.
    func remountClassic(
        _ path: String, _ mounted: borrowing Fd, _ attributes: MountAttributes
    ) throws(SysError) {
        let old = try mounted.attributes()
        let change = attributes.resolved(on: old)
        let new = old & ~change.clearing | change.setting
        try withPath(mounted.raw) { (target) throws(SysError) in
            try Sys.mount(
                source: nil, target: target, type: nil,
                flags: MountFlags.remount | MountFlags.bind | MountAttributes.classic(new),
                data: nil, shown: path)
        }
    }

    func propagateClassic(
        _ propagation: [UInt], _ path: String, _ mounted: borrowing Fd
    ) throws(SysError) {
        for flags in propagation {
            try withPath(mounted.raw) { (target) throws(SysError) in
                try Sys.mount(
                    source: nil, target: target, type: nil, flags: flags, data: nil,
                    shown: path)
            }
        }
    }

    /// `MS_REMOUNT` of the file system itself: its flags and options.
    func remountSuperblock(
        _ mount: MountPlan, _ superblock: FileSystemPlan, _ mounted: borrowing Fd
    ) throws(SysError) {
        let old = try mounted.attributes()
        let change = MountAttributes(setting: mount.setting, clearing: mount.clearing)
            .resolved(on: old)
        let new = old & ~change.clearing | change.setting
        let data = superblock.classicData
        try withPath(mounted.raw) { (target) throws(SysError) in
            try Sys.mount(
                source: nil, target: target, type: nil,
                flags: MountFlags.remount | MountAttributes.classic(new) | superblock.classicFlags
                    | superblockBits(superblock),
                data: data.isEmpty ? nil : data, shown: mount.destination)
        }
    }

    /// Masks: a read-only tmpfs for a directory …
    func coverClassic(_ target: borrowing Fd, _ path: String) throws(SysError) {
        let empty = FileSystemPlan(type: "tmpfs", source: nil, superblockFlags: ["ro"])
        try mountClassic(empty, MountAttributes.readOnly, on: target.raw, path)
    }

    /// … and the container's `/dev/null` for a file, if it is that (CVE-2025-31133).
    func bindNullClassic(on target: borrowing Fd, _ path: String) throws(SysError) {
        let null = try withRoot { (root) throws(SysError) in
            try root.open("/dev/null", O_PATH | O_NOFOLLOW)
        }
        try Masks.verify(null)
        try bindClassic(from: null, on: target, path, recursive: false)
        let readOnly = MountAttributes(setting: MountAttributes.readOnly)
        try remountClassic(path, try openMounted(path, of: null), readOnly)
    }
}
