import Spec

/// A step in words, for errors and for the listing of a plan. Nothing of it is made unless asked for.
extension Step {
    /// `name place (subject)` without the parts that are empty, such as `mount /mounts/3 (/data)`.
    public var title: String { stepTitle(action.name, place, action.subject) }
}

package func stepTitle(_ name: String, _ place: String, _ subject: String) -> String {
    name + (place.isEmpty ? "" : " \(place)") + (subject.isEmpty ? "" : " (\(subject))")
}

extension Action {
    /// What is done, in a few words.
    public var name: String {
        switch self {
        case .createCgroup: "create cgroup"
        case .startScope: "start scope"
        case .confirmScope: "confirm scope"
        case .openCgroup: "open cgroup"
        case .setCgroup: "set cgroup"
        case .restrictDevices: "restrict devices"
        case .delegateCgroup: "delegate cgroup"
        case .openNamespace: "open namespace"
        case .openMountSource: "open mount source"
        case .openIDMap: "make id map"
        case .mapMountSource: "map mount source"
        case .connect: "connect"
        case .listenForStart: "listen for start"
        case .listenForExec: "listen for exec"
        case .receiveNamespaces: "receive namespaces"
        case .loadSeccomp, .takeSeccomp: "load seccomp"
        case .openHookOutput: "open hook output"
        case .enterSubCgroup: "enter sub-cgroup"
        case .raiseRlimit: "raise limit"
        case .clone: "clone"
        case .writeIDMappings: "map ids"
        case .moveNetDevice: "move network device"
        case .openResctrlGroup: "open resctrl group"
        case .setSchemata: "set schemata"
        case .makeMonitoringGroup: "make monitoring group"
        case .joinResctrlGroup: "join resctrl group"
        case .runHook: "run hook"
        case .joinCgroup: "join cgroup"
        case .joinNamespaces: "join namespaces"
        case .becomeNamespaceRoot: "become root"
        case .enterPidNamespace: "enter pid namespace"
        case .newSession: "new session"
        case .newNamespaces: "new namespaces"
        case .newSessionKeyring: "new keyring"
        case .bringUpLoopback: "bring up loopback"
        default: initName
        }
    }

    private var initName: String {
        switch self {
        case .setOOMScoreAdj: "set oom_score_adj"
        case .setRlimit: "set limit"
        case .setScheduler: "set scheduler"
        case .setIOPriority: "set I/O priority"
        case .setMemoryPolicy: "set memory policy"
        case .setCPUAffinity: "set CPU affinity"
        case .resetCPUAffinity: "reset CPU affinity"
        case .setPersonality: "set personality"
        case .setPropagation: "set propagation"
        case .openRoot, .openDetachedRoot: "open root"
        case .mount: "mount"
        case .unmount: "unmount"
        case .makeDevice: "make device"
        case .bindDevice: "bind device"
        case .makeSymlink: "make link"
        case .openConsole: "open console"
        case .pivotRoot: "pivot_root"
        case .moveRoot: "move root"
        case .changeRoot: "chroot"
        case .setRootPropagation: "set root propagation"
        case .makeRootReadOnly: "make root read-only"
        case .makeMountReadOnly: "make mount read-only"
        case .setSysctl: "set sysctl"
        case .maskPath: "mask path"
        case .makePathReadOnly: "make path read-only"
        case .setHostname: "set hostname"
        case .setDomainname: "set domainname"
        default: programName
        }
    }

    private var programName: String {
        switch self {
        case .findExecutable: "find executable"
        case .waitForStart: "wait for start"
        case .setUmask: "set umask"
        case .makeWorkingDirectory: "make directory"
        case .changeDirectory: "change directory"
        case .setAppArmorProfile: "set AppArmor profile"
        case .setSELinuxLabel: "set SELinux label"
        case .setNoNewPrivileges: "set no_new_privs"
        case .setIdentity: "set identity"
        case .applySeccomp: "apply seccomp"
        default: "execute"
        }
    }

