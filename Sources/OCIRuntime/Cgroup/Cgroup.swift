import Glibc
import Spec
import Sys

/// A container's cgroup: one directory in each v1 hierarchy, or one in the v2 hierarchy.
///
/// All v1 hierarchies are joined, as runc does it, so that statistics and later updates find the
/// container everywhere. So is the v2 hierarchy of a hybrid host, which has next to no controllers, but
/// what goes by it (`cgroup.kill`, pressure, eBPF programs) sees the container there; where it may not be
/// used the container does without.
///
/// ```
/// create() ─ set(…) ─ restrictDevices(…) ─ openJoinFiles() ─ clone … ─ remove()
/// ```
package struct Cgroup: Sendable {
    /// A container's directory in one hierarchy.
    package struct Directory: Sendable, Equatable {
        /// As in ``CgroupLayout/Hierarchy``: empty for cgroup v2.
        package var controllers: String
        package var mountPoint: String
        /// Below the mount point, with a leading slash.
        package var path: String

        /// The absolute path.
        package var full: String { mountPoint + path }
        package var isUnified: Bool { controllers.isEmpty }

        func has(_ controller: String) -> Bool {
            isListed(controller, in: controllers)
        }

        /// Whether a process at `shown` of this hierarchy is in it. A mount whose root is not the
        /// hierarchy's shows less than the whole path.
        func isMeant(by shown: String) -> Bool {
            shown.utf8.reversed().starts(with: path.utf8.reversed())
        }
    }

    var members: [Directory]
    /// v2: what is enabled on the way down to the container.
    let unifiedControllers: [String]
    /// The container's init, which `exec` follows where the container's cgroup takes no process; else 0.
    var followed: Int32 = 0
    /// Whether the container does without v2 where that may not be used: on a hybrid host, but for
    /// systemd's units, as systemd goes by v2 when it looks whether one is still in use.
    let goesWithoutUnified: Bool
    /// What ``create(toleratingRefusal:)`` made, to be undone when it fails.
    private(set) var made: [String] = []
    /// v1: files of the new cpuset that are empty, which nobody may join.
    var emptyCpusetFiles: [String] = []

    /// Of ``CgroupPath``.
    private let subgroup: String
    private let rootless: RootlessCgroups
    /// Whether the cgroup is the container's, to be removed with it; not before it is made.
    private(set) var isMine: Bool

    /// The cgroup at `path`.
    /// - Parameters:
    ///   - exists: whether it was made before; otherwise ``create(toleratingRefusal:)`` will.
    ///   - rootless: whether a hierarchy in which it may not be made is passed over.
    package init(
        layout: CgroupLayout, path: CgroupPath, exists: Bool = false,
        rootless: RootlessCgroups = .auto
    ) {
        isMine = exists
        subgroup = path.subgroup
        self.rootless = rootless
        goesWithoutUnified = !layout.isUnified && path.unit == nil
        // v2 last: what asks for any hierarchy of a hybrid host is to find one of v1.
        members = (layout.hierarchies + [layout.unified].compactMap { $0 }).map {
            Directory(
                controllers: $0.controllers, mountPoint: $0.mountPoint, path: path.path(in: $0))
        }
        unifiedControllers = layout.unifiedControllers
    }

    /// A container's existing cgroup, from what ``directories`` gave.
    package init(directories: [String]) {
        isMine = true
        subgroup = ""
        rootless = .auto
        let members: [Directory] = directories.compactMap { record in
            let parts = record.utf8.split(
                separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            return Directory(
                controllers: String(Substring(parts[0])), mountPoint: String(Substring(parts[1])),
                path: String(Substring(parts[2])))
        }
        self.members = members
        goesWithoutUnified = members.contains { !$0.isUnified }
        unifiedControllers = []
    }

    /// What the state keeps: `controllers:mount point:path` for each directory.
    package var directories: [String] {
        members.map { "\($0.controllers):\($0.mountPoint):\($0.path)" }
    }

    /// Whether the container lives in cgroup v2.
    package var isUnified: Bool { members.count == 1 && members[0].isUnified }

    /// The directory in the v2 hierarchy, also of a hybrid host.
    var unified: Directory? { members.last.flatMap { $0.isUnified ? $0 : nil } }

    func directory(of controller: String) -> Directory? {
        members.first { $0.has(controller) }
    }
}

// MARK: - Making

extension Cgroup {
    /// Makes the directories, and their parents where missing.
    ///
    /// A cgroup that is there already is taken over only when it is empty and not frozen: two
    /// containers in one cgroup would kill each other's processes.
    /// - Parameter toleratingRefusal: pass over hierarchies in which the caller may not make cgroups,
    ///   as far as ``RootlessCgroups`` allows.
    package mutating func create(toleratingRefusal: Bool = false) throws(SysError) {
        do throws(SysError) {
            for directory in members {
                do throws(SysError) {
                    try create(directory)
                } catch let error
                    where toleratingRefusal && isRefusal(error) && rootless.goesWithout
                    || directory.isUnified && goesWithoutUnified
                {
                    members.removeAll { $0 == directory }
                }
            }
        } catch {
            for path in made.reversed() { try? removeDirectory(path) }
            made = []
            throw error
        }
        isMine = true
    }

    private func isRefusal(_ error: SysError) -> Bool {
        error.errno == EACCES || error.errno == EPERM || error.errno == EROFS
    }

    private mutating func create(_ directory: Directory) throws(SysError) {
        let full = directory.full
        if isUnified { try enableControllers(above: directory) }
        do throws(SysError) {
            try makeDirectory(full, mode: 0o755)
        } catch let error where error.errno == ENOENT {
            try createParents(of: directory)
            try makeDirectory(full, mode: 0o755)
        } catch let error where error.errno == EEXIST {
            try checkIsFree(directory)
            if directory.has("cpuset") { emptyCpusetFiles = Self.cpusetFiles }
            return
        } catch {
            throw explained(error, directory)
        }
        made.append(full)
        if directory.has("cpuset") { emptyCpusetFiles = Self.cpusetFiles }
    }

    /// Why a cgroup could not be made.
    func explained(_ error: SysError, _ directory: Directory) -> SysError {
        switch error.errno {
        case EACCES, EPERM, EROFS:
            error.hinting(
                "rootless needs no limits + no cgrouppath when no permission is granted for cgroups; "
                    + "ask for a delegated one")
        case EAGAIN:
            error.hinting("cgroup.max.depth or cgroup.max.descendants of a parent is used up")
        case ENOSPC:
            error.hinting("the kernel has no more ids for cgroups of \(directory.controllers)")
        default: error
        }
    }

    /// The parents from the top down. Empty cpusets among them are filled with the container's.
    private func createParents(of directory: Directory) throws(SysError) {
        var path = directory.mountPoint
        for component in directory.path.utf8.split(separator: UInt8(ascii: "/")).dropLast() {
            path += "/\(Substring(component))"
            do throws(SysError) {
                try makeDirectory(path, mode: 0o755)
            } catch let error where error.errno == EEXIST {
                continue
            } catch {
                throw explained(error, directory)
            }
        }
    }

    /// See config-linux.md, "Control groups": a check whether the cgroup is fit for purpose.
    private func checkIsFree(_ directory: Directory) throws(SysError) {
        let pids = try processes(in: directory)
        guard pids.isEmpty else {
            throw .refused(
                "container's cgroup is not empty: \(pids.count) process(es) found in "
                    + "\(directory.full), \(pids.prefix(3).map { "\($0)" }.joined(separator: ", ")) …",
                hint: "give each container a cgroupsPath of its own")
        }
        if Self.isFrozen(directory) {
            throw .refused(
                "container's cgroup unexpectedly frozen: \(directory.full)",
                hint: "thaw it, or use another cgroupsPath")
        }
    }
}

// MARK: - Taking over from systemd

extension Cgroup {
    /// Whether there is something of the container's left: the directory that systemd sees to.
    package var isThere: Bool {
        let named = members.first { $0.controllers.utf8.elementsEqual("name=systemd".utf8) }
        return (named ?? members.first).map { exists($0.full) } ?? false
    }

    private var scopePath: String {
        String(Substring(members[0].path.utf8.dropLast(subgroup.utf8.count)))
    }

    /// Takes over the cgroup of a unit, from a process that is in it, and makes what systemd does not
    /// look after: the directories in v1's other hierarchies, and controllers of its own version's
    /// time after.
    package mutating func adopt(from pid: Int32) throws(SysError) {
        let entries = CgroupLayout.memberships(try readFile("/proc/\(pid)/cgroup"))
        let name = isUnified ? "" : "name=systemd"
        if let path = entries.first(where: { $0.controllers.utf8.elementsEqual(name.utf8) })?.path {
            // A process that has ended is in `/`, one that was not moved elsewhere: neither is ours.
            let unit = splitPath(scopePath).name
            guard splitPath(path).name.utf8.elementsEqual(unit.utf8) else {
                throw .refused(
                    "systemd should have put process \(pid) into \(unit), and it is in \(path)")
            }
            for index in members.indices where !members[index].isMeant(by: path + subgroup) {
                members[index].path = path + subgroup
            }
        }
        isMine = true
        if !subgroup.isEmpty {
            var scope = self
            scope.members[0].path = scopePath
            return try scope.enter(subgroup, with: pid, owner: nil)
        }
        for directory in members {
            if isUnified { try enableControllers(above: directory) }
            do throws(SysError) {
                try makeDirectory(directory.full, mode: 0o755)
            } catch  where error.errno == EEXIST {
                continue
            } catch  where error.errno == ENOENT {
                try createParents(of: directory)
                try makeDirectory(directory.full, mode: 0o755)
            } catch {
                throw explained(error, directory)
            }
            if directory.has("cpuset") { emptyCpusetFiles = Self.cpusetFiles }
        }
    }
}
