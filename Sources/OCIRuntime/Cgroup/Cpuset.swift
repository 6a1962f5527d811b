import Glibc
import Sys

/// v1's cpuset: a new one has no CPUs and no memory nodes, nobody may join it so, and nothing below it
/// can have any. Whoever made an empty one may have left that to others.
extension Cgroup {
    static let cpusetFiles = ["cpuset.cpus", "cpuset.mems"]

    /// Fills what no setting has filled. Not before the settings: a parent's CPUs may be the
    /// exclusive ones of another cgroup.
    mutating func fillCpuset() throws(SysError) {
        guard let directory = directory(of: "cpuset") else { return }
        let isNew = made.contains { $0.utf8.elementsEqual(directory.full.utf8) }
        for file in emptyCpusetFiles {
            if isNew {
                _ = try inherit(file, directory.full, directory.mountPoint)
            } else {
                _ = try filled(file, directory.full, directory.mountPoint)
            }
        }
        emptyCpusetFiles = []
    }

    func isCpuset(_ file: String, _ directory: Directory) -> Bool {
        !directory.isUnified && Self.cpusetFiles.contains(file)
    }

    /// Fills what is empty above the container's: a setting needs it there.
    func fillCpusets(above directory: Directory, _ file: String) throws(SysError) {
        _ = try filled(file, splitPath(directory.full).parent, directory.mountPoint)
    }

    /// What a cpuset has. One that has nothing is given what its parent has, up to the hierarchy's root.
    private func filled(
        _ file: String, _ path: String, _ top: String
    ) throws(SysError) -> String {
        let value = try firstLine("\(path)/\(file)")
        if !value.isEmpty || path.utf8.elementsEqual(top.utf8) { return value }
        return try inherit(file, path, top)
    }

    private func inherit(_ file: String, _ path: String, _ top: String) throws(SysError) -> String {
        let parent = splitPath(path).parent
        let value = try filled(file, parent, top)
        do throws(SysError) {
            try writeFile("\(path)/\(file)", value)
            return value
        } catch  where error.errno == EINVAL {
            guard let rest = try unclaimed(value, file, parent), !rest.isEmpty else {
                throw error.hinting("other cgroups of \(parent) have all of it for their own")
            }
            try writeFile("\(path)/\(file)", rest)
            return rest
        } catch  where error.errno == EACCES || error.errno == EPERM {
            throw error.hinting(
                "the cpuset \(path) has nothing to give on, and this user may not fill it")
        }
    }

    /// What of a parent's CPUs or memory nodes no child has for its own (`cpuset.cpu_exclusive`).
    private func unclaimed(
        _ value: String, _ file: String, _ parent: String
    ) throws(SysError) -> String? {
        let flag = file == "cpuset.cpus" ? "cpuset.cpu_exclusive" : "cpuset.mem_exclusive"
        guard var left = parseNumberList(value) else { return nil }
        for name in try openFile(parent, O_RDONLY | O_DIRECTORY).names() {
            let child = "\(parent)/\(name)"
            // What is no directory, or has just gone, claims nothing.
            guard let exclusive = try? firstLine("\(child)/\(flag)"), exclusive == "1" else {
                continue
            }
            let claimed = parseNumberList(try firstLine("\(child)/\(file)")) ?? []
            left.removeAll { claimed.contains($0) }
        }
        return left.map { "\($0)" }.joined(separator: ",")
    }

    private func firstLine(_ path: String) throws(SysError) -> String {
        String(decoding: try readFile(path).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
