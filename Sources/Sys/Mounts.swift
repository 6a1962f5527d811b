import CSys
import Glibc

/// The file-descriptor mount API of Linux 5.2 and `mount_setattr(2)` of 5.12.
/// Values from `linux/mount.h`.
package struct MountAttributes: Equatable, Sendable {
    package var setting: UInt64
    package var clearing: UInt64

    package init(setting: UInt64 = 0, clearing: UInt64 = 0) {
        self.setting = setting
        self.clearing = clearing
    }

    package var isEmpty: Bool { setting == 0 && clearing == 0 }

    package static let readOnly: UInt64 = 0x1
    package static let noSuid: UInt64 = 0x2
    package static let noDev: UInt64 = 0x4
    package static let noExec: UInt64 = 0x8
    package static let atimeMask: UInt64 = 0x70
    package static let relatime: UInt64 = 0x0
    package static let noAtime: UInt64 = 0x10
    package static let strictAtime: UInt64 = 0x20
    package static let noDirAtime: UInt64 = 0x80
    package static let idMap: UInt64 = 0x10_0000
    package static let noSymFollow: UInt64 = 0x20_0000

    /// The same as `mount_setattr(2)` takes it: who touches one atime bit clears all of them first.
    package var normalized: MountAttributes {
        var copy = self
        if (setting | clearing) & Self.atimeMask != 0 { copy.clearing |= Self.atimeMask }
        return copy
    }

    /// Whether it switches a way to keep access times off, and none on: what that changes depends on
    /// the mount.
    package var onlyClearsAtime: Bool {
        let cleared = clearing & Self.atimeMask
        return cleared != 0 && cleared != Self.atimeMask && setting & Self.atimeMask == 0
    }

    /// The same for a mount that has `attributes`: the way that is off there stays what it is.
    package func resolved(on attributes: UInt64) -> MountAttributes {
        var copy = self
        if onlyClearsAtime, clearing & attributes & Self.atimeMask == 0 {
            copy.clearing &= ~Self.atimeMask
        }
        return copy.normalized
    }

    /// The names of the attributes in `bits`, as mount options.
    package static func names(_ bits: UInt64) -> String {
        var names: [String] = []
        let known: [(UInt64, String)] = [
            (readOnly, "ro"), (noSuid, "nosuid"), (noDev, "nodev"), (noExec, "noexec"),
            (noAtime, "noatime"), (strictAtime, "strictatime"), (noDirAtime, "nodiratime"),
            (noSymFollow, "nosymfollow"),
        ]
        for (bit, name) in known where bits & bit == bit { names.append(name) }
        return names.joined(separator: ",")
    }

    /// `MOUNT_ATTR_*` bits as the `MS_*` bits of `mount(2)`. The default atime is explicit there.
    package static func classic(_ bits: UInt64) -> UInt {
        var flags = UInt(bits & 0xf)  // ro, nosuid, nodev, noexec are the same bits in both.
        switch bits & atimeMask {
        case noAtime: flags |= MountFlags.noAtime
        case strictAtime: flags |= MountFlags.strictAtime
        default: flags |= MountFlags.relatime
        }
        if bits & noDirAtime != 0 { flags |= MountFlags.noDirAtime }
        if bits & noSymFollow != 0 { flags |= MountFlags.noSymFollow }
        return flags
    }
}

/// `MS_*` bits of `mount(2)`, from `linux/mount.h`.
package enum MountFlags {
    package static let readOnly: UInt = 0x1
    package static let synchronous: UInt = 0x10
    package static let remount: UInt = 0x20
    package static let mandatoryLocks: UInt = 0x40
    package static let synchronousDirectories: UInt = 0x80
    package static let noSymFollow: UInt = 0x100
    package static let noAtime: UInt = 0x400
    package static let noDirAtime: UInt = 0x800
    package static let bind: UInt = 0x1000
    package static let move: UInt = 0x2000
    package static let recursive: UInt = 0x4000
    package static let silent: UInt = 0x8000
    package static let unbindable: UInt = 0x2_0000
    package static let isPrivate: UInt = 0x4_0000
    package static let isSlave: UInt = 0x8_0000
    package static let isShared: UInt = 0x10_0000
    package static let relatime: UInt = 0x20_0000
    package static let strictAtime: UInt = 0x100_0000
    package static let lazyTime: UInt = 0x200_0000
}

