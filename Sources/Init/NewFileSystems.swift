import Glibc
import Spec
import Sys

/// New instances of a file system type. One `mount(2)` does what `fsopen(2)` and its family need six
/// calls for; it takes options over 255 bytes, which `fsconfig(2)` does not; and with the target as
/// the current directory it is as safe. What it lacks is the reason of a failure: that is asked for
/// afterwards.
extension Performer {
    mutating func mountNew(_ mount: MountPlan, _ fileSystem: FileSystemPlan) throws(SysError) {
        var fileSystem = fileSystem
        let target = try openTarget(mount, &fileSystem)
        try refuseOverProc(mount, target, holdsProc: fileSystem.type == "proc")
        // A new file system has nothing below it: recursive or not is the same.
        let attributes = mount.setting & ~mount.recursiveClearing | mount.recursiveSetting
        do throws(SysError) {
            if mount.idMap != nil || isRoot(mount.destination) {
                let tree = try detached(fileSystem, attributes)
                if mount.idMap != nil { try applyAttributes(of: mount, to: tree) }
                try attach(tree, mount)
            } else if mount.copyUp {
                try mountCopy(mount, fileSystem, attributes, over: target)
            } else if !mount.propagation.isEmpty {
                let mounted = try mountHeld(
                    fileSystem, attributes, on: target.raw, mount.destination)
                try propagate(mount, mounted)
            } else {
                try mountClassic(fileSystem, attributes, on: target.raw, mount.destination)
            }
        } catch let error where error.errno == EPERM && fileSystem.type == "sysfs" {
            try bindHostSysfs(mount)
        } catch let error where error.errno == EBUSY && fileSystem.type == "cgroup2" {
            // mount(2) puts it not over itself, which a bind of the host's /sys has brought.
            try propagate(
                mount, mountHeld(fileSystem, attributes, on: target.raw, mount.destination))
        } catch {
            throw hinting(error, fileSystem)
        }
    }

    /// `tmpcopyup`: what the target holds is in the new file system as well, which has the target's owner
    /// unless options name one.
    private func mountCopy(
        _ mount: MountPlan, _ fileSystem: FileSystemPlan, _ attributes: UInt64,
        over target: borrowing Fd
    ) throws(SysError) {
        let lower = try openFile(at: target.raw, ".", O_RDONLY | O_DIRECTORY)
        let mounted = try mountHeld(
            fileSystem, attributes & ~MountAttributes.readOnly, on: target.raw, mount.destination)
        try copyTree(from: lower.raw, to: mounted.raw)
        if !fileSystem.has("uid=", "gid=") {
            let own = try lower.status()
            try changeOwner(at: mounted.raw, uid: own.uid, gid: own.gid)
        }
        if attributes & MountAttributes.readOnly != 0 {
            try setReadOnly(mount.destination, mounted)
        }
        try propagate(mount, mounted)
    }

    /// The new mount's root, attached to `target`. Where the kernel cannot give it, or not with these
    /// options, its path is looked up again, which somebody may have changed meanwhile.
    func mountHeld(
        _ fileSystem: FileSystemPlan, _ attributes: UInt64, on target: Int32, _ path: String
    ) throws(SysError) -> Fd {
        let fitsFsconfig =
            fileSystem.classicFlags == 0 && !fileSystem.data.contains { $0.utf8.count > 255 }
        if fitsFsconfig {
            do throws(SysError) {
                let tree = try detached(fileSystem, attributes)
                try attachMount(tree.raw, on: target, path)
                return tree
            } catch let error where needsClassic(error, fileSystem) {}
        }
        try mountClassic(fileSystem, attributes, on: target, path)
        return try openMounted(path)
    }

    /// Whether `mount(2)` may do what `fsconfig(2)` did not: of a file system that has not been ported to
    /// it, as overlay before Linux 6.5, it takes no comma.
    private func needsClassic(_ error: SysError, _ fileSystem: FileSystemPlan) -> Bool {
        error.errno == ENOSYS
            || error.errno == EINVAL
                && fileSystem.data.contains { $0.utf8.contains(UInt8(ascii: ",")) }
    }

    private func openTarget(
        _ mount: MountPlan, _ fileSystem: inout FileSystemPlan
    ) throws(SysError) -> Fd {
        let path = mount.destination
        switch fileSystem.type {
        case "proc", "sysfs":
            // Through a link one container could aim at another's, or at nothing (CVE-2019-19921,
            // CVE-2023-27561).
            do throws(SysError) {
                return try withRoot { (root) throws(SysError) in
                    try root.openMakingDirectories(path, followingLinks: false)
                }
            } catch let error where error.errno == ELOOP || error.errno == ENOTDIR {
                throw .refused(
                    "filesystem \(quoted(fileSystem.type)) must be mounted on ordinary directory, and "
                        + "\(quoted(path)) is or leads through a symbolic link or a file")
            }
        case "tmpfs" where !fileSystem.has("mode="):
            // The permissions of the directory that it covers, as users of tmpfs mounts expect.
            do throws(SysError) {
                let target = try withRoot { (root) throws(SysError) in
                    try root.open(path, O_PATH | O_DIRECTORY)
                }
                let mode = try target.status().mode & 0o7777
                fileSystem.data.append("mode=\(String(mode, radix: 8))")
                return target
            } catch let error where error.errno == ENOENT {
                return try openTarget(path, directory: true)
            }
        default:
            return try openTarget(path, directory: true)
        }
    }

