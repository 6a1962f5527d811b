/// A value of a unit property, of the few D-Bus types that systemd's have (D-Bus Specification,
/// "Type System").
package enum DBusValue: Sendable, Equatable {
    case boolean(Bool)
    case byte(UInt8)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case bytes([UInt8])
    case uint32s([UInt32])
    case strings([String])
    /// `a(st)`: a device and a number.
    case numbered([Numbered])
    /// `a(ss)`: a device and its accesses.
    case paired([Paired])

    package struct Numbered: Sendable, Equatable {
        package var name: String
        package var number: UInt64
    }

    package struct Paired: Sendable, Equatable {
        package var name: String
        package var value: String
    }

    var signature: String {
        switch self {
        case .boolean: "b"
        case .byte: "y"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .bytes: "ay"
        case .uint32s: "au"
        case .strings: "as"
        case .numbered: "a(st)"
        case .paired: "a(ss)"
        }
    }
}

/// Writes values as D-Bus wants them: little-endian, each aligned to its size (D-Bus Specification,
/// "Marshalling").
struct DBusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ size: Int) {
        while !bytes.count.isMultiple(of: size) { bytes.append(0) }
    }

    mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        align(Number.bitWidth / 8)
        for byte in 0..<(Number.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> Number(byte * 8)))
        }
    }

    mutating func string(_ text: String) {
        number(UInt32(truncatingIfNeeded: text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    mutating func signature(_ text: String) {
        bytes.append(UInt8(truncatingIfNeeded: text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    /// - Parameter alignment: of the elements; the length does not count the padding before them.
    mutating func array(alignment: Int, _ body: (inout DBusWriter) -> Void) {
        number(UInt32(0))
        let length = bytes.count - 4
        align(alignment)
        let start = bytes.count
        body(&self)
        let count = UInt32(truncatingIfNeeded: bytes.count - start)
        for byte in 0..<4 {
            bytes[length + byte] = UInt8(truncatingIfNeeded: count >> UInt32(byte * 8))
        }
    }

    mutating func value(_ value: DBusValue) {
        switch value {
        case .boolean(let value): number(UInt32(value ? 1 : 0))
        case .byte(let value): number(value)
        case .int32(let value): number(value)
        case .uint32(let value): number(value)
        case .int64(let value): number(value)
        case .uint64(let value): number(value)
        case .double(let value): number(value.bitPattern)
        case .string(let text): string(text)
        case .bytes(let list): array(alignment: 1) { $0.bytes += list }
        case .uint32s(let list): array(alignment: 4) { for one in list { $0.number(one) } }
        case .strings(let list): array(alignment: 4) { for one in list { $0.string(one) } }
        case .numbered(let list):
            array(alignment: 8) {
                for one in list {
                    $0.align(8)
                    $0.string(one.name)
                    $0.number(one.number)
                }
            }
        case .paired(let list):
            array(alignment: 8) {
                for one in list {
                    $0.align(8)
                    $0.string(one.name)
                    $0.string(one.value)
                }
            }
        }
    }

    mutating func variant(_ value: DBusValue) {
        signature(value.signature)
        self.value(value)
    }

    /// `a(sv)`
    mutating func properties(_ properties: [UnitProperty]) {
        array(alignment: 8) {
            for property in properties {
                $0.align(8)
                $0.string(property.name)
                $0.variant(property.value)
            }
        }
    }
}
