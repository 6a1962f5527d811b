import Spec

/// What `create` and `run` are asked for.
public struct CreateOptions: Sendable {
    /// The new container's id.
    public var id: String
    /// The bundle's directory; relative to the current one.
    public var bundle: String
    /// Another config than the bundle's `config.json`.
    public var config: String?
    /// The AF_UNIX socket that gets the pty's master (`process.terminal`).
    public var consoleSocket: String?
    /// The AF_UNIX socket that gets a pidfd of the container's process.
    public var pidfdSocket: String?
    /// Where the process's pid is written, whole or not at all.
    public var pidFile: String?
    /// The caller leaves while the program runs.
    public var detached = false
    /// `MS_MOVE` and `chroot` in place of `pivot_root`.
    public var noPivot = false
    /// Keep the caller's session keyring.
    public var noNewKeyring = false
    /// Descriptors 3 … 2+N that the program gets: those of socket activation and `--preserve-fds`.
    public var preservedFds: Int32 = 0
    /// How many of them are those of socket activation (`sd_listen_fds(3)`).
    public var listenFds: Int32 = 0

    /// - Parameters:
    ///   - id: the new container's id.
    ///   - bundle: the bundle's directory; relative to the current one.
    public init(id: String, bundle: String = ".") {
        self.id = id
        self.bundle = bundle
    }
}

/// What `exec` is asked for.
public struct ExecOptions: Sendable {
    /// The container's id.
    public var id: String
    /// What to execute.
    public var process: Process
    /// The AF_UNIX socket that gets the pty's master.
    public var consoleSocket: String?
    /// The AF_UNIX socket that gets a pidfd of the process.
    public var pidfdSocket: String?
    /// Where the process's pid is written, whole or not at all.
    public var pidFile: String?
    /// Return once the program executes.
    public var detach = false
    /// Descriptors 3 … 2+N that the program gets.
    public var preservedFds: Int32 = 0
    /// Directories below the container's cgroup, one per controller or one for all.
    public var subCgroups: [(controllers: [String], path: String)] = []
    /// Go ahead in a paused container.
    public var ignorePaused = false
    /// Where the parts of ``process`` come from that are not the container's own.
    public var origin = ProcessOrigin.config

    /// - Parameters:
    ///   - id: the container's id.
    ///   - process: what to execute.
    public init(id: String, process: Process) {
        self.id = id
        self.process = process
    }
}
