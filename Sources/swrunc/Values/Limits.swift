import Arguments

/// A whole number, with a sign where the type has one.
func wholeNumber<Number: FixedWidthInteger>(
    _ text: String, _ flag: Flag
) throws(UsageError) -> Number {
    // Its own parser takes a plus sign.
    guard text.utf8.first != UInt8(ascii: "+"), let number = Number(text) else {
        throw .invalid(text, for: flag, "not a whole number from \(Number.min) to \(Number.max)")
    }
    return number
}

/// A number of bytes as runc and Docker take it: `-1` for no limit, or a number with a unit of powers
/// of 1024, `512m`, `1.5GiB`; without one they are bytes.
func byteCount(_ text: String, _ flag: Flag) throws(UsageError) -> Int64 {
    if text.utf8.elementsEqual("-1".utf8) { return -1 }
    let digits = text.utf8.prefix(while: isDecimal)
    var rest = text.utf8.dropFirst(digits.count)
    var decimals = rest.prefix(0)
    if rest.first == UInt8(ascii: ".") {
        decimals = rest.dropFirst().prefix(while: isDecimal)
        rest = decimals.isEmpty ? rest : rest.dropFirst(1 + decimals.count)
    }
    guard !digits.isEmpty, let shift = unit(rest), decimals.count < 10 else {
        throw .invalid(text, for: flag, "use a number of bytes, a unit such as k, m or g, or -1")
    }
    // A decimal fraction is the number without its point, divided by a power of ten.
    let scale = decimals.reduce(UInt64(1)) { scale, _ in scale * 10 }
    guard let number = UInt64(Substring(digits) + Substring(decimals)),
        case let product = number.multipliedFullWidth(by: 1 << shift), product.high < scale,
        let bytes = Int64(exactly: scale.dividingFullWidth(product).quotient)
    else { throw .invalid(text, for: flag, "too large") }
    return bytes
}

private func isDecimal(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

/// The power of two of `k`, `kb`, `KiB` and so on; nil for what is no unit.
private func unit(_ text: Substring.UTF8View) -> UInt64? {
    let letters = String(Substring(text.drop { $0 == UInt8(ascii: " ") })).lowercased()
    switch letters {
    case "", "b": return 0
    case "k", "kb", "kib": return 10
    case "m", "mb", "mib": return 20
    case "g", "gb", "gib": return 30
    case "t", "tb", "tib": return 40
    case "p", "pb", "pib": return 50
    default: return nil
    }
}
