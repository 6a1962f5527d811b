import Init
import Spec
import Sys

/// A container's plan, and the cgroup that its steps are about; nil without one.
struct PlannedContainer {
    let plan: Plan
    let cgroup: Cgroup?
}

extension Runtime {
    /// What ``create(_:)`` would do, without doing anything.
    public func plan(_ options: CreateOptions) throws(RuntimeError) -> Plan {
        try validate(options.id)
        let bundle = try Bundle(options.bundle, config: options.config)
        return try plan(bundle, options, starting: .socket).plan
    }

    func plan(
        _ bundle: Bundle, _ options: CreateOptions, starting: StartMethod
    ) throws(RuntimeError) -> PlannedContainer {
        let choices = PlanOptions(
            id: options.id, bundle: bundle.path, listensForStart: starting == .socket,
            detached: options.detached || starting == .socket, consoleSocket: options.consoleSocket,
            noPivot: options.noPivot, noNewKeyring: options.noNewKeyring,
            cgroupManager: PlanOptions.CgroupManager(rawValue: cgroupManager.rawValue) ?? .cgroupfs)
        do throws(PlanError) {
            let facts = HostFacts.gather()
            let plan = try Planner.plan(bundle.config, facts: facts, options: choices)
            return PlannedContainer(plan: plan, cgroup: try cgroup(for: bundle.config, id: options.id))
        } catch {
            throw RuntimeError(error.message, place: error.place, hint: error.hint)
        }
    }
}

extension Runtime {
    /// The host's `/proc`, checked.
    func procfs() throws(RuntimeError) -> Fd {
        do throws(SysError) {
            return try openProcfs()
        } catch {
            throw RuntimeError(error)
        }
    }
}
