import Glibc
import Init
import Spec
import Sys

extension Runtime {
    /// Deletes a container (runtime-spec `runtime.md`, Delete): what `create` made is undone, then
    /// the poststop hooks run.
    /// - Parameter force: kill it first; a container that is missing, damaged or half created is no
    ///   error.
    /// - Returns: warnings, such as of poststop hooks that failed.
    public func delete(_ id: String, force: Bool = false) throws(RuntimeError) -> [String] {
        try validate(id)
        let directory: StateDirectory
        do throws(RuntimeError) {
            directory = try StateDirectory(root: root, id: id)
        } catch {
            if force, !exists("\(root)/\(id)") { return [] }
            throw error
        }
        do throws(RuntimeError) {
            try directory.lock(id)
        } catch {
            if force, !exists("\(root)/\(id)") { return [] }
            throw error
        }
        do throws(RuntimeError) {
            let container = try Container(root: root, id: id, even: true)
            return try delete(container, force: force)
        } catch {
            guard force, !directory.hasReadableState else { throw error }
        }
        try removeRemains(of: id, in: directory)
        return [
            "the state of container \"\(id)\" could not be read; what was found of it is removed"
        ]
    }

    private func delete(
        _ container: borrowing Container, force: Bool
    ) throws(RuntimeError) -> [String] {
        let status = try container.status
        guard status == .stopped || force else {
            throw RuntimeError(
                "cannot delete container \(container.record.id) that is not stopped: \(status)",
                hint: "`delete --force` kills it first")
        }
        return try destroy(container)
    }

    /// Ends and removes a container, whatever it is doing, and runs its poststop hooks.
    func destroy(_ container: borrowing Container) throws(RuntimeError) -> [String] {
        var warnings: [String] = []
        do throws(SysError) {
            let cgroup = Cgroup(directories: container.record.cgroups)
            // With a pid namespace of its own they end with the init.
            let others =
                container.record.hasPidNamespace ? [] : try container.strays(besides: cgroup.pids())
            try end(container.identity, in: cgroup)
            for other in others { try other.signal(SIGKILL) }
            warnings = try cgroup.remove(
                unit: container.record.unit, isUser: container.record.isUserUnit)
            try ResctrlDirectories.remove(container.record.resctrl)
        } catch {
            throw RuntimeError(error)
        }
        if container.record.hasPoststop {
            warnings += runPoststop(try container.config(), container.record)
        }
        do throws(SysError) {
            try container.directory.remove()
        } catch {
            throw RuntimeError(error)
        }
        return warnings
    }

    /// Runs the poststop hooks: one that fails is a warning, and the others still run.
    func runPoststop(_ config: Config, _ record: ContainerRecord) -> [String] {
        if config.hooks.poststop.isEmpty { return [] }
        let state = record.state(.stopped).json()
        var warnings: [String] = []
        var files = HookFiles()
        do throws(SysError) {
            files = try HookFiles(config, bundle: record.bundle)
        } catch {
            warnings.append("\(error)")
        }
        for (index, hook) in config.hooks.poststop.enumerated() {
            do throws(SysError) {
                try HookRunner.run(
                    hook, kind: .poststop, state: state, output: files.output, in: record.bundle)
            } catch {
                warnings.append("/hooks/poststop/\(index): \(error)")
            }
        }
        return warnings
    }

    /// Kills the init and waits for its end, 10 s at most.
    private func end(_ identity: ProcessIdentity, in cgroup: Cgroup) throws(SysError) {
        guard try identity.isAlive else { return }
        do throws(SysError) {
            let process = try identity.open()
            try process.signal(SIGKILL)
            try cgroup.thawAll()
            for seconds: Int32 in [1, 9] {
                if try waitForEnd(of: process.raw, milliseconds: seconds * 1000).ended { return }
                // What is frozen by others does not end by itself.
                let freezer = cgroup.freezerHint(of: identity.pid)
                if seconds == 1, freezer == nil { continue }
                throw SysError(
                    "waiting for process \(identity.pid) to end after SIGKILL", ETIMEDOUT,
                    hint: freezer
                        ?? "it is stuck in the kernel; see /proc/\(identity.pid)/stack")
            }
        } catch  where error.errno == ESRCH {
            return
        }
    }

    /// Whether another container says that the cgroup is its own: the creation of this one, whose
    /// config asks for the same, was cut short before that was refused.
    private func isOthers(_ cgroup: Cgroup, than id: String) throws(RuntimeError) -> Bool {
        let directories = cgroup.directories
        return try ids().contains { other in
            guard other != id, let container = try? Container(root: root, id: other, even: true)
            else {
                return false
            }
            return container.record.cgroups.contains { directories.contains($0) }
        }
    }

    /// Removes a container whose state file is missing or damaged: its cgroup is found by its config.
    private func removeRemains(
        of id: String, in directory: borrowing StateDirectory
    ) throws(RuntimeError) {
        do throws(SysError) {
            try directory.ownFiles()
        } catch {
            throw RuntimeError(error)
        }
        var mine: Cgroup?
        if let bytes = try? directory.read(StateDirectory.configFile),
            let config = try? Config(parsing: bytes),
            let cgroup = try? cgroup(for: config, id: id),
            try !isOthers(cgroup, than: id)
        {
            mine = cgroup
        }
        do throws(SysError) {
            try mine?.removeUnrecorded()
            try directory.remove()
        } catch {
            throw RuntimeError(error)
        }
    }
}

extension StateDirectory {
    var hasReadableState: Bool { (try? ContainerRecord(reading: self)) != nil }
}
