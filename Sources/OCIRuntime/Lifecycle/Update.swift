import Glibc
import Init
import Spec
import Sys

extension Runtime {
    /// Changes limits of a container: in its cgroup, and in its copy of the config.
    /// - Parameter update: what is to change; what is absent stays, and so does what is zero where
    ///   zero says "not set".
    /// - Parameter schemata: settings of its class of service; nil stays as it is.
    /// - Returns: warnings.
    /// - Throws: a limit that is refused, by name. Then none has changed.
    public func update(
        _ id: String, _ update: Resources, schemata: IntelRDT = IntelRDT()
    ) throws(RuntimeError) -> [String] {
        let container = try Container(root: root, id: id)
        try container.directory.lock(id)
        if try container.status == .stopped { throw RuntimeError("container not running") }
        do throws(ConfigError) {
            try update.validate()
            try schemata.validate()
        } catch {
            throw RuntimeError(error.message, place: error.place, hint: error.hint)
        }
        var config = try container.config()
        let old = config.linux.resources ?? Resources()
        let merged = old.updated(by: update)
        var change = update.completed(from: merged)
        // Engines send the rules that the container has. Writing them again would take away devices
        // that others have given to it meanwhile.
        if change.devices == old.devices { change.devices = [] }
        config.linux.resources = merged
        let group = try container.resctrlGroup(updating: &config, with: schemata)
        // Written down first, though not in its place: what fills a disk is to change nothing.
        let file = StateDirectory.configFile
        do throws(SysError) {
            try container.directory.stage(file, config.json())
        } catch {
            throw RuntimeError(error)
        }
        var warnings: [String] = []
        var before: [String] = []
        do throws(RuntimeError) {
            before = try group?.set(schemata.singleSchemata) ?? []
            if update != Resources() {
                warnings = try apply(change, to: container, allowing: merged.memory)
            }
        } catch {
            group?.restore(before)
            container.directory.discard(file)
            throw error
        }
        do throws(SysError) {
            try container.directory.commit(file)
        } catch {
            throw RuntimeError(error)
        }
        return warnings
    }

    private func apply(
        _ change: Resources, to container: borrowing Container, allowing memory: Resources.Memory
    ) throws(RuntimeError) -> [String] {
        var cgroup = Cgroup(directories: container.record.cgroups)
        guard cgroup.hasDirectories else {
            throw RuntimeError("the container has no cgroup, so no limits to change")
        }
        let planned: (steps: [Step], warnings: [String])
        do throws(PlanError) {
            planned = try CgroupPlanner.plan(updating: change, layout: .gather())
        } catch {
            throw RuntimeError(error)
        }
        if memory.checkBeforeUpdate == true, let limit = change.memory.limit {
            try cgroup.checkUse(below: limit)
        }
        try cgroup.update(planned.steps)
        let unit = container.record.unit
        if unit.isEmpty { return planned.warnings }
        // Only now, as nothing has been refused. systemd writes what it is told, and rounds it.
        var warnings = planned.warnings
        do throws(SysError) {
            try Systemd(isUser: container.record.isUserUnit).set(
                UnitProperties(change, isUnified: cgroup.isUnified, isUpdate: true).list, of: unit)
        } catch {
            warnings.append("\(unit) keeps its old limits for when it is reloaded: \(error)")
        }
        try cgroup.update(planned.steps)
        return warnings
    }
}

extension Cgroup {
    /// config-linux.md, "Memory", `checkBeforeUpdate`: cgroup v2 would kill processes until what is in
    /// use is below a new limit, where v1 refuses it.
    fileprivate func checkUse(below limit: Int64) throws(RuntimeError) {
        guard isUnified, limit > 0,
            let bytes = try? readFile("\(members[0].full)/memory.current"),
            let current = words(bytes).first.flatMap({ Int64($0) }), current > limit
        else { return }
        let peak = (try? readFile("\(members[0].full)/memory.peak")).flatMap { words($0).first }
        throw RuntimeError(
            "memory.max = \(limit): the cgroup already uses \(current) bytes"
                + (peak.map { ", at most \($0) so far" } ?? ""),
            place: "/linux/resources/memory/limit")
    }
}
