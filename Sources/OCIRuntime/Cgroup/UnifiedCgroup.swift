import Glibc
import Sys

/// What is special to cgroup v2: controllers are enabled on the way down, and a cgroup can be given
/// away.
extension Cgroup {
    /// Enables the host's controllers on the way down; a cgroup has those that its parent's
    /// `cgroup.subtree_control` lists.
    func enableControllers(above directory: Directory) throws(SysError) {
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
                throw explained(error, directory)
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

    /// Makes a cgroup below the container's, moves a process from there to it, and so can give it all
    /// controllers: those of a cgroup that has processes can't be given away.
    /// - Parameter owner: whose it is to be, a uid of the host; nil leaves it the caller's.
    package func enter(_ path: String, with pid: Int32, owner: UInt32?) throws(SysError) {
        var inner = self
        for component in path.utf8.split(separator: UInt8(ascii: "/")) {
            inner.members[0].path += "/\(Substring(component))"
            do throws(SysError) {
                try makeDirectory(inner.members[0].full, mode: 0o755)
            } catch let error where error.errno == EEXIST {
                continue
            } catch {
                throw explained(error, inner.members[0])
            }
        }
        try writeFile("\(inner.members[0].full)/cgroup.procs", "\(pid)")
        try enableControllers(above: inner.members[0])
        if let owner { try inner.delegate(to: owner) }
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
