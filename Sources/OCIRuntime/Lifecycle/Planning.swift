import Init
import Spec
import Sys

/// A container's plan, and the cgroup that its steps are about; nil without one.
struct PlannedContainer {
    let plan: Plan
    let cgroup: Cgroup?
    let scope: Scope?
}

extension Runtime {
    /// What ``create(_:)`` would do, without doing anything.
    public func plan(_ options: CreateOptions) throws(RuntimeError) -> Plan {
        try validate(options.id)
        let bundle = try Bundle(options.bundle, config: options.config)
        var options = options
        if bundle.config.process?.terminal == true, options.consoleSocket == nil {
            // Nobody waits for a terminal yet: this stands for the socket that will be given.
            options.consoleSocket = "--console-socket"
        }
        return try plan(bundle, options, starting: .socket).plan
    }

    func plan(
        _ bundle: Bundle, _ options: CreateOptions, starting: StartMethod
    ) throws(RuntimeError) -> PlannedContainer {
        let choices = PlanOptions(
            id: options.id, bundle: bundle.path, listensForStart: starting == .socket,
            detached: options.detached || starting == .socket,
            consoleSocket: options.consoleSocket, noPivot: options.noPivot,
            noNewKeyring: options.noNewKeyring, cgroupManager: cgroupManager,
            systemd: try systemd(), idLack: bundle.idLack)
        do throws(PlanError) {
            let layout = cgroupManager == .disabled ? CgroupLayout.none : .gather()
            var facts = try HostFacts.gather()
            facts.cgroups = { layout }
            let plan = try Planner.plan(bundle.config, facts: facts, options: choices)
            if cgroupManager == .disabled {
                return PlannedContainer(plan: plan, cgroup: nil, scope: nil)
            }
            let linux = bundle.config.linux
            var path = try CgroupPath(
                linux.cgroupsPath, id: options.id, manager: cgroupManager, systemd: choices.systemd)
            var scope: Scope?
            if cgroupManager == .systemd {
                path.subgroup = try Annotations(bundle.config).subgroup
                scope = try Scope(
                    ScopeName(
                        linux.cgroupsPath, id: options.id, isUser: choices.systemd.isUser),
                    isUser: choices.systemd.isUser, id: options.id, resources: linux.resources,
                    annotations: bundle.config.annotations, isUnified: layout.isUnified)
            }
            return PlannedContainer(
                plan: plan, cgroup: Cgroup(layout: layout, path: path, rootless: rootless),
                scope: scope)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The systemd that has this user's units. A user's own is asked where its cgroup is.
    private func systemd() throws(RuntimeError) -> SystemdInstance {
        guard cgroupManager == .systemd, HostFacts.isRootless else { return .system }
        do throws(SysError) {
            return SystemdInstance(
                isUser: true, controlGroup: try Systemd(isUser: true).controlGroup())
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The plan of one more process in a container.
    func plan(
        _ options: ExecOptions, in container: borrowing Container, _ status: Status,
        _ config: Config
    ) throws(RuntimeError) -> Plan {
        let choices = PlanOptions(
            id: options.id, bundle: container.record.bundle, status: status,
            detached: options.detach,
            consoleSocket: options.consoleSocket, cgroupManager: cgroupManager)
        do throws(PlanError) {
            let plan = try Planner.plan(
                executing: options.process, in: config, facts: try .gather(), options: choices)
            return options.origin.naming(plan)
        } catch {
            throw RuntimeError(options.origin.naming(error))
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

extension Plan {
    /// Whether no step after the clone is the host's.
    var leavesTheRestToInit: Bool {
        guard let last = steps.indices.last(where: { steps[$0].actor == .host }),
            case .clone = steps[last].action
        else { return false }
        return true
    }
}
