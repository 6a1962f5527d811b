import Glibc
import Init
import Spec
import Sys

extension HostPerformer {
    /// The host's steps about the container's cgroup.
    mutating func performCgroup(_ step: Step) throws(SysError) {
        switch step.action {
        case .createCgroup:
            // Without a path in the config any cgroup will do, the runtime's own if need be.
            try cgroup?.create(toleratingRefusal: step.place.isEmpty)
        case .startScope:
            guard let scope else { throw .refused("there is no scope to start") }
            let holder = try scope.start()
            let pid = holder.pid
            scopeHolder = consume holder
            try cgroup?.adopt(from: pid)
        case .confirmScope:
            try holdScope(with: pid)
        case .setCgroup(let controller, let file, let value):
            try cgroup?.set(controller, file, value)
        case .restrictDevices(let rules):
            try cgroup?.restrictDevices(rules)
        case .delegateCgroup(let user):
            try cgroup?.delegate(to: user)
        case .enterSubCgroup(let path, let owner):
            try cgroup?.enter(path, with: pid, owner: owner)
        default:
            throw .refused("not a step about a cgroup")
        }
    }

    /// Has a process keep the scope alive in place of what has done so: systemd stops an empty one.
    ///
    /// On cgroup v1 systemd may just be giving the caller's unit other controllers, which another
    /// unit's coming or going is enough for. It moves the unit's processes hierarchy by hierarchy, from
    /// a list of before, and so may carry off one that has left the unit meanwhile. When it answers, it
    /// has done with that.
    mutating func holdScope(with pid: Int32) throws(SysError) {
        guard let cgroup, let scope else { return }
        if !cgroup.isUnified { _ = try Systemd(isUser: scope.isUser).controlGroup() }
        do throws(SysError) {
            try cgroup.hold(pid)
        } catch {
            // Why an init has ended meanwhile, whoever waits for it finds out.
            if pid != self.pid { throw error }
            if try poll(pidfd, Int32(POLLIN), milliseconds: 0) == 0 { throw error }
        }
        endScopeHolder()
    }

    mutating func endScopeHolder() {
        if let holder = scopeHolder.take() { Scope.end(holder) }
    }
}

// MARK: - Cloning into it

extension HostPerformer {
    /// Clones the init into the first of the v2 cgroups that takes a process. On v1 it moves itself.
    mutating func cloneIntoCgroup(
        _ launch: Launch, _ ours: Int32, _ theirs: Int32, from first: Int
    ) throws(SysError) -> ClonedProcess {
        var launch = launch
        var refusal: SysError?
        for place in cgroup?.unifiedPlaces ?? [] {
            do throws(SysError) {
                launch.cgroup = keep(try openFile(place.full, O_RDONLY | O_DIRECTORY))
                return try cloneInto(launch, ours, theirs, from: first)
            } catch  where Cgroup.takesNoProcess(error) {
                refusal =
                    refusal
                    ?? error.hinting(
                        "the cgroup \(place.full) takes no process: controllers are enabled below it, "
                            + "or it has gone")
            } catch  where launch.lacksClone3(error) {
                // Without CLONE_INTO_CGROUP (5.7) the init moves itself there.
                prepared.unifiedCgroups = try cgroup?.openUnifiedJoinFiles() ?? []
                prepared.unifiedMayRefuse = cgroup?.goesWithoutUnified == true
                keep(prepared.unifiedCgroups)
                launch.hasClone3 = false
                refusal = nil
                break
            } catch  where cgroup?.goesWithoutUnified == true {
                break
            } catch  where error.errno == EACCES {
                // cgroup-v2.rst, "Delegation Containment": not across what is not the user's own.
                throw error.hinting(
                    "this user may not move a process out of this cgroup into the container's: start "
                        + "swrunc where the user's own cgroups are (systemd-run --user --scope …)")
            }
        }
        if let refusal, cgroup?.goesWithoutUnified == false { throw refusal }
        if prepared.unifiedCgroups.isEmpty { cgroup?.leaveUnified() }
        launch.cgroup = -1
        do throws(SysError) {
            return try clone(launch, ours, theirs, from: first)
        } catch  where launch.lacksClone3(error) {
            launch.hasClone3 = false
            return try clone(launch, ours, theirs, from: first)
        }
    }

    private func cloneInto(
        _ launch: Launch, _ ours: Int32, _ theirs: Int32, from first: Int
    ) throws(SysError) -> ClonedProcess {
        do throws(SysError) {
            return try clone(launch, ours, theirs, from: first)
        } catch  where error.errno == EOPNOTSUPP && cgroup?.becomesThreaded() == true {
            return try clone(launch, ours, theirs, from: first)
        }
    }
}

extension Runtime {
    /// The cgroup that a config names, as the container of that config has it already.
    func cgroup(for config: Config, id: String) throws(PlanError) -> Cgroup {
        let isUser = HostFacts.isRootless
        let path = try CgroupPath(
            config.linux.cgroupsPath, id: id,
            manager: CgroupPath.isSystemdStyle(config.linux.cgroupsPath ?? "")
                ? .systemd : cgroupManager,
            systemd: SystemdInstance(
                isUser: isUser,
                controlGroup: isUser ? (try? Systemd(isUser: true).controlGroup()) ?? "" : ""))
        return Cgroup(layout: .gather(), path: path, exists: true)
    }
}

extension Runtime {
    /// Where a process that joins a container goes.
    func cgroup(
        for options: ExecOptions, in container: borrowing Container
    ) throws(RuntimeError) -> Cgroup {
        var cgroup = Cgroup(directories: container.record.cgroups)
        do throws(SysError) {
            if !options.subCgroups.isEmpty { return try cgroup.descending(to: options.subCgroups) }
            cgroup.followed = container.record.pid
            return cgroup
        } catch {
            throw RuntimeError(error)
        }
    }
}
