import Glibc
import Spec
import Sys

/// Copies between the caller's terminal and a pty's master, with the caller's terminal in raw mode
/// until the end.
final class TerminalRelay {
    private let master: Int32
    private let saved: TerminalMode?
    private var inputIsOpen = true
    private(set) var outputIsOpen = true
    /// What could not be written to the master yet.
    private var pending: [UInt8] = []

    init(_ master: Int32) throws(SysError) {
        self.master = master
        try setNonBlocking(master)
        if isTerminal(0) {
            let mode = try TerminalMode(of: 0)
            saved = mode
            try mode.raw.apply(to: 0)
            try copyWindowSize()
        } else {
            saved = nil
        }
    }

    deinit {
        if let saved { try? saved.apply(to: 0) }
        closeDescriptor(master)
    }

    /// The caller's window size becomes the pty's (SIGWINCH).
    func copyWindowSize() throws(SysError) {
        if isTerminal(0) { try setWindowSize(master, try windowSize(0)) }
    }

    /// What to poll: the caller's input while nothing is pending, the master's output.
    var input: Int32 { inputIsOpen && pending.isEmpty ? 0 : -1 }
    var output: Int32 { outputIsOpen ? master : -1 }
    var isBlocked: Bool { !pending.isEmpty }

    func copyInput() throws(SysError) {
        var bytes: [UInt8] = []
        do throws(SysError) {
            bytes = try Fd.readSome(0, limit: 4096)
        } catch  where error.errno == EAGAIN {
            return
        } catch {
            // What cannot be read, be it of a terminal that hung up, or as nohup(1) opens it, has ended.
        }
        if bytes.isEmpty {
            inputIsOpen = false
            // As a terminal driver has it: ^D ends the program's input.
            if !isTerminal(0) { pending = [4] }
        } else {
            pending = bytes
        }
        try flush()
    }

    /// Writes what is pending as far as the program has read.
    func flush() throws(SysError) {
        while !pending.isEmpty {
            guard let count = try Fd.writeSome(master, pending) else { return }
            pending.removeFirst(count)
        }
    }

    func copyOutput() throws(SysError) {
        do throws(SysError) {
            let bytes = try Fd.readSome(master, limit: 8192)
            if bytes.isEmpty { outputIsOpen = false }
            try Fd.writeAll(1, bytes)
        } catch  where error.errno == EIO {
            // Every process has closed the slave.
            outputIsOpen = false
        } catch  where error.errno == EAGAIN {
            return
        }
    }

    /// The rest of what an ended program has written, which the pty's buffer bounds: other processes
    /// may have kept it open and write on for ever.
    func drain() throws(SysError) {
        var rounds = 0
        while outputIsOpen, rounds < 1024, try poll(master, Int32(POLLIN), milliseconds: 0) != 0 {
            try copyOutput()
            rounds += 1
        }
    }
}

extension Process {
    /// A program that is relayed to the caller's terminal starts with a window of its size.
    mutating func takeWindowSize() {
        guard terminal, let size = try? windowSize(0) else { return }
        consoleSize = Box(height: UInt64(size.rows), width: UInt64(size.columns))
    }
}