    /// What it is about: a path, a name, a number; empty where the name says it all.
    public var subject: String {
        switch self {
        case .createCgroup(let path), .openCgroup(let path), .openRoot(let path, _),
            .openDetachedRoot(let path), .unmount(let path), .makeMountReadOnly(let path),
            .maskPath(let path),
            .makePathReadOnly(let path), .changeDirectory(let path),
            .makeWorkingDirectory(let path):
            path
        case .setCgroup(let controller, let file, _):
            controller.isEmpty || file.utf8.starts(with: controller.utf8)
                ? file : controller + " " + file
        case .openNamespace(let type, let path): type.rawValue + " " + path
        case .openMountSource(_, let source, _, _): source
        case .connect(let purpose, let path): purpose.rawValue + " " + path
        case .openHookOutput(let stream, let path): stream.rawValue + " " + path
        case .enterSubCgroup(let path, _): path
        case .raiseRlimit(let type, _), .setRlimit(let type, _, _): type.rawValue
        case .runHook(let kind, _): kind.rawValue
        case .joinNamespaces(let types), .listenForExec(let types), .receiveNamespaces(let types):
            list(types)
        case .newSessionKeyring(let name), .setHostname(let name), .setDomainname(let name): name
        case .mount(let mount): mount.destination
        case .makeDevice(let device), .bindDevice(let device): device.path
        case .makeSymlink(_, let path): path
        case .setSysctl(let path, _): path
        case .moveNetDevice(let name, _): name
        case .openResctrlGroup(let group, _): group.path
        case .makeMonitoringGroup(let group), .joinResctrlGroup(let group):
            group.monitoringPath ?? group.path
        case .setSchemata(_, let line): line
        case .setAppArmorProfile(let label), .setSELinuxLabel(let label): label
        case .setCPUAffinity(let cpus): cpus
        case .setOOMScoreAdj(let score): String(score)
        case .startScope(let unit, _), .confirmScope(let unit): unit
        case .delegateCgroup(let user): "uid " + String(user)
        default: ""
        }
    }

    /// Subject and details on one line.
    public var summary: String {
        switch self {
        case .setCgroup(_, _, let value): subject + " = " + value
        case .restrictDevices(let rules): count(rules.count, "rule")
        case .openMountSource(_, let source, let recursive, _):
            source + (recursive ? ", recursive" : "")
        case .newNamespaces(let types): list(types)
        case .openIDMap(_, let uid, let gid): mappings(uid, gid)
        case .mapMountSource(_, let uid, let gid, let recursive):
            mappings(uid, gid) + (recursive ? "; recursive" : "")
        case .writeIDMappings(let uid, let gid): mappings(uid, gid)
        case .loadSeccomp(let seccomp):
            seccomp.defaultAction.rawValue + ", " + count(seccomp.syscalls.count, "rule")
        case .takeSeccomp(let program): count(program.filter.count / 8, "instruction")
        case .raiseRlimit(let type, let hard): type.rawValue + " to " + limit(hard)
        case .setRlimit(let type, let soft, let hard):
            type.rawValue + " " + limit(soft) + " of " + limit(hard)
        case .clone(let new, let join, let offsets): clone(new, join, offsets)
        case .runHook(let kind, let hook): kind.rawValue + ": " + hook.path
        case .mount(let mount): mount.destination + " " + mount.summary
        case .makeDevice(let device), .bindDevice(let device): describe(device)
        case .makeSymlink(let target, let path): path + " to " + target
        case .setSysctl(let path, let value): path + " = " + value
        case .moveNetDevice(let name, let newName): name + (newName.map { " as " + $0 } ?? "")
        case .openResctrlGroup(let group, _):
            group.path + (group.kind == .existing ? ", which must be there" : "")
        default: programSummary
        }
    }

    private var programSummary: String {
        switch self {
        case .setScheduler(let scheduler):
            scheduler.policy.rawValue + ", nice " + String(scheduler.nice) + ", priority "
                + String(scheduler.priority)
        case .setIOPriority(let priority):
            priority.class.rawValue + ", level " + String(priority.priority)
        case .setMemoryPolicy(let policy):
            policy.mode.rawValue + (policy.nodes.map { ", nodes " + $0 } ?? "")
        case .setPersonality(let domain): domain.rawValue
        case .setPropagation(let flags), .setRootPropagation(let flags): propagationName(flags)
        case .openConsole(let size):
            size.map { String($0.width) + " columns, " + String($0.height) + " rows" } ?? ""
        case .setUmask(let mask): octal(mask)
        case .setIdentity(let identity): identity.summary
        default: subject
        }
    }

    private func clone(
        _ new: [NamespaceType], _ join: [NamespaceType], _ offsets: [TimeOffsetEntry]
    ) -> String {
        var text = new.isEmpty ? "no new namespaces" : "new " + list(new)
        if !join.isEmpty { text += "; inside the joined " + list(join) }
        for entry in offsets {
            text += "; " + entry.clock + " +" + String(entry.offset.secs) + " s"
        }
        return text
    }

    private func list(_ types: [NamespaceType]) -> String {
        types.map(\.rawValue).joined(separator: ", ")
    }

    private func describe(_ device: Device) -> String {
        var text = device.path + " " + device.type.rawValue
        if device.type != .fifo { text += " " + String(device.major) + ":" + String(device.minor) }
        if let mode = device.fileMode { text += " " + octal(mode) }
        return text
    }

