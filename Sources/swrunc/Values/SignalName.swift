import Arguments

/// The number of a signal given by name, with or without `SIG`, in any case, or by number.
///
/// `RTMIN` is glibc's, 34: the first two real-time signals are glibc's own (signal(7)).
///
/// - Returns: 0 to 64; 0 only asks whether there is a process.
func signalNumber(_ text: String) throws(UsageError) -> Int32 {
    if let number = decimal(text.utf8) {
        guard let number = Int32(exactly: number), (0...64).contains(number) else {
            throw unknownSignal(text)
        }
        return number
    }
    // By byte: there are other letters whose upper case is an ASCII one.
    var name = text.utf8.map {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 & ~0x20 : $0
    }[...]
    if name.starts(with: "SIG".utf8) { name.removeFirst(3) }
    if let number = signalNames.first(where: { $0.name.utf8.elementsEqual(name) })?.number {
        return number
    }
    if let number = realTimeSignal(name) { return number }
    throw unknownSignal(text)
}

private func unknownSignal(_ text: String) -> UsageError {
    UsageError("unknown signal \"\(text)\"")
}

/// `RTMIN`, `RTMIN+n`, `RTMAX` and `RTMAX-n`.
private func realTimeSignal(_ name: ArraySlice<UInt8>) -> Int32? {
    let first: Int32 = 34
    let last: Int32 = 64
    if name.elementsEqual("RTMIN".utf8) { return first }
    if name.elementsEqual("RTMAX".utf8) { return last }
    guard let offset = decimal(name.dropFirst(6)), offset <= 30 else { return nil }
    if name.starts(with: "RTMIN+".utf8) { return first + Int32(offset) }
    if name.starts(with: "RTMAX-".utf8) { return last - Int32(offset) }
    return nil
}

/// signal(7), "Signal numbering for standard signals", the column of x86 and ARM.
private let signalNames: [(name: String, number: Int32)] = [
    ("HUP", 1), ("INT", 2), ("QUIT", 3), ("ILL", 4), ("TRAP", 5), ("ABRT", 6), ("IOT", 6),
    ("BUS", 7), ("FPE", 8), ("KILL", 9), ("USR1", 10), ("SEGV", 11), ("USR2", 12), ("PIPE", 13),
    ("ALRM", 14), ("TERM", 15), ("STKFLT", 16), ("CHLD", 17), ("CLD", 17), ("CONT", 18),
    ("STOP", 19), ("TSTP", 20), ("TTIN", 21), ("TTOU", 22), ("URG", 23), ("XCPU", 24),
    ("XFSZ", 25), ("VTALRM", 26), ("PROF", 27), ("WINCH", 28), ("IO", 29), ("POLL", 29),
    ("PWR", 30), ("SYS", 31),
]
