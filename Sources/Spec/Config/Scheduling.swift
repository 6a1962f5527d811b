/// The scheduling attributes of a process, as for sched_setattr(2) (config.md, "Linux Process").
public struct Scheduler: Sendable, Equatable {
    /// The policy.
    public var policy: SchedulerPolicy
    /// The nice value.
    public var nice: Int32
    /// The static priority of the real-time policies.
    public var priority: Int32
    /// The flags.
    public var flags: [SchedulerFlag]
    /// For the deadline policy: nanoseconds to run in each period.
    public var runtime: UInt64
    /// For the deadline policy: the deadline in nanoseconds.
    public var deadline: UInt64
    /// For the deadline policy: the period in nanoseconds.
    public var period: UInt64

    /// Makes a set of attributes.
    public init(
        policy: SchedulerPolicy, nice: Int32 = 0, priority: Int32 = 0, flags: [SchedulerFlag] = [],
        runtime: UInt64 = 0, deadline: UInt64 = 0, period: UInt64 = 0
    ) {
        self.policy = policy
        self.nice = nice
        self.priority = priority
        self.flags = flags
        self.runtime = runtime
        self.deadline = deadline
        self.period = period
    }
}

/// A scheduling policy; the raw value is the spec's name.
public enum SchedulerPolicy: String, Sendable, CaseIterable {
    /// Round-robin time sharing, the default.
    case other = "SCHED_OTHER"
    /// Real time, first in first out.
    case fifo = "SCHED_FIFO"
    /// Real time, round robin.
    case roundRobin = "SCHED_RR"
    /// Batch work.
    case batch = "SCHED_BATCH"
    /// Reserved, not implemented by Linux.
    case iso = "SCHED_ISO"
    /// Very low priority.
    case idle = "SCHED_IDLE"
    /// Earliest deadline first.
    case deadline = "SCHED_DEADLINE"
}

/// A flag of sched_setattr(2); the raw value is the spec's name.
public enum SchedulerFlag: String, Sendable, CaseIterable {
    /// Children do not inherit the policy.
    case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
    /// A deadline thread may reclaim unused bandwidth.
    case reclaim = "SCHED_FLAG_RECLAIM"
    /// SIGXCPU on an overrun.
    case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
    /// The policy stays as it is.
    case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
    /// The parameters stay as they are.
    case keepParams = "SCHED_FLAG_KEEP_PARAMS"
    /// The minimum utilization is set.
    case utilClampMin = "SCHED_FLAG_UTIL_CLAMP_MIN"
    /// The maximum utilization is set.
    case utilClampMax = "SCHED_FLAG_UTIL_CLAMP_MAX"
}

/// The I/O priority of a process, as for ioprio_set(2) (config.md, "Linux Process").
public struct IOPriority: Sendable, Equatable {
    /// The scheduling class.
    public var `class`: IOPriorityClass
    /// The level within the class, from 0 (highest) to 7.
    public var priority: Int32

    /// Makes a priority.
    public init(class: IOPriorityClass, priority: Int32) {
        self.class = `class`
        self.priority = priority
    }
}

/// An I/O scheduling class; the raw value is the spec's name.
public enum IOPriorityClass: String, Sendable, CaseIterable {
    /// Real time.
    case realtime = "IOPRIO_CLASS_RT"
    /// Best effort.
    case bestEffort = "IOPRIO_CLASS_BE"
    /// Idle.
    case idle = "IOPRIO_CLASS_IDLE"
}

extension Scheduler {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            policy: try object.required("policy").word(),
            nice: try object.integer("nice") ?? 0,
            priority: try object.integer("priority") ?? 0,
            flags: try object.words("flags") ?? [],
            runtime: try object.integer("runtime") ?? 0,
            deadline: try object.integer("deadline") ?? 0,
            period: try object.integer("period") ?? 0)
    }
}

extension IOPriority {
    // The spec's text requires `priority`, its schema does not; 0 is what Go's decoder makes of it, and
    // the idle class has no levels.
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            class: try object.required("class").word(),
            priority: try object.integer("priority") ?? 0)
    }
}
