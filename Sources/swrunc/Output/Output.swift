import Sys

/// Writes all the bytes to a descriptor that stays open.
func write(_ bytes: [UInt8], to descriptor: Int32) throws(SysError) {
    let fd = Fd(owning: descriptor)
    do throws(SysError) {
        try fd.write(bytes)
    } catch {
        _ = fd.release()
        throw error
    }
    _ = fd.release()
}

/// Writes one line to a standard descriptor. That this fails cannot be reported anywhere.
func writeLine(_ line: String, to descriptor: Int32) {
    do throws(SysError) {
        try write(Array(printable(line).utf8) + [UInt8(ascii: "\n")], to: descriptor)
    } catch {
        return
    }
}

/// The text with control characters spelled out, so that it stays on one line and cannot steer a
/// terminal.
func printable(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f && $0 != 0xc2 }) { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x0a: result += "\\n"
        case 0x0d: result += "\\r"
        case 0x09: result += "\\t"
        case 0..<0x20, 0x7f..<0xa0: result += "\\u{\(String(scalar.value, radix: 16))}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result
}
