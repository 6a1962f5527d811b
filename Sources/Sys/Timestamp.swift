import Glibc

/// Now, as ``timestamp(seconds:nanoseconds:)`` gives it.
package func timestamp() -> String {
    let now = clock(CLOCK_REALTIME)
    return timestamp(seconds: now.seconds, nanoseconds: now.nanoseconds)
}

/// A moment as RFC 3339 in UTC with nanoseconds: `2026-11-21T08:59:15.000000000Z`.
///
/// - Parameters:
///   - seconds: since 1970-01-01T00:00:00Z, leap seconds not counted.
///   - nanoseconds: 0 to 999,999,999.
package func timestamp(seconds: Int64, nanoseconds: Int64) -> String {
    let secondsOfDay = 86_400 as Int64
    let second = seconds - floorDivide(seconds, secondsOfDay) * secondsOfDay
    let date = civilDate(day: floorDivide(seconds, secondsOfDay))
    return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
        + "T\(padded(second / 3600, 2)):\(padded(second / 60 % 60, 2)):\(padded(second % 60, 2))"
        + ".\(padded(nanoseconds, 9))Z"
}

/// The date in the Gregorian calendar that is `day` days after 1970-01-01.
///
/// Years are counted from March, so that the leap day is the last of its year, in eras of 400
/// years, after which the calendar repeats.
private func civilDate(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let daysOfEra = 146_097 as Int64
    // 719,468 days lie between 0000-03-01 and 1970-01-01.
    let shifted = day + 719_468
    let era = floorDivide(shifted, daysOfEra)
    let inEra = shifted - era * daysOfEra
    let year = (inEra - inEra / 1460 + inEra / 36_524 - inEra / 146_096) / 365
    let inYear = inEra - (365 * year + year / 4 - year / 100)
    // From March on the months have 31, 30, 31, 30, 31 days, over and over: 153 in five months.
    let month = (5 * inYear + 2) / 153
    let isNextYear = month >= 10
    return (
        year: era * 400 + year + (isNextYear ? 1 : 0),
        month: isNextYear ? month - 9 : month + 3,
        day: inYear - (153 * month + 2) / 5 + 1
    )
}

private func floorDivide(_ dividend: Int64, _ divisor: Int64) -> Int64 {
    let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
}

private func padded(_ number: Int64, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
}
