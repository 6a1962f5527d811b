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
            detached: options.detached || starting == .socket,
            consoleSocket: options.consoleSocket, noPivot: options.noPivot,
            noNewKeyring: options.noNewKeyring, cgroupManager: cgroupManager)
        do throws(PlanError) {
            let layout = cgroupManager == .cgroupfs ? CgroupLayout.gather() : .none
            var facts = HostFacts.gather()
            facts.cgroups = { layout }
            let plan = try Planner.plan(bundle.config, facts: facts, options: choices)
            let path = try CgroupPath(bundle.config.linux.cgroupsPath, id: options.id)
            return PlannedContainer(
                plan: plan,
                cgroup: cgroupManager == .cgroupfs
                    ? Cgroup(layout: layout, path: path, rootless: rootless) : nil)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The plan of one more process in a container.
    func plan(
        _ options: ExecOptions, in container: borrowing Container, _ config: Config
    ) throws(RuntimeError) -> Plan {
        let choices = PlanOptions(
            id: options.id, bundle: container.record.bundle, detached: options.detach,
            consoleSocket: options.consoleSocket, cgroupManager: cgroupManager)
        do throws(PlanError) {
            return try Planner.plan(
                executing: options.process, in: config, facts: HostFacts.gather(), options: choices)
        } catch {
            throw RuntimeError(error)
        }
    }
}

extension Runtime {
    /// Compiled seccomp filters; no container's id can be this name.
    var seccompCache: SeccompCache { SeccompCache(directory: "\(root)/@seccomp") }

    /// The host's `/proc`, checked.
    func procfs() throws(RuntimeError) -> Fd {
        do throws(SysError) {
            return try openProcfs()
        } catch {
            throw RuntimeError(error)
        }
    }
}
