import Glibc
import Sys

/// The name of a user by `/etc/passwd`, the number where there is none: a static executable has no
/// other user database.
func userName(_ uid: UInt32) -> String {
    guard let bytes = try? readFile("/etc/passwd", limit: 1 << 20) else { return String(uid) }
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
        let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count > 2, UInt32(String(decoding: fields[2], as: UTF8.self)) == uid else {
            continue
        }
        return String(decoding: fields[0], as: UTF8.self)
    }
    return String(uid)
}
