import Arguments
import Glibc

/// A POSIX extended regular expression that picks containers, for `--regex`.
@safe struct Pattern: ~Copyable {
    private var compiled = unsafe regex_t()

    /// - Throws: what regcomp(3) does not like about the expression.
    init(_ text: String) throws(UsageError) {
        let status = unsafe regcomp(&compiled, text, REG_EXTENDED | REG_NOSUB)
        guard status == 0 else {
            var reason = [UInt8](repeating: 0, count: 256)
            let length = unsafe reason.withUnsafeMutableBytes {
                unsafe regerror(
                    status, &compiled, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count
                )
            }
            let words = String(
                decoding: reason.prefix(min(max(length, 1), 256) - 1), as: UTF8.self)
            throw UsageError("invalid regular expression \"\(text)\": \(words)")
        }
    }

    deinit {
        var mine = unsafe compiled
        unsafe regfree(&mine)
    }

    /// Whether a part of the container's id matches.
    func matches(_ id: String) -> Bool {
        var mine = unsafe compiled
        return unsafe regexec(&mine, id, 0, nil, 0) == 0
    }
}
