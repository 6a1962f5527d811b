import Glibc

/// A parsed JSON document: its values in document order, as ranges of its bytes.
///
/// No tree of objects and strings is built: a config has some thousand values, of which most are
/// read once. A string becomes a `String` when it is asked for, and a place is computed when
/// something is wrong there.
final class JSONTape: Sendable {
    /// One value, or one key of an object; a key is followed by its value.
    struct Node: Sendable {
        enum Kind: UInt8, Sendable {
            case null, `false`, `true`, number, string, array, object
        }

        var kind: Kind
        /// Whether the range is one of `unescaped`, not of `source`.
        var isUnescaped = false
        /// Where the text of a string or number begins.
        var start: UInt32 = 0
        /// Bytes of a string or number; elements of an array; members of an object.
        var count: UInt32 = 0
        /// The index of the node after this value and all that is in it.
        var end: UInt32 = 0
    }

    /// The document.
    let source: [UInt8]
    /// The strings of the document that had escapes in them, without those.
    let unescaped: [UInt8]
    /// The nodes; the first one is the document's value.
    let nodes: [Node]

    init(source: [UInt8], unescaped: [UInt8], nodes: [Node]) {
        self.source = source
        self.unescaped = unescaped
        self.nodes = nodes
    }

    /// The text of a string or number.
    func text(_ node: Node) -> String {
        let range = Int(node.start)..<Int(node.start) + Int(node.count)
        return String(decoding: (node.isUnescaped ? unescaped : source)[range], as: UTF8.self)
    }

    /// Whether the string of a node has exactly these bytes.
    func hasText(_ node: Node, _ text: StaticString) -> Bool {
        guard Int(node.count) == text.utf8CodeUnitCount else { return false }
        let storage = node.isUnescaped ? unescaped : source
        return unsafe storage.withUnsafeBytes { storage in
            // The parser made the range from the storage's own bytes.
            unsafe memcmp(
                storage.baseAddress.unsafelyUnwrapped + Int(node.start), text.utf8Start,
                Int(node.count)) == 0
        }
    }

    /// The JSON pointer of a node (RFC 6901); for a key the one of its value.
    func place(of target: Int) -> String {
        var place = ""
        var current = 0
        while current != target {
            let isObject = nodes[current].kind == .object
            var child = current + 1
            var position = 0
            while true {
                let value = isObject ? child + 1 : child
                if target < Int(nodes[value].end) {
                    place += "/" + (isObject ? escapePointer(text(nodes[child])) : "\(position)")
                    if target == child || target == value { return place }
                    current = value
                    break
                }
                child = Int(nodes[value].end)
                position += 1
            }
        }
        return place
    }
}

/// A member name as a token of a JSON pointer: `~` and `/` are escaped (RFC 6901, section 3).
///
/// Nobody reads a name of more than 256 bytes; it is cut.
package func escapePointer(_ name: String) -> String {
    var token: [UInt8] = []
    for scalar in name.unicodeScalars {
        guard token.count < 256 else { return String(decoding: token, as: UTF8.self) + "…" }
        switch scalar {
        case "~": token += "~0".utf8
        case "/": token += "~1".utf8
        default: token += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        }
    }
    return String(decoding: token, as: UTF8.self)
}

/// A text of the config in an error message: in double quotes, control characters escaped, cut
/// after 64 bytes.
func quoted(_ text: String) -> String {
    var bytes: [UInt8] = []
    for scalar in text.unicodeScalars {
        guard bytes.count < 64 else {
            return "\"" + String(decoding: bytes, as: UTF8.self) + "…\""
        }
        if scalar.value < 0x20 || scalar.value == 0x7F {
            bytes += "\\u{\(String(scalar.value, radix: 16))}".utf8
        } else {
            bytes += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
        }
    }
    return "\"" + String(decoding: bytes, as: UTF8.self) + "\""
}
