import CSeccomp
import Glibc
import Spec

/// A way to enter the kernel, with system call numbers of its own.
struct SyscallABI: Equatable {
    /// libseccomp's name for it.
    let token: UInt32
    /// The `arch` that the kernel gives a filter.
    let auditArchitecture: UInt32
    /// Whether arguments are 64 bits wide: on x32 they are, although its pointers are not.
    let isWide: Bool
    /// The numbers that can be the ABI's.
    let numbers: Range<UInt32>

    /// x32 shares its `arch` with x86_64, and is told apart by this bit of the number.
    static let x32Bit: UInt32 = 0x4000_0000
    private static let x86_64: UInt32 = 0xc000_003e
    private static let x32: UInt32 = 0x4000_003e
    private static let arm: UInt32 = 0x4000_0028
    private static let is64Bit: UInt32 = 0x8000_0000
    private static let isLittleEndian: UInt32 = 0x4000_0000

    init(token: UInt32) {
        self.token = token
        auditArchitecture = token == Self.x32 ? Self.x86_64 : token
        isWide = token & Self.is64Bit != 0 || token == Self.x32
        switch token {
        case Self.x86_64: numbers = 0..<Self.x32Bit
        case Self.x32: numbers = Self.x32Bit..<UInt32.max
        default: numbers = 0..<UInt32.max
        }
    }

    static var native: SyscallABI { SyscallABI(token: seccomp_arch_native()) }

    /// The ABI of the spec's name; nil where this libseccomp does not know it.
    init?(_ architecture: SeccompArchitecture) {
        // libseccomp's own names are the spec's in small letters, without `SCMP_ARCH_`.
        let token = unsafe seccomp_arch_resolve_name(
            architecture.rawValue.dropFirst(10).lowercased())
        guard token != 0 else { return nil }
        self.init(token: token)
    }

    /// Whether the byte order is the native one: a filter sees the words of an argument in it.
    var hasNativeByteOrder: Bool {
        (token ^ seccomp_arch_native()) & Self.isLittleEndian == 0
    }

    /// The first of the private numbers far above the others, which do not tell how new a profile
    /// is.
    var privateNumbers: UInt32 { token == Self.arm ? 0x000f_0000 : numbers.upperBound }

    /// libseccomp's number for a name: -1 where it is unknown, other negative numbers where the
    /// call is not in this ABI, or not by itself.
    func number(of name: String) -> Int32 {
        unsafe seccomp_syscall_resolve_name_arch(token, name)
    }

    /// The calls that can also be made through `socketcall(2)` or `ipc(2)`; empty where the ABI has
    /// neither.
    func multiplexers() -> Multiplexers { Multiplexers(self) }

    /// `socketcall(2)` and `ipc(2)` of an older ABI: one number, and the call as first argument.
    struct Multiplexers {
        let socketcall: UInt32?
        let ipc: UInt32?
        /// The numbers by which newer kernels take the same calls directly. libseccomp does not
        /// tell them by name, only the other way round.
        private var direct: [(name: String, number: UInt32)] = []

        init(_ abi: SyscallABI) {
            socketcall = UInt32(exactly: abi.number(of: "socketcall"))
            ipc = UInt32(exactly: abi.number(of: "ipc"))
            guard socketcall != nil || ipc != nil else { return }
            // Where the direct calls lie: 4168 to 4402 on MIPS, 326 to 402 elsewhere.
            let numbers: ClosedRange<Int32> =
                abi.number(of: "read") < 4000 ? 326...402 : 4168...4402
            for number in numbers {
                guard let text = unsafe seccomp_syscall_resolve_num_arch(abi.token, number) else {
                    continue
                }
                direct.append((unsafe String(cString: text), UInt32(number)))
                unsafe free(text)
            }
        }

        /// The multiplexer and its first argument for one of libseccomp's pseudo numbers.
        func call(for pseudo: Int32) -> (number: UInt32, call: UInt8)? {
            switch pseudo {
            case -120 ... -101: socketcall.map { ($0, UInt8(-100 - pseudo)) }
            case -224 ... -201: ipc.map { ($0, UInt8(-200 - pseudo)) }
            default: nil
            }
        }

        func directNumber(of name: String) -> UInt32? {
            direct.first { $0.name == name }?.number
        }
    }
}

/// The listed ABIs that the kernel reports as one `arch`.
struct ABIFamily {
    let auditArchitecture: UInt32
    var members: [SyscallABI]

    /// The families of the native ABI and of those listed. The native one is always in: engines
    /// leave it out on some architectures, and without it nothing would run.
    static func families(
        of architectures: [SeccompArchitecture], at place: String
    ) throws(ConfigError) -> [ABIFamily] {
        let native = SyscallABI.native
        var families = [
            ABIFamily(auditArchitecture: native.auditArchitecture, members: [native])
        ]
        for (index, architecture) in architectures.enumerated() {
            guard let abi = SyscallABI(architecture), abi.hasNativeByteOrder else {
                throw ConfigError(
                    place: "\(place)/architectures/\(index)",
                    message: "\(architecture.rawValue) is not supported on this machine")
            }
            let known = families.firstIndex { $0.auditArchitecture == abi.auditArchitecture }
            if let known {
                if !families[known].members.contains(abi) { families[known].members.append(abi) }
            } else {
                families.append(
                    ABIFamily(auditArchitecture: abi.auditArchitecture, members: [abi]))
            }
        }
        return families
    }
}
