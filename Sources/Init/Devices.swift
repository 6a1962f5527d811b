import Glibc
import Spec
import Sys

/// A directory in which nodes are made.
struct NodeDirectory: ~Copyable {
    let path: String
    let fd: Fd
}

/// Device nodes and links (config-linux.md, Devices and Default Devices). The parent directory is
/// resolved beneath the root and the node made in it by its bare name, so that a `/dev` that is a
/// link touches nothing outside (CVE-2026-41579).
extension Performer {
    /// `mknod(2)` with exactly the permissions and owner that were asked for. What is there already
    /// must be the same device, and stays as it is: it may be the host's, where its `/dev` is bound.
    mutating func makeDevice(_ device: Device) throws(SysError) {
        let parent = try openParent(of: device.path)
        let name = splitPath(device.path).name
        let node = try DeviceNode(device)
        let mask = setUmask(0)
        defer { setUmask(mask) }
        var isNew = true
        do throws(SysError) {
            try makeNode(
                at: parent, name, mode: node.type | node.mode, major: node.major,
                minor: node.minor)
        } catch {
            switch error.errno {
            case EEXIST: isNew = false
            case EPERM where node.type != S_IFIFO:
                // Without CAP_MKNOD, as in a user namespace, there is only the host's own node.
                return try bindDevice(device)
            default: throw error.hinting("the node \(device.path) cannot be made")
            }
        }
        let found = try status(at: parent, name, AT_SYMLINK_NOFOLLOW)
        guard node.isSame(as: found) else {
            throw .refused(
                "\(quoted(device.path)) exists and is not the device \(node.description)")
        }
        if isNew, found.uid != node.uid || found.gid != node.gid || found.mode & 0o7777 != node.mode
        {
            try change(node, at: parent, name)
        }
    }

    /// By a descriptor that is proven to be the node, whatever the name has become.
    private func change(_ node: DeviceNode, at parent: Int32, _ name: String) throws(SysError) {
        let file = try openFile(at: parent, name, O_PATH | O_NOFOLLOW)
        guard node.isSame(as: try file.status()) else {
            throw .refused("the new device \(quoted(name)) was replaced by something else")
        }
        try changeOwner(at: file.raw, uid: node.uid, gid: node.gid)
        // After the owner, whose change may cost permission bits.
        try changeMode(at: prepared.procfs, "self/fd/\(file.raw)", node.mode)
    }

    /// The host's node, bound onto an empty file; both are proven.
    mutating func bindDevice(_ device: Device) throws(SysError) {
        if device.type == .fifo { return try makeDevice(device) }
        let node = try DeviceNode(device)
        let source: Fd
        do throws(SysError) {
            source = try openFile(device.path, O_PATH | O_NOFOLLOW)
        } catch {
            throw error.hinting(
                "without CAP_MKNOD in the host's user namespace a device can only be the host's")
        }
        guard node.isSame(as: try source.status()) else {
            throw .refused(
                "the host's \(quoted(device.path)) is not the device \(node.description)")
        }
        let parent = try openParent(of: device.path)
        let name = splitPath(device.path).name
        let mask = setUmask(0)
        defer { setUmask(mask) }
        do throws(SysError) {
            try makeFile(at: parent, name, mode: 0o644)
        } catch let error where error.errno == EEXIST {}
        let target = try openFile(at: parent, name, O_PATH | O_NOFOLLOW)
        let found = try target.status()
        if node.isSame(as: found) { return }
        guard found.isRegular else {
            throw .refused(
                "\(quoted(device.path)) exists and is not the device \(node.description)")
        }
        // The node is all that is wanted of the host's mount.
        let attributes = MountAttributes(setting: MountAttributes.noSuid | MountAttributes.noExec)
        do throws(SysError) {
            let tree = try cloneMount(at: source.raw, "", recursive: false)
            try setMountAttributes(
                tree.raw, attributes, propagation: UInt64(MountFlags.isPrivate), recursive: false)
            try attachMount(tree.raw, on: target.raw, device.path)
        } catch let error where error.errno == ENOSYS {
            try bindClassic(from: source, on: target, device.path, recursive: false)
            let mounted = try openMounted(device.path, of: source)
            try remountClassic(device.path, mounted, attributes)
            try propagateClassic([MountFlags.isPrivate], device.path, mounted)
        }
    }
}

/// A device as `mknod(2)` takes it.
private struct DeviceNode {
    /// `S_IFCHR`, `S_IFBLK` or `S_IFIFO`.
    let type: UInt32
    let mode: UInt32
    let major: UInt32
    let minor: UInt32
    let uid: UInt32
    let gid: UInt32

    init(_ device: Device) throws(SysError) {
        switch device.type {
        case .character, .unbuffered: type = S_IFCHR
        case .block: type = S_IFBLK
        case .fifo: type = S_IFIFO
        }
        guard let major = UInt32(exactly: device.major), let minor = UInt32(exactly: device.minor)
        else {
            throw .refused("\(device.major):\(device.minor) is not a device number")
        }
        self.major = type == S_IFIFO ? 0 : major
        self.minor = type == S_IFIFO ? 0 : minor
        // Engines write the type's bits into it, too.
        mode = (device.fileMode ?? 0o666) & 0o7777
        uid = device.uid ?? 0
        gid = device.gid ?? 0
    }

    func isSame(as found: FileStatus) -> Bool {
        type == S_IFIFO ? found.kind == S_IFIFO : found.isDevice(type, major, minor)
    }

    var description: String {
        switch type {
        case S_IFCHR: "c \(major):\(minor)"
        case S_IFBLK: "b \(major):\(minor)"
        default: "p"
        }
    }
}
