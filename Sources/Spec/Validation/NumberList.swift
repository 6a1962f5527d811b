/// A list of numbers as the kernel writes CPUs and memory nodes: `0-3,7`.
public struct NumberList: Sendable, Equatable {
    /// The highest number a list may have: the kernel's limits on CPUs and nodes are far lower.
    public static let maximum: UInt32 = 65535

    /// The ranges as written.
    public var ranges: [ClosedRange<UInt32>]

    /// Parses a list.
    ///
    /// - Returns: nil if the text is not a list of numbers up to `maximum` and ascending ranges.
    public init?(_ text: String) {
        ranges = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = item.split(separator: "-", omittingEmptySubsequences: false)
            guard ends.count <= 2, let first = Self.number(ends[0]),
                let last = Self.number(ends[ends.count - 1]), first <= last
            else { return nil }
            ranges.append(first...last)
        }
    }

    private static func number(_ text: Substring) -> UInt32? {
        guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            let number = UInt32(text), number <= maximum
        else { return nil }
        return number
    }
}

/// Checks that a text, unless it is nil, is a list of numbers.
func checkList(_ text: String?, at place: @autoclosure () -> String) throws(ConfigError) {
    guard let text, NumberList(text) == nil else { return }
    throw ConfigError(
        place: place(), message: "\(quoted(text)) is not a list of numbers",
        hint: "such as 0-3,7")
}
