/// What the command line decides about a container, besides its config.
public struct PlanOptions: Sendable, Equatable {
    /// The container's id, already found valid.
    public var id: String
    /// The bundle's absolute path: relative paths of the config start there.
    public var bundle: String
    /// Whether the init waits for `start` on a socket of its own (`create`) or on the channel to the
    /// host that made it (`run`).
    public var listensForStart: Bool
    /// Whether the runtime leaves while the program runs: it cannot hold its terminal then.
    public var detached: Bool
    /// The socket that gets the terminal's master, or nil.
    public var consoleSocket: String?
    /// `--no-pivot`: `MS_MOVE` and `chroot` instead of `pivot_root`.
    public var noPivot: Bool
    /// `--no-new-keyring`: the caller's session keyring stays.
    public var noNewKeyring: Bool
    /// Who makes the cgroups.
    public var cgroupManager: CgroupManager

    /// Who makes a container's cgroups.
    public enum CgroupManager: String, Sendable, CaseIterable {
        /// The runtime, in the cgroup file system.
        case cgroupfs
        /// systemd, over D-Bus.
        case systemd
        /// Nobody: the container stays in the caller's.
        case disabled
    }

    /// Makes a set of options.
    public init(
        id: String, bundle: String, listensForStart: Bool = false, detached: Bool = false,
        consoleSocket: String? = nil, noPivot: Bool = false, noNewKeyring: Bool = false,
        cgroupManager: CgroupManager = .cgroupfs
    ) {
        self.id = id
        self.bundle = bundle
        self.listensForStart = listensForStart
        self.detached = detached
        self.consoleSocket = consoleSocket
        self.noPivot = noPivot
        self.noNewKeyring = noNewKeyring
        self.cgroupManager = cgroupManager
    }
}
