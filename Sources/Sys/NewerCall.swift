import CSys
import Glibc

/// A system call of Linux 5.1 or later, which may not be there for this process.
///
/// The kernel may be older, or a seccomp filter around the runtime older than the call (systemd-nspawn's,
/// Docker's, sysbox's). Such a filter answers in the kernel's place with ENOSYS or with EPERM, and EPERM is
/// also what the kernel says to who lacks a right. Here the two are told apart: whoever makes one of
/// these calls gets ENOSYS where it is not available, and EPERM from the kernel only.
package enum NewerCall: Int, CaseIterable, Sendable {
    // The same numbers on every architecture.
    case pidfdSendSignal = 424
    case openTree = 428
    case moveMount = 429
    case fsopen = 430
    case fsconfig = 431
    case fsmount = 432
    case pidfdOpen = 434
    case clone3 = 435
    case closeRange = 436
    case openat2 = 437
    case faccessat2 = 439
    case mountSetattr = 442

    /// The Linux that has it.
    private var release: String {
        switch self {
        case .pidfdSendSignal: "5.1"
        case .openTree, .moveMount, .fsopen, .fsconfig, .fsmount: "5.2"
        case .pidfdOpen, .clone3: "5.3"
        case .openat2: "5.6"
        case .faccessat2: "5.8"
        case .closeRange: "5.9"
        case .mountSetattr: "5.12"
        }
    }

    /// What a call of this kind returned, as the kernel would have it: -ENOSYS where it was no answer of
    /// the kernel's.
    package func answer(_ result: Int) -> Int {
        result == -Int(EPERM) && isRefused ? -Int(ENOSYS) : result
    }

    /// Turns a wrapper's `-errno` into an error, ``unavailable(_:)`` among them. `call` is only rendered
    /// on failure.
    @inline(__always)
    @discardableResult
    func check(_ result: Int, _ call: @autoclosure () -> String) throws(SysError) -> Int {
        if result >= 0 { return result }
        throw error(result, call())
    }

    private func error(_ result: Int, _ call: String) -> SysError {
        let answer = answer(result)
        if answer == -Int(ENOSYS) { return unavailable(call) }
        return SysError(call, Int32(truncatingIfNeeded: -answer))
    }

    /// The error of a call that is not available, for who has no other way: ENOSYS.
    package func unavailable(_ call: String) -> SysError {
        SysError(
            call, ENOSYS,
            hint: "refused by a seccomp filter around the runtime, or the kernel is older than "
                + "Linux \(release)")
    }

    /// Whether a filter answers with EPERM: the kernel does not, to arguments that it can make nothing of.
    private var isRefused: Bool {
        guard csys_call_with_nothing(rawValue) == -Int(EPERM) else { return false }
        switch self {
        case .moveMount, .fsopen, .fsmount:
            // These look for the right to mount first. So does pivot_root(2), which is older.
            return csys_pivot_root_nowhere() != -Int(EPERM)
        default: return true
        }
    }
}
