/// A message that arrived; what of it is needed here.
struct DBusMessage {
    /// `METHOD_RETURN` 2, `ERROR` 3, `SIGNAL` 4.
    enum Kind: UInt8 { case call = 1, reply, error, signal }

    var kind: Kind
    /// The serial of the call that a reply or an error is for.
    var replySerial: UInt32 = 0
    var member = ""
    /// The unique name of who sent it, which the bus sets; empty without a bus.
    var sender = ""
    var errorName = ""
    /// The strings at the beginning of the body, and numbers on the way to them, in their order.
    var body: [Argument] = []

    enum Argument: Equatable {
        case number(UInt32)
        case text(String)
    }

    func text(_ index: Int) -> String {
        guard body.indices.contains(index), case .text(let text) = body[index] else { return "" }
        return text
    }

    /// How many bytes the message has, from its first 16; nil while they are not there.
    /// - Throws: bytes that are no message.
    static func length(_ bytes: [UInt8]) throws(DBusError) -> Int? {
        guard bytes.count >= 16 else { return nil }
        var reader = DBusReader(bytes)
        guard bytes[0] == UInt8(ascii: "l") || bytes[0] == UInt8(ascii: "B"), bytes[3] == 1 else {
            throw DBusError("the answer is not D-Bus")
        }
        reader.position = 4
        let body = Int(try reader.uint32())
        reader.position = 12
        let fields = Int(try reader.uint32())
        // D-Bus Specification, "Message Format": 128 MiB are the most.
        guard body <= 1 << 27, fields <= 1 << 26 else { throw DBusError("a message is too long") }
        return (16 + fields + 7) / 8 * 8 + body
    }

    init(_ bytes: [UInt8]) throws(DBusError) {
        var reader = DBusReader(bytes)
        guard let kind = Kind(rawValue: bytes[1]) else {
            throw DBusError("a message of type \(bytes[1])")
        }
        self.kind = kind
        reader.position = 12
        let end = 16 + Int(try reader.uint32())
        var signature = ""
        while reader.position < end {
            try reader.align(8)
            if reader.position >= end { break }
            let code = try reader.byte()
            let type = try reader.signature()
            switch (code, type) {
            case (3, "s"): member = try reader.string()
            case (4, "s"): errorName = try reader.string()
            case (5, "u"): replySerial = try reader.uint32()
            case (7, "s"): sender = try reader.string()
            case (8, "g"): signature = try reader.signature()
            case (_, "s"), (_, "o"): _ = try reader.string()
            case (_, "u"): _ = try reader.uint32()
            case (_, "g"): _ = try reader.signature()
            default: throw DBusError("a header field of type \(type)")
            }
        }
        reader.position = end
        try reader.align(8)
        try readBody(&reader, signature)
    }

    /// The first arguments, as far as they are strings and numbers, or a variant of them.
    private mutating func readBody(
        _ reader: inout DBusReader, _ signature: String
    ) throws(DBusError) {
        for type in signature.utf8 {
            switch type {
            case UInt8(ascii: "s"), UInt8(ascii: "o"): body.append(.text(try reader.string()))
            case UInt8(ascii: "u"): body.append(.number(try reader.uint32()))
            case UInt8(ascii: "v"):
                guard try reader.signature() == "s" else { return }
                body.append(.text(try reader.string()))
            default: return
            }
        }
    }
}

/// What is wrong with bytes that came from the bus.
struct DBusError: Error {
    var message: String
    init(_ message: String) { self.message = message }
}

/// Reads values of either byte order.
private struct DBusReader {
    let bytes: [UInt8]
    var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func align(_ size: Int) throws(DBusError) {
        position = (position + size - 1) / size * size
    }

    mutating func byte() throws(DBusError) -> UInt8 {
        guard position < bytes.count else { throw DBusError("a message is cut short") }
        position += 1
        return bytes[position - 1]
    }

    mutating func uint32() throws(DBusError) -> UInt32 {
        try align(4)
        guard position <= bytes.count - 4 else { throw DBusError("a message is cut short") }
        let four = bytes[position..<position + 4]
        position += 4
        let isLittle = bytes[0] == UInt8(ascii: "l")
        return (isLittle ? Array(four.reversed()) : Array(four)).reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func string() throws(DBusError) -> String { try text(Int(try uint32())) }

    mutating func signature() throws(DBusError) -> String { try text(Int(try byte())) }

    private mutating func text(_ length: Int) throws(DBusError) -> String {
        guard length < bytes.count - position else { throw DBusError("a message is cut short") }
        let text = String(decoding: bytes[position..<position + length], as: UTF8.self)
        position += length + 1
        return text
    }
}
