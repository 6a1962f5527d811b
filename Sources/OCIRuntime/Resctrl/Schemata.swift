import Init
import Sys

/// One line of a `schemata` file, such as `L3:0=7f0;1=1f`: a resource, and a value for each domain.
struct Schemata: Equatable {
    let resource: String
    let values: [UInt64: UInt64]

    /// nil for what is no such line.
    init?(_ line: some StringProtocol) {
        let bytes = line.utf8.drop { $0 == UInt8(ascii: " ") }
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let name = String(decoding: bytes[..<colon], as: UTF8.self)
        // Bandwidth is in percent or in MB/s, caches in bits.
        let radix = Self.isBandwidth(name) ? 10 : 16
        var values: [UInt64: UInt64] = [:]
        for entry in bytes[bytes.index(after: colon)...].split(separator: UInt8(ascii: ";")) {
            let parts = entry.split(separator: UInt8(ascii: "="), omittingEmptySubsequences: false)
            guard parts.count == 2, let domain = Self.number(parts[0], 10),
                let value = Self.number(parts[1], radix)
            else { return nil }
            values[domain] = value
        }
        resource = name
        self.values = values
    }

    private static func isBandwidth(_ resource: String) -> Bool {
        resource == "MB" || resource == "SMBA"
    }

    private static func number(_ digits: some Sequence<UInt8>, _ radix: Int) -> UInt64? {
        let text = String(decoding: digits.filter { $0 != UInt8(ascii: " ") }, as: UTF8.self)
        return UInt64(text, radix: radix)
    }

    /// Sees that a class which is there has the settings of these lines already: others may be using it.
    static func check(_ lines: [String], of group: ResctrlGroup) throws(SysError) {
        if lines.isEmpty { return }
        let there = try group.schemata().split(separator: "\n")
        for line in lines {
            guard let wanted = Schemata(line) else {
                throw .refused(
                    "\(quoted(line)) is no line of schemata", hint: "such as \"L3:0=ff;1=ff\"")
            }
            let step = wanted.granularity(group.mountPoint)
            guard let found = there.first(where: { Schemata($0)?.resource == wanted.resource }),
                let values = Schemata(found)?.values,
                wanted.values.allSatisfy({ values[$0.key] == rounded($0.value, step) })
            else {
                let has = there.map { $0.drop { $0 == " " } }.joined(separator: ", ")
                throw .refused(
                    "the class of service \(group.path) is there with other settings than "
                        + "\(quoted(line))", hint: "it has \(has)")
            }
        }
    }

    /// The steps that the hardware takes bandwidth in.
    private func granularity(_ mountPoint: String) -> UInt64 {
        guard Self.isBandwidth(resource),
            let bytes = try? readFile("\(mountPoint)/info/\(resource)/bandwidth_gran", limit: 64)
        else { return 1 }
        return Self.number(bytes.prefix { $0 != UInt8(ascii: "\n") }, 10) ?? 1
    }

    /// As the kernel does.
    private static func rounded(_ value: UInt64, _ step: UInt64) -> UInt64 {
        guard step > 1, value < .max - step else { return value }
        return (value + step - 1) / step * step
    }
}
