import Arguments
import Glibc
import Sys

/// The descriptors from 3 on that the caller passes on to the container's program.
struct InheritedDescriptors: Equatable {
    /// Those of socket activation, which come first (sd_listen_fds(3)).
    let listening: Int32
    /// Those of `--preserve-fds`, which follow.
    let preserved: Int32

    /// Looks whether all of them are open.
    ///
    /// This must precede the opening of anything else: a descriptor of our own in place of a missing
    /// one would be passed into the container (CVE-2024-21626).
    init(preserving count: Int32) throws(UsageError) {
        preserved = count
        var text = environmentVariable("LISTEN_FDS") ?? ""
        // Those that another process was meant to get are not ours (sd_listen_fds(3)).
        if let pid = environmentVariable("LISTEN_PID"), pid != String(getpid()) { text = "" }
        guard let number = text.isEmpty ? 0 : decimal(text.utf8), number <= 65536 else {
            throw UsageError("LISTEN_FDS=\(text) in the environment is not a number of descriptors")
        }
        listening = Int32(number)
        let (end, overflow) = (3 + listening).addingReportingOverflow(count)
        guard !overflow else {
            throw UsageError("--preserve-fds \(count): there are not that many descriptors")
        }
        for descriptor in 3..<end where descriptor == executableMount() || !isOpen(descriptor) {
            let cause =
                descriptor < 3 + listening ? "LISTEN_FDS=\(listening)" : "--preserve-fds \(count)"
            throw UsageError("\(cause): descriptor \(descriptor) is not open")
        }
    }
}

/// Puts `/dev/null` in the place of a missing standard input, output or error, so that no file
/// opened later becomes one of them.
func openMissingStandardDescriptors() {
    for descriptor in 0...2 as ClosedRange<Int32> where !isOpen(descriptor) {
        do throws(SysError) {
            // The lowest free number is taken, which is this one (open(2)).
            _ = try openFile("/dev/null", O_RDWR).release()
        } catch {
            return
        }
    }
}

private func isOpen(_ descriptor: Int32) -> Bool {
    do throws(SysError) {
        _ = try status(at: descriptor, "", AT_EMPTY_PATH)
        return true
    } catch {
        return error.errno != EBADF
    }
}
