import Glibc
import Sys

/// The host's cgroup hierarchies: where they are mounted and where this process lives in them
/// (`cgroups(7)`).
public struct CgroupLayout: Sendable, Equatable {
    /// One mounted hierarchy.
    package struct Hierarchy: Sendable, Equatable {
        /// The names between the colons of `/proc/PID/cgroup`: `cpu,cpuacct`, `name=systemd`; empty
        /// for cgroup v2.
        package var controllers: String
        package var mountPoint: String
        /// The runtime's own cgroup below the mount point: `/`, or `/a/b`.
        package var own: String

        package init(controllers: String, mountPoint: String, own: String) {
            self.controllers = controllers
            self.mountPoint = mountPoint
            self.own = own
        }

        func has(_ controller: String) -> Bool { isListed(controller, in: controllers) }
    }

    /// The cgroup v1 hierarchies, co-mounted controllers together; empty on a v2 host.
    package var hierarchies: [Hierarchy]
    /// The cgroup v2 hierarchy; on a hybrid host it is there beside the others.
    package var unified: Hierarchy?
    /// The controllers that the v2 hierarchy offers, from `cgroup.controllers`.
    package var unifiedControllers: [String]

    package init(
        hierarchies: [Hierarchy], unified: Hierarchy?, unifiedControllers: [String] = []
    ) {
        self.hierarchies = hierarchies
        self.unified = unified
        self.unifiedControllers = unifiedControllers
    }

    /// No cgroups at all: none are mounted, or the caller wants none (`--cgroup-manager disabled`).
    package static let none = CgroupLayout(hierarchies: [], unified: nil)

    /// Whether containers live in cgroup v2 alone.
    package var isUnified: Bool { hierarchies.isEmpty && unified != nil }

    /// The v1 hierarchy of a controller.
    package func hierarchy(of controller: String) -> Hierarchy? {
        hierarchies.first { $0.has(controller) }
    }
}

/// Whether a list such as `cpu,cpuacct` has a name; no copies, it is asked at every setting.
func isListed(_ name: String, in list: String) -> Bool {
    var rest = list.utf8[...]
    while true {
        let end = rest.firstIndex(of: comma) ?? rest.endIndex
        if rest[..<end].elementsEqual(name.utf8) { return true }
        if end == rest.endIndex { return false }
        rest = rest[rest.index(after: end)...]
    }
}

private let comma = UInt8(ascii: ",")
private let colon = UInt8(ascii: ":")
private let space = UInt8(ascii: " ")
private let newline = UInt8(ascii: "\n")

// MARK: - From the running system

extension CgroupLayout {
    /// The layout of this host.
    ///
    /// `/proc/self/cgroup` and the places where everybody mounts the hierarchies are enough nearly
    /// always. `mountinfo`, which grows with every container on the host, is only read when a
    /// hierarchy is not where it should be.
    ///
    /// A kernel without cgroups has no `/proc/self/cgroup`, and ``none``.
    package static func gather() -> CgroupLayout {
        guard let cgroup = try? readFile("/proc/self/cgroup") else { return .none }
        var layout = gather(of: cgroup)
        if layout.isUnified, let mountPoint = layout.unified?.mountPoint {
            let controllers = try? readFile("\(mountPoint)/cgroup.controllers")
            layout.unifiedControllers = words(controllers ?? [])
        }
        return layout
    }

    /// The hierarchies, and where the process lives in them whose `/proc/PID/cgroup` that is.
    static func gather(of cgroup: [UInt8]) -> CgroupLayout {
        if let conventional = conventional(cgroup) { return conventional }
        let mountinfo = (try? readFile("/proc/self/mountinfo")) ?? []
        return parse(mountinfo: mountinfo, cgroup: cgroup)
    }

