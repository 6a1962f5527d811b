import CYajl

/// Records yajl's events as the nodes of a tape.
///
/// A struct behind a pointer, not an object: yajl calls back for every token, and counting
/// references would cost more than the recording.
@safe
struct TapeBuilder {
    /// An array or object whose end has not come yet.
    private struct Level {
        /// The index of its node.
        var node: Int
        /// The index of the latest key, for an object.
        var key: Int?
    }

    /// The nodes so far.
    private(set) var nodes: [JSONTape.Node] = []
    /// The strings with escapes so far, one after the other.
    private(set) var unescaped: [UInt8] = []
    /// Why the parser was told to stop, or nil.
    private(set) var failure: ConfigError?
    /// The document, for as long as yajl runs.
    var source = unsafe UnsafeBufferPointer<UInt8>(start: nil, count: 0)
    private var open: [Level] = []

    /// Makes an empty tape for a document of so many bytes.
    init(size: Int) {
        nodes.reserveCapacity(min(size / 14 + 16, JSONParser.maximumNodes))
        open.reserveCapacity(16)
    }

    // MARK: Events. Each returns 1 to go on, 0 to stop, as yajl wants it.

    private mutating func scalar(_ kind: JSONTape.Node.Kind) -> CInt {
        append(JSONTape.Node(kind: kind)) ? 1 : 0
    }

    private mutating func text(
        _ kind: JSONTape.Node.Kind, _ bytes: UnsafeRawPointer?, _ count: Int, isKey: Bool = false
    ) -> CInt {
        var node = JSONTape.Node(kind: kind, count: UInt32(truncatingIfNeeded: count))
        // yajl points into the document where it can, else into a buffer of its own.
        if let offset = unsafe offset(of: bytes, count) {
            node.start = UInt32(truncatingIfNeeded: offset)
        } else {
            node.isUnescaped = true
            node.start = UInt32(truncatingIfNeeded: unescaped.count)
            let bytes = unsafe UnsafeRawBufferPointer(start: bytes, count: count)
            unsafe unescaped.append(contentsOf: bytes)
            if unescaped[Int(node.start)...].contains(0) {
                return stop((isKey ? "a name" : "a string") + " with NUL in it", isKey: isKey)
            }
        }
        guard isKey else { return append(node) ? 1 : 0 }
        guard hasRoom() else { return 0 }
        open[open.count - 1].key = nodes.count
        nodes[open[open.count - 1].node].count += 1
        node.end = UInt32(truncatingIfNeeded: nodes.count + 1)
        nodes.append(node)
        return 1
    }

    private mutating func begin(_ kind: JSONTape.Node.Kind) -> CInt {
        guard open.count < JSONParser.maximumDepth else {
            // Without its place, which would be as deep.
            failure = ConfigError(
                place: "", message: "nested deeper than \(JSONParser.maximumDepth) levels")
            return 0
        }
        let node = nodes.count
        guard append(JSONTape.Node(kind: kind)) else { return 0 }
        open.append(Level(node: node, key: nil))
        return 1
    }

    private mutating func end() -> CInt {
        guard let level = open.last else { return 0 }
        nodes[level.node].end = UInt32(truncatingIfNeeded: nodes.count)
        if nodes[level.node].kind == .object, let twice = repeatedKey(of: level.node) {
            open[open.count - 1].key = twice
            return stop("given twice")
        }
        open.removeLast()
        return 1
    }

    // MARK: Recording

    private mutating func append(_ node: JSONTape.Node) -> Bool {
        guard hasRoom() else { return false }
        if let parent = open.last, parent.key == nil { nodes[parent.node].count += 1 }
        var node = node
        node.end = UInt32(truncatingIfNeeded: nodes.count + 1)
        nodes.append(node)
        return true
    }

    private mutating func hasRoom() -> Bool {
        guard nodes.count >= JSONParser.maximumNodes else { return true }
        failure = ConfigError(
            place: "", message: "the document has more than \(JSONParser.maximumNodes) values")
        return false
    }

    private func offset(of bytes: UnsafeRawPointer?, _ count: Int) -> Int? {
        guard let base = unsafe UnsafeRawPointer(source.baseAddress), let bytes = unsafe bytes
        else { return 0 }
        let end = unsafe base + source.count
        guard unsafe base <= bytes, unsafe bytes + count <= end else { return nil }
        return unsafe bytes - base
    }

