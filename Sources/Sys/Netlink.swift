/// One request of `netlink(7)`: a header, a fixed part, attributes. Numbers are in the host's order.
struct NetlinkRequest {
    private(set) var bytes: [UInt8] = []

    /// - Parameter fixed: what follows the header, as long as the type of message has it.
    init(type: UInt16, flags: UInt16, sequence: UInt32, fixed: [UInt8]) {
        bytes.reserveCapacity(128)
        bytes += native(UInt32(0)) + native(type) + native(flags)
        bytes += native(sequence) + native(UInt32(0))
        append(fixed)
    }

    mutating func add(_ attribute: UInt16, _ value: some Collection<UInt8>) {
        let length = UInt16(truncatingIfNeeded: NetlinkMessage.attributeHeader + value.count)
        append(native(length) + native(attribute) + value)
    }

    mutating func add(_ attribute: UInt16, _ value: UInt32) { add(attribute, native(value)) }

    /// With the NUL that the kernel's strings end with.
    mutating func add(_ attribute: UInt16, _ value: String) {
        add(attribute, Array(value.utf8) + [0])
    }

    /// Keeps everything at multiples of four, and the length in the header true.
    private mutating func append(_ part: [UInt8]) {
        bytes += part
        while bytes.count % 4 != 0 { bytes.append(0) }
        bytes.replaceSubrange(0..<4, with: native(UInt32(truncatingIfNeeded: bytes.count)))
    }
}

/// One message of the kernel's. Nothing is taken for granted of what it says about its own length.
struct NetlinkMessage {
    static let header = 16
    static let attributeHeader = 4

    let type: UInt16
    let flags: UInt16
    let sequence: UInt32
    /// What follows the header.
    let payload: ArraySlice<UInt8>

    /// The messages of one datagram; nil where one would go beyond its end.
    static func all(in datagram: [UInt8]) -> [NetlinkMessage]? {
        var messages: [NetlinkMessage] = []
        var rest = datagram[...]
        while !rest.isEmpty {
            guard let length = rest.uint32(at: 0), let type = rest.uint16(at: 4),
                let flags = rest.uint16(at: 6), let sequence = rest.uint32(at: 8),
                length >= header, length <= rest.count
            else { return nil }
            let whole = rest.prefix(Int(length))
            messages.append(
                NetlinkMessage(
                    type: type, flags: flags, sequence: sequence,
                    payload: whole.dropFirst(header)))
            rest = rest.dropFirst(aligned(Int(length)))
        }
        return messages
    }

    /// The attributes after a fixed part of this size; those that are damaged are left out.
    func attributes(after fixed: Int) -> [(type: UInt16, value: ArraySlice<UInt8>)] {
        var attributes: [(type: UInt16, value: ArraySlice<UInt8>)] = []
        var rest = payload.dropFirst(aligned(fixed))
        while let length = rest.uint16(at: 0), let type = rest.uint16(at: 2),
            length >= Self.attributeHeader, length <= rest.count
        {
            // The two highest bits are flags.
            attributes.append(
                (type & 0x3FFF, rest.prefix(Int(length)).dropFirst(Self.attributeHeader)))
            rest = rest.dropFirst(aligned(Int(length)))
        }
        return attributes
    }

    /// The errno of an acknowledgement or of the end of a list, 0 for success, and the kernel's own
    /// words; nil where the message is neither.
    var outcome: (errno: Int32, words: String?)? {
        let error: UInt16 = 2
        let done: UInt16 = 3
        guard type == error || type == done, let code = payload.uint32(at: 0) else {
            return type == done ? (0, nil) : nil
        }
        let errno = Int32(bitPattern: 0 &- code)
        let hasWords: UInt16 = 0x200
        let isCapped: UInt16 = 0x100
        guard type == error, flags & hasWords != 0, let request = payload.uint32(at: 4) else {
            return (errno, nil)
        }
        // What was asked is repeated in between, or its header alone.
        let repeated = flags & isCapped != 0 ? Self.header : aligned(Int(request))
        let message = attributes(after: 4 + repeated).first { $0.type == 1 }
        return (errno, message.map { text($0.value) })
    }
}

/// A string up to its NUL.
func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
}

private func aligned(_ length: Int) -> Int { (length + 3) & ~3 }

func native(_ number: UInt16) -> [UInt8] {
    let number = number.littleEndian
    return [UInt8(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number >> 8)]
}

func native(_ number: UInt32) -> [UInt8] {
    let number = number.littleEndian
    return (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}

extension ArraySlice<UInt8> {
    /// The number at a distance from the beginning; nil where there are not enough bytes.
    func uint16(at offset: Int) -> UInt16? {
        guard count >= offset + 2 else { return nil }
        let first = startIndex + offset
        return UInt16(littleEndian: UInt16(self[first]) | UInt16(self[first + 1]) << 8)
    }

    func uint32(at offset: Int) -> UInt32? {
        guard let low = uint16(at: offset), let high = uint16(at: offset + 2) else { return nil }
        let (first, second) = (low.littleEndian, high.littleEndian)
        return UInt32(littleEndian: UInt32(first) | UInt32(second) << 16)
    }
}
