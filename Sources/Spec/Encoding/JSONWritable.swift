/// A part of the spec that can be written as JSON.
///
/// What is absent, or empty where the spec makes no difference, is left out.
public protocol JSONWritable {
    /// Writes the value, in the order of the spec's Go types, which all runtimes print.
    func write(to writer: inout JSONWriter)
}

extension JSONWritable {
    /// The value as a JSON document, without a final newline.
    public func json(_ layout: JSONWriter.Layout = .compact) -> [UInt8] {
        var writer = JSONWriter(layout: layout)
        write(to: &writer)
        return writer.bytes
    }
}

extension JSONWriter {
    /// Writes a member unless it is nil.
    mutating func member(_ name: String, value: (some JSONWritable)?) {
        guard let value else { return }
        key(name)
        value.write(to: &self)
    }

    /// Writes an array of values unless it is empty.
    mutating func member(_ name: String, values: [some JSONWritable]) {
        guard !values.isEmpty else { return }
        member(name, array: values) { writer, value in value.write(to: &writer) }
    }

    /// Writes an object of values unless it is empty.
    mutating func member(_ name: String, values: OrderedMap<some JSONWritable>) {
        guard !values.isEmpty else { return }
        member(name) { object in
            for entry in values.entries { object.member(entry.key, value: entry.value) }
        }
    }

    /// Writes an array of strings unless it is empty.
    mutating func member(_ name: String, nonEmpty strings: [String]) {
        guard !strings.isEmpty else { return }
        member(name, strings)
    }

    /// Writes an object of strings unless it is empty.
    mutating func member(_ name: String, nonEmpty strings: OrderedMap<String>) {
        guard !strings.isEmpty else { return }
        member(name, strings)
    }

    /// Writes `true` unless it is false.
    mutating func member(_ name: String, ifTrue value: Bool) {
        guard value else { return }
        member(name, value)
    }
}
