import Glibc
import Sys

/// Which directory of an overlay is to blame, for the hint of an error: the kernel's errno names none.
/// - Returns: nil where nothing is found.
func overlayFault(_ options: [String], _ errno: Int32) -> String? {
    var layers: [(name: String, path: String)] = []
    for option in options {
        let parts = option.utf8.split(separator: UInt8(ascii: "="), maxSplits: 1)
        if parts.count < 2 { continue }
        let key = String(Substring(parts[0]))
        switch key {
        case "lowerdir": layers += lowerLayers(parts[1]).map { ("lowerdir", $0) }
        case "lowerdir+", "datadir+", "upperdir", "workdir":
            layers.append((key, String(Substring(parts[1]))))
        default: break
        }
    }
    for (name, path) in layers {
        if let fault = pathFault(path, errno) { return "\(name): \(fault)" }
        if errno == ENOTDIR, let file = try? status(of: path), !file.isDirectory {
            return "\(name): \(quoted(path)) is not a directory"
        }
    }
    guard errno == EINVAL else { return nil }
    if !layers.contains(where: { $0.name.hasPrefix("lowerdir") }) {
        return "the option lowerdir= is missing"
    }
    if layers.contains(where: { $0.name == "upperdir" }) {
        return "upperdir and workdir must be apart from each other on one file system, which is no "
            + "overlay; the kernel's log (dmesg) says more"
    }
    return "the kernel's log (dmesg) says more"
}

/// The directories of `lowerdir=`: a colon separates them, a backslash takes its meaning away. An empty
/// one stands before those that hold data only.
private func lowerLayers(_ value: Substring.UTF8View) -> [String] {
    var layers: [[UInt8]] = [[]]
    var isEscaped = false
    for byte in value {
        if !isEscaped, byte == UInt8(ascii: "\\") {
            isEscaped = true
        } else if !isEscaped, byte == UInt8(ascii: ":") {
            layers.append([])
        } else {
            layers[layers.count - 1].append(byte)
            isEscaped = false
        }
    }
    return layers.filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
}
