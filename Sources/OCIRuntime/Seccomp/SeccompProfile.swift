import Glibc
import Spec

/// A `linux.seccomp` that was checked, in the terms of the kernel.
struct SeccompProfile {
    /// What the filter returns on a call without a rule.
    let defaultValue: UInt32
    /// Whether calls newer than the profile fail with ENOSYS.
    let hidesNewCalls: Bool
    /// The rules, in the order of the config.
    private(set) var rules: [Rule] = []
    /// The ABIs, the native one first.
    let families: [ABIFamily]

    /// A rule: its names, and what it returns when one of the alternatives holds.
    struct Rule {
        var names: [String]
        var value: UInt32
        /// Each is a list of conditions that must all hold; none means always.
        var alternatives: [[SeccompArg]]
    }

    static let killThread: UInt32 = 0
    static let notImplemented = errnoAction | UInt32(ENOSYS)
    static let errnoAction: UInt32 = 0x0005_0000

    init(_ seccomp: Seccomp, at place: String) throws(ConfigError) {
        defaultValue = try seccomp.defaultAction.returnValue(
            errno: seccomp.defaultErrnoRet, at: "\(place)/defaultErrnoRet")
        // The init must hand the notify descriptor over when the filter is already in force.
        guard seccomp.defaultAction != .notify else {
            throw ConfigError(
                place: "\(place)/defaultAction",
                message: "SCMP_ACT_NOTIFY cannot be the default action",
                hint: "the runtime itself would wait for the agent")
        }
        // As runc does: an unknown call that is let through fails with ENOSYS by itself, and a
        // tracer is meant to see it.
        switch seccomp.defaultAction {
        case .allow, .log, .trace: hidesNewCalls = false
        default: hidesNewCalls = defaultValue != Self.notImplemented
        }
        families = try ABIFamily.families(of: seccomp.architectures, at: place)
        rules.reserveCapacity(seccomp.syscalls.count)
        for (index, syscall) in seccomp.syscalls.enumerated() {
            rules.append(try Self.rule(syscall, in: seccomp, at: "\(place)/syscalls/\(index)"))
        }
    }

    private static func rule(
        _ syscall: SeccompSyscall, in seccomp: Seccomp, at place: String
    ) throws(ConfigError) -> Rule {
        let value = try syscall.action.returnValue(
            errno: syscall.errnoRet, at: "\(place)/errnoRet")
        if syscall.action == .notify {
            try checkNotify(syscall, in: seccomp, at: place)
        }
        var tested: UInt32 = 0
        var repeated = false
        for (index, argument) in syscall.args.enumerated() {
            guard argument.index < 6 else {
                throw ConfigError(
                    place: "\(place)/args/\(index)/index",
                    message: "\(argument.index) is not an argument of a system call",
                    hint: "they are numbered from 0 to 5")
            }
            let bit: UInt32 = 1 << argument.index
            repeated = repeated || tested & bit != 0
            tested |= bit
        }
        return Rule(
            names: syscall.names, value: value,
            alternatives: repeated ? syscall.args.map { [$0] } : [syscall.args])
    }

    private static func checkNotify(
        _ syscall: SeccompSyscall, in seccomp: Seccomp, at place: String
    ) throws(ConfigError) {
        guard seccomp.listenerPath != nil else {
            throw ConfigError(
                place: "\(place)/action", message: "SCMP_ACT_NOTIFY needs a listenerPath")
        }
        for (index, name) in syscall.names.enumerated() where name == "sendmsg" {
            throw ConfigError(
                place: "\(place)/names/\(index)",
                message: "SCMP_ACT_NOTIFY cannot be used for sendmsg",
                hint: "the runtime sends the notify descriptor with it")
        }
    }

    /// How strict an action is: smaller is stricter. The kernel compares the actions of several
    /// filters the same way.
    static func strictness(_ value: UInt32) -> Int32 {
        Int32(bitPattern: value & 0xffff_0000)
    }
}

extension SeccompAction {
    /// What a filter returns for the action (seccomp(2), `SECCOMP_RET_*`).
    /// - Parameter place: where the errno stands, for errors.
    /// - Throws: an errno where the action takes none ("the runtime MUST print and error and
    ///   fail"), or one that does not fit.
    func returnValue(errno: UInt32?, at place: String) throws(ConfigError) -> UInt32 {
        let action: UInt32
        switch self {
        case .kill, .killThread: action = SeccompProfile.killThread
        case .killProcess: action = 0x8000_0000
        case .trap: action = 0x0003_0000
        case .errno: action = SeccompProfile.errnoAction
        case .notify: action = 0x7fc0_0000
        case .trace: action = 0x7ff0_0000
        case .log: action = 0x7ffc_0000
        case .allow: action = 0x7fff_0000
        }
        switch self {
        case .errno, .trace:
            let data = errno ?? UInt32(EPERM)
            guard data <= 0xffff else {
                throw ConfigError(place: place, message: "\(data) does not fit in 16 bits")
            }
            return action | data
        default:
            guard errno == nil else {
                throw ConfigError(
                    place: place, message: "\(rawValue) takes no errno",
                    hint: "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do")
            }
            return action
        }
    }
}
