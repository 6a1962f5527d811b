/// A system call filter (config-linux.md, "Seccomp").
public struct Seccomp: Sendable, Equatable {
    /// What happens on a system call without a rule.
    public var defaultAction: SeccompAction
    /// The errno (or trace message) of the default action; nil for EPERM.
    public var defaultErrnoRet: UInt32?
    /// The architectures besides the native one.
    public var architectures: [SeccompArchitecture]
    /// The flags of the filter; nil, not empty, when the config leaves them to the runtime.
    public var flags: [SeccompFlag]?
    /// The UNIX socket of the agent for `SCMP_ACT_NOTIFY`, or nil.
    public var listenerPath: String?
    /// Opaque data for the agent, or nil.
    public var listenerMetadata: String?
    /// The rules.
    public var syscalls: [SeccompSyscall]

    /// Makes a filter.
    public init(
        defaultAction: SeccompAction, defaultErrnoRet: UInt32? = nil,
        architectures: [SeccompArchitecture] = [], flags: [SeccompFlag]? = nil,
        listenerPath: String? = nil, listenerMetadata: String? = nil,
        syscalls: [SeccompSyscall] = []
    ) {
        self.defaultAction = defaultAction
        self.defaultErrnoRet = defaultErrnoRet
        self.architectures = architectures
        self.flags = flags
        self.listenerPath = listenerPath
        self.listenerMetadata = listenerMetadata
        self.syscalls = syscalls
    }
}

/// A rule of a filter: the same action for some system calls.
public struct SeccompSyscall: Sendable, Equatable {
    /// The names of the system calls; at least one. The kernel may not know all of them.
    public var names: [String]
    /// What happens on them.
    public var action: SeccompAction
    /// The errno (or trace message) of the action; nil for EPERM.
    public var errnoRet: UInt32?
    /// The conditions on the arguments, all of which must hold.
    public var args: [SeccompArg]

    /// Makes a rule.
    public init(
        names: [String], action: SeccompAction, errnoRet: UInt32? = nil, args: [SeccompArg] = []
    ) {
        self.names = names
        self.action = action
        self.errnoRet = errnoRet
        self.args = args
    }
}

/// A condition on one argument of a system call.
public struct SeccompArg: Sendable, Equatable {
    /// Which argument, from 0 to 5.
    public var index: UInt32
    /// The value compared with; the mask for `SCMP_CMP_MASKED_EQ`.
    public var value: UInt64
    /// The masked value for `SCMP_CMP_MASKED_EQ`.
    public var valueTwo: UInt64
    /// How to compare.
    public var op: SeccompOperator

    /// Makes a condition.
    public init(index: UInt32, value: UInt64, valueTwo: UInt64 = 0, op: SeccompOperator) {
        self.index = index
        self.value = value
        self.valueTwo = valueTwo
        self.op = op
    }
}

/// What happens on a system call; the raw value is libseccomp's name.
public enum SeccompAction: String, Sendable, CaseIterable {
    /// The same as `killThread`.
    case kill = "SCMP_ACT_KILL"
    /// The process is killed.
    case killProcess = "SCMP_ACT_KILL_PROCESS"
    /// The thread is killed.
    case killThread = "SCMP_ACT_KILL_THREAD"
    /// SIGSYS.
    case trap = "SCMP_ACT_TRAP"
    /// The call fails with an errno.
    case errno = "SCMP_ACT_ERRNO"
    /// A tracer is told.
    case trace = "SCMP_ACT_TRACE"
    /// The call is allowed.
    case allow = "SCMP_ACT_ALLOW"
    /// The call is allowed and logged.
    case log = "SCMP_ACT_LOG"
    /// An agent decides.
    case notify = "SCMP_ACT_NOTIFY"
}

/// How an argument is compared; the raw value is libseccomp's name.
public enum SeccompOperator: String, Sendable, CaseIterable {
    /// Not equal.
    case notEqual = "SCMP_CMP_NE"
    /// Less than.
    case lessThan = "SCMP_CMP_LT"
    /// Less than or equal.
    case lessEqual = "SCMP_CMP_LE"
    /// Equal.
    case equal = "SCMP_CMP_EQ"
    /// Greater than or equal.
    case greaterEqual = "SCMP_CMP_GE"
    /// Greater than.
    case greaterThan = "SCMP_CMP_GT"
    /// Equal under a mask.
    case maskedEqual = "SCMP_CMP_MASKED_EQ"
}

/// A flag of seccomp(2); the raw value is the kernel's name.
public enum SeccompFlag: String, Sendable, CaseIterable {
    /// All threads get the filter.
    case tsync = "SECCOMP_FILTER_FLAG_TSYNC"
    /// Actions other than allow are logged.
    case log = "SECCOMP_FILTER_FLAG_LOG"
    /// The mitigation of Speculative Store Bypass stays off.
    case specAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
    /// A notified process waits killably for the answer.
    case waitKillableRecv = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
}

/// An architecture of system calls; the raw value is libseccomp's name.
public enum SeccompArchitecture: String, Sendable, CaseIterable {
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case x86 = "SCMP_ARCH_X86"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case x86_64 = "SCMP_ARCH_X86_64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case x32 = "SCMP_ARCH_X32"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case arm = "SCMP_ARCH_ARM"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case aarch64 = "SCMP_ARCH_AARCH64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case mips = "SCMP_ARCH_MIPS"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case mips64 = "SCMP_ARCH_MIPS64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case mips64n32 = "SCMP_ARCH_MIPS64N32"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case mipsel = "SCMP_ARCH_MIPSEL"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case mipsel64 = "SCMP_ARCH_MIPSEL64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case mipsel64n32 = "SCMP_ARCH_MIPSEL64N32"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case ppc = "SCMP_ARCH_PPC"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case ppc64 = "SCMP_ARCH_PPC64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case ppc64le = "SCMP_ARCH_PPC64LE"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case s390 = "SCMP_ARCH_S390"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case s390x = "SCMP_ARCH_S390X"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case parisc = "SCMP_ARCH_PARISC"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case parisc64 = "SCMP_ARCH_PARISC64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case riscv64 = "SCMP_ARCH_RISCV64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case loongarch64 = "SCMP_ARCH_LOONGARCH64"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case m68k = "SCMP_ARCH_M68K"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case sh = "SCMP_ARCH_SH"
    // swift-format-ignore: AllPublicDeclarationsHaveDocumentation
    case sheb = "SCMP_ARCH_SHEB"
}

extension Seccomp {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            defaultAction: try object.required("defaultAction").word(),
            defaultErrnoRet: try object.integer("defaultErrnoRet"),
            architectures: try object.words("architectures") ?? [],
            flags: try object.words("flags"),
            listenerPath: try object.nonEmpty("listenerPath"),
            listenerMetadata: try object.nonEmpty("listenerMetadata"),
            syscalls: try object.list("syscalls", SeccompSyscall.init(json:)) ?? [])
    }
}

extension SeccompSyscall {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            names: try object.required("names").list { value throws(ConfigError) in
                try value.string()
            },
            action: try object.required("action").word(),
            errnoRet: try object.integer("errnoRet"),
            args: try object.list("args", SeccompArg.init(json:)) ?? [])
    }
}

extension SeccompArg {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            index: try object.required("index").integer(),
            value: try object.required("value").integer(),
            valueTwo: try object.integer("valueTwo") ?? 0,
            op: try object.required("op").word())
    }
}
