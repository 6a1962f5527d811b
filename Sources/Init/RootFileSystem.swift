import Glibc
import Spec
import Sys

/// Opening the root file system, and making it this process's root.
extension Performer {
    /// `rootfsPropagation` for the copies of the host's mounts, before anything is mounted.
    func setPropagation(_ flags: UInt) throws(SysError) {
        try Sys.mount(source: nil, target: "/", type: nil, flags: flags, data: nil)
    }

    /// Makes the root file system a mount point by binding it onto itself, as `pivot_root(2)` wants
    /// it, and opens it. What the masks need of the host is opened as well.
    /// - Parameter isPrivate: where it is on a mount that the host shares, as engines have it, the copy
    ///   would go on to receive what the host mounts there.
    mutating func openRoot(_ path: String, isPrivate: Bool) throws(SysError) {
        do throws(SysError) {
            if !hostIsDetached { try makeParentPrivate(path) }
            let target = try openFile(path, O_PATH | O_DIRECTORY)
            let tree = try cloneMount(at: target.raw, "", recursive: true)
            if isPrivate {
                try Sys.setPropagation(tree.raw, MountFlags.isPrivate | MountFlags.recursive)
            }
            try attachMount(tree.raw, on: target.raw, path)
            root = RootDirectory(tree)
        } catch let error where error.errno == ENOSYS {
            try openRootClassic(path, isPrivate)
        } catch {
            switch error.errno {
            case ENOENT: throw error.hinting("the root file system does not exist")
            case ENOTDIR: throw error.hinting("the root file system is not a directory")
            case EINVAL: throw error.hinting("is the root file system below an unbindable mount?")
            case EACCES: throw error.hinting(unreachable(path))
            default: throw error
            }
        }
        if plan.steps[current...].contains(where: { $0.action.isMask }) { try masks.openNull() }
    }

    private mutating func openRootClassic(_ path: String, _ isPrivate: Bool) throws(SysError) {
        try Sys.mount(
            source: path, target: path, type: nil,
            flags: MountFlags.bind | MountFlags.recursive, data: nil)
        if isPrivate {
            try Sys.mount(
                source: nil, target: path, type: nil,
                flags: MountFlags.isPrivate | MountFlags.recursive, data: nil)
        }
        root = RootDirectory(try openFile(path, O_PATH | O_DIRECTORY))
    }

    /// In a user namespace the container's root is an ordinary user of the host's.
    private func unreachable(_ path: String) -> String {
        let fault = pathFault(path, EACCES) ?? "it may not be reached"
        let hosts = plan.steps.compactMap { step -> UInt32? in
            guard case .writeIDMappings(let uid, _) = step.action else { return nil }
            return uid.first { $0.containerID == 0 }?.hostID
        }
        guard let host = hosts.first else { return fault }
        return "\(fault) by the container's root, who is the host's uid \(host)"
    }

    /// Whether nothing that happens to the copies of the host's mounts reaches the host.
    private var hostIsDetached: Bool {
        for step in plan.steps[..<current].reversed() {
            if case .setPropagation(let flags) = step.action {
                return flags & MountFlags.recursive != 0
                    && flags & (MountFlags.isSlave | MountFlags.isPrivate) != 0
            }
        }
        return false
    }

    /// The mount that holds the root file system may be shared with the host: then the bind onto
    /// itself would appear on the host, and `pivot_root(2)` refuse. Finds it by trying upwards, as
    /// only a mount's root has a propagation.
    private func makeParentPrivate(_ path: String) throws(SysError) {
        var directory = try openFile(path, O_PATH | O_DIRECTORY)
        while true {
            do throws(SysError) {
                try Sys.changeDirectory(to: directory.raw)
                try Sys.mount(
                    source: nil, target: ".", type: nil, flags: MountFlags.isPrivate, data: nil,
                    shown: path)
                return
            } catch let error where error.errno == EINVAL {
                let parent = try openFile(at: directory.raw, "..", O_PATH | O_DIRECTORY)
                if try parent.status() == directory.status() { throw error }
                directory = parent
            }
        }
    }

