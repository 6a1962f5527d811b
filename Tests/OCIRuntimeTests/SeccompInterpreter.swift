/// Runs a classic BPF program as the kernel runs a seccomp filter.
struct SeccompInterpreter {
    /// What the filter looks at.
    struct Call: CustomStringConvertible {
        var architecture: UInt32
        var number: UInt32
        var arguments: [UInt64] = [0, 0, 0, 0, 0, 0]

        var description: String {
            "\(String(architecture, radix: 16)):\(number)"
                + "(\(arguments.map { String($0, radix: 16) }))"
        }

        /// The word of `struct seccomp_data` at `offset`, on a little-endian machine.
        func word(_ offset: UInt32) -> UInt32? {
            switch offset {
            case 0: return number
            case 4: return architecture
            case 16..<64 where offset % 4 == 0:
                let argument = arguments[Int(offset - 16) / 8]
                return UInt32(truncatingIfNeeded: offset % 8 == 0 ? argument : argument >> 32)
            default: return nil
            }
        }
    }

    struct Instruction {
        var code: UInt16
        var then: UInt8
        var otherwise: UInt8
        var constant: UInt32
    }

    let instructions: [Instruction]

    /// Nil where the kernel would refuse the program (`bpf_check_classic`, `seccomp_check_filter`).
    init?(_ bytes: [UInt8]) {
        guard bytes.count % 8 == 0, (1...4096).contains(bytes.count / 8) else { return nil }
        instructions = stride(from: 0, to: bytes.count, by: 8).map { start in
            func number(_ range: Range<Int>) -> UInt32 {
                range.reversed().reduce(0) { $0 << 8 | UInt32(bytes[start + $1]) }
            }
            return Instruction(
                code: UInt16(number(0..<2)), then: bytes[start + 2], otherwise: bytes[start + 3],
                constant: number(4..<8))
        }
        for (index, instruction) in instructions.enumerated() {
            let room = instructions.count - index - 1
            switch instruction.code {
            case 0x20:
                guard instruction.constant % 4 == 0, instruction.constant < 64 else { return nil }
            case 0x05: guard Int(instruction.constant) < room else { return nil }
            case 0x15, 0x25, 0x35, 0x45:
                guard Int(max(instruction.then, instruction.otherwise)) < room else { return nil }
            case 0x54, 0x06: break
            default: return nil
            }
        }
        guard instructions.last?.code == 0x06 else { return nil }
    }

    /// What the filter returns, and how many instructions it took.
    func run(_ call: Call) -> (value: UInt32, steps: Int)? {
        var accumulator: UInt32 = 0
        var index = 0
        var steps = 0
        while index < instructions.count {
            let instruction = instructions[index]
            index += 1
            steps += 1
            let holds: Bool
            switch instruction.code {
            case 0x20:
                guard let word = call.word(instruction.constant) else { return nil }
                accumulator = word
                continue
            case 0x54:
                accumulator &= instruction.constant
                continue
            case 0x05:
                index += Int(instruction.constant)
                continue
            case 0x06: return (instruction.constant, steps)
            case 0x15: holds = accumulator == instruction.constant
            case 0x25: holds = accumulator > instruction.constant
            case 0x35: holds = accumulator >= instruction.constant
            case 0x45: holds = accumulator & instruction.constant != 0
            default: return nil
            }
            index += Int(holds ? instruction.then : instruction.otherwise)
        }
        return nil
    }
}
