import Glibc
import Spec
import Sys

/// A container's cgroup: one directory in each v1 hierarchy, or one in the v2 hierarchy.
///
/// All v1 hierarchies are joined, as runc does it, so that statistics and later updates find the
/// container everywhere. On a hybrid host the v2 hierarchy has next to no controllers and is left out:
/// a directory there costs as much as one more controller and gives nothing but `cgroup.kill`.
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
            CgroupLayout.Hierarchy(controllers: controllers, mountPoint: "", own: "")
                .has(controller)
        }
    }

    private(set) var members: [Directory]
    /// v2: what is enabled on the way down to the container.
    private let unifiedControllers: [String]
    /// What ``create(toleratingRefusal:)`` made, to be undone when it fails.
    private var made: [String] = []
    /// v1: files of the new cpuset that are empty, which nobody may join.
    private var emptyCpusetFiles: [String] = []

    /// Whether the cgroup is the container's, to be removed with it; not before it is made.
    private(set) var isMine: Bool

    /// The cgroup at `path`.
    /// - Parameter exists: whether it was made before; otherwise ``create(toleratingRefusal:)`` will.
    package init(layout: CgroupLayout, path: CgroupPath, exists: Bool = false) {
        isMine = exists
        let hierarchies =
            layout.isUnified ? [layout.unified].compactMap { $0 } : layout.hierarchies
        members = hierarchies.map {
            Directory(
                controllers: $0.controllers, mountPoint: $0.mountPoint, path: path.path(in: $0))
        }
        unifiedControllers = layout.unifiedControllers
    }

    /// A container's existing cgroup, from what ``directories`` gave.
    package init(directories: [String]) {
        isMine = true
        members = directories.compactMap { record in
            let parts = record.utf8.split(
                separator: UInt8(ascii: ":"), maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return nil }
            return Directory(
                controllers: String(Substring(parts[0])), mountPoint: String(Substring(parts[1])),
                path: String(Substring(parts[2])))
        }
        unifiedControllers = []
    }

    /// What the state keeps: `controllers:mount point:path` for each directory.
    package var directories: [String] {
        members.map { "\($0.controllers):\($0.mountPoint):\($0.path)" }
    }

    /// Whether the container lives in cgroup v2.
    package var isUnified: Bool { members.count == 1 && members[0].isUnified }

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
    /// - Parameter toleratingRefusal: pass over hierarchies in which this user may not make cgroups
    ///   (rootless, without a path in the config).
    package mutating func create(toleratingRefusal: Bool = false) throws(SysError) {
        do throws(SysError) {
            for directory in members {
                do throws(SysError) {
                    try create(directory)
                } catch let error where toleratingRefusal && isRefusal(error) {
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
        if directory.isUnified { try enableControllers(above: directory) }
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
            throw error.hinting(makingHint(error, directory))
        }
        made.append(full)
        if directory.has("cpuset") { emptyCpusetFiles = Self.cpusetFiles }
    }

    private func makingHint(_ error: SysError, _ directory: Directory) -> String {
        switch error.errno {
        case EACCES, EPERM, EROFS:
            "this user may not make cgroups there; ask for a delegated cgroup"
        case EAGAIN: "cgroup.max.depth or cgroup.max.descendants of a parent is used up"
        case ENOSPC: "the kernel has no more ids for cgroups of \(directory.controllers)"
        default: "is \(directory.mountPoint) still a cgroup mount?"
        }
    }

    /// The parents from the top down. Of a new cpuset parent, nothing below could have a CPU.
    private func createParents(of directory: Directory) throws(SysError) {
        var path = directory.mountPoint
        for component in directory.path.utf8.split(separator: UInt8(ascii: "/")).dropLast() {
            let parent = path
            path += "/\(Substring(component))"
            do throws(SysError) {
                try makeDirectory(path, mode: 0o755)
            } catch let error where error.errno == EEXIST {
                continue
            } catch {
                throw error.hinting(makingHint(error, directory))
            }
            if directory.has("cpuset") {
                for file in Self.cpusetFiles { try inheritCpuset(file, from: parent, to: path) }
            }
        }
    }

    /// See config-linux.md, "Control groups": a check whether the cgroup is fit for purpose.
    private func checkIsFree(_ directory: Directory) throws(SysError) {
        let pids = try processes(in: directory)
        guard pids.isEmpty else {
            throw .refused(
                "the cgroup \(directory.full) is in use: it has \(pids.count) processes, "
                    + "\(pids.prefix(3).map { "\($0)" }.joined(separator: ", ")) …",
                hint: "give each container a cgroupsPath of its own")
        }
        if directory.isUnified || directory.has("freezer"), isFrozen {
            throw .refused(
                "the cgroup \(directory.full) is frozen",
                hint: "thaw it, or use another cgroupsPath")
        }
    }
}

// MARK: - cpuset

extension Cgroup {
    static let cpusetFiles = ["cpuset.cpus", "cpuset.mems"]

    /// v1 gives a new cpuset no CPUs and no memory nodes, and nobody may join it so.
    private func inheritCpuset(
        _ file: String, from parent: String, to child: String
    ) throws(SysError) {
        let bytes = try readFile("\(parent)/\(file)").prefix { $0 != UInt8(ascii: "\n") }
        try writeFile("\(child)/\(file)", String(decoding: bytes, as: UTF8.self))
    }

    /// Fills what no setting has filled. Not before the settings: a parent's CPUs may be the
    /// exclusive ones of another cgroup.
    private mutating func fillCpuset() throws(SysError) {
        guard let directory = directory(of: "cpuset") else { return }
        let parent = splitPath(directory.full).parent
        for file in emptyCpusetFiles {
            try inheritCpuset(file, from: parent, to: directory.full)
        }
        emptyCpusetFiles = []
    }
}

// MARK: - Joining

extension Cgroup {
    /// The files through which a process joins by writing `0`, open for writing, without an owner.
    ///
    /// v1: the `tasks` of each hierarchy. A single-threaded process that moves itself there does not
    /// wait for an RCU grace period, about 10 ms, as one that is moved by `cgroup.procs` does. On v2
    /// there are none: the clone goes into ``openDirectory()``.
    /// - Parameter withoutClone: v2's `cgroup.procs`, for kernels without `CLONE_INTO_CGROUP` (5.7).
    package mutating func openJoinFiles(withoutClone: Bool = false) throws(SysError) -> [Int32] {
        try fillCpuset()
        var files: [Int32] = []
        do throws(SysError) {
            for directory in members where !directory.isUnified || withoutClone {
                let name = directory.isUnified ? "cgroup.procs" : "tasks"
                let file = try openFile("\(directory.full)/\(name)", O_WRONLY)
                files.append(file.release())
            }
        } catch {
            for file in files { _ = Fd(owning: file) }
            throw error
        }
        return files
    }

    /// v2: the directory for `CLONE_INTO_CGROUP`; nil on v1.
    package func openDirectory() throws(SysError) -> Fd? {
        guard isUnified else { return nil }
        return try openFile(members[0].full, O_RDONLY | O_DIRECTORY)
    }

    /// Checks that a process is in all of the container's directories.
    package func verify(_ pid: Int32) throws(SysError) {
        let entries = CgroupLayout.memberships(try readFile("/proc/\(pid)/cgroup"))
        for directory in members {
            // A mount whose root is not the hierarchy's shows less than the whole path.
            let isThere = entries.contains {
                $0.controllers.utf8.elementsEqual(directory.controllers.utf8)
                    && $0.path.utf8.reversed().starts(with: directory.path.utf8.reversed())
            }
            guard isThere else {
                throw .refused("process \(pid) is not in the cgroup \(directory.full)")
            }
        }
    }
}

// MARK: - v2: controllers and delegation

extension Cgroup {
    /// Enables the host's controllers on the way down; a cgroup has those that its parent's
    /// `cgroup.subtree_control` lists.
    private func enableControllers(above directory: Directory) throws(SysError) {
        let parent = splitPath(directory.full).parent
        if exists(parent), areEnabled(in: parent) { return }
        var path = directory.mountPoint
        for component in directory.path.utf8.split(separator: UInt8(ascii: "/")) {
            enable(in: path)
            path += "/\(Substring(component))"
            if path.utf8.elementsEqual(directory.full.utf8) { return }
            do throws(SysError) {
                try makeDirectory(path, mode: 0o755)
            } catch let error where error.errno == EEXIST {
                continue
            } catch {
                throw error.hinting(makingHint(error, directory))
            }
        }
    }

    private func areEnabled(in path: String) -> Bool {
        guard let enabled = try? words(readFile("\(path)/cgroup.subtree_control")) else {
            return false
        }
        return unifiedControllers.allSatisfy { controller in
            enabled.contains { $0.utf8.elementsEqual(controller.utf8) }
        }
    }

    /// All at once, or else each that goes: a controller that cannot be enabled is an error only when
    /// a setting needs it, and then ``set(_:_:_:)`` says so.
    private func enable(in path: String) {
        if areEnabled(in: path) { return }
        let file = "\(path)/cgroup.subtree_control"
        let all = unifiedControllers.map { "+\($0)" }
        if (try? writeFile(file, all.joined(separator: " "))) != nil { return }
        for one in all { try? writeFile(file, one) }
    }

    /// Gives the cgroup to the container's root: for a cgroup namespace of its own with a writable
    /// cgroup mount (config-linux.md, "Cgroup ownership"). Never on v1, where it is not safe.
    /// - Parameter uid: of the host.
    package func delegate(to uid: UInt32) throws(SysError) {
        guard isUnified else { return }
        let full = members[0].full
        let listed = (try? readFile("/sys/kernel/cgroup/delegate")).map { words($0) }
        let files = listed ?? ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]
        try changeUser(of: full, to: uid)
        for file in files {
            do throws(SysError) {
                try changeUser(of: "\(full)/\(file)", to: uid)
            } catch let error where error.errno == ENOENT {
                continue
            }
        }
    }
}

