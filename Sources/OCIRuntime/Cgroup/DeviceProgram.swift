import Spec

/// The eBPF program that decides on device access in cgroup v2 (`BPF_PROG_TYPE_CGROUP_DEVICE`): 1
/// allows, 0 denies.
///
/// The last rule that is about a device decides, separately for reading, writing and making nodes. So
/// the rules are compiled from last to first. The accesses that are still undecided stay in a
/// register: an allowing rule takes its own away, and none left means allowed; a denying rule that
/// meets one of its own denies.
struct DeviceProgram {
    /// `struct bpf_insn` after `struct bpf_insn`, as little-endian numbers.
    private(set) var instructions: [UInt64] = []

    /// - Parameter rules: as ``DeviceRules/effective(_:)`` makes them.
    init(_ rules: [Resources.DeviceRule]) {
        var body = Body()
        var whenNoneIsLeft = false
        for rule in rules.reversed() {
            if rule.isTotal {
                whenNoneIsLeft = rule.allow
                break
            }
            body.append(rule)
        }
        body.finish(whenNoneIsLeft)
        instructions = body.prologue + body.instructions
    }
}

/// The registers: r1 comes with `struct bpf_cgroup_dev_ctx { u32 access_type, major, minor; }`.
private enum Register {
    static let result: UInt64 = 0
    static let context: UInt64 = 1
    static let type: UInt64 = 2
    static let access: UInt64 = 3
    static let major: UInt64 = 4
    static let minor: UInt64 = 5
}

/// The operations used, by their code (`linux/bpf.h`, instruction-set.rst).
private enum Operation {
    static let load32: UInt64 = 0x61  // LDX | MEM | W
    static let move: UInt64 = 0xb7  // ALU64 | MOV | K
    static let moveRegister32: UInt64 = 0xbc  // ALU | MOV | X
    static let and32: UInt64 = 0x54  // ALU | AND | K
    static let shiftRight32: UInt64 = 0x74  // ALU | RSH | K
    static let jumpEqual: UInt64 = 0x15  // JMP | JEQ | K
    static let jumpNotEqual: UInt64 = 0x55  // JMP | JNE | K
    static let jumpSet: UInt64 = 0x45  // JMP | JSET | K
    static let exit: UInt64 = 0x95  // JMP | EXIT
}

private func instruction(
    _ code: UInt64, _ destination: UInt64 = 0, source: UInt64 = 0, offset: Int = 0,
    immediate: Int64 = 0
) -> UInt64 {
    let low = code | destination << 8 | source << 12
    let jump = UInt64(UInt16(truncatingIfNeeded: offset)) << 16
    return low | jump | UInt64(UInt32(truncatingIfNeeded: immediate)) << 32
}

private struct Body {
    var instructions: [UInt64] = []
    private var jumpsToAllow: [Int] = []
    private var jumpsToDeny: [Int] = []
    private var usesType = false
    private var usesAccess = false
    private var usesMajor = false
    private var usesMinor = false

    init() {}

    /// Loads what the rules look at. The verifier refuses code that is never reached, and unused
    /// loads cost time at every open.
    var prologue: [UInt64] {
        var loads: [UInt64] = []
        if usesType || usesAccess {
            loads.append(instruction(Operation.load32, Register.type, source: Register.context))
        }
        if usesAccess {
            loads.append(
                instruction(Operation.moveRegister32, Register.access, source: Register.type))
            loads.append(instruction(Operation.shiftRight32, Register.access, immediate: 16))
        }
        if usesType { loads.append(instruction(Operation.and32, Register.type, immediate: 0xffff)) }
        if usesMajor {
            loads.append(
                instruction(Operation.load32, Register.major, source: Register.context, offset: 4))
        }
        if usesMinor {
            loads.append(
                instruction(Operation.load32, Register.minor, source: Register.context, offset: 8))
        }
        return loads
    }

    mutating func append(_ rule: Resources.DeviceRule) {
        var conditions: [(register: UInt64, value: Int64)] = []
        switch rule.type {
        case .all: break
        case .block: conditions.append((Register.type, 1))  // BPF_DEVCG_DEV_BLOCK
        case .character: conditions.append((Register.type, 2))  // BPF_DEVCG_DEV_CHAR
        }
        if let major = rule.majorNumber { conditions.append((Register.major, major)) }
        if let minor = rule.minorNumber { conditions.append((Register.minor, minor)) }
        for condition in conditions {
            usesType = usesType || condition.register == Register.type
            usesMajor = usesMajor || condition.register == Register.major
            usesMinor = usesMinor || condition.register == Register.minor
        }

        // With every access the rule decides as soon as the device is the one: the last condition
        // jumps to the verdict itself.
        let decides = rule.access == .all ? conditions.popLast() : nil
        var jumpsToNext: [Int] = []
        for condition in conditions {
            jumpsToNext.append(instructions.count)
            instructions.append(
                instruction(
                    Operation.jumpNotEqual, condition.register, immediate: condition.value))
        }
        if let decides {
            jump(Operation.jumpEqual, decides.register, decides.value, toAllow: rule.allow)
        } else {
            usesAccess = true
            decide(rule)
        }
        for index in jumpsToNext { patch(index, to: instructions.count) }
    }

    private mutating func decide(_ rule: Resources.DeviceRule) {
        let mask = Self.bits(rule.access)
        if rule.allow {
            instructions.append(
                instruction(Operation.and32, Register.access, immediate: 7 & ~mask))
            jump(Operation.jumpEqual, Register.access, 0, toAllow: true)
        } else {
            jump(Operation.jumpSet, Register.access, mask, toAllow: false)
        }
    }

    mutating func finish(_ whenNoneIsLeft: Bool) {
        let others = whenNoneIsLeft ? jumpsToDeny : jumpsToAllow
        appendVerdict(whenNoneIsLeft, for: whenNoneIsLeft ? jumpsToAllow : jumpsToDeny)
        if !others.isEmpty { appendVerdict(!whenNoneIsLeft, for: others) }
    }

    private mutating func appendVerdict(_ allow: Bool, for jumps: [Int]) {
        for index in jumps { patch(index, to: instructions.count) }
        instructions.append(
            instruction(Operation.move, Register.result, immediate: allow ? 1 : 0))
        instructions.append(instruction(Operation.exit))
    }

    private mutating func jump(
        _ operation: UInt64, _ register: UInt64, _ value: Int64, toAllow: Bool
    ) {
        if toAllow {
            jumpsToAllow.append(instructions.count)
        } else {
            jumpsToDeny.append(instructions.count)
        }
        instructions.append(instruction(operation, register, immediate: value))
    }

    /// An offset counts from the instruction after the jump.
    private mutating func patch(_ index: Int, to target: Int) {
        instructions[index] |= UInt64(UInt16(truncatingIfNeeded: target - index - 1)) << 16
    }

    /// `BPF_DEVCG_ACC_MKNOD` 1, `_READ` 2, `_WRITE` 4.
    private static func bits(_ access: Resources.DeviceRule.Access) -> Int64 {
        (access.contains(.mknod) ? 1 : 0) | (access.contains(.read) ? 2 : 0)
            | (access.contains(.write) ? 4 : 0)
    }
}
