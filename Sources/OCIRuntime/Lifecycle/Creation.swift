import Glibc
import Init
import Spec
import Sys

/// The creation of one container, up to an init that is ready to start. What `create` and `run` share.
struct Creation: ~Copyable {
    let runtime: Runtime
    let options: CreateOptions
    let bundle: Bundle
    let cgroup: Cgroup?
    let directory: StateDirectory
    var record: ContainerRecord
    var host: HostPerformer
    let notify: NotifySocket?

    /// Plans the container and claims its id. Nothing but the container's directory is made.
    /// - Parameter starting: how the init is started later.
    init(
        _ runtime: Runtime, _ options: CreateOptions, starting: StartMethod
    ) throws(RuntimeError) {
        try validate(options.id)
        self.runtime = runtime
        self.options = options
        bundle = try Bundle(options.bundle, config: options.config)
        let planned = try runtime.plan(bundle, options, starting: starting)
        cgroup = planned.cgroup
        directory = try StateDirectory(making: options.id, root: runtime.root)
        record = ContainerRecord(creating: options.id, bundle, cgroups: planned.cgroup?.directories ?? [])
        var prepared = Prepared()
        prepared.preservedFds = options.preservedFds
        notify = nil
        do throws(SysError) {
            prepared.procfs = try openProcfs().release()
        } catch {
            throw RuntimeError(error)
        }
        host = HostPerformer(
            plan: planned.plan, prepared: prepared, cgroup: planned.cgroup,
            seccompCache: SeccompCache(directory: "\(runtime.root)/.seccomp"),
            stateDirectory: directory.path)
        host.warnings = bundle.warnings + host.warnings
    }
}