    /// nil where a hierarchy is not at its conventional place below `/sys/fs/cgroup`.
    private static func conventional(_ cgroup: [UInt8]) -> CgroupLayout? {
        let root = "/sys/fs/cgroup"
        let isUnified = exists("\(root)/cgroup.controllers")
        var layout = CgroupLayout.none
        for entry in memberships(cgroup) {
            if entry.controllers.isEmpty {
                let mountPoint = isUnified ? root : "\(root)/unified"
                guard isUnified || exists("\(mountPoint)/cgroup.controllers") else { continue }
                if isUnified, entry.path != "/",
                    !exists("\(mountPoint)\(entry.path)/cgroup.procs")
                {
                    return nil
                }
                layout.unified = Hierarchy(
                    controllers: "", mountPoint: mountPoint, own: entry.path)
            } else if !isUnified {
                let mountPoint = "\(root)/\(directoryName(entry.controllers))"
                // Every v1 hierarchy has `tasks` at its top, and nothing else has.
                guard exists("\(mountPoint)/tasks") else { return nil }
                if entry.path != "/", !exists("\(mountPoint)\(entry.path)/tasks") {
                    return nil
                }
                layout.hierarchies.append(
                    Hierarchy(
                        controllers: entry.controllers, mountPoint: mountPoint, own: entry.path))
            }
        }
        return layout
    }

    /// Where a hierarchy goes below `/sys/fs/cgroup`: `cpu,cpuacct`, or `systemd` for `name=systemd`.
    private static func directoryName(_ controllers: String) -> Substring {
        controllers.utf8.starts(with: "name=".utf8) ? controllers.dropFirst(5) : controllers[...]
    }
}

/// The words of a control file that separates them by spaces.
func words(_ bytes: [UInt8]) -> [String] {
    bytes.split { $0 == space || $0 == newline }.map { String(decoding: $0, as: UTF8.self) }
}

// MARK: - From text

extension CgroupLayout {
    /// The layout that `/proc/self/mountinfo` and `/proc/self/cgroup` describe, as bytes.
    package static func parse(mountinfo: [UInt8], cgroup: [UInt8]) -> CgroupLayout {
        let mounts = cgroupMounts(mountinfo)
        var layout = CgroupLayout.none
        // Some v1 hierarchy beside a cgroup2 at the usual place (a VPN's net_cls, say) does not make
        // the host a v1 host.
        let isUnified = mounts.contains {
            $0.options == nil && $0.mountPoint.utf8.elementsEqual("/sys/fs/cgroup".utf8)
        }
        for entry in memberships(cgroup) {
            if entry.controllers.isEmpty {
                guard let mount = preferred(mounts.filter { $0.options == nil }) else { continue }
                layout.unified = Hierarchy(
                    controllers: "", mountPoint: mount.mountPoint,
                    own: own(entry.path, below: mount.root))
            } else if !isUnified {
                let names = entry.controllers.utf8.split(separator: comma)
                let matching = mounts.filter { mount in
                    guard let options = mount.options else { return false }
                    return names.allSatisfy { name in
                        options.contains { $0.utf8.elementsEqual(name) }
                    }
                }
                guard let mount = preferred(matching) else { continue }
                layout.hierarchies.append(
                    Hierarchy(
                        controllers: entry.controllers, mountPoint: mount.mountPoint,
                        own: own(entry.path, below: mount.root)))
            }
        }
        return layout
    }

    private struct CgroupMount {
        var root: String
        var mountPoint: String
        /// The super block's options, among them the controllers; nil for cgroup v2.
        var options: [String]?
    }

    /// A line of `mountinfo` (`proc_pid_mountinfo(5)`).
    private struct Mount {
        var id: Int
        var parent: Int
        var mountPoint: String
        var cgroup: CgroupMount?

