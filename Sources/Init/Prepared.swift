import Spec
import Sys

/// What the host opened before the clone for the init to use: descriptors by number, which the clone
/// inherits, and values that need no parsing. All are close-on-exec.
package struct Prepared: Sendable {
    /// The host's `/proc`, checked to be procfs: labels, sysctls and `oom_score_adj` are written
    /// through it, whatever the container mounts (CVE-2019-16884, CVE-2025-52881).
    package var procfs: Int32 = -1
    /// The mount that this process executes through, which the host closes last: that takes a grace
    /// period of the kernel's.
    package var executableMount: Int32 = -1
    /// The container's directory of each v1 hierarchy, its `tasks` file open for writing.
    package var cgroupTasks: [Int32] = []
    /// `cgroup.procs` of the cgroups v2 of which the clone could enter none, the best first: no step of
    /// the plan does.
    package var unifiedCgroups: [Int32] = []
    /// Whether a hybrid host's v2 is gone without where none of them takes the init.
    package var unifiedMayRefuse = false
    /// The container's new namespaces that were made before the clone, by ``NamespacesAside``.
    package var madeNamespaces: [(kind: NamespaceKind, fd: Int32)] = []
    /// Namespaces to join.
    package var namespaces: [(kind: NamespaceKind, fd: Int32)] = []
    /// Detached mounts of bind sources, by the index in `mounts`.
    package var mountSources: [Int: Int32] = [:]
    /// User namespaces that carry id mappings, by the index in `mounts`.
    package var idMaps: [Int: Int32] = [:]
    /// The connected console socket; -1 sends the pty's master to the host over the channel.
    package var consoleSocket: Int32 = -1
    /// The connected socket that wants the seccomp notify descriptor.
    package var seccompListener: Int32 = -1
    /// The socket on which `start` knocks; -1 waits on the channel instead (`run`).
    package var startListener: Int32 = -1
    /// The socket through which a created init hands out its namespaces, and their types; -1 without.
    package var execListener: (socket: Int32, types: [NamespaceType]) = (-1, [])
    /// The ``ProcessHandle`` of the container's init, for a process that joins it.
    package var containerInit: Int32 = -1
    package var containerInitIsPidfd = true
    /// Its number in `procfs`.
    package var containerPid: Int32 = -1
    package var seccomp: SeccompProgram?
    /// Where the hooks' output goes.
    package var hookOutput = HookOutput()
    /// Descriptors 3 … 2+N that the user's program keeps.
    package var preservedFds: Int32 = 0

    /// How many of them are those of socket activation (`sd_listen_fds(3)`).
    package var listenFds: Int32 = 0

    package init() {}
}

/// A compiled filter and the flags of `seccomp(2)` to load it with.
public struct SeccompProgram: Sendable, Equatable {
    /// `struct sock_filter` after `struct sock_filter`, as the kernel takes them.
    package var filter: [UInt8]
    /// `SECCOMP_FILTER_FLAG_*`.
    package var flags: UInt32
    /// What goes with the notify descriptor; nil where nothing notifies.
    package var notify: Notify?

    /// `listenerMetadata` of the config.
    public struct Notify: Sendable, Equatable {
        package var metadata: String

        package init(metadata: String) { self.metadata = metadata }
    }

    package init(filter: [UInt8], flags: UInt32, notify: Notify? = nil) {
        self.filter = filter
        self.flags = flags
        self.notify = notify
    }

    /// Restricts this process, without anybody to ask.
    func load() throws(SysError) { _ = try setSeccompFilter(filter, flags: flags) }
}
