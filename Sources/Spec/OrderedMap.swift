/// A string-keyed map that keeps the order of the file it was read from.
///
/// The standard dictionary's order differs from run to run, and what we print or apply must not.
/// Keys are compared byte by byte, never by Unicode equivalence. The maps of a config are short, so
/// a lookup is a linear search.
///
/// The value type is unconstrained on purpose: for a constrained one the Swift runtime looks up the
/// conformance in the whole executable the first time each map type is used, 20 µs a time.
public struct OrderedMap<Value> {
    /// One key with its value.
    public struct Entry {
        /// The key, as written in the file.
        public var key: String
        /// The value.
        public var value: Value

        /// Makes an entry.
        @inlinable
        public init(key: String, value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// The entries in file order, each key once.
    public private(set) var entries: [Entry]

    /// Makes an empty map.
    @inlinable
    public init() {
        self.init(unique: [])
    }

    /// Wraps entries whose keys the caller knows to differ.
    @usableFromInline
    init(unique entries: [Entry]) {
        self.entries = entries
    }

    /// The value of a key, or nil.
    public subscript(key: String) -> Value? {
        entries.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// Appends an entry unless the map has the key already.
    ///
    /// - Returns: false when the key was there, and nothing changed.
    @discardableResult
    public mutating func append(key: String, value: Value) -> Bool {
        guard self[key] == nil else { return false }
        entries.append(Entry(key: key, value: value))
        return true
    }
}

extension OrderedMap: Sendable where Value: Sendable {}
extension OrderedMap.Entry: Sendable where Value: Sendable {}
extension OrderedMap: Equatable where Value: Equatable {}
extension OrderedMap.Entry: Equatable where Value: Equatable {}

extension OrderedMap: RandomAccessCollection {
    /// Always 0.
    public var startIndex: Int { 0 }
    /// The number of entries.
    public var endIndex: Int { entries.count }
    /// The entry at a position of the file's order.
    public subscript(position: Int) -> Entry { entries[position] }
}

extension OrderedMap: ExpressibleByDictionaryLiteral {
    /// Makes a map from a literal; of a repeated key the first value stays.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(unique: [])
        for (key, value) in elements { append(key: key, value: value) }
    }
}
