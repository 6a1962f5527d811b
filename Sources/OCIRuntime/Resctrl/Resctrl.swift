import Glibc
import Init
import Spec
import Sys

/// The kernel's resctrl file system: a directory for each class of service.
enum Resctrl {
    /// Where it is mounted, as this process sees it.
    static func mountPoint() -> String? {
        guard let mountinfo = try? readFile("/proc/self/mountinfo") else { return nil }
        return mountPoint(in: mountinfo)
    }

    /// From `mountinfo` (`proc_pid_mountinfo(5)`): the last mount of all of it.
    static func mountPoint(in mountinfo: [UInt8]) -> String? {
        let lines = mountinfo.split(separator: UInt8(ascii: "\n")).reversed()
        for line in lines {
            let fields = line.split(separator: UInt8(ascii: " "))
            guard fields.count >= 9, fields[3].elementsEqual("/".utf8),
                let dash = fields[6...].firstIndex(where: { $0.elementsEqual("-".utf8) }),
                dash + 1 < fields.endIndex, fields[dash + 1].elementsEqual("resctrl".utf8)
            else { continue }
            return unescaped(fields[4])
        }
        return nil
    }

    /// Why the kernel has refused something, in its own words.
    static func lastStatus(_ mountPoint: String) -> String? {
        guard let bytes = try? readFile("\(mountPoint)/info/last_cmd_status", limit: 4096) else {
            return nil
        }
        let status = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        return status.isEmpty || status == "ok" ? nil : status
    }
}

/// The directories of resctrl that are made for a container, and what is done in them.
struct ResctrlDirectories {
    /// Those that go with the container, in the order of their removal.
    private(set) var temporary: [String] = []
    /// The class that stays.
    private(set) var shared: String?

    /// Performs a step of a plan.
    /// - Parameter pid: the init's.
    mutating func perform(_ action: Action, _ pid: Int32) throws(SysError) {
        switch action {
        case .openResctrlGroup(let group, let expected): try open(group, expected)
        case .setSchemata(let group, let line):
            try group.write(line + "\n", to: group.path + "/schemata")
        case .makeMonitoringGroup(let group): try makeMonitoringGroup(of: group)
        case .joinResctrlGroup(let group):
            // The monitoring group takes in tasks of its class only.
            try group.write(String(pid), to: group.path + "/tasks")
            if let path = group.monitoringPath {
                try group.write(String(pid), to: path + "/tasks")
            }
        default: throw .refused("not a step about resctrl")
        }
    }

    private mutating func open(_ group: ResctrlGroup, _ expected: [String]) throws(SysError) {
        if group.kind == .existing {
            if exists(group.path) { return }
            throw SysError(
                group.path, ENOENT,
                hint: "a class of service without schemata must have been made before")
        }
        do throws(SysError) {
            try makeDirectory(group.path, mode: 0o755)
        } catch  where error.errno == EEXIST {
            return try Schemata.check(expected, of: group)
        } catch  where error.errno == ENOSPC {
            throw group.explained(
                error, "all classes of service are in use; see info/*/num_closids")
        } catch {
            throw group.explained(error)
        }
        if group.kind == .own { temporary.append(group.path) } else { shared = group.path }
    }

    private mutating func makeMonitoringGroup(of group: ResctrlGroup) throws(SysError) {
        guard let path = group.monitoringPath else { return }
        do throws(SysError) {
            try makeDirectory(path, mode: 0o755)
        } catch  where error.errno == ENOSPC {
            throw group.explained(
                error, "all monitoring ids are in use; see info/L3_MON/num_rmids")
        } catch {
            throw group.explained(error)
        }
        temporary.insert(path, at: 0)
    }

    /// Removes also the class that would stay, unless somebody else has come to use it.
    func undo() throws(SysError) {
        guard let shared else { return }
        try Self.remove(temporary)
        if let tasks = try? readFile("\(shared)/tasks", limit: 1), !tasks.isEmpty { return }
        try Self.remove([shared])
    }

    /// Removes directories; that one has gone already is no error.
    static func remove(_ directories: [String]) throws(SysError) {
        for path in directories {
            do throws(SysError) {
                try removeDirectory(path)
            } catch  where error.errno == ENOENT {
                continue
            }
        }
    }
}

extension ResctrlGroup {
    /// One write to a file that the kernel has made.
    func write(_ text: String, to path: String) throws(SysError) {
        do throws(SysError) {
            let file = try openFile(path, O_WRONLY)
            try file.writeOnce(text)
        } catch {
            throw explained(SysError("\(path): \(error.call)", error.errno, hint: error.hint))
        }
    }

    func explained(_ error: SysError, _ hint: String? = nil) -> SysError {
        let words = [Resctrl.lastStatus(mountPoint), hint].compactMap { $0 }
        return words.isEmpty ? error : error.hinting(words.joined(separator: "; "))
    }
}
