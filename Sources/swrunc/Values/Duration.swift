import Arguments

/// Milliseconds of a time as Go writes it, `5s`, `1m30s`, `1.5h`; without a unit they are seconds.
func duration(_ text: String, _ flag: Flag) throws(UsageError) -> Int64 {
    let error = UsageError.invalid(text, for: flag, "use a time such as 500ms, 5s or 1m30s")
    var rest = text.utf8[...]
    if rest.isEmpty { throw error }
    var total = 0.0
    while !rest.isEmpty {
        let number = rest.prefix { isDigitOrPoint($0) }
        rest = rest.dropFirst(number.count)
        let unit = rest.prefix { !isDigitOrPoint($0) }
        rest = rest.dropFirst(unit.count)
        guard let value = Double(Substring(number)),
            let factor = milliseconds(String(Substring(unit)))
        else { throw error }
        total += value * factor
    }
    guard let result = Int64(exactly: total.rounded(.up)), result <= 1 << 40 else { throw error }
    return result
}

private func isDigitOrPoint(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || byte == UInt8(ascii: ".")
}

private func milliseconds(_ unit: String) -> Double? {
    switch unit {
    case "ns": 1e-6
    case "us", "µs", "μs": 1e-3
    case "ms": 1
    case "", "s": 1000
    case "m": 60_000
    case "h": 3_600_000
    default: nil
    }
}
