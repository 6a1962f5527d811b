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

/// Waits for the child behind `pidfd` and reaps it.
package func wait(pidfd: Int32) throws(SysError) -> ExitStatus {
    var exit = csys_exit()
    try checkRetrying(
        { unsafe csys_waitid(3, pidfd, &exit, WEXITED) }, "waitid(P_PIDFD)")
    return exit.code == 1 ? .exited(exit.status) : .signalled(exit.status)
}

/// `poll(2)` on one descriptor: the events that came, 0 on timeout.
/// - Parameter milliseconds: -1 waits without limit.
package func poll(_ fd: Int32, _ events: Int32, milliseconds: Int32) throws(SysError) -> Int32 {
    var one = pollfd(fd: fd, events: Int16(truncatingIfNeeded: events), revents: 0)
    try checkRetrying({ unsafe csys_poll(&one, 1, milliseconds) }, "poll(\(named(fd)))")
    return Int32(one.revents)
}

/// The operations of `prctl(2)` used here, by their number in `linux/prctl.h`.
package enum ProcessControl: Int32, Sendable {
    case setParentDeathSignal = 1
    case setDumpable = 4
    case setKeepCapabilities = 8
    case setChildSubreaper = 36
    case setNoNewPrivileges = 38
    /// `PR_CAP_AMBIENT`, with 4 for `PR_CAP_AMBIENT_CLEAR_ALL`.
    case clearAmbientCapabilities = 47
}

/// This process's pid in its own pid namespace.
package var processID: Int32 { Int32(truncatingIfNeeded: csys_getpid()) }

/// The pid of this process's parent: another one's as soon as that has ended.
package var parentProcessID: Int32 { Int32(truncatingIfNeeded: csys_getppid()) }

/// `setsid(2)`.
package func newSession() throws(SysError) { try check(csys_setsid(), "setsid()") }

/// `prctl(2)`.
package func processControl(_ operation: ProcessControl, _ argument: UInt) throws(SysError) {
    try check(
        csys_prctl(operation.rawValue, argument, 0, 0, 0), "prctl(\(operation), \(argument))")
}

/// What `execve(2)` gives a program: C vectors that are made before the clone.
package struct ProgramVectors: Sendable {
    fileprivate let arguments: CStringArray
    fileprivate let environment: CStringArray

    package init(arguments: [String], environment: Environment) {
        self.arguments = CStringArray(arguments)
        self.environment = CStringArray(environment.entries)
    }

    /// Frees the vectors; only for those that a child has used up.
    package func free() {
        arguments.free()
        environment.free()
    }
}

/// `execve(2)`; returns only to fail.
package func execute(_ path: String, _ vectors: ProgramVectors) -> SysError {
    let result = unsafe csys_execve(
        path, vectors.arguments.pointers, vectors.environment.pointers)
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

/// A variable of this process's environment; nil where it is missing or empty.
package func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}

/// Executes the program open as `fd` in this process, with the arguments and the environment that
/// this process was started with; returns only to fail.
package func executeAgain(_ fd: Int32) -> SysError {
    let result = unsafe csys_execute_fd(fd, CommandLine.unsafeArgv)
    return SysError("execveat(\(named(fd)), AT_EMPTY_PATH)", Int32(truncatingIfNeeded: -result))
}

/// Whether this process's effective ids may write to the file. Where that cannot be told they may.
package func isWritable(_ path: String) -> Bool {
    var result = NewerCall.faccessat2.answer(unsafe csys_faccessat2(AT_FDCWD, path, W_OK))
    if result == -Int(ENOSYS) {
        // faccessat(2) goes by the real ids.
        guard csys_getuid() == csys_geteuid(), csys_getgid() == csys_getegid() else { return true }
        result = unsafe csys_faccessat(AT_FDCWD, path, W_OK)
    }
    return ![EROFS, EACCES, EPERM].contains(Int32(truncatingIfNeeded: -result))
}

