/// An object of a parsed JSON document, its members read by name.
///
/// A member that is absent or null reads as nil: the spec's Go types do the same. Members nobody
/// asks for are ignored (config.md, "Extensibility").
package struct JSONObject: Sendable {
    /// The object as a value.
    package let value: JSONValue

    init(value: JSONValue) {
        self.value = value
    }

    /// The value of a member, or nil if it is absent or null.
    package func member(_ name: StaticString) -> JSONValue? {
        let tape = value.tape
        let end = Int(value.node.end)
        var key = value.index + 1
        while key < end {
            let node = tape.nodes[key + 1]
            if tape.hasText(tape.nodes[key], name) {
                return node.kind == .null ? nil : JSONValue(tape: tape, index: key + 1)
            }
            key = Int(node.end)
        }
        return nil
    }

    /// The value of a member that must be there.
    package func required(_ name: StaticString) throws(ConfigError) -> JSONValue {
        if let member = member(name) { return member }
        throw ConfigError(place: "\(value.place)/\(name)", message: "is required but missing")
    }

    /// A string, or nil.
    package func string(_ name: StaticString) throws(ConfigError) -> String? {
        guard let member = member(name) else { return nil }
        return try member.string()
    }

    /// A string, or nil if it is empty too.
    package func nonEmpty(_ name: StaticString) throws(ConfigError) -> String? {
        guard let text = try string(name), !text.isEmpty else { return nil }
        return text
    }

    /// A boolean, or nil.
    package func bool(_ name: StaticString) throws(ConfigError) -> Bool? {
        guard let member = member(name) else { return nil }
        return try member.bool()
    }

    /// An integer of the type that is asked for, or nil.
    package func integer<Integer: FixedWidthInteger>(
        _ name: StaticString
    ) throws(ConfigError) -> Integer? {
        guard let member = member(name) else { return nil }
        return try member.integer()
    }

    /// An integer, or nil if it is not required.
    package func integer<Integer: FixedWidthInteger>(
        _ name: StaticString, isRequired: Bool
    ) throws(ConfigError) -> Integer? {
        isRequired ? try required(name).integer() : try integer(name)
    }

    /// One of the words that an enum lists, or nil.
    package func word<Word: RawRepresentable & CaseIterable>(
        _ name: StaticString
    ) throws(ConfigError) -> Word? where Word.RawValue == String {
        guard let member = member(name) else { return nil }
        return try member.word()
    }

    /// One of the words that an enum lists, or nil if it is the empty string too.
    package func wordOrEmpty<Word: RawRepresentable & CaseIterable>(
        _ name: StaticString
    ) throws(ConfigError) -> Word? where Word.RawValue == String {
        guard let member = member(name) else { return nil }
        return try member.string().isEmpty ? nil : try member.word()
    }

    /// The words of an array, or nil.
    package func words<Word: RawRepresentable & CaseIterable>(
        _ name: StaticString
    ) throws(ConfigError) -> [Word]? where Word.RawValue == String {
        try list(name) { value throws(ConfigError) in try value.word() }
    }

    /// The strings of an array, or nil.
    package func strings(_ name: StaticString) throws(ConfigError) -> [String]? {
        try list(name) { value throws(ConfigError) in try value.string() }
    }

    /// The elements of an array, each decoded, or nil.
    package func list<Element>(
        _ name: StaticString, _ decode: (JSONValue) throws(ConfigError) -> Element
    ) throws(ConfigError) -> [Element]? {
        guard let member = member(name) else { return nil }
        return try member.list(decode)
    }

    /// The members of an object, each value decoded, or nil.
    package func map<Value>(
        _ name: StaticString, _ decode: (JSONValue) throws(ConfigError) -> Value
    ) throws(ConfigError) -> OrderedMap<Value>? {
        guard let member = member(name) else { return nil }
        return try member.map(decode)
    }

    /// The strings of an object, or nil.
    package func stringMap(_ name: StaticString) throws(ConfigError) -> OrderedMap<String>? {
        try map(name) { value throws(ConfigError) in try value.string() }
    }

    /// A member decoded, or nil.
    package func decode<Value>(
        _ name: StaticString, _ decode: (JSONValue) throws(ConfigError) -> Value
    ) throws(ConfigError) -> Value? {
        guard let member = member(name) else { return nil }
        return try decode(member)
    }
}
