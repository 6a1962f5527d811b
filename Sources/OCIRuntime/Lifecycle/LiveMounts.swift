import Glibc
import Init
import Spec
import Sys

extension Runtime {
    /// Adds mounts to a container that has been created, in order. Those before one that fails stay.
    /// - Returns: warnings.
    public func addMounts(_ mounts: [Mount], to id: String) throws(RuntimeError) -> [String] {
        try changeMounts(mounts, of: id, Planner.plan(adding:to:facts:options:))
    }

    /// Removes what is mounted at the destinations of `mounts`, with all below it, in order.
    /// - Returns: warnings.
    public func removeMounts(_ mounts: [Mount], from id: String) throws(RuntimeError) -> [String] {
        try changeMounts(mounts, of: id, Planner.plan(removing:from:facts:options:))
    }

    private typealias Planning = ([Mount], Config, HostFacts, PlanOptions) throws(PlanError) -> Plan

    private func changeMounts(
        _ mounts: [Mount], of id: String, _ plan: Planning
    ) throws(RuntimeError) -> [String] {
        let container = try Container(root: root, id: id)
        try container.directory.lock(id)
        if try container.status == .stopped { throw RuntimeError("container not running") }
        var warnings: [ConfigWarning] = []
        var prepared = Prepared()
        let procfs = try procfs()
        prepared.procfs = procfs.raw
        let steps: Plan
        do throws(ConfigError) {
            for (index, mount) in mounts.enumerated() {
                try mount.validate(at: "/mounts", index, warnings: &warnings)
            }
        } catch {
            throw RuntimeError(error)
        }
        let config = try container.config()
        do throws(PlanError) {
            steps = try plan(
                mounts, config, .gather(),
                PlanOptions(id: id, bundle: container.record.bundle))
        } catch {
            throw RuntimeError(error)
        }
        do throws(SysError) {
            try refuseOwnMounts(of: container.record.pid)
            let process = try container.identity.open()
            prepared.containerInitIsPidfd = process.isPidfd
            prepared.containerInit = process.release()
            prepared.containerPid = container.identity.pid
        } catch  where error.errno == ESRCH {
            throw RuntimeError("container not running")
        } catch {
            throw RuntimeError(error)
        }
        defer { closeDescriptor(prepared.containerInit) }
        var host = HostPerformer(
            plan: steps, prepared: prepared, cgroup: nil, seccompCache: seccompCache,
            stateDirectory: container.directory.path, lock: container.directory.fd.raw)
        defer { host.killInit() }
        _ = try host.perform()
        return warnings.map { "\($0)" } + host.warnings
    }

    /// A namespace that was joined by its path may be this process's own.
    private func refuseOwnMounts(of pid: Int32) throws(SysError) {
        let own = try status(of: "/proc/self/ns/mnt")
        let other: FileStatus
        do throws(SysError) {
            other = try status(of: "/proc/\(pid)/ns/mnt")
        } catch let error where error.errno == ENOENT {
            throw SysError(error.call, ESRCH)
        }
        if own.dev == other.dev, own.ino == other.ino {
            throw .refused("the container's mount namespace is the caller's")
        }
    }
}
