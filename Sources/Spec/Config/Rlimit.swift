/// One resource limit of a process (config.md, "POSIX process").
public struct Rlimit: Sendable, Equatable {
    /// The limited resource.
    public var type: RlimitType
    /// The value enforced.
    public var soft: UInt64
    /// The ceiling for `soft`.
    public var hard: UInt64

    /// Makes a limit.
    public init(type: RlimitType, soft: UInt64, hard: UInt64) {
        self.type = type
        self.soft = soft
        self.hard = hard
    }
}

/// A resource that getrlimit(2) knows; the raw value is the spec's name.
public enum RlimitType: String, Sendable, CaseIterable {
    /// Address space in bytes.
    case addressSpace = "RLIMIT_AS"
    /// Size of a core file in bytes.
    case core = "RLIMIT_CORE"
    /// CPU time in seconds.
    case cpu = "RLIMIT_CPU"
    /// Data segment in bytes.
    case data = "RLIMIT_DATA"
    /// Size of a created file in bytes.
    case fileSize = "RLIMIT_FSIZE"
    /// Combined number of flock locks and leases.
    case locks = "RLIMIT_LOCKS"
    /// Locked memory in bytes.
    case lockedMemory = "RLIMIT_MEMLOCK"
    /// Bytes in POSIX message queues.
    case messageQueue = "RLIMIT_MSGQUEUE"
    /// Ceiling of the nice value.
    case nice = "RLIMIT_NICE"
    /// One more than the highest file descriptor.
    case openFiles = "RLIMIT_NOFILE"
    /// Processes of the user.
    case processes = "RLIMIT_NPROC"
    /// Resident set; without effect.
    case residentSet = "RLIMIT_RSS"
    /// Ceiling of the real-time priority.
    case realtimePriority = "RLIMIT_RTPRIO"
    /// CPU time in microseconds under a real-time policy.
    case realtimeTime = "RLIMIT_RTTIME"
    /// Queued signals.
    case pendingSignals = "RLIMIT_SIGPENDING"
    /// Stack in bytes.
    case stack = "RLIMIT_STACK"
}

extension Rlimit {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            type: try object.required("type").word(),
            soft: try object.required("soft").integer(),
            hard: try object.required("hard").integer())
    }
}
