import Init
import Spec

/// Devices and links below `/dev` (config-linux.md, Default Devices, Devices, Dev symbolic links).
extension Planner {
    mutating func makeDevices() {
        let devices = config.linux.devices
        for (path, major, minor) in defaultDevices
        where !devices.contains(where: { isSamePath($0.path, path) }) {
            let device = Device(
                path: path, type: .character, major: major, minor: minor, fileMode: 0o666, uid: 0,
                gid: 0)
            `init`("", supply(device))
        }
        for (target, path) in links { `init`("", .makeSymlink(target: target, path: path)) }
        for (index, device) in devices.enumerated() where !isSamePath(device.path, "/dev/ptmx") {
            var device = device
            // Some write the type into the mode, as stat(2) has it.
            device.fileMode = (device.fileMode ?? 0o666) & 0o7777
            device.uid = device.uid ?? 0
            device.gid = device.gid ?? 0
            `init`("/linux/devices/" + String(index), supply(device))
        }
    }

    /// In a user namespace `mknod(2)` makes nothing but FIFOs.
    private func supply(_ device: Device) -> Action {
        if (hasUserNamespace || facts.inUserNamespace) && device.type != .fifo {
            return .bindDevice(device)
        }
        return .makeDevice(device)
    }

    private var defaultDevices: [(path: String, major: Int64, minor: Int64)] {
        [
            ("/dev/null", 1, 3), ("/dev/zero", 1, 5), ("/dev/full", 1, 7), ("/dev/random", 1, 8),
            ("/dev/urandom", 1, 9), ("/dev/tty", 5, 0),
        ]
    }

    private var links: [(target: String, path: String)] {
        var links = [
            ("/proc/self/fd", "/dev/fd"), ("/proc/self/fd/0", "/dev/stdin"),
            ("/proc/self/fd/1", "/dev/stdout"), ("/proc/self/fd/2", "/dev/stderr"),
            ("pts/ptmx", "/dev/ptmx"),
        ]
        if facts.hasKernelCore { links.append(("/proc/kcore", "/dev/core")) }
        return links
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

private func cleanComponents(_ path: String) -> [Substring.UTF8View] {
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
