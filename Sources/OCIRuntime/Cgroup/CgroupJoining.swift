import Glibc
import Sys

/// How a process gets into a container's cgroup.
extension Cgroup {
    /// The files through which a process joins by writing `0`, open for writing, without an owner.
    ///
    /// v1: the `tasks` of each hierarchy. A single-threaded process that moves itself there does not
    /// wait for an RCU grace period, about 10 ms, as one that is moved by `cgroup.procs` does. On v2
    /// there are none: the clone goes into one of the ``unifiedPlaces``.
    /// - Parameter withoutClone: v2's `cgroup.procs` as well.
    package mutating func openJoinFiles(withoutClone: Bool = false) throws(SysError) -> [Int32] {
        try fillCpuset()
        var files: [Int32] = []
        do throws(SysError) {
            for directory in members where !directory.isUnified || withoutClone {
                files.append(try openJoinFile(directory).release())
            }
        } catch {
            for file in files { _ = Fd(owning: file) }
            throw error
        }
        return files
    }

    private func openJoinFile(_ directory: Directory) throws(SysError) -> Fd {
        let name = directory.isUnified ? "cgroup.procs" : "tasks"
        do throws(SysError) {
            return try openFile("\(directory.full)/\(name)", O_WRONLY)
        } catch  where error.errno == ENOENT {
            // Whoever is in no cgroup of its own any more may have removed it.
            guard let other = placeOfFollowed(in: directory) else { throw error }
            return try openFile("\(other.full)/\(name)", O_WRONLY)
        }
    }

    /// The files of the v2 cgroups by which a process moves itself there, the best first: for kernels
    /// without `CLONE_INTO_CGROUP` (5.7).
    package func openUnifiedJoinFiles() throws(SysError) -> [Int32] {
        var files: [Int32] = []
        var absence: SysError?
        if let unified, (try? Self.reads("\(unified.full)/cgroup.type", "domain invalid")) == true {
            _ = becomesThreaded()
        }
        for directory in unifiedPlaces {
            do throws(SysError) {
                files.append(try openFile("\(directory.full)/cgroup.procs", O_WRONLY).release())
            } catch  where error.errno == ENOENT {
                absence = error
            }
        }
        if files.isEmpty, let absence { throw absence }
        return files
    }

    /// The v2 cgroups that a clone may go into (`CLONE_INTO_CGROUP`), the best first; none on v1.
    ///
    /// An init such as systemd or dockerd moves itself further down and enables controllers below the
    /// container's cgroup, which takes no processes then. It may have moved elsewhere and removed it.
    package var unifiedPlaces: [Directory] {
        guard let unified else { return [] }
        guard let other = placeOfFollowed(in: unified) else { return [unified] }
        return CgroupPath.isBelow(other.path, unified.path, orSame: false)
            ? [other, unified] : [unified, other]
    }

    /// Whether a clone failed because of the cgroup: controllers are enabled below it, it is part of a
    /// threaded one, or it has gone.
    static func takesNoProcess(_ error: SysError) -> Bool {
        [EBUSY, EOPNOTSUPP, ENODEV, ENOENT].contains(error.errno)
    }

    /// Below a threaded cgroup a new one takes no process until it is threaded too (cgroup-v2.rst,
    /// "Threads").
    /// - Returns: false where it is not that.
    func becomesThreaded() -> Bool {
        guard let unified, made.contains(where: { $0.utf8.elementsEqual(unified.full.utf8) }) else {
            return false
        }
        return (try? writeFile("\(unified.full)/cgroup.type", "threaded")) != nil
    }

    /// Goes on without a hybrid host's v2.
    mutating func leaveUnified() {
        guard let unified, goesWithoutUnified else { return }
        members.removeLast()
        let isNew = made.contains { $0.utf8.elementsEqual(unified.full.utf8) }
        if isNew { try? removeDirectory(unified.full) }
    }
}

// MARK: - Where a process is

extension Cgroup {
    /// The directory of a hierarchy in which the init is that ``followed`` names; nil where it is in
    /// `directory`, or out of sight.
    private func placeOfFollowed(in directory: Directory) -> Directory? {
        guard followed > 0 else { return nil }
        return Self.directory(of: followed, otherThan: directory)
    }

    /// The directory in which a process is in place of `directory`; nil where it is there, or out of sight.
    static func directory(of pid: Int32, otherThan directory: Directory) -> Directory? {
        guard let bytes = try? readFile("/proc/\(pid)/cgroup"),
            let shown = CgroupLayout.memberships(bytes).first(where: { directory.isOf($0) }),
            !directory.isMeant(by: shown.path)
        else { return nil }
        let layout = CgroupLayout.gather(of: bytes)
        let hierarchies = layout.hierarchies + [layout.unified].compactMap { $0 }
        guard let hierarchy = hierarchies.first(where: { $0.controllers == directory.controllers })
        else { return nil }
        let path = hierarchy.own.utf8.elementsEqual("/".utf8) ? "" : hierarchy.own
        let other = Directory(
            controllers: directory.controllers, mountPoint: hierarchy.mountPoint, path: path)
        // Of a process beyond the root of a mount the layout says that it is in that root.
        if path.isEmpty, shown.path != "/", !other.lists(pid) { return nil }
        return other
    }

    /// Makes sure that a process is in all of the container's directories: moves it where it is not.
    package func hold(_ pid: Int32) throws(SysError) {
        for directory in try directories(without: pid) {
            try writeFile("\(directory.full)/cgroup.procs", "\(pid)")
        }
        if let directory = try directories(without: pid).first {
            throw .refused("process \(pid) does not stay in the cgroup \(directory.full)")
        }
    }

    private func directories(without pid: Int32) throws(SysError) -> [Directory] {
        let entries = CgroupLayout.memberships(try readFile("/proc/\(pid)/cgroup"))
        return members.filter { directory in
            !entries.contains { directory.isOf($0) && directory.isMeant(by: $0.path) }
        }
    }
}

extension Cgroup.Directory {
    fileprivate func isOf(_ entry: (controllers: String, path: String)) -> Bool {
        entry.controllers.utf8.elementsEqual(controllers.utf8)
    }

    fileprivate func lists(_ pid: Int32) -> Bool {
        guard let bytes = try? readFile("\(full)/cgroup.procs") else { return false }
        return bytes.split(separator: UInt8(ascii: "\n")).contains {
            $0.elementsEqual("\(pid)".utf8)
        }
    }
}
