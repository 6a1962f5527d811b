import Spec

/// Where a container's cgroup goes in every hierarchy: `linux.cgroupsPath`, understood as the
/// cgroupfs drivers of the peers do (config-linux.md, "Cgroups Path").
package struct CgroupPath: Sendable, Equatable {
    /// Cleaned, with a leading slash and none at the end.
    package let path: String
    /// Below the hierarchy's mount point; else below the runtime's own cgroup.
    package let isAbsolute: Bool
    /// From the config, not made up from the id.
    package let isConfigured: Bool
    /// The systemd unit whose cgroup it is; nil with the cgroupfs driver.
    package let unit: String?
    /// v2: the cgroup below the scope that the container has, with a leading slash; empty for the scope's.
    package var subgroup = ""

    /// The runtime's own cgroup, where a container without one stays.
    package static let own = CgroupPath()

    private init() {
        path = ""
        isAbsolute = false
        isConfigured = false
        unit = nil
    }

    /// The cgroup of a scope.
    /// - Parameter systemd: the cgroup of the systemd that makes it; empty where that is the root.
    package init(_ scope: ScopeName, below systemd: String, isConfigured: Bool) {
        path = systemd + scope.path
        isAbsolute = true
        self.isConfigured = isConfigured
        unit = scope.unit
    }

    /// What the caller's choice of a driver makes of `cgroupsPath`.
    package init(
        _ cgroupsPath: String?, id: String, manager: CgroupManager, systemd: SystemdInstance,
        subgroup: String = ""
    ) throws(PlanError) {
        guard manager == .systemd else {
            try self.init(cgroupsPath, id: id)
            return
        }
        let scope = try ScopeName(cgroupsPath, id: id, isUser: systemd.isUser)
        self.init(scope, below: systemd.controlGroup, isConfigured: cgroupsPath != nil)
        self.subgroup = subgroup
    }

    /// - Parameters:
    ///   - cgroupsPath: as in the config; where it is absent the container's cgroup is named by its
    ///     id, below the runtime's own.
    ///   - id: the container's id, already checked.
    package init(_ cgroupsPath: String?, id: String) throws(PlanError) {
        let place = "/linux/cgroupsPath"
        let text = cgroupsPath ?? id
        isConfigured = cgroupsPath != nil
        unit = nil
        isAbsolute = text.utf8.first == slash
        if !isAbsolute, Self.isSystemdStyle(text) {
            throw PlanError(
                place,
                "\"\(text)\" is a systemd path (slice:prefix:name), which the cgroupfs "
                    + "driver does not understand",
                hint: "give --systemd-cgroup, or let the engine use cgroupfs")
        }
        let components = text.utf8.split(separator: slash).filter { !$0.elementsEqual(".".utf8) }
        if components.contains(where: { $0.elementsEqual("..".utf8) }) {
            throw PlanError(place, "\"\(text)\" has a \"..\" in it")
        }
        if components.isEmpty {
            throw PlanError(
                place,
                isAbsolute
                    ? "\"\(text)\" is the root cgroup, which belongs to the host"
                    : "\"\(text)\" is the runtime's own cgroup")
        }
        path = components.reduce(into: "") { $0 += "/\(Substring($1))" }
    }

    /// The container's directory below a hierarchy's mount point.
    ///
    /// On cgroup v2 a relative path lies beside the runtime's cgroup, not in it: a cgroup with
    /// processes cannot have children with controllers (the "no internal processes" rule).
    package func path(in hierarchy: CgroupLayout.Hierarchy) -> String {
        if isAbsolute { return hierarchy.controllers.isEmpty ? path + subgroup : path }
        if path.isEmpty { return hierarchy.own.utf8.elementsEqual("/".utf8) ? "" : hierarchy.own }
        var parent = hierarchy.own.utf8[...]
        if hierarchy.controllers.isEmpty, let last = parent.lastIndex(of: slash) {
            parent = parent[..<last]
        }
        if parent.last == slash { parent = parent.dropLast() }
        return String(Substring(parent)) + path
    }

    /// Whether `path` lies below `parent`, compared by component: `/a/bc` is not below `/a/b`.
    package static func isBelow(_ path: String, _ parent: String, orSame: Bool) -> Bool {
        let prefix = parent.utf8.elementsEqual("/".utf8) ? "".utf8[...] : parent.utf8[...]
        guard path.utf8.starts(with: prefix) else { return false }
        let rest = path.utf8.dropFirst(prefix.count)
        if rest.isEmpty || rest.elementsEqual("/".utf8) { return orSame }
        return rest.first == slash
    }

    /// `slice:prefix:name`, where the slice may be left out.
    static func isSystemdStyle(_ text: String) -> Bool {
        let parts = text.utf8.split(
            separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        return parts.count == 3 && (parts[0].isEmpty || Substring(parts[0]).hasSuffix(".slice"))
    }
}

private let slash = UInt8(ascii: "/")
