import CSeccomp
import Glibc
import OCIRuntime
import Spec

/// What a profile means, read off it call by call without any program.
struct SeccompReference {
    var profile: Seccomp

    static let x86_64: UInt32 = 0xc000_003e
    static let x86: UInt32 = 0x4000_0003
    static let x32: UInt32 = 0x4000_003e
    static let x32Bit: UInt32 = 0x4000_0000
    static let enosys: UInt32 = 0x0005_0026

    static func value(_ action: SeccompAction, _ errno: UInt32?) -> UInt32 {
        switch action {
        case .kill, .killThread: 0
        case .killProcess: 0x8000_0000
        case .trap: 0x0003_0000
        case .errno: 0x0005_0000 + (errno ?? 1)
        case .notify: 0x7fc0_0000
        case .trace: 0x7ff0_0000 + (errno ?? 1)
        case .log: 0x7ffc_0000
        case .allow: 0x7fff_0000
        }
    }

    /// The order in seccomp(2): kill the process, kill the thread, trap, errno … allow.
    static func strictness(_ value: UInt32) -> Int {
        let order: [UInt32] = [
            0x8000_0000, 0, 0x0003_0000, 0x0005_0000, 0x7fc0_0000, 0x7ff0_0000, 0x7ffc_0000,
            0x7fff_0000,
        ]
        return order.firstIndex(of: value & 0xffff_0000) ?? -1
    }

    var defaultValue: UInt32 { Self.value(profile.defaultAction, profile.defaultErrnoRet) }

    /// libseccomp's name of the ABI of a call; nil where the profile does not list it.
    func token(_ call: SeccompInterpreter.Call) -> UInt32? {
        switch call.architecture {
        case Self.x86_64 where call.number < Self.x32Bit: Self.x86_64
        case Self.x86_64: profile.architectures.contains(.x32) ? Self.x32 : nil
        case Self.x86: profile.architectures.contains(.x86) ? Self.x86 : nil
        default: nil
        }
    }

    /// The names of libseccomp's numbers, looked up the other way round than the compiler does.
    static let names: [UInt32: [UInt32: String]] = {
        var names: [UInt32: [UInt32: String]] = [:]
        for (token, base) in [(x86_64, 0), (x86, 0), (x32, x32Bit)] {
            for number in base..<base + 600 {
                guard let text = seccomp_syscall_resolve_num_arch(token, Int32(number)) else {
                    continue
                }
                names[token, default: [:]][number] = String(cString: text)
                free(text)
            }
        }
        return names
    }()

    /// The largest number of an ABI that the profile mentions.
    func newest(_ token: UInt32) -> UInt32? {
        let mentioned = Set(profile.syscalls.flatMap(\.names))
        return Self.names[token]?.filter { mentioned.contains($0.value) }.keys.max()
    }

    func evaluate(_ call: SeccompInterpreter.Call, newest: [UInt32: UInt32]) -> UInt32 {
        if call.architecture == Self.x86_64 && call.number == UInt32.max { return defaultValue }
        guard let token = token(call) else { return 0 }
        if call.number == UInt32.max { return defaultValue }
        let permits = [.allow, .log, .trace].contains(profile.defaultAction)
        if !permits, defaultValue != Self.enosys, let newest = newest[token], call.number > newest {
            return Self.enosys
        }
        guard let name = Self.names[token]?[call.number] else { return defaultValue }
        var (found, unconditional) = matches(name, call, isWide: token != Self.x86)
        if token == Self.x86 && !unconditional {
            let first = Int32(truncatingIfNeeded: call.arguments[0])
            if name == "socketcall" { found += multiplexed(-100 &- first) }
            if name == "ipc" { found += multiplexed(-200 &- first) }
        }
        return found.min { Self.strictness($0) < Self.strictness($1) } ?? defaultValue
    }

    private func multiplexed(_ pseudo: Int32) -> [UInt32] {
        profile.syscalls.compactMap { rule in
            let value = Self.value(rule.action, rule.errnoRet)
            guard value != defaultValue,
                rule.names.contains(where: {
                    seccomp_syscall_resolve_name_arch(Self.x86, $0) == pseudo
                }),
                rule.args.isEmpty || Self.strictness(value) < Self.strictness(defaultValue)
            else { return nil }
            return value
        }
    }

    private func matches(
        _ name: String, _ call: SeccompInterpreter.Call, isWide: Bool
    ) -> (found: [UInt32], unconditional: Bool) {
        var found: [UInt32] = []
        for rule in profile.syscalls where rule.names.contains(name) {
            let value = Self.value(rule.action, rule.errnoRet)
            if value == defaultValue { continue }
            if rule.args.isEmpty { return ([value], true) }
            let holds = rule.args.map { Self.holds($0, call, isWide: isWide) }
            let repeated = Set(rule.args.map(\.index)).count < rule.args.count
            if repeated ? holds.contains(true) : !holds.contains(false) { found.append(value) }
        }
        return (found, false)
    }

    static func holds(
        _ condition: SeccompArg, _ call: SeccompInterpreter.Call, isWide: Bool
    ) -> Bool {
        let seen: UInt64 = isWide ? .max : 0xffff_ffff
        let argument = call.arguments[Int(condition.index)] & seen
        let value = condition.value & seen
        return switch condition.op {
        case .equal: argument == value
        case .notEqual: argument != value
        case .lessThan: argument < value
        case .lessEqual: argument <= value
        case .greaterThan: argument > value
        case .greaterEqual: argument >= value
        case .maskedEqual: argument & value == condition.valueTwo & value
        }
    }
}

/// The program that libseccomp itself makes of a profile.
func libseccompProgram(_ profile: Seccomp) -> [UInt8] {
    func action(_ action: SeccompAction, _ errno: UInt32?) -> UInt32 {
        SeccompReference.value(action, errno)
    }
    let defaultAction = action(profile.defaultAction, profile.defaultErrnoRet)
    guard let context = seccomp_init(defaultAction) else { return [] }
    defer { seccomp_release(context) }
    for architecture in profile.architectures {
        let token: UInt32? =
            switch architecture {
            case .x86: SeccompReference.x86
            case .x32: SeccompReference.x32
            default: nil
            }
        if let token { seccomp_arch_add(context, token) }
    }
    for rule in profile.syscalls {
        let value = action(rule.action, rule.errnoRet)
        if value == defaultAction { continue }
        for name in rule.names {
            let number = seccomp_syscall_resolve_name(name)
            if number == -1 { continue }
            let comparisons = rule.args.map { argument in
                scmp_arg_cmp(
                    arg: argument.index,
                    op: [
                        .notEqual: SCMP_CMP_NE, .lessThan: SCMP_CMP_LT, .lessEqual: SCMP_CMP_LE,
                        .equal: SCMP_CMP_EQ, .greaterEqual: SCMP_CMP_GE,
                        .greaterThan: SCMP_CMP_GT, .maskedEqual: SCMP_CMP_MASKED_EQ,
                    ][argument.op] ?? SCMP_CMP_EQ,
                    datum_a: argument.value, datum_b: argument.valueTwo)
            }
            seccomp_rule_add_array(
                context, value, number, UInt32(comparisons.count), comparisons)
        }
    }
    let fd = memfd_create("seccomp", 0)
    defer { close(fd) }
    seccomp_export_bpf(context, fd)
    var bytes = [UInt8](repeating: 0, count: Int(lseek(fd, 0, SEEK_END)))
    pread(fd, &bytes, bytes.count, 0)
    return bytes
}
