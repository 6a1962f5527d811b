import Init
import Spec

/// The container's root file system: what is in it before the change of root, and what is hidden
/// after it.
extension Planner {
    mutating func makeRootFileSystem() throws(PlanError) {
        if namespaces.has(.mount) {
            let propagation = config.linux.rootfsPropagation
            `init`(
                propagation == nil ? "" : "/linux/rootfsPropagation",
                .setPropagation(
                    flags: propagation?.flagsForCopies ?? RootfsPropagation.rslave.flags))
            // Whoever asks for a slave wants what the host mounts; of a shared one the parent is private.
            let isPrivate = propagation.map { $0.flags & Propagation.unbindable != 0 } ?? true
            `init`("/root/path", .openRoot(path: rootPath, isPrivate: isPrivate))
        } else {
            `init`("/root/path", .openDetachedRoot(path: rootPath))
        }
        for index in config.mounts.indices {
            var mount = try mountPlan(index)
            let place = "/mounts/" + String(index)
            // Nothing in a detached root can be changed later.
            if namespaces.has(.mount) { leaveForLater(&mount) }
            `init`(place, .mount(mount))
        }
        if !bindsDev { makeDevices() }
        if let process = config.process, process.terminal {
            `init`("/process/terminal", .openConsole(size: process.consoleSize))
        }
    }

    /// What would be in the way of steps after it becomes a step after them.
    private mutating func leaveForLater(_ mount: inout MountPlan) {
        if isFilledLater(mount) {
            let fate = fate(of: mount.index)
            if fate != .covered { mount.makeWritable() }
            if fate == .lasting { readOnlyLater.append(mount.index) }
        }
        // Nothing can be bound from an unbindable mount, not even a read-only path onto itself.
        if !config.linux.readonlyPaths.isEmpty,
            mount.propagation.contains(where: { $0 & Propagation.unbindable != 0 }),
            fate(of: mount.index) != .covered
        {
            var last = MountPlan(
                index: mount.index, destination: mount.destination,
                kind: .remount(superblock: nil))
            swap(&last.propagation, &mount.propagation)
            propagationLater.append(last)
        }
    }

    /// A read-only tmpfs or directory of the host still takes mount points, and `/dev` takes device nodes.
    private func isFilledLater(_ mount: MountPlan) -> Bool {
        guard (mount.setting | mount.recursiveSetting) & Attribute.readOnly != 0 else {
            return false
        }
        switch mount.kind {
        case .fileSystem(let system): return system.type == "tmpfs" || isDev(mount.destination)
        case .bind: return isMountPointLater(below: mount)
        case .cgroup, .remount: return false
        }
    }

    private func isMountPointLater(below mount: MountPlan) -> Bool {
        if config.process?.terminal == true, isDev(mount.destination) { return true }
        let place = cleanComponents(mount.destination)
        return config.mounts[(mount.index + 1)...].contains {
            let other = cleanComponents($0.destination)
            return other.count > place.count
                && zip(place, other).allSatisfy { $0.elementsEqual($1) }
        }
    }

    /// What becomes of a read-only mount in the course of the mounts after it.
    private enum Fate { case lasting, madeWritable, covered }

    private func fate(of index: Int) -> Fate {
        let place = cleanComponents(config.mounts[index].destination)
        var fate = Fate.lasting
        for mount in config.mounts[(index + 1)...] {
            let other = cleanComponents(mount.destination)
            guard place.count >= other.count,
                zip(place, other).allSatisfy({ $0.elementsEqual($1) })
            else { continue }
            let options = MountOptions(mount)
            if !options.isRemount { return .covered }
            if place.count > other.count { continue }
            if options.isReadOnly {
                fate = .lasting
            } else if options.clearing & Attribute.readOnly != 0 {
                fate = .madeWritable
            }
        }
        return fate
    }

    /// A host's directory on `/dev` is left as it is, as runc does.
    private var bindsDev: Bool {
        config.mounts.contains { isDev($0.destination) && MountOptions($0).isBind($0) }
    }

    mutating func changeRoot() throws(PlanError) {
        guard namespaces.has(.mount) else {
            makeWorkingDirectory()
            if config.root?.readonly == true { `init`("/root/readonly", .makeRootReadOnly) }
            `init`("/root/path", .changeRoot)
            try finishNames()
            return
        }
        `init`("/root/path", options.noPivot ? .moveRoot : .pivotRoot)
        makeWorkingDirectory()
        for index in readOnlyLater {
            `init`(
                "/mounts/" + String(index),
                .makeMountReadOnly(path: absolute(config.mounts[index].destination)))
        }
        if config.root?.readonly == true { `init`("/root/readonly", .makeRootReadOnly) }
        try finishNames()
        for (index, path) in config.linux.readonlyPaths.enumerated() {
            `init`("/linux/readonlyPaths/" + String(index), .makePathReadOnly(path))
        }
        for (index, path) in config.linux.maskedPaths.enumerated() {
            `init`("/linux/maskedPaths/" + String(index), .maskPath(path))
        }
        for mount in propagationLater {
            `init`("/mounts/" + String(mount.index), .mount(mount))
        }
        // Slave and private were set before, on all mounts; these must not reach the host's. Last,
        // because nothing can be bound from an unbindable mount.
        if let propagation = config.linux.rootfsPropagation,
            propagation.flags & (Propagation.slave | Propagation.private) == 0
        {
            `init`("/linux/rootfsPropagation", .setRootPropagation(flags: propagation.flags))
        }
    }

    /// After the hooks, which may have mounted what it lies in, and before anything is sealed.
    private mutating func makeWorkingDirectory() {
        if let cwd = config.process?.cwd, cwd != "/" {
            `init`("/process/cwd", .makeWorkingDirectory(cwd))
        }
    }

    /// Before `/proc/sys` becomes read-only.
    private mutating func finishNames() throws(PlanError) {
        try setSysctls()
        if let hostname = config.hostname { `init`("/hostname", .setHostname(hostname)) }
        if let domainname = config.domainname { `init`("/domainname", .setDomainname(domainname)) }
    }
}

extension MountPlan {
    fileprivate mutating func makeWritable() {
        setting &= ~Attribute.readOnly
        // What is below a bind mount stays read-only: it takes no part in what comes later.
        if recursiveSetting & Attribute.readOnly != 0 { clearing |= Attribute.readOnly }
        guard case .fileSystem(var system) = kind else { return }
        recursiveSetting &= ~Attribute.readOnly
        system.superblockFlags.removeAll { $0 == "ro" }
        kind = .fileSystem(system)
    }
}

extension RootfsPropagation {
    /// For the copies of the host's mounts, from which bind mounts are still to be made.
    fileprivate var flagsForCopies: UInt {
        if flags & Propagation.unbindable != 0 { return RootfsPropagation.rslave.flags }
        // What is mounted below the others must not reach the host either.
        return flags & Propagation.shared == 0 ? flags | Propagation.recursive : flags
    }

    /// `MS_*` bits.
    var flags: UInt {
        switch self {
        case .shared: Propagation.shared
        case .slave: Propagation.slave
        case .private: Propagation.private
        case .unbindable: Propagation.unbindable
        case .rshared: Propagation.shared | Propagation.recursive
        case .rslave: Propagation.slave | Propagation.recursive
        case .rprivate: Propagation.private | Propagation.recursive
        case .runbindable: Propagation.unbindable | Propagation.recursive
        }
    }
}
