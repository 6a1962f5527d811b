import Foundation
import Testing

/// Compares a running container, seen from inside by exec and through procfs, with its config.
struct Inspection {
    let c: Container
    let pid: pid_t
    let mounts: [MountInfo]
    let status: [String: String]

    init(_ c: Container) {
        self.c = c
        pid = c.pid
        mounts = MountInfo.all(readText("/proc/\(pid)/mountinfo"))
        var status: [String: String] = [:]
        for line in readText("/proc/\(pid)/status").split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 {
                status[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces)
            }
        }
        self.status = status
    }

    private var config: JSON { c.config }
    private var linux: JSON { c.config.linux }

    func run() {
        names()
        mountsAsAsked()
        privileges()
        masks()
        sysctls()
        limits()
        cgroups()
        namespaces()
        devices()
    }

    private func names() {
        if let hostname = config.hostname.string {
            #expect(c.execSh("cat /proc/sys/kernel/hostname") == hostname)
        }
    }

    private func top(_ point: String) -> MountInfo? { mounts.last { $0.point == point } }

    private func mountsAsAsked() {
        for mount in config["mounts"].array {
            let point = mount.destination.string ?? ""
            guard let found = top(point) else {
                Issue.record("nothing is mounted at \(point)")
                continue
            }
            let options = mount["options"].array.compactMap(\.string)
            if mount.type == "cgroup" && options.contains("ro") {
                let views = mounts.filter { $0.point.hasPrefix(point + "/") }
                #expect(!views.isEmpty && views.allSatisfy { $0.options.contains("ro") })
                // runc leaves the tmpfs above them writable, of mode 0555.
                if Runtime.kind == .runc { continue }
            }
            for flag in ["ro", "nosuid", "noexec", "nodev"] where options.contains(flag) {
                let seen = found.options.union(flag == "ro" ? found.superOptions : [])
                #expect(seen.contains(flag), "\(point) lacks \(flag): \(seen)")
            }
            if mount.type == "bind" {
                if point.hasPrefix("/etc/") {
                    #expect(c.execSh("cat \(point)") == "\(point) of the engine")
                }
            } else if mount.type != "cgroup" {
                #expect(found.type == mount.type.string, "\(point) is \(found.type)")
            }
            for option in options where option.hasPrefix("size=65536k") {
                #expect(found.superOptions.contains(option), "\(point): \(found.superOptions)")
            }
        }
        let root = top("/")
        #expect(root?.options.contains("ro") == (config.root.readonly == true))
    }

    private func privileges() {
        let own = linux.uidMappings != .null
        let sets = config.process.capabilities
        let bounding = capabilityMask(sets.bounding, ownUserNamespace: own)
        let effective = capabilityMask(sets.effective, ownUserNamespace: own)
        #expect(status["CapBnd"] == capabilityText(bounding))
        #expect(status["CapEff"] == capabilityText(effective))
        #expect(status["CapPrm"] == capabilityText(effective))
        #expect(status["CapInh"] == capabilityText(0))
        #expect(status["CapAmb"] == capabilityText(0))
        #expect(status["NoNewPrivs"] == (config.process.noNewPrivileges == true ? "1" : "0"))
        let isFiltered = linux.seccomp != .null || Runtime.refusal != nil
        #expect(status["Seccomp"] == (isFiltered ? "2" : "0"))
        let base = linux.uidMappings[0].hostID.int ?? 0
        #expect(status["Uid"] == "\(base)\t\(base)\t\(base)\t\(base)")
        if let umask = config.process.user.umask.int {
            #expect(status["Umask"] == "00" + String(umask, radix: 8))
        }
        if own {
            let row = readText("/proc/\(pid)/uid_map").split(separator: " ").map(String.init)
            #expect(row.map { $0.trimmingCharacters(in: .newlines) } == ["0", "100000", "65536"])
        }
        if let score = config.process.oomScoreAdj.int {
            #expect(readText("/proc/\(pid)/oom_score_adj") == "\(score)\n")
        }
        let streams =
            (try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(pid)/fd/0")) ?? ""
        #expect(streams.contains("/pts/") == (config.process.terminal == true), "\(streams)")
    }

    private func masks() {
        for path in linux.maskedPaths.array.compactMap(\.string)
        where exists("/proc/\(pid)/root" + path) {
            #expect(top(path) != nil, "\(path) is not masked")
            let seen = c.execSh("if test -d \(path); then ls -A \(path); else cat \(path); fi")
            #expect(seen == "", "\(path) shows \(seen.prefix(100))")
        }
        for path in linux.readonlyPaths.array.compactMap(\.string)
        where exists("/proc/\(pid)/root" + path) {
            #expect(top(path)?.options.contains("ro") == true, "\(path) is not read-only")
        }
    }

    private func sysctls() {
        for (name, value) in linux.sysctl.object {
            let path = name.replacingOccurrences(of: ".", with: "/")
            let seen = c.execSh("cat /proc/sys/\(path)").replacingOccurrences(of: "\t", with: " ")
            #expect(seen == value.string, "\(name)")
        }
    }

    private func limits() {
        let text = readText("/proc/\(pid)/limits")
        for limit in config.process.rlimits.array where limit.type == "RLIMIT_NOFILE" {
            let line = text.split(separator: "\n").first { $0.hasPrefix("Max open files") } ?? ""
            let fields = line.split(separator: " ").map(String.init)
            #expect(
                fields.dropFirst(3).prefix(2) == [
                    "\(limit.soft.int ?? -1)", "\(limit.hard.int ?? -1)",
                ])
        }
    }

    private func cgroups() {
        let resources = linux.resources
        let wanted: [(controller: String, file: String, value: JSON)] = [
            ("memory", "memory.limit_in_bytes", resources.memory.limit),
            ("memory", "memory.memsw.limit_in_bytes", resources.memory.swap),
            ("cpu", "cpu.cfs_quota_us", resources.cpu.quota),
            ("cpu", "cpu.cfs_period_us", resources.cpu.period),
            ("cpu", "cpu.shares", resources.cpu.shares),
            ("cpuset", "cpuset.cpus", resources.cpu.cpus),
            ("pids", "pids.max", resources.pids.limit),
        ]
        for (controller, file, value) in wanted where value != .null && value != 0 {
            guard let directory = Host.controller(controller) else { continue }
            let seen = readText("\(directory)\(c.cgroupsPath)/\(file)")
                .trimmingCharacters(in: .newlines)
            #expect(seen == value.string ?? "\(value.int ?? -1)", "\(file)")
        }
        for directory in Leaks.hierarchies where directory != "/sys/fs/cgroup/unified" {
            let members = readText("\(directory)\(c.cgroupsPath)/cgroup.procs")
            #expect(members.split(separator: "\n").contains("\(pid)"), "not in \(directory)")
        }
    }

    private func namespaces() {
        let asked = linux.namespaces.array
        for type in NamespaceType.all {
            let entry = asked.first { $0.type.string == type.type }
            let inside = type.of("\(pid)")
            if let path = entry?.path.string {
                let joined = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
                #expect(inside == joined, "\(type.type)")
            } else if entry != nil {
                #expect(inside != type.of("self"), "\(type.type)")
            } else {
                #expect(inside == type.of("self"), "\(type.type)")
            }
        }
    }

    private func devices() {
        for device in linux.devices.array where device.path != "/dev/ptmx" {
            var found = stat()
            let path = device.path.string ?? ""
            let there = lstat("/proc/\(pid)/root" + path, &found) == 0
            #expect(there, "\(path) is missing")
            guard there else { continue }
            let major = Int((found.st_rdev >> 8) & 0xfff)
            let minor = Int((found.st_rdev & 0xff) | ((found.st_rdev >> 12) & 0xfff00))
            #expect(major == device.major.int && minor == device.minor.int, "\(path)")
            #expect(
                Int(found.st_mode & 0o7777) == (device.fileMode.int ?? 0o666) & 0o7777, "\(path)")
            let kind: mode_t = device.type == "b" ? S_IFBLK : S_IFCHR
            #expect(found.st_mode & S_IFMT == kind, "\(path)")
        }
    }
}
