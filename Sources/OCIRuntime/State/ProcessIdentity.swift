import Glibc
import Sys

/// A process that is named by its pid and the moment it started, so that a recycled pid is never
/// taken for it.
struct ProcessIdentity: Equatable, Sendable {
    let pid: Int32
    /// Clock ticks since boot: field 22 of `/proc/PID/stat` (`proc_pid_stat(5)`).
    let startTime: UInt64

    init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// The identity of a process that exists now.
    init(of pid: Int32) throws(SysError) {
        let stat = try Self.stat(of: pid)
        self.init(pid: pid, startTime: stat.startTime)
    }

    /// All processes of this host that can be seen, each with its parent.
    static func all() throws(SysError) -> [(identity: ProcessIdentity, parent: Int32)] {
        var processes: [(identity: ProcessIdentity, parent: Int32)] = []
        for name in try openFile("/proc", O_RDONLY | O_DIRECTORY).names() {
            // One that has gone meanwhile is none.
            guard let pid = Int32(name), let stat = try? stat(of: pid) else { continue }
            processes.append((ProcessIdentity(pid: pid, startTime: stat.startTime), stat.parent))
        }
        return processes
    }

    /// Whether the process is there and is no zombie.
    /// - Throws: where that cannot be told, for want of descriptors or memory perhaps.
    var isAlive: Bool {
        get throws(SysError) {
            guard pid > 0 else { return false }
            do throws(SysError) {
                let stat = try Self.stat(of: pid)
                return stat.startTime == startTime && stat.state != UInt8(ascii: "Z")
                    && stat.state != UInt8(ascii: "X")
            } catch  where error.errno == ENOENT || error.errno == ESRCH {
                return false
            }
        }
    }

    /// Whether a signal has stopped the process (not a tracer).
    static func isStopped(_ pid: Int32) -> Bool {
        guard let stat = try? stat(of: pid) else { return false }
        return stat.state == UInt8(ascii: "T")
    }

    /// ESRCH when it has gone, whoever has its pid by now.
    func open() throws(SysError) -> ProcessHandle {
        let handle = try ProcessHandle(pid)
        // Checked after opening: from here on the handle is of this very process.
        guard try isAlive else { throw SysError("pidfd_open(\(pid))", ESRCH) }
        return handle
    }

    /// Sends a signal; a process that has gone needs none.
    func signal(_ number: Int32) throws(SysError) {
        do throws(SysError) {
            let process = try open()
            try process.signal(number)
        } catch  where error.errno == ESRCH {
        }
    }

    /// The CPU that the process last ran on, or waits for.
    static func processor(of pid: Int32) throws(SysError) -> UInt32 {
        UInt32(truncatingIfNeeded: try stat(of: pid).processor)
    }

    private static func stat(
        of pid: Int32
    ) throws(SysError) -> (state: UInt8, parent: Int32, startTime: UInt64, processor: UInt64) {
        let bytes = try readFile("/proc/\(pid)/stat")
        // The command's name is in parentheses and may hold any byte.
        guard let close = bytes.lastIndex(of: UInt8(ascii: ")")) else {
            throw SysError("read(\"/proc/\(pid)/stat\")", EINVAL)
        }
        // The state is the first field after it, the parent the second, the start time the twentieth,
        // the CPU the 37th.
        var field = 0
        var state: UInt8?
        var parent: UInt64 = 0
        var start: UInt64 = 0
        var processor: UInt64 = 0
        for byte in bytes[(close + 1)...] {
            let digit = UInt64(byte &- UInt8(ascii: "0"))
            switch (byte, field) {
            case (UInt8(ascii: " "), _): field += 1
            case (_, 1): state = byte
            case (_, 2): parent = parent &* 10 &+ digit
            case (_, 20): start = start &* 10 &+ digit
            case (_, 37): processor = processor &* 10 &+ digit
            default: break
            }
        }
        guard let state, field >= 37 else {
            throw SysError("read(\"/proc/\(pid)/stat\")", EINVAL)
        }
        return (state, Int32(truncatingIfNeeded: parent), start, processor)
    }
}