    /// `mount(2)` on the directory open as `target`; it cannot do so in a detached tree.
    func mountClassic(
        _ fileSystem: FileSystemPlan, _ attributes: UInt64, on target: Int32, _ path: String
    ) throws(SysError) {
        if rootIsDetached {
            let tree = try detached(fileSystem, attributes)
            return try attach(tree.raw, on: target, path)
        }
        let data = fileSystem.classicData
        // The kernel cuts what does not fit into a page.
        guard data.utf8.count < 4096 else {
            throw SysError(
                "mount(\(quoted(path)), \(quoted(fileSystem.type)))", E2BIG,
                hint: "the options have \(data.utf8.count) bytes, mount(2) takes 4095")
        }
        let flags =
            MountAttributes.classic(attributes) | fileSystem.classicFlags
            | superblockBits(fileSystem)
        try Sys.changeDirectory(to: target)
        do throws(SysError) {
            try Sys.mount(
                source: fileSystem.source ?? fileSystem.type, target: ".", type: fileSystem.type,
                flags: flags, data: data.isEmpty ? nil : data, shown: path)
        } catch {
            try enterRoot()
            throw explained(error, fileSystem)
        }
        try enterRoot()
    }

    func superblockBits(_ fileSystem: FileSystemPlan) -> UInt {
        var flags: UInt = 0
        for name in fileSystem.superblockFlags {
            switch name {
            case "ro": flags |= MountFlags.readOnly
            case "sync": flags |= MountFlags.synchronous
            case "dirsync": flags |= MountFlags.synchronousDirectories
            case "mand": flags |= MountFlags.mandatoryLocks
            case "lazytime": flags |= MountFlags.lazyTime
            default: break  // rw, async, nomand …: what a new mount has anyway
            }
        }
        return flags
    }

    /// The mount, not yet attached.
    func detached(_ fileSystem: FileSystemPlan, _ attributes: UInt64) throws(SysError) -> Fd {
        let context = try FileSystemContext(fileSystem.type)
        try context.set("source", fileSystem.source ?? fileSystem.type)
        for flag in fileSystem.superblockFlags { try context.set(flag) }
        for option in fileSystem.data {
            let (key, value) = FileSystemOptions.parameter(option, type: fileSystem.type)
            try context.set(key, value)
        }
        return try context.mount(attributes: attributes)
    }

    /// Tries the same once more in the way that leaves a message.
    private func explained(_ error: SysError, _ fileSystem: FileSystemPlan) -> SysError {
        do throws(SysError) {
            _ = try detached(fileSystem, 0)
        } catch let again {
            if again.errno == error.errno, let hint = again.hint { return error.hinting(hint) }
        }
        return error
    }

    /// What is known to help.
    private func hinting(_ error: SysError, _ fileSystem: FileSystemPlan) -> SysError {
        switch (error.errno, fileSystem.type) {
        case (ENODEV, _):
            return error.hinting("this kernel does not know the file system \(fileSystem.type)")
        case (EPERM, "proc"):
            return error.hinting(
                "in a user namespace a new procfs needs a pid namespace of its own, and a /proc on "
                    + "the host of which nothing is covered (mount_too_revealing)")
        case (EPERM, "mqueue"):
            return error.hinting("in a user namespace mqueue needs an ipc namespace of its own")
        case (EPERM, "cgroup"), (EPERM, "cgroup2"):
            return error.hinting("a cgroup namespace of its own is needed, or a bind mount")
        case (EPERM, _):
            return error.hinting("user namespaces may not mount \(fileSystem.type)")
        case (_, "overlay"):
            return overlayFault(fileSystem.data, error.errno).map { error.hinting($0) } ?? error
        case (EINVAL, "devpts"):
            return error.hinting("is the group of the option gid= mapped in the user namespace?")
        default:
            return error
        }
    }

    /// A user namespace may not mount sysfs without a network namespace of its own: it gets the
    /// host's, read-only all through, as other runtimes do it.
    private mutating func bindHostSysfs(_ mount: MountPlan) throws(SysError) {
        var bind = mount
        bind.recursiveSetting |= mount.setting | MountAttributes.readOnly
        bind.setting = 0
        bind.clearing = 0
        do throws(SysError) {
            try self.bind(bind, source: "/sys", recursive: true)
        } catch {
            throw error.hinting(
                "sysfs needs a network namespace of its own, and the host's /sys cannot stand in")
        }
        try warn("\(mount.destination) is the host's, read-only: sysfs needs a network namespace")
    }

    /// Propagation of a mount that `mount(2)` made.
    func propagate(_ mount: MountPlan, _ mounted: borrowing Fd) throws(SysError) {
        do throws(SysError) {
            for flags in mount.propagation { try Sys.setPropagation(mounted.raw, flags) }
        } catch let error where error.errno == ENOSYS {
            try propagateClassic(mount.propagation, mount.destination, mounted)
        }
    }

    func setReadOnly(_ path: String, _ mounted: borrowing Fd) throws(SysError) {
        let readOnly = MountAttributes(setting: MountAttributes.readOnly)
        do throws(SysError) {
            try setMountAttributes(mounted.raw, readOnly, recursive: false)
        } catch let error where error.errno == ENOSYS {
            try remountClassic(path, mounted, readOnly)
        }
    }
}