// MARK: - Settings

extension Cgroup {
    /// Writes one setting.
    ///
    /// What a kernel may lack without harm is passed over here: the reservation limits of huge pages,
    /// swap files where swap is to be off or unlimited anyway; and BFQ's weights stand in for the
    /// general ones and the other way round.
    /// - Parameter controller: names the v1 hierarchy; empty on v2.
    package mutating func set(
        _ controller: String, _ file: String, _ value: String
    ) throws(SysError) {
        let directory = controller.isEmpty ? members.first : directory(of: controller)
        guard let directory else {
            throw .refused("no \(controller) hierarchy for \(file)")
        }
        emptyCpusetFiles.removeAll { $0.utf8.elementsEqual(file.utf8) }
        do throws(SysError) {
            try writeFile("\(directory.full)/\(file)", value)
        } catch let error where error.errno == ENOENT {
            if let (file, value) = substitute(file, value) {
                try writeFile("\(directory.full)/\(file)", value)
            } else if !isDispensable(file, value) {
                throw error.hinting(absenceHint(file, directory))
            }
        } catch {
            throw hint(file, error.errno).map { error.hinting($0) } ?? error
        }
    }

    private func substitute(_ file: String, _ value: String) -> (file: String, value: String)? {
        switch file {
        case "blkio.weight": return ("blkio.bfq.weight", value)
        case "blkio.weight_device": return ("blkio.bfq.weight_device", value)
        case "io.bfq.weight":
            let parts = value.utf8.split(separator: UInt8(ascii: " "))
            guard let last = parts.last, let weight = UInt16(Substring(last)) else { return nil }
            let scope = parts.count == 2 ? "\(Substring(parts[0])) " : ""
            return ("io.weight", "\(scope)\(CgroupPlanner.ioWeight(weight))")
        default: return nil
        }
    }