    /// The key of an object that is the same as one before it, or nil.
    private func repeatedKey(of object: Int) -> Int? {
        let count = Int(nodes[object].count)
        // Few members, the usual case, are compared with each other; many are sorted first, so
        // that a hostile document costs no quadratic time.
        return count <= 24 ? repeatedKeyByPairs(of: object) : repeatedKeyBySorting(of: object)
    }

    private func repeatedKeyByPairs(of object: Int) -> Int? {
        var key = object + 1
        while key < nodes.count {
            var earlier = object + 1
            while earlier < key {
                if compare(earlier, key) == 0 { return key }
                earlier = Int(nodes[earlier + 1].end)
            }
            key = Int(nodes[key + 1].end)
        }
        return nil
    }

    private func repeatedKeyBySorting(of object: Int) -> Int? {
        var keys: [Int] = []
        keys.reserveCapacity(Int(nodes[object].count))
        var key = object + 1
        while key < nodes.count {
            keys.append(key)
            key = Int(nodes[key + 1].end)
        }
        keys.sort { left, right in
            let order = compare(left, right)
            return order == 0 ? left < right : order < 0
        }
        var first: Int?
        for (left, right) in zip(keys, keys.dropFirst()) where compare(left, right) == 0 {
            first = min(first ?? right, right)
        }
        return first
    }

    /// Compares two keys by length and bytes: negative, zero or positive.
    private func compare(_ left: Int, _ right: Int) -> Int {
        let (left, right) = (nodes[left], nodes[right])
        guard left.count == right.count else { return left.count < right.count ? -1 : 1 }
        for position in 0..<Int(left.count) {
            let (first, second) = (byte(left, position), byte(right, position))
            if first != second { return first < second ? -1 : 1 }
        }
        return 0
    }

    private func byte(_ node: JSONTape.Node, _ position: Int) -> UInt8 {
        let index = Int(node.start) + position
        return node.isUnescaped ? unescaped[index] : unsafe source[index]
    }

    private func text(_ node: JSONTape.Node) -> String {
        String(decoding: (0..<Int(node.count)).map { byte(node, $0) }, as: UTF8.self)
    }

    // MARK: Errors

    /// Ends the parsing with an error about the value that comes next, or about the object itself
    /// when its next key is at fault.
    private mutating func stop(_ message: String, isKey: Bool = false) -> CInt {
        var place = ""
        let innermost = open.count - 1
        for (depth, level) in open.enumerated() where depth < innermost || !isKey {
            let count = Int(nodes[level.node].count)
            if let key = level.key {
                place += "/" + escapePointer(text(nodes[key]))
            } else {
                // The arrays around the innermost level have counted the element that is open.
                place += "/\(depth < innermost ? count - 1 : count)"
            }
        }
        failure = ConfigError(place: place, message: message)
        return 0
    }
}

extension TapeBuilder {
    /// The doors for yajl; the context is a pointer to the builder.
    static var callbacks: yajl_callbacks {
        unsafe yajl_callbacks(
            yajl_null: { unsafe builder($0).pointee.scalar(.null) },
            yajl_boolean: { unsafe builder($0).pointee.scalar($1 == 0 ? .false : .true) },
            yajl_integer: nil,
            yajl_double: nil,
            yajl_number: { unsafe builder($0).pointee.text(.number, $1, $2) },
            yajl_string: { unsafe builder($0).pointee.text(.string, $1, $2) },
            yajl_start_map: { unsafe builder($0).pointee.begin(.object) },
            yajl_map_key: { unsafe builder($0).pointee.text(.string, $1, $2, isKey: true) },
            yajl_end_map: { unsafe builder($0).pointee.end() },
            yajl_start_array: { unsafe builder($0).pointee.begin(.array) },
            yajl_end_array: { unsafe builder($0).pointee.end() })
    }
}

/// The builder behind a context that yajl hands back.
private func builder(_ context: UnsafeMutableRawPointer?) -> UnsafeMutablePointer<TapeBuilder> {
    // `run` passed it to yajl_alloc.
    unsafe context.unsafelyUnwrapped.assumingMemoryBound(to: TapeBuilder.self)
}
