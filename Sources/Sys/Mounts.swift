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
}

/// `open_tree(2)` with `OPEN_TREE_CLONE`: a detached copy of the mount at `path`.
package func cloneMount(
    at directory: Int32 = AT_FDCWD, _ path: String, recursive: Bool
) throws(SysError) -> Fd {
    let openTreeClone: UInt32 = 1
    let atRecursive: UInt32 = 0x8000
    let empty: UInt32 = path.isEmpty ? 0x1000 : 0
    let flags = openTreeClone | UInt32(O_CLOEXEC) | empty | (recursive ? atRecursive : 0)
    return Fd(
        owning: try check(
            unsafe csys_open_tree(directory, path, flags),
            path.isEmpty ? "open_tree(\(directory))" : "open_tree(\(quoted(path)))"))
}

/// `move_mount(2)`: attaches the detached mount `mount` on the directory or file open as `target`.
package func attachMount(_ mount: Int32, on target: Int32, _ path: String) throws(SysError) {
    let fromEmpty: UInt32 = 0x4
    let toEmpty: UInt32 = 0x40
    try check(
        unsafe csys_move_mount(mount, "", target, "", fromEmpty | toEmpty),
        "move_mount(\(quoted(path)))")
}

/// `mount_setattr(2)` on the mount open as `mount`. `propagation` is an `MS_*` value or 0.
package func setMountAttributes(
    _ mount: Int32, _ attributes: MountAttributes, propagation: UInt64 = 0,
    recursive: Bool, userNamespace: Int32 = -1
) throws(SysError) {
    let flags = UInt32(0x1000) | (recursive ? 0x8000 : 0)
    try check(
        unsafe csys_mount_setattr(
            mount, "", flags, attributes.setting, attributes.clearing, propagation, userNamespace),
        "mount_setattr(set \(hex(attributes.setting)), clear \(hex(attributes.clearing)), "
            + "propagation \(hex(propagation))\(recursive ? ", AT_RECURSIVE" : ""))")
}

/// A number as C writes it: `0x1f`.
package func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

/// A file system being configured: `fsopen(2)`, `fsconfig(2)`, `fsmount(2)`. Failures carry the
/// kernel's own message from the context's log where it left one.
package struct FileSystemContext: ~Copyable {
    let fd: Fd
    let type: String

    package init(_ type: String) throws(SysError) {
        let cloexec: UInt32 = 1
        self.type = type
        fd = Fd(owning: try check(unsafe csys_fsopen(type, cloexec), "fsopen(\(quoted(type)))"))
    }

    /// `FSCONFIG_SET_STRING`, or `FSCONFIG_SET_FLAG` where there is no value.
    package borrowing func set(_ key: String, _ value: String? = nil) throws(SysError) {
        if let value {
            try explained(
                unsafe csys_fsconfig(fd.raw, 1, key, value, 0),
                "fsconfig(\(type), \(key)=\(quoted(value)))")
        } else {
            try explained(
                unsafe csys_fsconfig(fd.raw, 0, key, nil, 0), "fsconfig(\(type), \(key))")
        }
    }

    /// `FSCONFIG_CMD_CREATE` and `fsmount(2)`: the detached mount.
    package borrowing func mount(attributes: UInt64) throws(SysError) -> Fd {
        try explained(
            csys_fsconfig(fd.raw, 6, nil, nil, 0), "fsconfig(\(type), FSCONFIG_CMD_CREATE)")
        let cloexec: UInt32 = 1
        return Fd(
            owning: try check(
                csys_fsmount(fd.raw, cloexec, UInt32(truncatingIfNeeded: attributes)),
                "fsmount(\(type), \(hex(attributes)))"))
    }

    private borrowing func explained(
        _ result: Int, _ call: @autoclosure () -> String
    ) throws(SysError) {
        guard result < 0 else { return }
        var log = [UInt8](repeating: 0, count: 1024)
        let length = unsafe csys_read(fd.raw, &log, log.count)
        let note =
            length > 2
            ? " [kernel: \(String(decoding: log[2..<length].prefix { $0 != 10 }, as: UTF8.self))]"
            : ""
        throw SysError(call() + note, Int32(truncatingIfNeeded: -result))
    }
}

/// The classic `mount(2)`.
package func mount(
    source: String?, target: String, type: String?, flags: UInt, data: String?
) throws(SysError) {
    try check(
        unsafe csys_mount(source, target, type, flags, data),
        "mount(\(source.map(quoted) ?? "NULL"), \(quoted(target)), \(type.map(quoted) ?? "NULL"), "
            + "\(hex(UInt64(flags))), \(data.map(quoted) ?? "NULL"))")
}

package func unmount(_ target: String, _ flags: Int32) throws(SysError) {
    try check(unsafe csys_umount2(target, flags), "umount2(\(quoted(target)))")
}

package func pivotRoot(_ newRoot: String, _ putOld: String) throws(SysError) {
    try check(
        unsafe csys_pivot_root(newRoot, putOld),
        "pivot_root(\(quoted(newRoot)), \(quoted(putOld)))")
}
