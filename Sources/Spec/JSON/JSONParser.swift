import CYajl
import Glibc

/// The parser: yajl finds the tokens, `TapeBuilder` records them.
///
/// Stricter than yajl alone: malformed UTF-8 of every kind, lone surrogates, NUL in strings and
/// members given twice are errors, not only what breaks the grammar.
enum JSONParser {
    /// The most bytes a document may have: a thousand times what engines write.
    static let maximumSize = 16 << 20
    /// How deep arrays and objects may be nested; the spec's own depth is 7.
    static let maximumDepth = 128
    /// The most values and keys a document may have.
    static let maximumNodes = 1 << 20

    /// Parses one JSON document.
    static func parse(_ source: [UInt8]) throws(ConfigError) -> JSONTape {
        guard source.count <= maximumSize else {
            throw ConfigError(
                place: "",
                message: "the document has \(source.count) bytes, more than \(maximumSize)")
        }
        try checkUTF8(source)
        try checkSurrogates(source)
        var builder = TapeBuilder(size: source.count)
        if let stop = run(source, into: &builder) {
            if let failure = builder.failure { throw failure }
            throw syntaxError(source, at: stop.offset, stop.reason)
        }
        return JSONTape(source: source, unescaped: builder.unescaped, nodes: builder.nodes)
    }

    /// Where and why yajl stopped.
    private struct Stop {
        var offset: Int
        var reason: String
    }

    /// Runs yajl over the document.
    ///
    /// - Returns: nil on success.
    private static func run(_ source: [UInt8], into builder: inout TapeBuilder) -> Stop? {
        var callbacks = TapeBuilder.callbacks
        return unsafe withUnsafeMutablePointer(to: &callbacks) { callbacks in
            unsafe withUnsafeMutablePointer(to: &builder) { builder in
                unsafe source.withUnsafeBufferPointer { source in
                    guard let handle = unsafe yajl_alloc(callbacks, nil, builder) else {
                        return Stop(offset: 0, reason: "out of memory")
                    }
                    unsafe builder.pointee.source = unsafe source
                    defer {
                        unsafe builder.pointee.source = .init(start: nil, count: 0)
                        unsafe yajl_free(handle)
                    }
                    let status = unsafe yajl_parse(handle, source.baseAddress, source.count)
                    guard status == yajl_status_ok else {
                        return unsafe Stop(
                            offset: yajl_get_bytes_consumed(handle), reason: reason(of: handle))
                    }
                    guard unsafe yajl_complete_parse(handle) == yajl_status_ok else {
                        return unsafe Stop(offset: source.count, reason: reason(of: handle))
                    }
                    return nil
                }
            }
        }
    }

    /// What yajl says about its last error, such as `premature EOF`.
    private static func reason(of handle: yajl_handle) -> String {
        guard let text = unsafe yajl_get_error(handle, 0, nil, 0) else { return "not JSON" }
        defer { unsafe yajl_free_error(handle, text) }
        var reason = unsafe Substring(String(cString: text))
        while let last = reason.last, last == "\n" || last == "." { reason.removeLast() }
        return String(reason)
    }

    /// Rejects what is not UTF-8; yajl lets overlong forms, surrogates and U+110000 pass.
    private static func checkUTF8(_ source: [UInt8]) throws(ConfigError) {
        let invalid: Int
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: source.span)
            return
        } catch {
            invalid = error.byteOffsets.lowerBound
        }
        throw syntaxError(source, at: invalid, "not UTF-8")
    }

    /// Rejects `\uD800` to `\uDFFF` unless in pairs; yajl would make something else of them.
    ///
    /// Outside of strings a backslash breaks the grammar, so this needs no grammar.
    private static func checkSurrogates(_ source: [UInt8]) throws(ConfigError) {
        let backslash = UInt8(ascii: "\\")
        var position = 0
        while let found = source.firstIndex(of: backslash, from: position) {
            guard let unit = codeUnit(source, at: found) else {
                position = found + 2
                continue
            }
            position = found + 6
            switch unit {
            case 0xD800...0xDBFF:
                guard let low = codeUnit(source, at: position), 0xDC00...0xDFFF ~= low else {
                    throw syntaxError(source, at: found, "half of a surrogate pair")
                }
                position += 6
            case 0xDC00...0xDFFF:
                throw syntaxError(source, at: found, "half of a surrogate pair")
            default:
                break
            }
        }
    }

    /// The number of an escape such as `\u00e9` that begins at a position, or nil.
    private static func codeUnit(_ source: [UInt8], at position: Int) -> UInt16? {
        guard position + 6 <= source.count, source[position] == UInt8(ascii: "\\"),
            source[position + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for byte in source[(position + 2)..<(position + 6)] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte & 0xF)
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit << 4 | UInt16((byte & 0xF) + 9)
            default: return nil
            }
        }
        return unit
    }

    /// The error of a document that is no JSON from a byte on.
    private static func syntaxError(
        _ source: [UInt8], at offset: Int, _ reason: String
    ) -> ConfigError {
        guard source.contains(where: { $0 > 0x20 }) else {
            return ConfigError(place: "", message: "the document is empty")
        }
        let before = source[..<min(offset, source.count)]
        let line = before.count(where: { $0 == UInt8(ascii: "\n") }) + 1
        let column = before.count - (before.lastIndex(of: UInt8(ascii: "\n")) ?? -1)
        return ConfigError(
            place: "",
            message: "not valid JSON at line \(line), column \(column) (byte \(offset)): \(reason)")
    }
}

extension [UInt8] {
    /// The first index of a byte from a position on, or nil.
    fileprivate func firstIndex(of byte: UInt8, from position: Int) -> Int? {
        guard position < count else { return nil }
        return unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress,
                let found = unsafe memchr(base + position, Int32(byte), count - position)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }
}
