import CSys
import Glibc

/// Ends this process at once: no exit handlers, no buffers, as a cloned child must.
package func exitNow(_ status: Int32) -> Never {
    csys_exit(status)
    while true {}
}

/// How a process ended.
package enum ExitStatus: Equatable, Sendable {
    case exited(Int32)
    case signalled(Int32)

    /// The shell's convention: 128 + n when a signal ended it.
    package var code: Int32 {
        switch self {
        case .exited(let status): status
        case .signalled(let signal): 128 + signal
        }
    }
}

/// `pidfd_open(2)`.
package func openProcess(_ pid: Int32) throws(SysError) -> Fd {
    Fd(owning: try check(csys_pidfd_open(pid), "pidfd_open(\(pid))"))
}

/// `pidfd_send_signal(2)`: never reaches a recycled pid.
package func signal(_ pidfd: Int32, _ number: Int32) throws(SysError) {
    try check(csys_pidfd_send_signal(pidfd, number), "pidfd_send_signal(\(number))")
}

/// Waits for the child behind `pidfd` and reaps it.
package func wait(pidfd: Int32) throws(SysError) -> ExitStatus {
    var exit = csys_exit()
    try checkRetrying(
        { unsafe csys_waitid(3, pidfd, &exit, WEXITED) }, "waitid(P_PIDFD)")
    return exit.code == 1 ? .exited(exit.status) : .signalled(exit.status)
}

/// Reaps any child that has ended; nil when none has. ECHILD means that no child is left.
package func reapAny() throws(SysError) -> (pid: Int32, status: ExitStatus)? {
    var exit = csys_exit()
    try checkRetrying(
        { unsafe csys_waitid(0, 0, &exit, WEXITED | WNOHANG) }, "waitid(P_ALL)")
    if exit.pid == 0 { return nil }
    return (exit.pid, exit.code == 1 ? .exited(exit.status) : .signalled(exit.status))
}

/// `poll(2)` on one descriptor: the events that came, 0 on timeout.
/// - Parameter milliseconds: -1 waits without limit.
package func poll(_ fd: Int32, _ events: Int32, milliseconds: Int32) throws(SysError) -> Int32 {
    var one = pollfd(fd: fd, events: Int16(truncatingIfNeeded: events), revents: 0)
    try checkRetrying({ unsafe csys_poll(&one, 1, milliseconds) }, "poll(\(fd))")
    return Int32(one.revents)
}

/// The operations of `prctl(2)` used here, by their number in `linux/prctl.h`.
package enum ProcessControl: Int32, Sendable {
    case setParentDeathSignal = 1
    case setDumpable = 4
    case setKeepCapabilities = 8
    case dropBoundingCapability = 24
    case setChildSubreaper = 36
    case setNoNewPrivileges = 38
}

/// `setsid(2)`.
package func newSession() throws(SysError) { try check(csys_setsid(), "setsid()") }

/// `prctl(2)`.
package func processControl(_ operation: ProcessControl, _ argument: UInt) throws(SysError) {
    try check(
        csys_prctl(operation.rawValue, argument, 0, 0, 0), "prctl(\(operation), \(argument))")
}

/// `execve(2)`; returns only to throw. The arrays are C vectors prepared before the clone.
package func execute(
    _ path: String, _ arguments: CStringArray, _ environment: CStringArray
) -> SysError {
    let result = unsafe csys_execve(path, arguments.pointers, environment.pointers)
    return SysError("execve(\(quoted(path)))", Int32(truncatingIfNeeded: -result))
}

/// A NULL-terminated vector of C strings that lives until the process execs or ends.
@safe package struct CStringArray: @unchecked Sendable {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    package init(_ strings: [String]) {
        unsafe pointers = .allocate(capacity: strings.count + 1)
        for (index, text) in strings.enumerated() { unsafe pointers[index] = strdup(text) }
        unsafe pointers[strings.count] = nil
    }

    /// Frees the vector; only for one that a child has used up.
    package func free() {
        var index = 0
        while let text = unsafe pointers[index] {
            unsafe Glibc.free(text)
            index += 1
        }
        unsafe pointers.deallocate()
    }
}

/// A moment on the monotonic clock.
package struct Deadline: Sendable {
    private let end: Int64

    package init(seconds: Int64) { self.init(milliseconds: seconds.multipliedClamping(by: 1000)) }

    package init(milliseconds: Int64) {
        let now = clock(CLOCK_MONOTONIC)
        let (sum, overflow) = (now.seconds * 1000 + now.nanoseconds / 1_000_000)
            .addingReportingOverflow(milliseconds)
        end = overflow ? Int64.max : sum
    }

    /// What is left, at least 0, as `poll(2)` takes it.
    package var milliseconds: Int32 {
        let now = clock(CLOCK_MONOTONIC)
        let left = end - (now.seconds * 1000 + now.nanoseconds / 1_000_000)
        return Int32(clamping: max(left, 0))
    }
}

extension Int64 {
    fileprivate func multipliedClamping(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? Int64.max : product
    }
}

/// `poll(2)` for input on two descriptors, of which either may be -1.
package func pollEither(
    _ first: Int32, _ second: Int32, milliseconds: Int32
) throws(SysError) -> (first: Bool, second: Bool) {
    var both = [
        pollfd(fd: first, events: Int16(POLLIN), revents: 0),
        pollfd(fd: second, events: Int16(POLLIN), revents: 0),
    ]
    try checkRetrying({ unsafe csys_poll(&both, 2, milliseconds) }, "poll(\(first), \(second))")
    return (both[0].revents != 0, both[1].revents != 0)
}

/// `seccomp(SECCOMP_SET_MODE_FILTER)` with `struct sock_filter`s as bytes: the notify descriptor with
/// `SECCOMP_FILTER_FLAG_NEW_LISTENER`, else 0.
package func setSeccompFilter(_ filter: [UInt8], flags: UInt32) throws(SysError) -> Int32 {
    let setModeFilter: UInt32 = 1
    var copy = filter
    let result = unsafe copy.withUnsafeMutableBytes { bytes in
        var program = unsafe csys_fprog(
            count: UInt16(clamping: bytes.count / 8), filter: bytes.baseAddress)
        return unsafe csys_seccomp(setModeFilter, flags, &program)
    }
    return Int32(
        truncatingIfNeeded: try check(
            result,
            "seccomp(SECCOMP_SET_MODE_FILTER, \(hex(UInt64(flags))), \(filter.count / 8) instructions)"
        ))
}
