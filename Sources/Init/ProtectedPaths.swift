import Glibc
import Spec
import Sys

/// What masked paths are covered with: one mount each for all files and for all directories, cloned
/// from the first one attached.
struct Masks: ~Copyable {
    /// The host's `/dev/null`, read-only so that its permissions cannot be changed through a mask.
    private var null: Fd?
    private var nullIsAttached = false
    /// An empty tmpfs.
    private var empty: Fd?

    /// Takes a copy of the mount of the host's `/dev/null`, proven to be that device: one from the
    /// container could be anything (CVE-2025-31133).
    mutating func openNull() throws(SysError) {
        do throws(SysError) {
            let tree = try cloneMount("/dev/null", recursive: false, followingLink: false)
            try Masks.verify(tree)
            try setMountAttributes(
                tree.raw, MountAttributes(setting: MountAttributes.readOnly),
                propagation: UInt64(MountFlags.isPrivate), recursive: false)
            null = consume tree
        } catch let error where error.errno == ENOSYS || error.errno == EINVAL {
            return  // Or it is unbindable. What is left binds the container's own, verified.
        }
    }

    static func verify(_ file: borrowing Fd) throws(SysError) {
        guard try file.status().isDevice(S_IFCHR, 1, 3) else {
            throw .refused("/dev/null is not the null device")
        }
    }

    /// Covers the file open as `target`; false where only the classic way is left.
    mutating func coverFile(_ target: Int32, _ path: String) throws(SysError) -> Bool {
        guard let raw = rawNull else { return false }
        do throws(SysError) {
            if nullIsAttached {
                let copy = try cloneMount(at: raw, "", recursive: false)
                try attachMount(copy.raw, on: target, path)
            } else {
                try attachMount(raw, on: target, path)
                nullIsAttached = true
            }
            return true
        } catch let error where error.errno == ENOSYS {
            return false
        }
    }

    private var rawNull: Int32? {
        switch null {
        case .some(let fd): fd.raw
        case .none: nil
        }
    }

    private var rawEmpty: Int32? {
        switch empty {
        case .some(let fd): fd.raw
        case .none: nil
        }
    }

    /// Covers the directory open as `target`; false where only the classic way is left.
    mutating func coverDirectory(_ target: Int32, _ path: String) throws(SysError) -> Bool {
        do throws(SysError) {
            if let raw = rawEmpty {
                let copy = try cloneMount(at: raw, "", recursive: false)
                try attachMount(copy.raw, on: target, path)
            } else {
                let tmpfs = try FileSystemContext("tmpfs")
                try tmpfs.set("ro")
                try tmpfs.set("source", "tmpfs")
                let mount = try tmpfs.mount(
                    attributes: MountAttributes.readOnly | MountAttributes.noSuid
                        | MountAttributes.noDev | MountAttributes.noExec)
                try attachMount(mount.raw, on: target, path)
                empty = consume mount
            }
            return true
        } catch let error where error.errno == ENOSYS {
            return false
        }
    }
}

/// `maskedPaths` and `readonlyPaths` (config-linux.md), inside the container.
extension Performer {
    /// A path that is not there needs no mask.
    mutating func maskPath(_ path: String) throws(SysError) {
        guard let target = try openProtected(path) else { return }
        if try target.status().isDirectory {
            if try !masks.coverDirectory(target.raw, path) { try coverClassic(target, path) }
        } else {
            if try !masks.coverFile(target.raw, path) { try bindNullClassic(on: target, path) }
        }
    }

    /// A bind of the path onto itself, of which only the top becomes read-only; it keeps what else
    /// its mount forbids.
    func makePathReadOnly(_ path: String) throws(SysError) {
        guard let target = try openProtected(path) else { return }
        let readOnly = MountAttributes(setting: MountAttributes.readOnly)
        do throws(SysError) {
            let tree = try cloneMount(at: target.raw, "", recursive: true)
            try setMountAttributes(tree.raw, readOnly, recursive: false)
            try attachMount(tree.raw, on: target.raw, path)
        } catch let error where error.errno == ENOSYS {
            try bindClassic(from: target, on: target, path, recursive: true)
            try remountClassic(path, try openMounted(path, of: target), readOnly)
        }
    }

    /// nil where there is nothing at `path`.
    private func openProtected(_ path: String) throws(SysError) -> Fd? {
        do throws(SysError) {
            return try withRoot { (root) throws(SysError) in try root.open(path) }
        } catch let error where error.errno == ENOENT || error.errno == ENOTDIR {
            return nil
        } catch let error where error.errno == EACCES {
            // Not even the container's root reaches it.
            try warn("\(path) cannot be reached and is left as it is: \(error)")
            return nil
        }
    }
}

extension Action {
    var isMask: Bool {
        if case .maskPath = self { true } else { false }
    }
}
