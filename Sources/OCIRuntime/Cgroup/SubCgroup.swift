import Glibc
import Sys

/// Where one more process goes in a running container's cgroup (`exec`).
extension Cgroup {
    /// The same cgroup, with the directories below it that `exec --cgroup` names; the container made
    /// them.
    /// - Parameter parts: paths below the container's cgroup, each for the controllers named, or for
    ///   all where none is.
    package func descending(
        to parts: [(controllers: [String], path: String)]
    ) throws(SysError) -> Cgroup {
        var cgroup = self
        for part in parts {
            let path = try Self.subPath(part.path)
            for controller in part.controllers where directory(of: controller) == nil {
                throw .refused(
                    "unknown controller \(controller): the container has no cgroup of it")
            }
            try cgroup.append(path, to: part.controllers)
        }
        return cgroup
    }

    private mutating func append(_ path: String, to controllers: [String]) throws(SysError) {
        for index in members.indices {
            let isMeant = controllers.isEmpty || controllers.contains { members[index].has($0) }
            guard isMeant else { continue }
            let full = members[index].full + path
            guard exists(full) else {
                // A container on v1 does not see a hybrid host's v2.
                if members[index].isUnified, goesWithoutUnified { continue }
                throw SysError(
                    "stat(\(quoted(full)))", ENOENT,
                    hint: "a path of --cgroup must be there, below the container's cgroup")
            }
            members[index].path += path
        }
    }

    /// Component by component: no `..` leads out of the container's cgroup, and no name that merely
    /// begins like it.
    private static func subPath(_ path: String) throws(SysError) -> String {
        var cleaned = ""
        for component in path.utf8.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                throw .refused("bad sub cgroup path: \(path) has a \"..\" in it")
            }
            cleaned += "/\(Substring(component))"
        }
        return cleaned
    }
}