    private func isDispensable(_ file: String, _ value: String) -> Bool {
        switch file {
        case "memory.swap.max": value == "max" || value == "0"
        case "memory.memsw.limit_in_bytes": value == "-1"
        default: file.utf8.starts(with: "hugetlb.".utf8)
            && file.utf8.split(separator: UInt8(ascii: ".")).contains { $0.elementsEqual("rsvd".utf8) }
        }
    }

    private func absenceHint(_ file: String, _ directory: Directory) -> String {
        if directory.isUnified, let dot = file.utf8.firstIndex(of: UInt8(ascii: ".")) {
            let controller = file.utf8[..<dot]
            let enabled = (try? words(readFile("\(directory.full)/cgroup.controllers"))) ?? []
            if !enabled.contains(where: { $0.utf8.elementsEqual(controller) }) {
                return "the controller \(Substring(controller)) is not enabled there: the parent's "
                    + "cgroup.subtree_control must list it, which a parent with processes cannot"
            }
        }
        if file == "memory.memsw.limit_in_bytes" || file == "memory.swap.max" {
            return "the kernel does not account for swap; boot with swapaccount=1"
        }
        return "this kernel has no such setting"
    }

    private func hint(_ file: String, _ errno: Int32) -> String? {
        switch (file, errno) {
        case ("memory.limit_in_bytes", EBUSY), ("memory.memsw.limit_in_bytes", EBUSY):
            "the cgroup already uses more than that"
        case ("memory.memsw.limit_in_bytes", EINVAL):
            "memory plus swap must not be below the memory limit"
        case ("cpuset.cpus", EACCES), ("cpuset.mems", EACCES), ("cpuset.cpus", EINVAL),
            ("cpuset.mems", EINVAL):
            "only what the parent cgroup has can be given on"
        case ("cpu.rt_runtime_us", EINVAL): "the parent cgroup has no real-time budget to give"
        case ("memory.use_hierarchy", EINVAL): "this kernel always accounts hierarchically"
        case (_, EINVAL) where file.utf8.starts(with: "cpu.".utf8):
            "out of the kernel's range, or more than the parent cgroup has"
        case (_, ENODEV): "a whole block device is wanted, not a partition"
        case (_, EACCES), (_, EPERM): "this user may not change that setting"
        default: nil
        }
    }
}

