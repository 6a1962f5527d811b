import Spec

/// A classic BPF program, built from its end: a jump only goes forward, and its distance is known
/// when what it jumps to is already there. Conditional jumps reach 255 instructions; what lies
/// farther away gets a stepping stone.
struct BPFProgram {
    /// Where a jump goes.
    enum Target {
        /// An instruction, counted from the end of the program.
        case instruction(Int)
        /// An instruction that returns a value to the kernel.
        case exit(UInt32)
    }

    /// How a conditional jump compares the accumulator with a constant.
    enum Comparison: UInt16 {
        case equal = 0x15
        case greaterThan = 0x25
        case greaterEqual = 0x35
    }

    /// What one `seccomp(2)` takes (`BPF_MAXINSNS`).
    static let limit = 4096
    /// Offsets in `struct seccomp_data`.
    static let numberOffset: UInt32 = 0
    static let architectureOffset: UInt32 = 4
    static let argumentsOffset: UInt32 = 16

    private struct Instruction {
        var code: UInt16
        var then: UInt8 = 0
        var otherwise: UInt8 = 0
        var constant: UInt32
    }

    /// The last instruction first.
    private var instructions: [Instruction] = []
    /// The latest exit for each value.
    private var exits: [(value: UInt32, index: Int)] = []

    var count: Int { instructions.count }

    init() {
        instructions.reserveCapacity(512)
    }

    /// `struct sock_filter` after `struct sock_filter`.
    func bytes() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(instructions.count * 8)
        for instruction in instructions.reversed() {
            unsafe withUnsafeBytes(of: instruction.code) { unsafe bytes.append(contentsOf: $0) }
            bytes.append(instruction.then)
            bytes.append(instruction.otherwise)
            unsafe withUnsafeBytes(of: instruction.constant) { unsafe bytes.append(contentsOf: $0) }
        }
        return bytes
    }

    /// Loads a word of `struct seccomp_data`, for what was emitted last.
    @discardableResult
    mutating func load(offset: UInt32) -> Target {
        append(Instruction(code: 0x20, constant: offset))
    }

    /// Jumps by comparing the accumulator.
    mutating func branch(
        _ comparison: Comparison, _ constant: UInt32, then: Target, else otherwise: Target
    ) -> Target {
        let yes = near(then)
        let no = near(otherwise)
        return append(
            Instruction(
                code: comparison.rawValue, then: distance(to: yes), otherwise: distance(to: no),
                constant: constant))
    }

    @discardableResult
    private mutating func append(_ instruction: Instruction) -> Target {
        instructions.append(instruction)
        return .instruction(instructions.count - 1)
    }

    private func distance(to index: Int) -> UInt8 {
        UInt8(instructions.count - 1 - index)
    }

    /// Something within the reach of the next instruction but one that leads to `target`.
    private mutating func near(_ target: Target) -> Int {
        let reach = 253
        switch target {
        case .instruction(let index):
            let distance = instructions.count - 1 - index
            if distance <= reach { return index }
            append(Instruction(code: 0x05, constant: UInt32(distance)))
        case .exit(let value):
            let known = exits.firstIndex { $0.value == value }
            if let known, instructions.count - 1 - exits[known].index <= reach {
                return exits[known].index
            }
            append(Instruction(code: 0x06, constant: value))
            if let known {
                exits[known].index = instructions.count - 1
            } else {
                exits.append((value, instructions.count - 1))
            }
        }
        return instructions.count - 1
    }
}

// MARK: - Arguments

extension BPFProgram {
    /// Tests an argument, a word at a time. On an ABI with 32-bit arguments only the lower half of
    /// the constants counts, as with libseccomp: there -1 is 0xffffffff.
    mutating func compare(
        _ argument: SeccompArg, isWide: Bool, then: Target, else otherwise: Target
    ) -> Target {
        switch argument.op {
        case .equal:
            return equal(argument, mask: .max, argument.value, isWide, then, otherwise)
        case .notEqual:
            return equal(argument, mask: .max, argument.value, isWide, otherwise, then)
        case .maskedEqual:
            // libseccomp compares with the masked datum.
            return equal(
                argument, mask: argument.value, argument.valueTwo & argument.value, isWide, then,
                otherwise)
        case .greaterThan:
            return greater(.greaterThan, argument, isWide, then, otherwise)
        case .greaterEqual:
            return greater(.greaterEqual, argument, isWide, then, otherwise)
        case .lessThan:
            return greater(.greaterEqual, argument, isWide, otherwise, then)
        case .lessEqual:
            return greater(.greaterThan, argument, isWide, otherwise, then)
        }
    }

    private mutating func equal(
        _ argument: SeccompArg, mask: UInt64, _ value: UInt64, _ isWide: Bool, _ then: Target,
        _ otherwise: Target
    ) -> Target {
        let low = word(
            .low, of: argument, mask: UInt32(truncatingIfNeeded: mask),
            equals: UInt32(truncatingIfNeeded: value), then, otherwise)
        guard isWide else { return low }
        return word(
            .high, of: argument, mask: UInt32(truncatingIfNeeded: mask >> 32),
            equals: UInt32(truncatingIfNeeded: value >> 32), low, otherwise)
    }

    /// One word of an argument; nothing where the mask leaves nothing to test.
    private mutating func word(
        _ half: Half, of argument: SeccompArg, mask: UInt32, equals value: UInt32,
        _ then: Target, _ otherwise: Target
    ) -> Target {
        if mask == 0 { return then }
        _ = branch(.equal, value, then: then, else: otherwise)
        if mask != .max { append(Instruction(code: 0x54, constant: mask)) }
        return load(offset: half.offset(of: argument.index))
    }

    private mutating func greater(
        _ comparison: Comparison, _ argument: SeccompArg, _ isWide: Bool, _ then: Target,
        _ otherwise: Target
    ) -> Target {
        _ = branch(
            comparison, UInt32(truncatingIfNeeded: argument.value), then: then, else: otherwise)
        let low = load(offset: Half.low.offset(of: argument.index))
        guard isWide else { return low }
        let high = UInt32(truncatingIfNeeded: argument.value >> 32)
        let same = branch(.equal, high, then: low, else: otherwise)
        _ = branch(.greaterThan, high, then: then, else: same)
        return load(offset: Half.high.offset(of: argument.index))
    }

    /// A half of a 64-bit argument, as it lies in `struct seccomp_data` in the native byte order.
    private enum Half: UInt32 {
        case low, high

        func offset(of argument: UInt32) -> UInt32 {
            #if _endian(little)
                let position = rawValue
            #else
                let position = 1 - rawValue
            #endif
            return argumentsOffset + argument * 8 + position * 4
        }
    }
}
