import Spec

/// What the command line decides about a container, besides its config.
package struct PlanOptions: Sendable, Equatable {
    /// The container's id, already found valid.
    package var id: String
    /// The bundle's absolute path: relative paths of the config start there.
    package var bundle: String
    /// The container's status meanwhile: of one that exists, where a process joins it.
    package var status: Status
    /// Whether the init waits for `start` on a socket of its own (`create`) or on the channel to the
    /// host that made it (`run`).
    package var listensForStart: Bool
    /// Whether the runtime leaves while the program runs: it cannot hold its terminal then.
    package var detached: Bool
    /// The socket that gets the terminal's master, or nil.
    package var consoleSocket: String?
    /// `--no-pivot`: `MS_MOVE` and `chroot` instead of `pivot_root`.
    package var noPivot: Bool
    /// `--no-new-keyring`: the caller's session keyring stays.
    package var noNewKeyring: Bool
    /// Who makes the cgroups.
    package var cgroupManager: CgroupManager
    /// Whose systemd it is, with that driver.
    package var systemd: SystemdInstance
    /// Why the container has the caller's own ids alone, where that is not the config's wish.
    package var idLack: String?

    /// Makes a set of options.
    package init(
        id: String, bundle: String, status: Status = .creating, listensForStart: Bool = false,
        detached: Bool = false,
        consoleSocket: String? = nil, noPivot: Bool = false, noNewKeyring: Bool = false,
        cgroupManager: CgroupManager = .cgroupfs, systemd: SystemdInstance = .system,
        idLack: String? = nil
    ) {
        self.id = id
        self.bundle = bundle
        self.status = status
        self.listensForStart = listensForStart
        self.detached = detached
        self.consoleSocket = consoleSocket
        self.noPivot = noPivot
        self.noNewKeyring = noNewKeyring
        self.cgroupManager = cgroupManager
        self.systemd = systemd
        self.idLack = idLack
    }
}

/// A systemd that containers' scopes are started by.
package struct SystemdInstance: Sendable, Equatable {
    /// Whether it is the user's own.
    package var isUser: Bool
    /// The cgroup below which its units lie; empty for the root.
    package var controlGroup: String

    /// The machine's.
    package static let system = SystemdInstance(isUser: false, controlGroup: "")
}