/// `open_tree(2)` with `OPEN_TREE_CLONE`: a detached copy of the mount at `path`, or of the one that
/// `directory` is open in where `path` is empty. Attach it: closing a detached one takes time.
package func cloneMount(
    at directory: Int32 = AT_FDCWD, _ path: String, recursive: Bool, followingLink: Bool = true
) throws(SysError) -> Fd {
    let openTreeClone: UInt32 = 1
    let atRecursive: UInt32 = 0x8000
    let empty: UInt32 = path.isEmpty ? 0x1000 : 0
    let noFollow: UInt32 = followingLink ? 0 : 0x100
    let flags =
        openTreeClone | UInt32(O_CLOEXEC) | empty | noFollow | (recursive ? atRecursive : 0)
    return Fd(
        owning: try NewerCall.openTree.check(
            unsafe csys_open_tree(directory, path, flags),
            path.isEmpty ? "open_tree(\(named(directory)))" : "open_tree(\(quoted(path)))"))
}

/// `move_mount(2)`: attaches the detached mount `mount` on the directory or file open as `target`.
package func attachMount(_ mount: Int32, on target: Int32, _ path: String) throws(SysError) {
    let fromEmpty: UInt32 = 0x4
    let toEmpty: UInt32 = 0x40
    try NewerCall.moveMount.check(
        unsafe csys_move_mount(mount, "", target, "", fromEmpty | toEmpty),
        "move_mount(\(quoted(path)))")
}

/// Attaches the detached mount `mount` on `name` in the directory open as `directory`, which must be
/// out of anybody else's reach.
/// - Parameter path: the target as an error shows it.
package func attachMount(
    _ mount: Int32, in directory: Int32, _ name: String, path: String
) throws(SysError) {
    let fromEmpty: UInt32 = 0x4
    try NewerCall.moveMount.check(
        unsafe csys_move_mount(mount, "", directory, name, fromEmpty),
        "move_mount(\(quoted(path)))")
}

/// `mount_setattr(2)` on the mount open as `mount`. `propagation` is an `MS_*` value or 0.
package func setMountAttributes(
    _ mount: Int32, _ attributes: MountAttributes, propagation: UInt64 = 0,
    recursive: Bool, userNamespace: Int32 = -1
) throws(SysError) {
    let flags = UInt32(0x1000) | (recursive ? 0x8000 : 0)
    try NewerCall.mountSetattr.check(
        unsafe csys_mount_setattr(
            mount, "", flags, attributes.setting, attributes.clearing, propagation, userNamespace),
        "mount_setattr(\(named(mount)), set \(hex(attributes.setting)), clear \(hex(attributes.clearing)), "
            + "propagation \(hex(propagation))\(recursive ? ", AT_RECURSIVE" : ""))")
}

/// A number as C writes it: `0x1f`.
package func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

/// `mount_setattr(2)` with a propagation type alone: `MS_SHARED` …, with or without `MS_REC`.
package func setPropagation(_ mount: Int32, _ flags: UInt) throws(SysError) {
    try setMountAttributes(
        mount, MountAttributes(), propagation: UInt64(flags & ~MountFlags.recursive),
        recursive: flags & MountFlags.recursive != 0)
}

/// The classic `mount(2)`.
/// - Parameter shown: the target as an error shows it, where `target` is not the path to show.
package func mount(
    source: String?, target: String, type: String?, flags: UInt, data: String?,
    shown: String? = nil
) throws(SysError) {
    try check(
        unsafe csys_mount(source, target, type, flags, data),
        "mount(\(source.map(quoted) ?? "NULL"), \(quoted(shown ?? target)), "
            + "\(type.map(quoted) ?? "NULL"), \(hex(UInt64(flags))), "
            + "\(data.map(quoted) ?? "NULL"))")
}

package func unmount(_ target: String, _ flags: Int32) throws(SysError) {
    try check(unsafe csys_umount2(target, flags), "umount2(\(quoted(target)))")
}

/// `umount2(2)` with `MNT_DETACH`: the mount and all below it disappear, whoever uses them.
package func detach(_ target: String) throws(SysError) {
    let mntDetach: Int32 = 2
    try check(unsafe csys_umount2(target, mntDetach), "umount2(\(quoted(target)), MNT_DETACH)")
}

package func pivotRoot(_ newRoot: String, _ putOld: String) throws(SysError) {
    try check(
        unsafe csys_pivot_root(newRoot, putOld),
        "pivot_root(\(quoted(newRoot)), \(quoted(putOld)))")
}

/// Changes to the directory open as `fd`.
package func changeDirectory(to fd: Int32) throws(SysError) {
    try check(csys_fchdir(fd), "fchdir(\(named(fd)))")
}

package func changeRoot(_ path: String) throws(SysError) {
    try check(unsafe csys_chroot(path), "chroot(\(quoted(path)))")
}