        init?(_ line: ArraySlice<UInt8>) {
            let fields = line.split(separator: space)
            guard fields.count >= 9, let id = Int(String(decoding: fields[0], as: UTF8.self)),
                let parent = Int(String(decoding: fields[1], as: UTF8.self)),
                let dash = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
                fields.count >= dash + 4
            else { return nil }
            self.id = id
            self.parent = parent
            mountPoint = unescaped(fields[4])
            let type = fields[dash + 1]
            let isUnified = type.elementsEqual("cgroup2".utf8)
            guard isUnified || type.elementsEqual("cgroup".utf8) else { return }
            let options = fields[dash + 3].split(separator: comma).map {
                String(decoding: $0, as: UTF8.self)
            }
            cgroup = CgroupMount(
                root: unescaped(fields[3]), mountPoint: mountPoint,
                options: isUnified ? nil : options)
        }
    }

    /// The cgroup mounts that no other mount hides.
    private static func cgroupMounts(_ mountinfo: [UInt8]) -> [CgroupMount] {
        let mounts = mountinfo.split(separator: newline).compactMap { Mount($0) }
        let parents = Dictionary(mounts.map { ($0.id, $0.parent) }) { first, _ in first }
        /// Whether `ancestor` holds the mount, be it over others in between.
        func holds(_ ancestor: Int, _ mount: Mount) -> Bool {
            var id = mount.id
            for _ in 0..<parents.count {
                if id == ancestor { return true }
                guard let parent = parents[id] else { return false }
                id = parent
            }
            return true
        }
        return mounts.compactMap { mount in
            guard let cgroup = mount.cgroup else { return nil }
            let isHidden = mounts.contains {
                CgroupPath.isBelow(mount.mountPoint, $0.mountPoint, orSame: true)
                    && !holds($0.id, mount)
            }
            return isHidden ? nil : cgroup
        }
    }

    /// A hierarchy may be mounted several times; the one below `/sys/fs/cgroup` is the host's.
    private static func preferred(_ mounts: [CgroupMount]) -> CgroupMount? {
        mounts.first { CgroupPath.isBelow($0.mountPoint, "/sys/fs/cgroup", orSame: true) }
            ?? mounts.first
    }

    /// A path of `/proc/self/cgroup` as seen below a mount whose root is `root`: a container without
    /// a cgroup namespace sees its own cgroup mounted, and the whole path in `/proc/self/cgroup`.
    private static func own(_ path: String, below root: String) -> String {
        if root.utf8.elementsEqual("/".utf8) { return path }
        guard CgroupPath.isBelow(path, root, orSame: false) else { return "/" }
        return String(decoding: path.utf8.dropFirst(root.utf8.count), as: UTF8.self)
    }

    /// The lines `id:controllers:path` of a `/proc/PID/cgroup`.
    static func memberships(_ cgroup: [UInt8]) -> [(controllers: String, path: String)] {
        var entries: [(controllers: String, path: String)] = []
        var line = cgroup[...]
        while !line.isEmpty {
            let end = line.firstIndex(of: newline) ?? line.endIndex
            // A name may hold anything but a newline: the path begins at `:/`.
            if let id = line[..<end].firstIndex(of: colon),
                let start = pathStart(line[(id + 1)..<end])
            {
                entries.append(
                    (
                        String(decoding: line[(id + 1)..<start], as: UTF8.self),
                        String(decoding: line[(start + 1)..<end], as: UTF8.self)
                    ))
            }
            line = line[end...].dropFirst()
        }
        return entries
    }

    private static func pathStart(_ bytes: ArraySlice<UInt8>) -> Int? {
        var index = bytes.startIndex
        while index + 1 < bytes.endIndex {
            if bytes[index] == colon, bytes[index + 1] == UInt8(ascii: "/") { return index }
            index += 1
        }
        return nil
    }
}

/// `\040` and its like, in octal.
func unescaped(_ field: ArraySlice<UInt8>) -> String {
    let backslash = UInt8(ascii: "\\")
    guard field.contains(backslash) else { return String(decoding: field, as: UTF8.self) }
    var bytes: [UInt8] = []
    var rest = field
    while let byte = rest.popFirst() {
        let digits = rest.prefix(3)
        if byte == backslash, digits.count == 3,
            let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
        {
            bytes.append(value)
            rest = rest.dropFirst(3)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
