/// Options of a file system, as the text of `mount(2)` has them. That call takes them in one string
/// and splits it, `fsconfig(2)` takes one at a time: here is the one reading for both.
package enum FileSystemOptions {
    private static let comma = UInt8(ascii: ",")
    private static let quote = UInt8(ascii: "\"")

    /// Whether `text` is one option already.
    package static func isOne(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "=") else { return false }
        return !text.utf8.contains(comma)
    }

    /// The options in `text`, as the kernel splits it (`vfs_parse_monolithic_sep()`): an empty one, and
    /// one without a name, is none.
    package static func split(_ text: String, type: String) -> [String] {
        var options: [String] = []
        var rest = text.utf8[...]
        while !rest.isEmpty {
            let option = rest.prefix(length(of: rest, type))
            if let first = option.first, first != UInt8(ascii: "=") {
                options.append(String(Substring(option)))
            }
            rest = rest.dropFirst(option.count + 1)
        }
        return options
    }

    /// The bytes up to the comma that ends the first option. A file system may have commas of its own.
    private static func length(of text: Substring.UTF8View, _ type: String) -> Int {
        let isLabel = label(of: text) != nil
        var isQuoted = false
        var length = 0
        var rest = text
        while let byte = rest.popFirst() {
            length += 1
            switch byte {
            case quote where isLabel: isQuoted.toggle()
            case UInt8(ascii: "\\") where type == "overlay":
                if rest.popFirst() != nil { length += 1 }
            case comma where isQuoted: continue
            // `mpol=bind:0,2`
            case comma where type == "tmpfs" && rest.first.map(isDigit) == true: continue
            // A password may have a comma, written twice.
            case comma where (type == "cifs" || type == "smb3") && rest.first == comma:
                _ = rest.popFirst()
                length += 1
            case comma: return length - 1
            default: continue
            }
        }
        return length
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

    /// SELinux takes its labels out of the text first, and the quotes off them.
    private static func label(of option: Substring.UTF8View) -> String? {
        ["context=", "fscontext=", "defcontext=", "rootcontext="]
            .first { option.starts(with: $0.utf8) }
    }

    /// One option as `fsconfig(2)` takes it: without what only its place in a text asked for. Nil for
    /// the value of an option that has none.
    static func parameter(_ option: String, type: String) -> (key: String, value: String?) {
        let text = option.utf8[...]
        guard let equals = text.firstIndex(of: UInt8(ascii: "=")) else { return (option, nil) }
        var value = Array(text[text.index(after: equals)...])
        if label(of: text) != nil { value.removeAll { $0 == quote } }
        if type == "cifs" || type == "smb3" { value = withoutDoubleCommas(value) }
        return (
            String(Substring(text[..<equals])), String(decoding: value, as: UTF8.self)
        )
    }

    private static func withoutDoubleCommas(_ value: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        var wasComma = false
        for byte in value {
            wasComma = byte == comma && !wasComma
            // The second one of a pair is the one that stays.
            if !wasComma { bytes.append(byte) }
        }
        return bytes
    }
}