// MARK: - Devices

extension Cgroup {
    /// Restricts access to devices to what the rules of ``CgroupPlanner`` allow.
    package func restrictDevices(_ rules: [Resources.DeviceRule]) throws(SysError) {
        if isUnified {
            try attach(DeviceProgram(rules))
            return
        }
        guard let directory = directory(of: "devices") else {
            throw .refused("no devices hierarchy")
        }
        let deny = try openFile("\(directory.full)/devices.deny", O_WRONLY)
        let allow = try openFile("\(directory.full)/devices.allow", O_WRONLY)
        for rule in rules { try write(rule, rule.allow ? allow.raw : deny.raw) }
    }

    private func write(_ rule: Resources.DeviceRule, _ file: Int32) throws(SysError) {
        do throws(SysError) {
            try Fd.writeOnce(file, rule.line)
        } catch {
            throw SysError(
                "write(devices.\(rule.allow ? "allow" : "deny"), \"\(rule.line)\")", error.errno,
                hint: error.errno == EPERM
                    ? "the parent cgroup does not allow that device" : nil)
        }
    }

    /// Attached beside the programs of a cgroup that was there already, which go afterwards: at no
    /// moment less is denied.
    private func attach(_ program: DeviceProgram) throws(SysError) {
        guard let directory = try openDirectory() else { return }
        let isNew = made.contains { $0.utf8.elementsEqual(members[0].full.utf8) }
        let old = isNew ? [] : try devicePrograms(of: directory.raw)
        do throws(SysError) {
            let loaded = try loadDeviceProgram(program.instructions)
            try attachDeviceProgram(loaded.raw, to: directory.raw)
        } catch let error where error.errno == EPERM {
            throw error.hinting("device programs need CAP_BPF or CAP_SYS_ADMIN on the host")
        }
        for id in old { try detachDeviceProgram(id: id, from: directory.raw) }
    }
}
