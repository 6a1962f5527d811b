import Spec
import Sys

/// The control files of one directory, to be read. What is not there reads as nothing: kernels and
/// controllers differ in what they count.
struct ControlFiles {
    /// nil where the container has no cgroup of the controller.
    let directory: String?

    func text(_ name: String) -> String? {
        guard let directory, let bytes = try? readFile("\(directory)/\(name)") else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    func lines(_ name: String) -> [Substring] { text(name)?.split(separator: "\n") ?? [] }

    /// A file with one number; `max` is the largest.
    func number(_ name: String) -> UInt64? {
        guard let line = lines(name).first else { return nil }
        return line == "max" ? .max : UInt64(line)
    }

    func numbers(_ name: String) -> [UInt64] {
        (lines(name).first?.split(separator: " ") ?? []).compactMap { UInt64($0) }
    }

    /// Lines of a key and a number.
    func table(_ name: String) -> [(key: String, value: UInt64)] {
        lines(name).compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, let value = UInt64(words[1]) else { return nil }
            return (String(words[0]), value)
        }
    }

    /// The number of a key in a table.
    func number(_ key: String, in name: String) -> UInt64? {
        table(name).first { $0.key == key }?.value
    }

    /// `0-2,7` as numbers.
    func list(_ name: String) -> [UInt16] {
        guard let line = lines(name).first else { return [] }
        return (parseNumberList(String(line)) ?? []).compactMap { UInt16(exactly: $0) }
    }

    /// The lines `some avg10=0.00 avg60=0.00 avg300=0.00 total=0` and `full …`; nil where the kernel
    /// does not keep them.
    func pressure(_ name: String) -> Statistics.Pressure? {
        var result = Statistics.Pressure()
        var found = false
        for line in lines(name) {
            let words = line.split(separator: " ")
            var parsed = Statistics.Pressure.Line()
            for word in words.dropFirst() {
                let parts = word.split(separator: "=")
                guard parts.count == 2, let value = Double(parts[1]), value.isFinite else {
                    continue
                }
                if parts[0] == "total" {
                    parsed.total = UInt64(parts[1]) ?? 0
                } else {
                    parsed.averages.append((String(parts[0]), String(parts[1])))
                }
            }
            found = true
            if words.first == "some" { result.some = parsed } else { result.full = parsed }
        }
        return found ? result : nil
    }
}

extension Cgroup {
    /// The control files of a controller.
    func files(of controller: String) -> ControlFiles {
        ControlFiles(
            directory: isUnified ? members.first?.full : directory(of: controller)?.full)
    }
}
