import Glibc
import Init
import Spec
import Sys

extension Statistics {
    /// What resctrl counts for a container's class of service, or for its monitoring group.
    struct ResourceDirector: Sendable {
        /// Numbers of `info`, with runc's names; the mask stays as it is, in hexadecimal.
        var cacheMask = ""
        var cacheInfo: [(name: String, value: UInt64)] = []
        var bandwidthInfo: [(name: String, value: UInt64)] = []
        /// The lines of the default class, and of the container's.
        var root: [String] = []
        var own: [String] = []
        /// One entry for each domain.
        var bandwidth: [(total: UInt64, local: UInt64)] = []
        var occupancy: [UInt64] = []
    }
}

extension Statistics.ResourceDirector {
    init(of group: ResctrlGroup) {
        let root = ControlFiles(directory: group.mountPoint)
        cacheMask = root.lines("info/L3/cbm_mask").first.map { String($0) } ?? ""
        cacheInfo = Self.numbers(["min_cbm_bits", "num_closids"], of: "info/L3", in: root)
        bandwidthInfo = Self.numbers(
            ["bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids"], of: "info/MB",
            in: root)
        self.root = Self.schemata(root)
        own = Self.schemata(ControlFiles(directory: group.path))
        let counted = group.monitoringPath ?? group.path
        guard let names = try? openFile("\(counted)/mon_data", O_RDONLY | O_DIRECTORY).names()
        else {
            return
        }
        for name in names.sorted() where name.hasPrefix("mon_L3_") {
            let files = ControlFiles(directory: "\(counted)/mon_data/\(name)")
            if let total = files.number("mbm_total_bytes") {
                bandwidth.append((total, files.number("mbm_local_bytes") ?? 0))
            }
            if let bytes = files.number("llc_occupancy") { occupancy.append(bytes) }
        }
    }

    private static func numbers(
        _ names: [String], of directory: String, in files: ControlFiles
    ) -> [(name: String, value: UInt64)] {
        names.compactMap { name in files.number("\(directory)/\(name)").map { (name, $0) } }
    }

    private static func schemata(_ files: ControlFiles) -> [String] {
        files.lines("schemata").map { String($0.drop { $0 == " " }) }
    }

    func write(to writer: inout JSONWriter) {
        if !cacheInfo.isEmpty {
            writer.member("l3_cache_info") {
                $0.member("cbm_mask", cacheMask)
                for (name, value) in cacheInfo { $0.member(name, value) }
            }
        }
        if !bandwidthInfo.isEmpty {
            writer.member("mem_bw_info") {
                for (name, value) in bandwidthInfo { $0.member(name, value) }
            }
        }
        for (name, prefix) in [("l3_cache_schema", "L3"), ("mem_bw_schema", "MB:")] {
            for (suffix, lines) in [("_root", root), ("", own)] {
                guard let line = lines.first(where: { $0.hasPrefix(prefix) }) else { continue }
                writer.member(name + suffix, line)
            }
        }
        if !own.isEmpty { writer.member("schemata", own) }
        if !bandwidth.isEmpty {
            writer.member("mbm_stats", array: bandwidth) { writer, counts in
                writer.object {
                    $0.member("mbm_total_bytes", counts.total)
                    $0.member("mbm_local_bytes", counts.local)
                }
            }
        }
        if !occupancy.isEmpty {
            writer.member("cmt_stats", array: occupancy) { writer, bytes in
                writer.object { $0.member("llc_occupancy", bytes) }
            }
        }
    }
}
