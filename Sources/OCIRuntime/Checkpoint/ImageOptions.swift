import Spec

/// What a checkpoint and a restore have in common.
public struct ImageOptions: Sendable {
    /// The CRIU program: a path, or a name on `PATH`.
    public var criu = "criu"
    /// The directory of the images.
    public var imagePath: String
    /// The directory of logs and statistics; nil for that of the images.
    public var workPath: String?
    /// Take open TCP connections along.
    public var tcpEstablished = false
    /// Allow Unix sockets whose other end is outside.
    public var externalUnixSockets = false
    /// Allow processes of the caller's session and terminal.
    public var shellJob = false
    /// Take file locks along.
    public var fileLocks = false
    /// Leave the memory behind until it is used.
    public var lazyPages = false
    /// Remove from earlier images what later ones hold.
    public var autoDedup = false
    /// How far the settings of cgroups are kept; nil for CRIU's default.
    public var cgroupsMode: CgroupsMode?
    /// How connections are held still; nil for CRIU's default.
    public var networkLock: NetworkLock?

    /// CRIU's `criu_cg_mode`.
    public enum CgroupsMode: String, Sendable, CaseIterable {
        /// Cgroups are neither kept nor restored.
        case ignore
        /// Settings are restored of cgroups that were not there.
        case soft
        /// Cgroups that are there are taken over, with all settings.
        case full
        /// No cgroup may be there before.
        case strict

        var number: Int32 {
            switch self {
            case .ignore: 0
            case .soft: 3
            case .full: 4
            case .strict: 5
            }
        }
    }

    /// CRIU's `criu_network_lock_method`.
    public enum NetworkLock: String, Sendable, CaseIterable {
        /// By rules of iptables.
        case iptables
        /// By rules of nftables.
        case nftables
        /// Not at all.
        case skip

        var number: Int32 {
            switch self {
            case .iptables: 1
            case .nftables: 2
            case .skip: 3
            }
        }
    }

    /// - Parameter imagePath: the directory of the images.
    public init(imagePath: String) { self.imagePath = imagePath }
}

/// What `checkpoint` is asked for.
public struct CheckpointOptions: Sendable {
    /// What `restore` must be asked for as well.
    public var images: ImageOptions
    /// The images of an earlier ``preDump``, relative to those of this one.
    public var parentPath: String?
    /// Let the container go on afterwards.
    public var leaveRunning = false
    /// Write the memory only, and let the container go on.
    public var preDump = false
    /// Leave out TCP connections that are not established yet.
    public var skipsInFlight = false
    /// Make names again for open files that have been removed.
    public var linkRemap = false
    /// A descriptor that gets a zero byte once the lazy pages can be asked for.
    public var statusFd: Int32?
    /// Where the memory goes, instead of into the images.
    public var pageServer: (address: String, port: UInt16)?

    /// - Parameter images: where to, and what is taken along.
    public init(_ images: ImageOptions) { self.images = images }
}

/// What `restore` is asked for.
public struct RestoreOptions: Sendable {
    /// Where from, and what is expected there.
    public var images: ImageOptions
    /// The new container. Of these options the id, the bundle, the console socket and the pid file
    /// count.
    public var container: CreateOptions
    /// Restore open TCP connections as closed ones.
    public var tcpClose = false
    /// `TYPE:NAME` of the security module's profile to restore under.
    public var lsmProfile: String?
    /// The SELinux context of the mounts.
    public var lsmMountContext: String?

    /// - Parameters:
    ///   - images: where from.
    ///   - container: the new container.
    public init(_ images: ImageOptions, _ container: CreateOptions) {
        self.images = images
        self.container = container
    }
}
