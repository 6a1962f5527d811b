import Foundation

/// What this host can do; conditions of clauses ask here, and say why they skip.
enum Host {
    /// Whether the test process, so the runtime, has the capability of this number.
    static func hasCapability(_ number: Int) -> Bool {
        for line in readText("/proc/self/status").split(separator: "\n")
        where line.hasPrefix("CapEff:") {
            let mask = UInt64(line.split(separator: "\t").last ?? "0", radix: 16) ?? 0
            return mask & (1 << UInt64(number)) != 0
        }
        return false
    }

    /// Whether systemd is the init.
    static let hasSystemd = exists("/run/systemd/private")

    static var hasKeyrings: Bool { exists("/proc/keys") }

    static func hasFilesystem(_ name: String) -> Bool {
        readText("/proc/filesystems").split(separator: "\n").contains { $0.hasSuffix("\t" + name) }
    }

    static func hasNamespace(_ name: String) -> Bool { exists("/proc/self/ns/" + name) }

    /// The directory of a cgroup v1 controller's hierarchy, nil when there is none.
    static func controller(_ name: String) -> String? {
        Leaks.hierarchies.first {
            $0.split(separator: "/").last?.split(separator: ",").contains(Substring(name)) == true
        }
    }

    static var release: [Int] {
        readText("/proc/sys/kernel/osrelease").split { $0 == "." || $0 == "-" }.prefix(2)
            .compactMap { Int($0) }
    }
}

extension Host {
    static func kernel(_ major: Int, _ minor: Int) -> Bool {
        !release.lexicographicallyPrecedes([major, minor])
    }
}

extension Host {
    static let mountsDetached = kernel(6, 15)

    /// A whole disk of this host, for settings that name one.
    static let blockDevice = disk { _ in true }

    /// One with the scheduler that knows weights.
    static let bfqDevice = disk { readText("/sys/block/\($0)/queue/scheduler").contains("[bfq]") }

    /// The name of an RDMA device.
    static let rdmaDevice: String? =
        (try? FileManager.default.contentsOfDirectory(atPath: "/sys/class/infiniband"))?.first

    private static func disk(_ suits: (String) -> Bool) -> (major: Int, minor: Int)? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/sys/block")) ?? []
        for name in names where suits(name) {
            let text = readText("/sys/block/\(name)/dev").split { $0 == ":" || $0 == "\n" }
            let numbers = text.compactMap { Int($0) }
            // 7 is the loop device, which is there without being backed.
            if numbers.count == 2, numbers[0] != 7, numbers[0] != 253 {
                return (numbers[0], numbers[1])
            }
        }
        return nil
    }
}
