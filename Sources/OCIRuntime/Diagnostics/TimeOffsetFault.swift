import Glibc
import Init
import Sys

extension TimeOffsetEntry {
    /// As `timens_offsets` takes it (`time_namespaces(7)`).
    var line: String { "\(clock) \(offset.secs) \(offset.nanosecs)\n" }

    /// The clock's place in the config.
    private var place: String { "/linux/timeOffsets/\(clock)" }

    /// Which of the offsets it is that the kernel refuses, found by trying each by itself.
    /// - Parameter file: `timens_offsets`, open.
    static func explain(
        _ error: SysError, _ entries: [TimeOffsetEntry], _ file: Int32
    ) -> SysError {
        for entry in entries {
            do throws(SysError) {
                try Fd.writeOnce(file, entry.line)
            } catch let own {
                return SysError(
                    own.call, own.errno, hint: own.errno == ERANGE ? entry.range : error.hint,
                    place: entry.place)
            }
        }
        return error
    }

    /// The kernel wants the clock in the namespace to be at least 0, and at most half of what it can
    /// count to (`proc_timens_set_offset`).
    private var range: String {
        let now = Sys.clock(clock == "monotonic" ? CLOCK_MONOTONIC : CLOCK_BOOTTIME).seconds
        let most: Int64 = 4_611_686_018
        return "the host's \(clock) clock is at \(now) s, so that secs must be from \(-now) to "
            + "\(most - now)"
    }
}
