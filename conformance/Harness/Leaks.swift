import Foundation
import Testing

/// What a deleted container must not leave behind, and how to remove it all the same.
enum Leaks {
    /// The mount points of every cgroup hierarchy: v1 controllers, named ones, and v2.
    static let hierarchies: [String] = {
        var points: [String] = []
        for line in readText("/proc/self/mountinfo").split(separator: "\n") {
            let fields = line.split(separator: " ").map(String.init)
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { continue }
            if fields[dash + 1] == "cgroup" || fields[dash + 1] == "cgroup2" {
                points.append(fields[4])
            }
        }
        return points
    }()

    static func cgroups(_ path: String) -> [String] {
        hierarchies.map { $0 + path }.filter(exists)
    }

    /// Living processes only: a zombie has left its cgroup's list.
    static func processes(inCgroup path: String) -> [pid_t] {
        let pids = cgroups(path).flatMap {
            readText($0 + "/cgroup.procs").split(separator: "\n").compactMap { pid_t($0) }
        }
        return Set(pids).sorted()
    }

    /// Processes, of the runtime or the container, with the text on their command line.
    static func processes(mentioning text: String) -> [pid_t] {
        allProcesses().filter { readText("/proc/\($0)/cmdline").contains(text) }
    }

    static func allProcesses() -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }
    }

    static func mounts(below directory: String) -> [String] {
        readText("/proc/self/mountinfo").split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count > 4 else { return nil }
            return fields[4].hasPrefix(directory + "/") ? String(fields[4]) : nil
        }
    }

    static func unmountBelow(_ directory: String) {
        for point in mounts(below: directory).reversed() {
            umount2(point, Int32(MNT_DETACH))
        }
    }

    /// Removes a cgroup and all below it in every hierarchy, and ends what still runs there.
    static func removeCgroups(_ path: String) {
        for pid in processes(inCgroup: path) { kill(pid, SIGKILL) }
        // Frozen processes of cgroup v1 do not die.
        for directory in cgroups(path) where exists(directory + "/freezer.state") {
            try? writeText("THAWED", to: directory + "/freezer.state")
        }
        for directory in cgroups(path) { removeTree(directory) }
    }

    /// Ends what a run that is no more has left in any cgroup.
    static func removeRun(ofProcess pid: pid_t) {
        let prefix = "swrunc-test-\(pid)-"
        for hierarchy in hierarchies {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: hierarchy)) ?? []
            for name in names where name.hasPrefix(prefix) { removeCgroups("/" + name) }
        }
    }

    private static func removeTree(_ directory: String) {
        let children = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for child in children {
            var status = stat()
            let path = directory + "/" + child
            if lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { removeTree(path) }
        }
        _ = eventually { rmdir(directory) == 0 || errno != EBUSY }
    }
}