    private func mappings(_ uid: [IDMapping], _ gid: [IDMapping]) -> String {
        uid.isEmpty && gid.isEmpty
            ? "those of the joined user namespace"
            : "uids " + mappings(uid) + "; gids " + mappings(gid)
    }

    private func mappings(_ mappings: [IDMapping]) -> String {
        mappings.map {
            String($0.containerID) + "=" + String($0.hostID) + "+" + String($0.size)
        }.joined(separator: " ")
    }
}

extension MountPlan {
    /// What is mounted and how, such as `bind of /srv/data: rbind, set 0x1, rprivate`.
    var summary: String {
        var parts: [String] = []
        var what = ""
        switch kind {
        case .bind(let source, let recursive):
            what = "bind of " + source
            if recursive { parts.append("recursive") }
        case .fileSystem(let system):
            what = system.type
            parts += system.details(setting)
        case .cgroup(.unified(let system)):
            what = "cgroup2"
            parts += system.details(setting)
        case .cgroup(.unifiedBind(let source, _)): what = "bind of " + source
        case .cgroup(.hierarchies(let hierarchies, let readOnly)):
            what = "cgroup v1, " + count(hierarchies.count, "hierarchy", "hierarchies")
            if readOnly && setting & 1 == 0 { parts.append("ro") }
        case .remount(let system):
            what = "remount"
            parts += system?.details(setting) ?? []
        }
        parts += attributeNames(setting, clearing, prefix: "")
        parts += attributeNames(recursiveSetting, recursiveClearing, prefix: "r")
        parts += propagation.map(propagationName)
        if copyUp { parts.append("tmpcopyup") }
        if let idMap { parts.append(idMap == .single ? "idmap" : "ridmap") }
        if sourceNoFollow { parts.append("src-nofollow") }
        return parts.isEmpty ? what : what + ": " + parts.joined(separator: ",")
    }
}

extension FileSystemPlan {
    /// Without what the mount's own attributes say as well.
    fileprivate func details(_ attributes: UInt64) -> [String] {
        let classic = classicFlags == 0 ? [] : ["MS_0x" + String(classicFlags, radix: 16)]
        let flags = superblockFlags.filter { $0 != "ro" || attributes & 1 == 0 }
        return flags + classic + data
    }
}

extension IdentityPlan {
    fileprivate var summary: String {
        var text = "uid " + String(uid) + ", gid " + String(gid)
        if let groups {
            if !groups.isEmpty {
                text += ", groups " + groups.map { String($0) }.joined(separator: " ")
            }
        } else {
            text += ", groups as they are"
        }
        if let sets = capabilities {
            text += ", " + count(sets.effective.nonzeroBitCount, "capability", "capabilities")
            text += " of " + String(sets.bounding.nonzeroBitCount)
        }
        return text
    }
}

/// `MOUNT_ATTR_*` bits as options.
private func attributeNames(_ setting: UInt64, _ clearing: UInt64, prefix: String) -> [String] {
    var names: [String] = []
    let bits: [(UInt64, String, String)] = [
        (0x1, "ro", "rw"), (0x2, "nosuid", "suid"), (0x4, "nodev", "dev"),
        (0x8, "noexec", "exec"), (0x80, "nodiratime", "diratime"),
        (0x20_0000, "nosymfollow", "symfollow"),
    ]
    for (bit, on, off) in bits {
        if setting & bit != 0 {
            names.append(prefix + on)
        } else if clearing & bit != 0 {
            names.append(prefix + off)
        }
    }
    if clearing & 0x70 != 0x70 {
        if clearing & 0x10 != 0 { names.append(prefix + "atime") }
        if clearing & 0x20 != 0 { names.append(prefix + "nostrictatime") }
    } else {
        switch setting & 0x70 {
        case 0x10: names.append(prefix + "noatime")
        case 0x20: names.append(prefix + "strictatime")
        default: names.append(prefix + "relatime")
        }
    }
    return names
}

/// `MS_*` bits as an option.
private func propagationName(_ flags: UInt) -> String {
    let name =
        switch flags & ~0x4000 {
        case 1 << 17: "unbindable"
        case 1 << 18: "private"
        case 1 << 19: "slave"
        default: "shared"
        }
    return flags & 0x4000 != 0 ? "r" + name : name
}

private func limit(_ value: UInt64) -> String { value == .max ? "unlimited" : String(value) }

private func octal(_ value: UInt32) -> String { "0" + String(value, radix: 8) }

private func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    String(number) + " " + (number == 1 ? one : many ?? one + "s")
}
