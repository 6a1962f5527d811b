import Foundation
import Testing

/// A value of a protocol buffers message, written as a literal with the numbers of its fields:
/// `[1: "name", 2: [3: 5]]`; a repeated field is written repeatedly.
enum Proto: ExpressibleByIntegerLiteral, ExpressibleByStringInterpolation,
    ExpressibleByDictionaryLiteral
{
    case number(UInt64)
    case text(String)
    case message([(Int, Proto)])

    init(integerLiteral value: UInt64) { self = .number(value) }
    init(stringLiteral value: String) { self = .text(value) }
    init(dictionaryLiteral fields: (Int, Proto)...) { self = .message(fields) }

    /// A repeated field.
    static func repeated(_ field: Int, _ texts: [String]) -> [(Int, Proto)] {
        texts.map { (field, .text($0)) }
    }

    static func + (left: Proto, right: [(Int, Proto)]) -> Proto {
        if case .message(let fields) = left { return .message(fields + right) }
        return .message(right)
    }

    /// A message's fields: the key, which holds number and wire type, and the value.
    var encoded: [UInt8] {
        switch self {
        case .number(let value): Self.varint(value)
        case .text(let text): Array(text.utf8)
        case .message(let fields):
            fields.flatMap { field, value in
                if case .number(let number) = value {
                    return Self.varint(UInt64(field) << 3) + Self.varint(number)
                }
                let bytes = value.encoded
                return Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(bytes.count))
                    + bytes
            }
        }
    }

    private static func varint(_ value: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        while rest > 127 {
            bytes.append(UInt8(rest & 127) | 128)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }
}

/// What a message that was received has in it; a field that is absent has its default, as in proto3.
struct ProtoFields {
    private var fields: [Int: [(number: UInt64, bytes: [UInt8])]] = [:]
    private let value: (number: UInt64, bytes: [UInt8])

    /// The bytes of a message.
    init(_ bytes: [UInt8]) { self.init((0, bytes)) }

    private init(_ value: (number: UInt64, bytes: [UInt8])) {
        self.value = value
        var rest = value.bytes[...]
        while let key = Self.varint(&rest) {
            let field = Int(truncatingIfNeeded: key >> 3)
            switch key & 7 {
            case 0: fields[field, default: []].append((Self.varint(&rest) ?? 0, []))
            case 1: rest = rest.dropFirst(8)
            case 5: rest = rest.dropFirst(4)
            default:
                let count = Int(clamping: Self.varint(&rest) ?? 0)
                fields[field, default: []].append((0, Array(rest.prefix(count))))
                rest = rest.dropFirst(count)
            }
        }
    }

    private static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 127) << shift
            if byte < 128 { return value }
        }
        return nil
    }

    /// The last value of a field: a message's fields, or itself `number` or `text`.
    subscript(field: Int) -> ProtoFields {
        ProtoFields(fields[field]?.last ?? (0, []))
    }

    var number: Int { Int(truncatingIfNeeded: value.number) }
    var text: String { String(decoding: value.bytes, as: UTF8.self) }
}

/// A gRPC server on a unix socket, spoken to by curl.
struct GRPCClient {
    let place: EnginePlace
    let socket: String
    /// `runtime.v1.RuntimeService`
    let service: String

    /// One call of a method that answers with one message.
    /// - Throws: what the server answers instead.
    func call(_ method: String, _ request: Proto = [:]) throws -> ProtoFields {
        let message = request.encoded
        let files = (request: place.directory + "/request", response: place.directory + "/response")
        // Not compressed, and the length in network byte order.
        let header = [0] + withUnsafeBytes(of: UInt32(message.count).bigEndian) { Array($0) }
        try Data(header + message).write(to: URL(fileURLWithPath: files.request))
        unlink(files.response)
        let outcome = try place.run([
            "curl", "--silent", "--show-error", "--http2-prior-knowledge",
            "--unix-socket", socket, "--header", "content-type: application/grpc",
            "--header", "te: trailers", "--data-binary", "@" + files.request,
            "--output", files.response, "--dump-header", "-", "http://cri/\(service)/\(method)",
        ]).mustSucceed()
        let headers = outcome.stdout.split { $0.isNewline }.map { $0.trimmingPrefix(" ") }
        try verify(
            headers.contains("grpc-status: 0"),
            "\(method): "
                + (headers.first { $0.hasPrefix("grpc-message:") }.map(String.init)
                    ?? outcome.description))
        return ProtoFields(Array(readBytes(files.response).dropFirst(header.count)))
    }
}
