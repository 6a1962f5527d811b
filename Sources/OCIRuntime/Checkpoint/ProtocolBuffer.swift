import Glibc
import Sys

/// Writes Protocol Buffers' wire format (protobuf.dev, "Encoding"), as far as CRIU's messages need it.
struct ProtocolBufferWriter: Equatable {
    private(set) var bytes: [UInt8] = []

    /// A number: an integer, an enumeration's value, or 1 for true.
    mutating func number(_ field: UInt64, _ value: UInt64) {
        varint(field << 3)
        varint(value)
    }

    mutating func text(_ field: UInt64, _ text: String) { append(field, Array(text.utf8)) }

    /// A message within this one.
    mutating func message(_ field: UInt64, _ message: ProtocolBufferWriter) {
        append(field, message.bytes)
    }

    private mutating func append(_ field: UInt64, _ content: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest > 0x7f {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads it, field after field.
struct ProtocolBufferReader {
    enum Value: Equatable {
        case number(UInt64)
        /// A text or a message.
        case bytes([UInt8])

        /// As an int32 or a bool, which a malformed message may exceed.
        var int32: Int32? {
            guard case .number(let number) = self else { return nil }
            return Int32(exactly: Int64(bitPattern: number))
        }

        var text: String? {
            guard case .bytes(let bytes) = self else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }

        var content: [UInt8]? {
            guard case .bytes(let bytes) = self else { return nil }
            return bytes
        }
    }

    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next field; nil at the end. Numbers of fixed size, which nothing here needs, are skipped.
    /// - Throws: EPROTO.
    mutating func next() throws(SysError) -> (field: UInt64, value: Value)? {
        while position < bytes.count {
            let tag = try varint()
            switch tag & 7 {
            case 0: return (tag >> 3, .number(try varint()))
            case 1: _ = try take(8)
            case 2: return (tag >> 3, .bytes(try take(try varint())))
            case 5: _ = try take(4)
            default: throw Self.malformed
            }
        }
        return nil
    }

    private mutating func varint() throws(SysError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 70, by: 7) as StrideTo<UInt64> {
            guard position < bytes.count else { throw Self.malformed }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw Self.malformed
    }

    private mutating func take(_ count: UInt64) throws(SysError) -> [UInt8] {
        guard count <= UInt64(bytes.count - position) else { throw Self.malformed }
        defer { position += Int(count) }
        return Array(bytes[position..<position + Int(count)])
    }

    private static var malformed: SysError { SysError("reading a message of CRIU's", EPROTO) }
}
