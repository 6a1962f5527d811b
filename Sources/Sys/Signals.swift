import CSys
import Glibc

/// Puts back the default action of every signal, so that nothing that the caller ignored reaches the
/// user's program.
package func resetSignals() {
    for number in 1...64 as ClosedRange<Int32>
    where number != SIGKILL && number != SIGSTOP && number != 32 && number != 33 {
        _ = csys_signal_default(number)
    }
}

package func ignoreSignal(_ number: Int32) { _ = csys_signal_ignore(number) }
package func defaultSignal(_ number: Int32) { _ = csys_signal_default(number) }

/// Lets a signal end this process also as pid 1 of a pid namespace (`pid_namespaces(7)`), until it
/// executes a program.
package func exit(on number: Int32) { _ = csys_signal_exit(number) }

package func blockAllSignals() throws(SysError) {
    try check(csys_block_signals(1), "sigprocmask(SIG_SETMASK, all)")
}

package func unblockAllSignals() throws(SysError) {
    try check(csys_block_signals(0), "sigprocmask(SIG_SETMASK, none)")
}

/// Signals as a readable descriptor (`signalfd(2)`); all must be blocked.
package func openSignals() throws(SysError) -> Fd {
    Fd(owning: try check(csys_signalfd(), "signalfd()"))
}

/// The next pending signal's number, nil when there is none.
package func nextSignal(_ signals: Int32) throws(SysError) -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    let result = unsafe csys_read(signals, &info, size)
    if result == -Int(EAGAIN) { return nil }
    try check(result, "read(signalfd)")
    return Int32(truncatingIfNeeded: info.ssi_signo)
}
