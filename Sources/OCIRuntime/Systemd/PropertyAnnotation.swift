import Spec

/// Properties of the unit that annotations ask for: `org.systemd.property.TimeoutStopUSec` with a
/// value as GVariant's text format has it (`uint64 5000000`, `'text'`, `['a', 'b']`, `true`).
enum PropertyAnnotation {
    static let prefix = "org.systemd.property."

    static func properties(
        _ annotations: OrderedMap<String>
    ) throws(PlanError) -> [UnitProperty] {
        var properties: [UnitProperty] = []
        for entry in annotations where entry.key.utf8.starts(with: prefix.utf8) {
            properties.append(try property(entry.key, entry.value))
        }
        return properties
    }

    private static func property(
        _ key: String, _ text: String
    ) throws(PlanError) -> UnitProperty {
        let place = "/annotations/\(pointerMember(key))"
        let name = String(Substring(key.utf8.dropFirst(prefix.utf8.count)))
        let isName = name.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
                || ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z"))
        }
        guard isName, !name.isEmpty else {
            throw PlanError(place, "\"\(name)\" is not the name of a unit's property")
        }
        // They would move processes of the host into the container's cgroup.
        if name.utf8.elementsEqual("PIDs".utf8) || name.utf8.elementsEqual("PIDFDs".utf8) {
            throw PlanError(place, "which processes a scope has is not for a config to say")
        }
        guard let value = value(text) else {
            throw PlanError(
                place, "\"\(text)\" is no value of a type that a unit's property can have",
                hint: "quote strings: \"'text'\"; a number may have its type before it: uint64 5")
        }
        // Times: the bus has them in microseconds, unit files in seconds.
        guard name.hasSuffix("Sec"), !name.hasSuffix("USec") else {
            return UnitProperty(name, value, isDispensable: false)
        }
        guard let time = microseconds(value) else {
            throw PlanError(place, "\"\(text)\" is not a number of seconds")
        }
        return UnitProperty(
            "\(name.dropLast(3))USec", .uint64(time), isDispensable: false)
    }

    private static func microseconds(_ value: DBusValue) -> UInt64? {
        let seconds: Double? =
            switch value {
            case .int32(let number): Double(number)
            case .uint32(let number): Double(number)
            case .int64(let number): Double(number)
            case .uint64(let number): Double(number)
            case .double(let number): number
            default: nil
            }
        return seconds.flatMap { UInt64(exactly: ($0 * 1_000_000).rounded()) }
    }

    private static func value(_ text: String) -> DBusValue? {
        let text = trimmed(Substring(text))
        switch text {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        default: break
        }
        if let string = quoted(text) { return .string(string) }
        if text.utf8.first == UInt8(ascii: "["), text.utf8.last == UInt8(ascii: "]") {
            return list(text.dropFirst().dropLast())
        }
        let words = text.utf8.split(separator: UInt8(ascii: " ")).map { Substring($0) }
        if words.count == 2 { return number(words[1], type: words[0]) }
        return Int32(text).map { .int32($0) } ?? Double(text).map { .double($0) }
    }

    private static func number(_ text: Substring, type: Substring) -> DBusValue? {
        switch type {
        case "byte": UInt8(text).map { .byte($0) }
        case "int32": Int32(text).map { .int32($0) }
        case "uint32": UInt32(text).map { .uint32($0) }
        case "int64": Int64(text).map { .int64($0) }
        case "uint64": UInt64(text).map { .uint64($0) }
        case "double": Double(text).map { .double($0) }
        default: nil
        }
    }

    /// Of strings, or of `uint32` numbers.
    private static func list(_ text: Substring) -> DBusValue? {
        let parts = text.utf8.split(separator: UInt8(ascii: ",")).map { trimmed(Substring($0)) }
        let strings = parts.compactMap { quoted($0) }
        if strings.count == parts.count { return .strings(strings) }
        let numbers = parts.enumerated().compactMap { index, part in
            let typed = index == 0 && part.hasPrefix("uint32 ")
            return UInt32(typed ? part.dropFirst(7) : part)
        }
        return numbers.count == parts.count ? .uint32s(numbers) : nil
    }

    private static func quoted(_ text: Substring) -> String? {
        guard text.utf8.count >= 2, let first = text.utf8.first, first == text.utf8.last,
            first == UInt8(ascii: "'") || first == UInt8(ascii: "\"")
        else { return nil }
        let inside = text.utf8.dropFirst().dropLast()
        return inside.contains(first) || inside.contains(UInt8(ascii: "\\"))
            ? nil : String(Substring(inside))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var bytes = text.utf8
        while let first = bytes.first, isBlank(first) { bytes.removeFirst() }
        while let last = bytes.last, isBlank(last) { bytes.removeLast() }
        return Substring(bytes)
    }
}
