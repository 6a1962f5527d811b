import Glibc
import Spec
import Sys

/// A container's scope: the transient unit whose cgroup is the container's.
struct Scope: Sendable {
    let name: ScopeName
    /// Whether it is one of the user's own systemd.
    let isUser: Bool
    let properties: [UnitProperty]

    /// - Parameter description: the bundle and id, for `systemctl status`.
    init(
        _ name: ScopeName, isUser: Bool, id: String, resources: Resources?,
        annotations: OrderedMap<String>, isUnified: Bool
    ) throws(PlanError) {
        self.name = name
        self.isUser = isUser
        var list = [
            UnitProperty("Description", .string("swrunc container \(id)"), isDispensable: false),
            UnitProperty("Slice", .string(name.slice), isDispensable: false),
            UnitProperty("Delegate", .boolean(true), isDispensable: false),
            // The engine decides what ends when: nothing comes before or after it.
            UnitProperty("DefaultDependencies", .boolean(false), isDispensable: false),
            // One that failed (its memory ran out) is not kept.
            UnitProperty("CollectMode", .string("inactive-or-failed")),
            UnitProperty("CPUAccounting", .boolean(true)),
            UnitProperty("MemoryAccounting", .boolean(true)),
            UnitProperty(isUnified ? "IOAccounting" : "BlockIOAccounting", .boolean(true)),
            UnitProperty("TasksAccounting", .boolean(true)),
        ]
        list += UnitProperties(resources ?? Resources(), isUnified: isUnified).list
        for wanted in try PropertyAnnotation.properties(annotations) {
            list.removeAll { $0.name.utf8.elementsEqual(wanted.name.utf8) }
            list.append(wanted)
        }
        properties = list
    }

    /// Starts the scope.
    ///
    /// systemd starts none without a process in it, and the init is to be born within its limits. So a
    /// process of no use holds the place until the init is there.
    /// - Returns: that process.
    func start() throws(SysError) -> ClonedProcess {
        let parent = processID
        let holder = try Sys.clone(flags: 0) {
            // With this process it ends as well, and until then keeps nothing of it: no lock, no pipe
            // whose end somebody waits for.
            do throws(SysError) {
                try processControl(.setParentDeathSignal, UInt(SIGKILL))
                try closeDescriptors(from: 0, procfs: -1)
            } catch {
                exitNow(1)
            }
            if parentProcessID != parent { exitNow(1) }
            while true { sleep(nanoseconds: 1_000_000_000_000) }
        }
        do throws(SysError) {
            let pid = UInt32(bitPattern: holder.pid)
            try Systemd(isUser: isUser).start(
                name.unit,
                properties + [UnitProperty("PIDs", .uint32s([pid]), isDispensable: false)])
        } catch {
            Self.end(holder)
            throw error
        }
        return holder
    }

    /// Ends the process that held the place.
    static func end(_ holder: consuming ClonedProcess) {
        try? holder.signal(SIGKILL)
        _ = try? wait(pidfd: holder.pidfd.raw)
    }
}

extension Cgroup {
    /// Removes the cgroup, and stops the unit whose it is. Where the cgroup has gone already, so has
    /// the unit: systemd sees to a scope that becomes empty.
    /// - Parameter unit: empty with the cgroupfs driver.
    /// - Returns: warnings: a unit that cannot be stopped holds nothing of the container any more.
    func remove(unit: String, isUser: Bool) throws(SysError) -> [String] {
        // Not one that could not be started, because another container has it.
        let isUnits = !unit.isEmpty && isMine && isThere
        try remove()
        guard isUnits else { return [] }
        do throws(SysError) {
            try Systemd(isUser: isUser).stop(unit)
            return []
        } catch {
            return ["the unit \(unit) is left: \(error)"]
        }
    }
}
