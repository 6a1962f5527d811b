import CSys
import Glibc

/// What stands for one process, whoever gets its pid later: a pidfd; or, where `pidfd_open(2)` is not
/// available, its directory in procfs, in which nothing can be opened once the process has gone.
package struct ProcessHandle: ~Copyable {
    package let pid: Int32
    private let fd: Fd
    /// Only a pidfd can be given to `setns(2)`.
    package let isPidfd: Bool

    /// Of the process that has the pid now.
    package init(_ pid: Int32) throws(SysError) {
        self.pid = pid
        do throws(SysError) {
            fd = try openPidfd(pid)
            isPidfd = true
        } catch  where error.errno == ENOSYS {
            do throws(SysError) {
                fd = try openFile("/proc/\(pid)", O_RDONLY | O_DIRECTORY)
            } catch  where error.errno == ENOENT {
                throw SysError("open(\"/proc/\(pid)\")", ESRCH)
            }
            isPidfd = false
        }
    }

    package var raw: Int32 { fd.raw }

    /// Gives the number away.
    package consuming func release() -> Int32 { fd.release() }

    /// Sends it a signal. Where `pidfd_send_signal(2)` is not available the pid may be another's between
    /// the look at it and `kill(2)`: the process would have to be reaped in that moment, and all other
    /// pids be given away.
    package func signal(_ number: Int32) throws(SysError) {
        do throws(SysError) {
            try signalPidfd(fd.raw, number)
        } catch  where error.errno == ENOSYS {
            if try waitForEnd(of: fd.raw, milliseconds: 0).ended {
                throw SysError("kill(\(pid), \(number))", ESRCH)
            }
            try signalProcess(pid, number)
        }
    }
}

/// `pidfd_open(2)`. Of a process that is just being reaped the kernel says that its pid is no process's
/// (EINVAL, in later ones ENOENT): it has gone, which is ESRCH here.
package func openPidfd(_ pid: Int32) throws(SysError) -> Fd {
    let call = "pidfd_open(\(pid))"
    do throws(SysError) {
        return Fd(owning: try NewerCall.pidfdOpen.check(csys_pidfd_open(pid), call))
    } catch  where pid > 0 && (error.errno == EINVAL || error.errno == ENOENT) {
        throw SysError(call, ESRCH)
    }
}

/// `pidfd_send_signal(2)`, which also takes a directory of procfs.
private func signalPidfd(_ fd: Int32, _ number: Int32) throws(SysError) {
    try NewerCall.pidfdSendSignal.check(
        csys_pidfd_send_signal(fd, number), "pidfd_send_signal(\(number))")
}

/// Sends a signal to a child of this process that has not been reaped, so that its pid is nobody else's.
package func signal(_ pidfd: Int32, ofChild pid: Int32, _ number: Int32) throws(SysError) {
    do throws(SysError) {
        try signalPidfd(pidfd, number)
    } catch  where error.errno == ENOSYS {
        try signalProcess(pid, number)
    }
}

extension ClonedProcess {
    package borrowing func signal(_ number: Int32) throws(SysError) {
        try Sys.signal(pidfd.raw, ofChild: pid, number)
    }
}

/// Waits until a process has ended, or there is something to be read.
/// - Parameters:
///   - process: a pidfd, or the number of a ``ProcessHandle``.
///   - descriptor: may be -1.
///   - milliseconds: -1 waits without limit.
package func waitForEnd(
    of process: Int32, orInputOn descriptor: Int32 = -1, milliseconds: Int32
) throws(SysError) -> (ended: Bool, input: Bool) {
    var both = [
        pollfd(fd: process, events: Int16(POLLIN | POLLOUT), revents: 0),
        pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
    ]
    try checkRetrying(
        { unsafe csys_poll(&both, 2, milliseconds) }, "poll(\(process), \(descriptor))")
    // Nothing can be written to a pidfd. A directory is ready for everything at any time.
    if both[0].revents & Int16(POLLOUT) == 0 {
        return (both[0].revents != 0, both[1].revents != 0)
    }
    let end = milliseconds < 0 ? nil : Deadline(milliseconds: Int64(milliseconds))
    while true {
        let left = end?.milliseconds ?? Int32.max
        if try hasEnded(directory: process) { return (true, both[1].revents != 0) }
        if left == 0 || both[1].revents != 0 { return (false, both[1].revents != 0) }
        // Nobody tells of the end: how long it may go unnoticed.
        let pause: Int32 = 20
        try checkRetrying(
            { unsafe csys_poll(&both[1], 1, min(left, pause)) }, "poll(\(descriptor))")
    }
}

/// Whether the process whose directory in procfs is open has ended, be it not reaped yet.
private func hasEnded(directory: Int32) throws(SysError) -> Bool {
    do throws(SysError) {
        let stat = try openFile(at: directory, "stat", O_RDONLY).readAll()
        // proc_pid_stat(5): the command's name is in parentheses and may hold any byte.
        let state = stat.lastIndex(of: UInt8(ascii: ")")).map {
            stat[($0 + 1)...].dropFirst().first
        }
        return state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    } catch  where error.errno == ENOENT || error.errno == ESRCH {
        return true
    }
}

/// Opens the namespaces of the process whose directory in procfs is open.
/// - Returns: descriptors that the caller owns.
package func openNamespaces(
    _ kinds: [NamespaceKind], ofDirectory directory: Int32
) throws(SysError) -> [(kind: NamespaceKind, fd: Int32)] {
    var opened: [(kind: NamespaceKind, fd: Int32)] = []
    do throws(SysError) {
        for kind in kinds {
            let file = try openFile(at: directory, "ns/\(kind.file)", O_RDONLY)
            opened.append((kind, file.release()))
        }
    } catch {
        for (_, fd) in opened { closeDescriptor(fd) }
        throw error
    }
    return opened
}
