import Glibc
import Sys

/// What CRIU wrote down of one request, for the error when it fails.
struct CRIULog {
    /// The directory that CRIU works in, for as long as it does.
    let directory: Int32
    let path: String
    let name: String
    /// What CRIU printed before it had a log: a file in memory; -1 where nobody keeps it.
    let output: Int32

    /// The error of a request that failed.
    func error(_ call: String, _ response: CRIUResponse) -> SysError {
        let lines = lastErrors
        if lines.isEmpty, response.errno != 0 {
            return SysError("CRIU could not \(call)", response.errno, hint: hint)
        }
        let reason = lines.isEmpty ? response.reason ?? "no reason" : lines.joined(separator: " | ")
        return .refused("CRIU could not \(call): \(reason)", hint: hint)
    }

    /// The same where another error stopped it, which says less.
    func explain(_ error: SysError) -> SysError {
        let lines = lastErrors
        if lines.isEmpty { return error }
        return .refused("\(error): \(lines.joined(separator: " | "))", hint: error.hint ?? hint)
    }

    private var hint: String { "the whole log is \(path)/\(name)" }

    /// The last lines that tell of errors; where there are none, the last lines.
    private var lastErrors: [String] {
        var bytes: [UInt8] = []
        if let file = try? openFile(at: directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) {
            bytes = (try? Fd.tail(of: file.raw, limit: 1 << 18)) ?? []
        }
        if bytes.isEmpty { bytes = (try? Fd.tail(of: output, limit: 1 << 12)) ?? [] }
        return Self.lastErrors(in: bytes)
    }

    static func lastErrors(in log: [UInt8]) -> [String] {
        // Where several processes write at once, holes are left.
        let lines = log.split { $0 == UInt8(ascii: "\n") || $0 == 0 }
        let errors = lines.compactMap { error(in: $0) }
        let last = errors.isEmpty ? lines.suffix(3) : errors.suffix(5)
        return last.map { String(decoding: $0, as: UTF8.self) }
    }

    /// `(00.012345)   42: Error (criu/…)` without the time and the pid.
    private static func error(in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        line.indices.first { line[$0...].starts(with: "Error (".utf8) }.map { line[$0...] }
    }
}
