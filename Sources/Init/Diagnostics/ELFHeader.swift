/// What the head of an ELF file says about where it runs (`elf(5)`).
struct ELFHeader {
    let machine: UInt16
    let is64Bit: Bool
    let isLittleEndian: Bool
    /// The loader of `PT_INTERP`; nil for a static program, or where it lies behind `bytes`.
    let loader: String?

    /// - Parameter bytes: the file's beginning.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 52, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else { return nil }
        let reader = Reader(bytes: bytes, isLittleEndian: bytes[5] != 2)
        is64Bit = bytes[4] == 2
        isLittleEndian = reader.isLittleEndian
        machine = UInt16(truncatingIfNeeded: reader.number(18, 2) ?? 0)
        loader = Self.loader(reader, is64Bit)
    }

    private static func loader(_ reader: Reader, _ is64Bit: Bool) -> String? {
        guard let table = reader.number(is64Bit ? 32 : 28, is64Bit ? 8 : 4),
            let size = reader.number(is64Bit ? 54 : 42, 2),
            let count = reader.number(is64Bit ? 56 : 44, 2), table < 1 << 20
        else { return nil }
        let interpreter = 3  // PT_INTERP
        for index in 0..<count {
            let entry = table + index * size
            guard reader.number(entry, 4) == interpreter,
                let offset = reader.number(entry + (is64Bit ? 8 : 4), is64Bit ? 8 : 4)
            else { continue }
            return reader.text(offset)
        }
        return nil
    }

    private struct Reader {
        let bytes: [UInt8]
        let isLittleEndian: Bool

        func number(_ offset: Int, _ size: Int) -> Int? {
            guard offset >= 0, offset <= bytes.count - size else { return nil }
            var value: UInt64 = 0
            for index in 0..<size {
                let position = isLittleEndian ? size - 1 - index : index
                value = value << 8 | UInt64(bytes[offset + position])
            }
            return Int(exactly: value)
        }

        func text(_ offset: Int) -> String? {
            guard offset >= 0, offset < bytes.count else { return nil }
            let text = bytes[offset...].prefix { $0 != 0 }
            return text.isEmpty ? nil : String(decoding: text.prefix(256), as: UTF8.self)
        }
    }
}

extension ELFHeader {
    /// The machine in words: `x86-64`.
    var machineName: String {
        let names: [(machine: UInt16, name: String)] = [
            (2, "SPARC"), (3, "x86 (32-bit)"), (8, "MIPS"), (20, "PowerPC"), (21, "PowerPC 64"),
            (22, is64Bit ? "s390x" : "s390"), (40, "ARM (32-bit)"), (62, "x86-64"),
            (183, "AArch64"), (243, is64Bit ? "RISC-V 64" : "RISC-V 32"), (258, "LoongArch"),
        ]
        let name = names.first { $0.machine == machine }?.name ?? "machine \(machine)"
        switch machine {
        case 8, 21: return name + (isLittleEndian ? ", little-endian" : ", big-endian")
        case 62 where !is64Bit: return "x32"
        default: return name
        }
    }

    /// The machine that this runtime was compiled for.
    static var host: (machine: UInt16, name: String) {
        #if arch(x86_64)
            (62, "x86-64")
        #elseif arch(arm64)
            (183, "AArch64")
        #elseif arch(riscv64)
            (243, "RISC-V 64")
        #else
            (0, "")
        #endif
    }

    /// Why it is no program of this host; nil where it is, or that cannot be told.
    var foreignness: String? {
        let host = Self.host
        if host.machine == 0 || machine == host.machine && (is64Bit || machine != 62) { return nil }
        let isCompatible =
            host.machine == 62 && (machine == 3 || machine == 62)
            || host.machine == 183 && machine == 40
        return "it is a program for \(machineName), and the host is \(host.name)"
            + (isCompatible ? ", whose kernel does not run such programs" : "")
    }
}
