import Glibc
import Spec
import Sys

/// One entry of `mounts` (config.md, Mounts). All happens on descriptors: the destination is
/// resolved beneath the root once, and the mount attached to what was found.
extension Performer {
    mutating func mount(_ mount: MountPlan) throws(SysError) {
        nodeDirectory = nil  // It may be covered from now on.
        switch mount.kind {
        case .bind(let source, let recursive):
            try bind(mount, source: source, recursive: recursive)
        case .fileSystem(let fileSystem):
            try mountNew(mount, fileSystem)
        case .cgroup(let cgroups):
            try mountCgroups(mount, cgroups)
        case .remount(let superblock):
            try remount(mount, superblock)
        }
    }

    /// A bind mount: a detached copy of the source's mount, which gets its attributes before it can
    /// be seen anywhere.
    mutating func bind(_ mount: MountPlan, source: String, recursive: Bool) throws(SysError) {
        do throws(SysError) {
            let tree = try openSource(mount, source, recursive)
            if mount.copySymlink, try tree.status().isSymlink {
                return try copySymlink(tree, to: mount.destination)
            }
            try applyAttributes(of: mount, to: tree)
            try keepFromHost(tree.raw)
            try attach(tree, mount)
        } catch let error where error.errno == ENOSYS && prepared.containerInit < 0 {
            // In a running container the path would be the container's.
            try bindClassic(mount, source: source, recursive: recursive)
        }
    }

    private func openSource(
        _ mount: MountPlan, _ source: String, _ recursive: Bool
    ) throws(SysError) -> Fd {
        if let raw = prepared.mountSources[mount.index] { return Fd(owning: raw) }
        do throws(SysError) {
            return try cloneMount(
                source, recursive: recursive,
                followingLink: !mount.sourceNoFollow && !mount.copySymlink)
        } catch {
            let fault = pathFault(source, error.errno).map { ": \($0)" } ?? ""
            throw error.hinting(bindHint(error.errno) + fault)
        }
    }

    func bindHint(_ errno: Int32) -> String {
        switch errno {
        case ENOENT: "the bind source does not exist on the host"
        case EACCES: "the container's user may not reach the bind source"
        case EINVAL:
            "the source is below an unbindable mount, or, in a user namespace, has mounts below it "
                + "that only rbind may take along"
        default: "the bind source cannot be opened"
        }
    }

    /// `mount_setattr(2)` on the detached tree. What holds for all of it comes first, so that what
    /// holds for the top alone wins there.
    func applyAttributes(of mount: MountPlan, to tree: borrowing Fd) throws(SysError) {
        var single = MountAttributes(setting: mount.setting, clearing: mount.clearing)
        var all = MountAttributes(
            setting: mount.recursiveSetting, clearing: mount.recursiveClearing)
        var userNamespace: Int32 = -1
        // What the host opened, the host has mapped: it takes rights over the file system.
        if let idMap = mount.idMap, prepared.mountSources[mount.index] == nil {
            guard let fd = prepared.idMaps[mount.index], fd >= 0 else {
                throw .refused("the user namespace of the id-mapped mount was not made beforehand")
            }
            userNamespace = fd
            switch idMap {
            case .single: single.setting |= MountAttributes.idMap
            case .recursive: all.setting |= MountAttributes.idMap
            }
        }
        for (wanted, recursive) in [(all.normalized, true), (single, false)] {
            let attributes = wanted.resolved(on: wanted.onlyClearsAtime ? try tree.attributes() : 0)
            if attributes.isEmpty { continue }
            do throws(SysError) {
                try setMountAttributes(
                    tree.raw, attributes, recursive: recursive,
                    userNamespace: attributes.setting & MountAttributes.idMap != 0
                        ? userNamespace : -1)
            } catch {
                throw try explain(error, attributes, mount, on: tree)
            }
        }
    }

    private func explain(
        _ error: SysError, _ attributes: MountAttributes, _ mount: MountPlan,
        on tree: borrowing Fd
    ) throws(SysError) -> SysError {
        if attributes.setting & MountAttributes.idMap != 0 {
            return idMapFault(error, on: tree.raw, of: mount.origin)
        }
        guard error.errno == EPERM else { return error }
        let locked = try tree.attributes() & ~attributes.setting
        return error.hinting(
            "in a user namespace the source keeps what its mount forbids, here "
                + "\"\(MountAttributes.names(locked))\": a mount may add to that, not take away")
    }

    /// Attaches `tree` to the destination, made where missing, and sets the propagation.
    mutating func attach(_ tree: consuming Fd, _ mount: MountPlan) throws(SysError) {
        let isDirectory = try tree.status().isDirectory
        let target = try openTarget(of: mount, directory: isDirectory)
        try refuseOverProc(mount, target, holdsProc: isProc(tree))
        try attach(tree.raw, on: target.raw, mount.destination)
        try propagate(mount, tree)
        if isRoot(mount.destination) {
            // What comes later belongs below the new root.
            root = RootDirectory(tree)
        }
    }

