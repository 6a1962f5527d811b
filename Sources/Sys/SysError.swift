import Glibc

/// A system call that failed, or a check that refused to go on: what was attempted, the errno, and a
/// hint where one helps.
public struct SysError: Error, Equatable, Sendable {
    /// The call as a person reads it, such as `open_tree("/srv/data")`; where `errno` is 0 the whole
    /// reason in words.
    public let call: String
    /// The errno of `errno(3)`; 0 where no call failed but a check refused.
    public let errno: Int32
    /// What to look at, in words.
    public let hint: String?
    /// The JSON pointer of what is to blame, where that is not the place of the step that failed.
    package let place: String?

    package init(_ call: String, _ errno: Int32, hint: String? = nil, place: String? = nil) {
        self.call = call
        self.errno = errno
        self.hint = hint
        self.place = place
    }

    /// A refusal without a failed call.
    package static func refused(_ reason: String, hint: String? = nil) -> SysError {
        SysError(reason, 0, hint: hint)
    }

    /// The same failure with a hint, unless it has one.
    package func hinting(_ hint: String) -> SysError {
        SysError(call, errno, hint: self.hint ?? hint, place: place)
    }
}

extension SysError: CustomStringConvertible {
    /// `open_tree("/srv/data"): No such file or directory`
    public var description: String {
        errno == 0 ? call : "\(call): \(unsafe String(cString: strerror(errno)))"
    }
}

/// Turns a wrapper's `-errno` into an error. `call` is only rendered on failure.
@inline(__always)
@discardableResult
package func check(
    _ result: Int, _ call: @autoclosure () -> String
) throws(SysError) -> Int {
    guard result >= 0 else { throw SysError(call(), Int32(truncatingIfNeeded: -result)) }
    return result
}

/// The same for calls that a signal may interrupt.
@inline(__always)
@discardableResult
package func checkRetrying(
    _ body: () -> Int, _ call: @autoclosure () -> String
) throws(SysError) -> Int {
    while true {
        let result = body()
        if result == -Int(EINTR) { continue }
        return try check(result, call())
    }
}

/// What a call writes, of which it returns the length. Nobody clears the memory first.
func filled(
    limit: Int, _ call: @autoclosure () -> String, by body: (UnsafeMutableRawPointer?) -> Int
) throws(SysError) -> [UInt8] {
    var result = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
        repeat { result = unsafe body(buffer.baseAddress) } while result == -Int(EINTR)
        count = min(max(result, 0), limit)
    }
    try check(result, call())
    return bytes
}
