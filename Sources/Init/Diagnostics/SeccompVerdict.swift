import Glibc
import Sys

extension SeccompProgram {
    /// What the kernel does with a system call (`seccomp(2)`): one of `SECCOMP_RET_*`, with its data.
    ///
    /// - Returns: nil where that depends on the call's arguments, or cannot be told.
    func verdict(on number: UInt32) -> UInt32? {
        if SyscallNumber.auditArchitecture == 0 { return nil }
        var accumulator: UInt32 = 0
        var next = 0
        // Jumps go forward only, so that this ends.
        while let instruction = instruction(next) {
            next += 1
            switch instruction.code {
            case 0x20:  // BPF_LD | BPF_W | BPF_ABS, of struct seccomp_data
                switch instruction.constant {
                case 0: accumulator = number
                case 4: accumulator = SyscallNumber.auditArchitecture
                default: return nil
                }
            case 0x05: next += Int(instruction.constant)
            case 0x06: return instruction.constant
            case 0x15: next += instruction.distance(accumulator == instruction.constant)
            case 0x25: next += instruction.distance(accumulator > instruction.constant)
            case 0x35: next += instruction.distance(accumulator >= instruction.constant)
            default: return nil
            }
        }
        return nil
    }

    /// Whether the kernel lets each of these calls through, whatever their arguments.
    func allows(_ numbers: [UInt32]) -> Bool {
        numbers.allSatisfy { number in
            guard let verdict = verdict(on: number) else { return false }
            return [Self.allow, Self.log].contains(verdict & 0xffff_0000)
        }
    }

    /// What becomes of a program that a filter keeps from being executed; nil where it does not.
    func denial(of number: UInt32) -> String? {
        guard let verdict = verdict(on: number) else { return nil }
        switch verdict & 0xffff_0000 {
        case 0x8000_0000, 0: return "kills the process"
        case 0x0003_0000: return "kills the process with SIGSYS (SCMP_ACT_TRAP)"
        case 0x0005_0000:
            return "gives errno \(verdict & 0xffff)"
        default: return nil
        }
    }

    /// `SECCOMP_RET_ALLOW` and `SECCOMP_RET_LOG`.
    private static let allow: UInt32 = 0x7fff_0000
    private static let log: UInt32 = 0x7ffc_0000

    private struct Instruction {
        let code: UInt16
        let then: UInt8
        let otherwise: UInt8
        let constant: UInt32

        func distance(_ isTrue: Bool) -> Int { Int(isTrue ? then : otherwise) }
    }

    /// One `struct sock_filter`, in the native byte order; nil after the last.
    private func instruction(_ index: Int) -> Instruction? {
        let at = index * 8
        guard at >= 0, at + 8 <= filter.count else { return nil }
        return unsafe filter.withUnsafeBytes { bytes in
            unsafe Instruction(
                code: bytes.loadUnaligned(fromByteOffset: at, as: UInt16.self),
                then: bytes[at + 2], otherwise: bytes[at + 3],
                constant: bytes.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
        }
    }
}

extension Performer {
    /// A profile under which nothing can be executed is refused by name before it is in force: then its
    /// answer would be a bare EPERM, or the end of this process before it can tell anything.
    func refuseUnexecutable(_ seccomp: SeccompProgram) throws(SysError) {
        guard let denial = seccomp.denial(of: SyscallNumber.execve) else { return }
        throw SysError(
            "the seccomp profile denies execve(2), by which the program is started: it \(denial)",
            EPERM, hint: "allow execve in /linux/seccomp/syscalls")
    }

    /// Whether the filter that is in force lets this process look for what made `execve(2)` fail.
    var mayLookAtProgram: Bool {
        let isFiltered = plan.steps[..<current].contains {
            if case .applySeccomp = $0.action { true } else { false }
        }
        guard isFiltered, let seccomp = prepared.seccomp else { return true }
        return seccomp.allows([
            SyscallNumber.openat, SyscallNumber.read, SyscallNumber.close,
            SyscallNumber.newfstatat, SyscallNumber.fstatfs, SyscallNumber.readlinkat,
        ])
    }
}
