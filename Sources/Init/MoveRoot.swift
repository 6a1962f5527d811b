import Glibc
import Sys

extension Performer {
    /// `--no-pivot`, for a host whose root cannot be pivoted away (an initramfs): moves the root file
    /// system over `/`. The host's mounts stay below, out of sight; but its full procfs and sysfs
    /// would let a container mount new ones without the masks, so they go first.
    func moveRoot() throws(SysError) {
        let top = try withRoot { (root) throws(SysError) in
            try readLink(at: prepared.procfs, "self/fd/\(root.fd.raw)")
        }
        for path in try fullProcAndSysfs(outside: top) { try takeAway(path) }
        try enterRoot()
        try Sys.mount(
            source: ".", target: "/", type: nil, flags: MountFlags.move, data: nil)
        try Sys.changeRoot(".")
        try Sys.changeDirectory("/")
    }

    /// The mount points of whole procfs and sysfs instances outside of the root file system.
    private func fullProcAndSysfs(outside top: String) throws(SysError) -> [String] {
        let file = try openFile(at: prepared.procfs, "self/mountinfo", O_RDONLY)
        var paths: [String] = []
        for line in try file.readAll().split(separator: UInt8(ascii: "\n")) {
            // proc_pid_mountinfo(5): 36 35 98:0 /root /mount/point options optional… - type …
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count > 6,
                let dash = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
                dash + 1 < fields.count
            else { continue }
            let type = fields[dash + 1]
            guard type.elementsEqual("proc".utf8) || type.elementsEqual("sysfs".utf8),
                fields[3].elementsEqual("/".utf8)
            else { continue }
            let path = unescaped(fields[4])
            let isInside =
                path.utf8.elementsEqual(top.utf8) || path.utf8.starts(with: "\(top)/".utf8)
            if !isInside { paths.append(path) }
        }
        return paths
    }

    /// Blank, tab, newline and backslash are three octal digits after a backslash.
    private func unescaped(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest.removeFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func takeAway(_ path: String) throws(SysError) {
        do throws(SysError) {
            try Sys.mount(
                source: nil, target: path, type: nil,
                flags: MountFlags.isSlave | MountFlags.recursive, data: nil)
        } catch let error where error.errno == ENOENT || error.errno == EINVAL {
            return  // it went with a mount above it
        }
        do throws(SysError) {
            try detach(path)
        } catch let error where error.errno == EINVAL || error.errno == EPERM {
            // Locked, in a user namespace: then it is covered.
            try Sys.mount(source: "tmpfs", target: path, type: "tmpfs", flags: 0, data: nil)
        }
    }
}