    /// Leaves the host's file systems for the container's: its root becomes `/`, and the old one is
    /// taken away without a directory to put it on (`pivot_root(2)`, NOTES).
    func pivotRoot() throws(SysError) {
        var old: Fd?
        if !hostIsDetached { old = try openFile("/", O_PATH | O_DIRECTORY) }
        try enterRoot()
        do throws(SysError) {
            try Sys.pivotRoot(".", ".")
        } catch let error where error.errno == EINVAL {
            throw error.hinting(
                "the host's root may be its initramfs, which cannot be left: try --no-pivot")
        }
        if let old {
            // The unmount must not propagate to the host.
            try Sys.changeDirectory(to: old.raw)
            try Sys.mount(
                source: nil, target: ".", type: nil,
                flags: MountFlags.isSlave | MountFlags.recursive, data: nil, shown: "the old root")
        }
        try detach(".")
        try Sys.changeDirectory("/")
    }

    /// For a container in the host's mount namespace: a copy of the root file system's mounts that is
    /// attached nowhere. What is mounted in it the host does not see, and it goes with its last user.
    mutating func openDetachedRoot(_ path: String) throws(SysError) {
        let tree = try cloneMount(path, recursive: true)
        guard try tree.status().isDirectory else {
            throw .refused("\(quoted(path)) is not a directory")
        }
        rootIsDetached = true
        try keepFromHost(tree.raw)
        root = RootDirectory(tree)
    }

    /// Copies of the host's shared mounts would share with it what is mounted in them. In a mount
    /// namespace of the container's own `setPropagation` sees to that.
    func keepFromHost(_ tree: Int32) throws(SysError) {
        guard rootIsDetached else { return }
        try Sys.setPropagation(tree, MountFlags.isPrivate | MountFlags.recursive)
    }

    /// No mount namespace of its own: the rest of the host's tree stays where it is.
    mutating func changeRoot() throws(SysError) {
        if root == nil { root = RootDirectory(try openContainersRoot()) }
        try enterRoot()
        try Sys.changeRoot(".")
        try Sys.changeDirectory("/")
        root = RootDirectory(try openFile("/", O_PATH | O_DIRECTORY))
    }

    /// The root of the container's init.
    private func openContainersRoot() throws(SysError) -> Fd {
        let root = try openFile(
            at: prepared.procfs, "\(prepared.containerPid)/root", O_PATH | O_DIRECTORY)
        // It still lives, so its number was not another's.
        if try waitForEnd(of: prepared.containerInit, milliseconds: 0).ended {
            throw .refused("the container has ended")
        }
        return root
    }

    /// `move_mount(2)` into the root file system.
    func attach(_ mount: Int32, on target: Int32, _ path: String) throws(SysError) {
        do throws(SysError) {
            try attachMount(mount, on: target, path)
        } catch let error where error.errno == EINVAL && rootIsDetached {
            throw error.hinting("mounts without a mount namespace need Linux 6.15")
        }
    }

    func setRootPropagation(_ flags: UInt) throws(SysError) {
        try Sys.mount(source: nil, target: "/", type: nil, flags: flags, data: nil)
    }

    /// `root.readonly`: only the root's own mount.
    func makeRootReadOnly() throws(SysError) {
        try withRoot { (root) throws(SysError) in
            let readOnly = MountAttributes(setting: MountAttributes.readOnly)
            do throws(SysError) {
                try setMountAttributes(root.fd.raw, readOnly, recursive: false)
            } catch let error where error.errno == ENOSYS {
                try remountClassic("/", root.fd, readOnly)
            }
        }
    }

    /// Makes the root file system the current directory, where hooks and classic calls start.
    func enterRoot() throws(SysError) {
        try withRoot { (root) throws(SysError) in try Sys.changeDirectory(to: root.fd.raw) }
    }
}
