/// Writes JSON in the order it is told to.
///
/// The members of an object are written within the closure of the object, so that what is written
/// is well-formed: `writer.object { $0.member("id", id); $0.member("pid", pid) }`.
public struct JSONWriter: Sendable {
    /// How the document is laid out.
    public enum Layout: Sendable, Equatable {
        /// On one line, without spaces.
        case compact
        /// A line for every member and element, indented by so many spaces per level.
        case spaces(Int)
        /// A line for every member and element, indented by a tab per level.
        case tabs
    }

    /// The document so far.
    public private(set) var bytes: [UInt8]
    private let layout: Layout
    private var depth = 0
    /// Whether the next member or element is the first of its object or array.
    private var isFirst = true

    /// Makes a writer that appends to some bytes.
    public init(layout: Layout = .compact, appendingTo bytes: [UInt8] = []) {
        self.layout = layout
        self.bytes = bytes
    }

    // MARK: Values

    /// Writes an object.
    public mutating func object(_ members: (inout JSONWriter) -> Void) {
        nest(UInt8(ascii: "{"), UInt8(ascii: "}"), members)
    }

    /// Writes an array; its body calls `element` before each value.
    public mutating func array(_ elements: (inout JSONWriter) -> Void) {
        nest(UInt8(ascii: "["), UInt8(ascii: "]"), elements)
    }

    /// Writes a string.
    public mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        // Almost every string is as it has to be.
        if isPlain(text.utf8.span) {
            bytes.append(contentsOf: text.utf8)
        } else {
            for byte in text.utf8 { escaped(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private func isPlain(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where JSONWriter.needsEscape(text[index]) { return false }
        return true
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): escape(byte)
        case UInt8(ascii: "\n"): escape(UInt8(ascii: "n"))
        case UInt8(ascii: "\t"): escape(UInt8(ascii: "t"))
        case UInt8(ascii: "\r"): escape(UInt8(ascii: "r"))
        case _ where JSONWriter.needsEscape(byte):
            escape(UInt8(ascii: "u"))
            bytes += [UInt8(ascii: "0"), UInt8(ascii: "0"), hex(byte >> 4), hex(byte & 0xF)]
        default: bytes.append(byte)
        }
    }

    /// Writes an integer.
    public mutating func integer(_ value: some FixedWidthInteger) {
        bytes.append(contentsOf: String(value).utf8)
    }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) {
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Writes `null`.
    public mutating func null() {
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes a value that is JSON already.
    public mutating func raw(_ json: [UInt8]) {
        bytes.append(contentsOf: json)
    }

    /// Ends the document with a newline.
    public mutating func newline() {
        bytes.append(UInt8(ascii: "\n"))
    }

    // MARK: Members and elements

    /// Begins a member of an object: its value is to follow.
    public mutating func key(_ name: String) {
        separate()
        string(name)
        bytes.append(UInt8(ascii: ":"))
        if layout != .compact { bytes.append(UInt8(ascii: " ")) }
    }

    /// Begins an element of an array: its value is to follow.
    public mutating func element() {
        separate()
    }

    /// Writes a member, unless the value is nil.
    public mutating func member(_ name: String, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }

    /// Writes a member, unless the value is nil.
    public mutating func member(_ name: String, _ value: Bool?) {
        guard let value else { return }
        key(name)
        bool(value)
    }

    /// Writes a member, unless the value is nil.
    public mutating func member(_ name: String, _ value: (some FixedWidthInteger)?) {
        guard let value else { return }
        key(name)
        integer(value)
    }

    /// Writes a member that is an array of strings, unless the value is nil.
    public mutating func member(_ name: String, _ value: [String]?) {
        guard let value else { return }
        key(name)
        array { array in
            for text in value {
                array.element()
                array.string(text)
            }
        }
    }

    /// Writes a member that is an object of strings, unless the value is nil.
    public mutating func member(_ name: String, _ value: OrderedMap<String>?) {
        guard let value else { return }
        key(name)
        object { object in
            for entry in value.entries { object.member(entry.key, entry.value) }
        }
    }

    /// Writes a member that is an object.
    public mutating func member(_ name: String, _ members: (inout JSONWriter) -> Void) {
        key(name)
        object(members)
    }

    /// Writes a member that is an array of objects or the like.
    public mutating func member<Element>(
        _ name: String, array elements: [Element], _ write: (inout JSONWriter, Element) -> Void
    ) {
        key(name)
        array { array in
            for element in elements {
                array.element()
                write(&array, element)
            }
        }
    }

    // MARK: Layout

    private mutating func nest(
        _ first: UInt8, _ last: UInt8, _ body: (inout JSONWriter) -> Void
    ) {
        bytes.append(first)
        depth += 1
        isFirst = true
        body(&self)
        depth -= 1
        if !isFirst { breakLine() }
        isFirst = false
        bytes.append(last)
    }

    private mutating func separate() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        breakLine()
    }

    private mutating func breakLine() {
        switch layout {
        case .compact: return
        case .tabs:
            bytes.append(UInt8(ascii: "\n"))
            for _ in 0..<depth { bytes.append(UInt8(ascii: "\t")) }
        case .spaces(let count):
            bytes.append(UInt8(ascii: "\n"))
            for _ in 0..<(depth * count) { bytes.append(UInt8(ascii: " ")) }
        }
    }

    private mutating func escape(_ letter: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(letter)
    }

    private func hex(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }
}
