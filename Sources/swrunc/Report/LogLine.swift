/// One line of the log in the format asked for, with its line end.
///
/// - Parameter time: RFC 3339; containerd drops a message whose time it cannot read.
func logLine(_ format: LogFormat, _ level: LogLevel, _ message: String, time: String) -> [UInt8] {
    var line: [UInt8] = []
    line.reserveCapacity(message.utf8.count + 96)
    switch format {
    case .text:
        line += "time=\"\(time)\" level=\(level.name) msg=\"".utf8
        appendEscaped(message, to: &line)
        line += "\"\n".utf8
    case .json:
        line += "{\"level\":\"\(level.name)\",\"msg\":\"".utf8
        appendEscaped(message, to: &line)
        line += "\",\"time\":\"\(time)\"}\n".utf8
    }
    return line
}

/// Appends the contents of a JSON string (RFC 8259, section 7), which serve the text format too.
func appendEscaped(_ text: String, to line: inout [UInt8]) {
    let digits = Array("0123456789abcdef".utf8)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): line += [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"): line += "\\n".utf8
        case UInt8(ascii: "\r"): line += "\\r".utf8
        case UInt8(ascii: "\t"): line += "\\t".utf8
        case 0..<0x20, 0x7f:
            line += "\\u00".utf8
            line += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        default: line.append(byte)
        }
    }
}
