import CSys
import Glibc

/// Rows and columns of a terminal, in characters.
package struct WindowSize: Equatable, Sendable {
    package var rows: UInt16
    package var columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// Opens the slave side of the pty whose master is `master` without going through a path
/// (`TIOCGPTPEER`, CVE-2025-52565), unlocked first.
package func openPtyPeer(_ master: Int32) throws(SysError) -> Fd {
    try check(csys_unlock_pty(master), "ioctl(\(master), TIOCSPTLCK)")
    return Fd(
        owning: try check(
            csys_pty_peer(master, O_RDWR | O_NOCTTY | O_CLOEXEC), "ioctl(\(master), TIOCGPTPEER)"))
}

package func windowSize(_ terminal: Int32) throws(SysError) -> WindowSize {
    var size = WindowSize(rows: 0, columns: 0)
    try check(
        unsafe csys_get_window_size(terminal, &size.rows, &size.columns),
        "ioctl(\(terminal), TIOCGWINSZ)")
    return size
}

package func setWindowSize(_ terminal: Int32, _ size: WindowSize) throws(SysError) {
    try check(
        csys_set_window_size(terminal, size.rows, size.columns), "ioctl(\(terminal), TIOCSWINSZ)")
}

/// The number of the pty whose master is `master`: `N` of `/dev/pts/N`.
package func ptyNumber(_ master: Int32) throws(SysError) -> Int {
    try check(csys_pty_number(master), "ioctl(\(master), TIOCGPTN)")
}

/// Makes `terminal` the controlling terminal of this session's leader.
package func setControllingTerminal(_ terminal: Int32) throws(SysError) {
    try check(csys_set_controlling_terminal(terminal), "ioctl(\(terminal), TIOCSCTTY)")
}

/// The settings of a terminal, to be put back later.
package struct TerminalMode: Sendable {
    private var settings = termios()

    /// `tcgetattr(3)`; ENOTTY where the descriptor is no terminal.
    package init(of terminal: Int32) throws(SysError) {
        try check(unsafe csys_tcgetattr(terminal, &settings), "tcgetattr(\(terminal))")
    }

    /// The same settings in raw mode (`cfmakeraw(3)`), but for what becomes of the output.
    package var raw: TerminalMode {
        var copy = self
        let output = settings.c_oflag
        unsafe csys_make_raw(&copy.settings)
        copy.settings.c_oflag = output
        return copy
    }

    /// The same settings, with a newline in the output left alone.
    package var withoutCarriageReturns: TerminalMode {
        var copy = self
        copy.settings.c_oflag &= ~tcflag_t(ONLCR)
        return copy
    }

    package func apply(to terminal: Int32) throws(SysError) {
        var copy = settings
        try check(unsafe csys_tcsetattr(terminal, &copy), "tcsetattr(\(terminal))")
    }
}

package func isTerminal(_ fd: Int32) -> Bool {
    var settings = termios()
    return unsafe csys_tcgetattr(fd, &settings) == 0
}