/// Whether the file is in memory and sealed against writing (`memfd_create(2)`).
package func isSealed(_ fd: Int32) -> Bool {
    let getSeals: Int32 = 1034
    let sealWrite = 8
    let seals = csys_fcntl(fd, getSeals, 0)
    return seals >= 0 && seals & sealWrite != 0
}

/// A copy of a file in memory, sealed against every change.
package func sealedCopy(of path: String) throws(SysError) -> Fd {
    let cloexecAndSealing: UInt32 = 3
    let addSeals: Int32 = 1033
    let allSeals = 0xf
    let source = try openFile(path, O_RDONLY)
    let copy = Fd(
        owning: try check(
            unsafe csys_memfd_create("swrunc", cloexecAndSealing), "memfd_create()"))
    let size = Int(try source.status().size)
    var done = 0
    while done < size {
        let count = try checkRetrying(
            { csys_sendfile(copy.raw, source.raw, size - done) }, "sendfile(\(quoted(path)))")
        if count == 0 { throw SysError("sendfile(\(quoted(path)))", EIO) }
        done += count
    }
    try check(csys_fchmod(copy.raw, 0o755), "fchmod(memfd)")
    // A page that the kernel itself holds for a moment (reclaim, compaction) looks as if somebody could
    // write to it: EBUSY, after waiting 150 ms.
    let deadline = Deadline(seconds: 10)
    while true {
        let result = csys_fcntl(copy.raw, addSeals, allSeals)
        if result == -Int(EBUSY), deadline.milliseconds > 0 { continue }
        try check(result, "fcntl(memfd, F_ADD_SEALS)")
        return copy
    }
}

/// `setsid(2)`.
package func startSession() throws(SysError) {
    try check(csys_setsid(), "setsid()")
}

/// The host's `/proc`, which must be procfs.
package func openProcfs() throws(SysError) -> Fd {
    let fd = try openFile("/proc", O_PATH | O_DIRECTORY)
    let procfs: UInt32 = 0x9fa0
    guard try fd.fileSystemType() == procfs else {
        throw .refused("/proc is not procfs", hint: "the runtime needs the host's /proc")
    }
    return fd
}

/// A child that has ended and waits to be reaped; nil when there is none. It stays one.
package func endedChild() throws(SysError) -> Int32? {
    var exit = csys_exit()
    let keep: Int32 = 0x0100_0000
    try checkRetrying(
        { unsafe csys_waitid(0, 0, &exit, WEXITED | WNOHANG | keep) }, "waitid(P_ALL, WNOWAIT)")
    return exit.pid == 0 ? nil : exit.pid
}

/// Reaps a child by its pid.
package func reap(_ pid: Int32) throws(SysError) {
    var exit = csys_exit()
    try checkRetrying({ unsafe csys_waitid(1, pid, &exit, WEXITED | WNOHANG) }, "waitid(\(pid))")
}

/// Throws ECHILD unless it is a child of this process, by both its names.
package func verifyChild(_ process: borrowing ClonedProcess) throws(SysError) {
    var exit = csys_exit()
    let keep: Int32 = 0x0100_0000
    for (type, id) in [(1, process.pid), (3, process.pidfd.raw)] as [(Int32, Int32)] {
        try checkRetrying(
            { unsafe csys_waitid(type, id, &exit, WEXITED | WNOHANG | keep) }, "waitid(\(id))")
    }
}

/// Whether the child behind `pidfd` has ended; it stays to be reaped.
package func hasEnded(_ pidfd: Int32) throws(SysError) -> Bool {
    try poll(pidfd, Int32(POLLIN), milliseconds: 0) != 0
}

/// `poll(2)` for input on several descriptors, of which any may be -1.
package func pollAll(
    _ descriptors: [Int32], milliseconds: Int32
) throws(SysError) -> [Bool] {
    var polled = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    try checkRetrying(
        { unsafe csys_poll(&polled, UInt(polled.count), milliseconds) }, "poll(\(descriptors))")
    return polled.map { $0.revents != 0 }
}
