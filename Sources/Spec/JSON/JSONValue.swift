/// A value of a parsed JSON document, read with errors that name its place.
package struct JSONValue: Sendable {
    /// What a value is.
    package enum Kind: String, Sendable {
        case null
        case bool = "a boolean"
        case number = "a number"
        case string = "a string"
        case array = "an array"
        case object = "an object"
    }

    let tape: JSONTape
    let index: Int

    init(tape: JSONTape, index: Int) {
        self.tape = tape
        self.index = index
    }

    /// Parses a document; see `JSONParser` for what is refused.
    package init(parsing document: [UInt8]) throws(ConfigError) {
        self.init(tape: try JSONParser.parse(document), index: 0)
    }

    var node: JSONTape.Node { tape.nodes[index] }

    /// What the value is.
    package var kind: Kind {
        switch node.kind {
        case .null: .null
        case .true, .false: .bool
        case .number: .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// The place of the value in the document, as a JSON pointer; computed by searching for it.
    package var place: String { tape.place(of: index) }

    /// An error about this value.
    package func error(_ message: String, hint: String? = nil) -> ConfigError {
        ConfigError(place: place, message: message, hint: hint)
    }

    private func wrongType(expected: String) -> ConfigError {
        error("expected \(expected), found \(kind.rawValue)")
    }

    // MARK: Reading

    /// The value as a boolean.
    package func bool() throws(ConfigError) -> Bool {
        switch node.kind {
        case .true: return true
        case .false: return false
        default: throw wrongType(expected: "a boolean")
        }
    }

    /// The value as a string.
    package func string() throws(ConfigError) -> String {
        let node = node
        guard node.kind == .string else { throw wrongType(expected: "a string") }
        return tape.text(node)
    }

    /// The exact text of a number.
    package func number() throws(ConfigError) -> String {
        let node = node
        guard node.kind == .number else { throw wrongType(expected: "a number") }
        return tape.text(node)
    }

    /// The value as an integer of a type; fractions and exponents are no integers.
    package func integer<Integer: FixedWidthInteger>(
        _ type: Integer.Type = Integer.self
    ) throws(ConfigError) -> Integer {
        let node = node
        guard node.kind == .number else { throw wrongType(expected: "an integer") }
        let text = tape.text(node)
        if let integer = Integer(text) { return integer }
        let excerpt = text.utf8.count > 40 ? text.prefix(40) + "…" : text[...]
        guard text.utf8.dropFirst().allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 })
        else { throw error("expected an integer, found \(excerpt)") }
        throw error("\(excerpt) is out of range: from \(Integer.min) to \(Integer.max)")
    }

    /// The value as one of the words that an enum lists.
    package func word<Word: RawRepresentable & CaseIterable>(
        _ type: Word.Type = Word.self
    ) throws(ConfigError) -> Word where Word.RawValue == String {
        let text = try string()
        // By length too: String's == would take U+212A (Kelvin, three bytes) for a K.
        if let word = Word(rawValue: text), word.rawValue.utf8.count == text.utf8.count {
            return word
        }
        throw error(
            "unknown value \(quoted(text))",
            hint: "known are " + Word.allCases.map(\.rawValue).joined(separator: ", "))
    }

    /// The elements of an array, each decoded.
    package func list<Element>(
        _ decode: (JSONValue) throws(ConfigError) -> Element
    ) throws(ConfigError) -> [Element] {
        let node = node
        guard node.kind == .array else { throw wrongType(expected: "an array") }
        var elements: [Element] = []
        elements.reserveCapacity(Int(node.count))
        var child = index + 1
        while child < Int(node.end) {
            elements.append(try decode(JSONValue(tape: tape, index: child)))
            child = Int(tape.nodes[child].end)
        }
        return elements
    }

    /// The members of an object, each value decoded.
    package func map<Value>(
        _ decode: (JSONValue) throws(ConfigError) -> Value
    ) throws(ConfigError) -> OrderedMap<Value> {
        let node = node
        guard node.kind == .object else { throw wrongType(expected: "an object") }
        var entries: [OrderedMap<Value>.Entry] = []
        entries.reserveCapacity(Int(node.count))
        var key = index + 1
        while key < Int(node.end) {
            let value = JSONValue(tape: tape, index: key + 1)
            entries.append(.init(key: tape.text(tape.nodes[key]), value: try decode(value)))
            key = Int(tape.nodes[key + 1].end)
        }
        // The parser has refused keys given twice.
        return OrderedMap(unique: entries)
    }

    /// The value as an object whose members are looked up by name.
    package func object() throws(ConfigError) -> JSONObject {
        guard node.kind == .object else { throw wrongType(expected: "an object") }
        return JSONObject(value: self)
    }
}
