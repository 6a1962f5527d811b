import Init
import Spec

/// The class of service (config-linux.md, "IntelRdt"). Made and set before the clone, so that what the
/// host refuses is told early; the init joins it right after, and all that it forks inherits it.
extension Planner {
    mutating func findResctrlGroup() throws(PlanError) {
        guard let settings = config.linux.intelRdt else { return }
        guard let mountPoint = facts.resctrl() else {
            throw PlanError(
                "/linux/intelRdt", "needs the resctrl file system, which is not mounted",
                hint: "mount -t resctrl resctrl /sys/fs/resctrl; the CPU must have Intel RDT, or "
                    + "what is like it: rdt_a in /proc/cpuinfo")
        }
        resctrl = ResctrlGroup(settings, id: options.id, mountPoint: mountPoint)
    }

    mutating func openResctrlGroup() throws(PlanError) {
        try findResctrlGroup()
        guard let settings = config.linux.intelRdt, let group = resctrl else { return }
        let place = "/linux/intelRdt"
        host(
            settings.closID == nil ? place : place + "/closID",
            .openResctrlGroup(
                group, expected: settings.closID == nil ? [] : settings.singleSchemata.map(\.line)))
        for (name, line) in settings.singleSchemata {
            host(place + "/" + name, .setSchemata(group, line: line))
        }
        for (index, line) in settings.schemata.enumerated() {
            host(place + "/schemata/" + String(index), .setSchemata(group, line: line))
        }
        if settings.enableMonitoring {
            host(place + "/enableMonitoring", .makeMonitoringGroup(group))
        }
    }

    mutating func joinResctrlGroup() {
        if let resctrl { host("/linux/intelRdt", .joinResctrlGroup(resctrl)) }
    }
}

extension IntelRDT {
    /// The lines of `l3CacheSchema`, then `memBwSchema`: they are written before `schemata`.
    var singleSchemata: [(name: String, line: String)] {
        let newline = UInt8(ascii: "\n")
        let cache = (l3CacheSchema ?? "").utf8.split(separator: newline).map {
            (name: "l3CacheSchema", line: String(Substring($0)))
        }
        return cache + (memBwSchema.map { [("memBwSchema", $0)] } ?? [])
    }
}

extension ResctrlGroup {
    init(_ settings: IntelRDT, id: String, mountPoint: String) {
        let hasSchemata =
            settings.l3CacheSchema != nil || settings.memBwSchema != nil
            || !settings.schemata.isEmpty
        self.init(
            mountPoint: mountPoint, name: settings.closID ?? id,
            kind: settings.closID == nil ? .own : hasSchemata ? .shared : .existing,
            monitoring: settings.enableMonitoring ? id : nil)
    }
}
