import Init
import Spec

/// Devices and links below `/dev` (config-linux.md, Default Devices, Devices, Dev symbolic links).
extension Planner {
    mutating func makeDevices() {
        supply("/dev/null", 1, 3)
        supply("/dev/zero", 1, 5)
        supply("/dev/full", 1, 7)
        supply("/dev/random", 1, 8)
        supply("/dev/urandom", 1, 9)
        supply("/dev/tty", 5, 0)
        `init`("", .makeSymlink(target: "/proc/self/fd", path: "/dev/fd"))
        `init`("", .makeSymlink(target: "/proc/self/fd/0", path: "/dev/stdin"))
        `init`("", .makeSymlink(target: "/proc/self/fd/1", path: "/dev/stdout"))
        `init`("", .makeSymlink(target: "/proc/self/fd/2", path: "/dev/stderr"))
        `init`("", .makeSymlink(target: "pts/ptmx", path: "/dev/ptmx"))
        if facts.hasKernelCore {
            `init`("", .makeSymlink(target: "/proc/kcore", path: "/dev/core"))
        }
        let owner = deviceOwner
        for (index, device) in config.linux.devices.enumerated()
        where !isSamePath(device.path, "/dev/ptmx") {
            var device = device
            // Some write the type into the mode, as stat(2) has it.
            device.fileMode = (device.fileMode ?? 0o666) & 0o7777
            device.uid = device.uid ?? owner.uid
            device.gid = device.gid ?? owner.gid
            `init`("/linux/devices/" + String(index), supply(device))
        }
    }

    /// A default device, unless the config has one in its place.
    private mutating func supply(_ path: String, _ major: Int64, _ minor: Int64) {
        if config.linux.devices.contains(where: { isSamePath($0.path, path) }) { return }
        let device = Device(
            path: path, type: .character, major: major, minor: minor, fileMode: 0o666, uid: 0,
            gid: 0)
        `init`("", supply(device))
    }

    /// In a user namespace `mknod(2)` makes nothing but FIFOs.
    private func supply(_ device: Device) -> Action {
        if (hasUserNamespace || facts.inUserNamespace) && device.type != .fifo {
            return .bindDevice(device)
        }
        return .makeDevice(device)
    }
}

/// Whether `path` is `/dev`, however it is written.
func isDev(_ path: String) -> Bool { isSamePath(path, "/dev") }

/// Whether two paths have the same components, without asking any file system. The second one is
/// clean.
func isSamePath(_ path: String, _ clean: String) -> Bool {
    if path.utf8.elementsEqual(clean.utf8) { return true }
    guard let last = path.utf8.last, let next = clean.utf8.last else { return false }
    // Most paths differ, and nothing but a slash, a dot or the same last byte can hide that.
    guard last == next || last == UInt8(ascii: "/") || last == UInt8(ascii: ".") else {
        return false
    }
    return cleanComponents(path).elementsEqual(cleanComponents(clean), by: { $0.elementsEqual($1) })
}

func cleanComponents(_ path: String) -> [Substring.UTF8View] {
    var components: [Substring.UTF8View] = []
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
        let part = Substring(part).utf8
        if part.elementsEqual(".".utf8) { continue }
        if part.elementsEqual("..".utf8) {
            _ = components.popLast()
        } else {
            components.append(part)
        }
    }
    return components
}