    /// `copy-symlink`: a link like the one that is open as `link`.
    mutating func copySymlink(
        _ link: borrowing Fd, to path: String
    ) throws(SysError) {
        let target = try readLink(at: link.raw, "")
        let parent = try openParent(of: path)
        let name = splitPath(path).name
        do throws(SysError) {
            try makeSymbolicLink(to: target, at: parent, name)
        } catch let error where error.errno == EEXIST {
            guard let present = try? readLink(at: parent, name),
                present.utf8.elementsEqual(target.utf8)
            else { throw error.hinting("it is not a symbolic link to \(quoted(target))") }
        }
    }

    /// The destination of a mount, a symbolic link itself where the mount wants that.
    func openTarget(of mount: MountPlan, directory: Bool) throws(SysError) -> Fd {
        guard mount.destinationNoFollow else {
            return try openTarget(mount.destination, directory: directory)
        }
        do throws(SysError) {
            let target = try withRoot { (root) throws(SysError) in
                try root.open(mount.destination, O_PATH | O_NOFOLLOW)
            }
            if try target.status().isDirectory == directory { return target }
        } catch let error where error.errno == ENOENT {
            return try openTarget(mount.destination, directory: directory)
        }
        throw .refused(
            "\(quoted(mount.destination)): a directory can be mounted on a directory only, and "
                + "anything else only on what is none")
    }

    /// The destination, resolved beneath the root.
    func openTarget(_ path: String, directory: Bool) throws(SysError) -> Fd {
        do throws(SysError) {
            if directory {
                return try withRoot { (root) throws(SysError) in
                    try root.openMakingDirectories(path)
                }
            }
            let file = try withRoot { (root) throws(SysError) in try root.openMakingFile(path) }
            if try !file.status().isDirectory { return file }
            throw SysError.refused("\(quoted(path)) is a directory, and the mount's source a file")
        } catch {
            switch error.errno {
            case ENOTDIR:
                throw error.hinting(
                    directory
                        ? "a directory is to be mounted, but there is a file in the way"
                        : "there is a file where a directory is needed")
            case EROFS:
                throw error.hinting("the destination is missing and its file system is read-only")
            default: throw error
            }
        }
    }

    /// The mount that is at `path` by now.
    func openMounted(_ path: String, _ flags: Int32 = O_PATH) throws(SysError) -> Fd {
        try withRoot { (root) throws(SysError) in try root.open(path, flags) }
    }

    func isRoot(_ path: String) -> Bool { lexicalComponents(path).isEmpty }

    /// Takes away what is mounted at `path`, of a container that runs. A link is followed unless it
    /// is what is mounted.
    func unmount(_ path: String) throws(SysError) {
        do throws(SysError) {
            return try unmount(path, O_NOFOLLOW)
        } catch let error where error.errno == EINVAL {}
        do throws(SysError) {
            try unmount(path, 0)
        } catch let error where error.errno == EINVAL {
            throw error.hinting("nothing is mounted at \(path)")
        }
    }

    private func unmount(_ path: String, _ flags: Int32) throws(SysError) {
        let mounted = try withRoot { (root) throws(SysError) in try root.open(path, O_PATH | flags)
        }
        let top = try withRoot { (root) throws(SysError) in try root.fd.status() }
        // A link may lead to the root by another name.
        if try mounted.status() == top { throw .refused("\(quoted(path)) is the container's root") }
        try withPath(mounted.raw) { (path) throws(SysError) in try detach(path) }
    }

    /// A mount that earlier steps filled.
    func makeMountReadOnly(_ path: String) throws(SysError) {
        try setReadOnly(path, try openMounted(path))
    }

    /// The option `remount`: changes the mount at the destination.
    func remount(_ mount: MountPlan, _ superblock: FileSystemPlan?) throws(SysError) {
        let mounted = try openMounted(mount.destination)
        do throws(SysError) {
            if let superblock { try remountSuperblock(mount, superblock, mounted) }
            do throws(SysError) {
                try applyAttributes(of: mount, to: mounted)
                for flags in mount.propagation { try Sys.setPropagation(mounted.raw, flags) }
            } catch let error where error.errno == ENOSYS {
                try changeClassic(mount, mounted)
            }
        } catch let error where error.errno == EINVAL {
            throw error.hinting("is anything mounted at \(mount.destination)?")
        }
    }
}

extension Fd {
    /// The attributes of the mount behind the descriptor, as `MOUNT_ATTR_*`.
    borrowing func attributes() throws(SysError) -> UInt64 {
        MountAttributes.fromStatfs(UInt(try mountFlags()))
    }
}

extension MountAttributes {
    /// The `ST_*` bits of `statvfs(3)` as `MOUNT_ATTR_*`; none of the atime bits is strictatime.
    static func fromStatfs(_ flags: UInt) -> UInt64 {
        var bits = UInt64(flags & 0xf)
        if flags & 0x400 != 0 {
            bits |= noAtime
        } else if flags & 0x1000 == 0 {
            bits |= strictAtime
        }
        if flags & 0x800 != 0 { bits |= noDirAtime }
        if flags & 0x2000 != 0 { bits |= noSymFollow }
        return bits
    }
}
