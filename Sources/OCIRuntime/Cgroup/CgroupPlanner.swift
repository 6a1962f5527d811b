import Init
import Spec
import Sys

/// Turns `linux.resources` into steps. Pure: the host comes in as a ``CgroupLayout``.
package struct CgroupPlanner {
    let layout: CgroupLayout
    /// What a new cgroup has by itself is not written; into one that is in use it is.
    var isUpdate = false
    var steps: [Step] = []
    var warnings: [String] = []

    /// The steps that make a container's cgroup and set its limits, in order, and what is left out on
    /// purpose.
    /// - Parameters:
    ///   - resources: nil sets no limits; devices are restricted all the same.
    ///   - isRootless: the caller has no rights over devices, so there is nothing to restrict.
    /// - Throws: a property that this host or the spec does not allow, with its place.
    package static func plan(
        for resources: Resources?, path: CgroupPath, layout: CgroupLayout,
        manager: CgroupManager = .cgroupfs, isRootless: Bool = false
    ) throws(PlanError) -> (steps: [Step], warnings: [String]) {
        var planner = CgroupPlanner(layout: layout)
        switch manager {
        case .disabled:
            // crun ignores the limits in silence. Engines that disable cgroups still write device
            // rules, so an error would make the option useless; a warning says what is lost.
            if let resources, resources != Resources() {
                planner.warnings.append(
                    "/linux/resources: cgroups are disabled, the limits are not applied")
            }
        case .cgroupfs, .systemd:
            try planner.plan(resources ?? Resources(), path, isRootless: isRootless)
        }
        return (planner.steps, planner.warnings)
    }

    private mutating func plan(
        _ resources: Resources, _ path: CgroupPath, isRootless: Bool
    ) throws(PlanError) {
        guard layout.unified != nil || !layout.hierarchies.isEmpty else {
            throw PlanError(
                "/linux/resources", "no cgroup hierarchy is mounted on this host",
                hint: "mount cgroup2 on /sys/fs/cgroup, or use --cgroup-manager disabled")
        }
        steps.append(
            Step(
                .host, path.isConfigured ? "/linux/cgroupsPath" : "",
                path.unit.map { .startScope(unit: $0, path: path.path) }
                    ?? .createCgroup(path: path.path)))
        if !isRootless { try restrictDevices(resources.devices) }
        try set(resources)
    }

    /// The steps that change limits of a container that is there.
    /// - Parameter update: what is to change, with what has to be written along with it; without
    ///   device rules they stay.
    package static func plan(
        updating update: Resources, layout: CgroupLayout
    ) throws(PlanError) -> (steps: [Step], warnings: [String]) {
        var planner = CgroupPlanner(layout: layout, isUpdate: true)
        try planner.set(update)
        // Last, so that nothing can fail after them.
        if !update.devices.isEmpty { try planner.restrictDevices(update.devices) }
        return (planner.steps, planner.warnings)
    }

    private mutating func set(_ resources: Resources) throws(PlanError) {
        if layout.isUnified {
            try setUnified(resources)
        } else {
            try setV1(resources)
        }
    }

    private mutating func restrictDevices(
        _ rules: [Resources.DeviceRule]
    ) throws(PlanError) {
        let place = "/linux/resources/devices"
        try DeviceRules.check(rules, place: place)
        if layout.isUnified {
            steps.append(Step(.host, place, .restrictDevices(DeviceRules.effective(rules))))
            return
        }
        if layout.hierarchy(of: "devices") == nil { throw missing("devices", place) }
        let list = try DeviceList(rules, place: place)
        steps.append(Step(.host, place, .restrictDevices(list.rules)))
    }

    /// How the container sees its cgroups at `/sys/fs/cgroup`.
    /// - Parameters:
    ///   - ownNamespace: whether the container has a cgroup namespace of its own.
    ///   - readOnly: whether the mount has the option `ro`.
    ///   - isRootless: whether the host may refuse to make the cgroup: then the container stays in
    ///     the runtime's own, where the config does not name one.
    package static func mountPlan(
        layout: CgroupLayout, path: CgroupPath, ownNamespace: Bool, readOnly: Bool,
        isRootless: Bool = false
    ) -> CgroupMountPlan {
        func fallback(_ hierarchy: CgroupLayout.Hierarchy) -> String? {
            guard isRootless && !path.isConfigured else { return nil }
            return hierarchy.mountPoint + CgroupPath.own.path(in: hierarchy)
        }
        if layout.isUnified, let unified = layout.unified {
            if ownNamespace {
                return .unified(FileSystemPlan(type: "cgroup2", source: "cgroup"))
            }
            return .unifiedBind(
                source: unified.mountPoint + path.path(in: unified), fallback: fallback(unified))
        }
        let hierarchies = layout.hierarchies.map { hierarchy in
            let name = splitPath(hierarchy.mountPoint).name
            let controllers = hierarchy.controllers
            let isNamed = controllers.utf8.starts(with: "name=".utf8)
            let names = controllerNames(controllers)
            return CgroupMountPlan.Hierarchy(
                name: name,
                options: ownNamespace ? (isNamed ? ["none"] : []) + names : nil,
                source: hierarchy.mountPoint + path.path(in: hierarchy),
                fallback: fallback(hierarchy),
                aliases: isNamed
                    ? [] : names.filter { !$0.utf8.elementsEqual(name.utf8) }
            )
        }
        return .hierarchies(hierarchies, readOnly: readOnly)
    }

    /// Most hierarchies have one controller: nothing to split there.
    private static func controllerNames(_ controllers: String) -> [String] {
        let comma = UInt8(ascii: ",")
        if !controllers.utf8.contains(comma) { return [controllers] }
        return controllers.utf8.split(separator: comma).map { String(Substring($0)) }
    }
}

// MARK: - Emitting

extension CgroupPlanner {
    mutating func warn(_ place: String, _ message: String) {
        warnings.append("\(place): \(message)")
    }

    /// One write into a control file. On v1 the controller names the hierarchy, on v2 it only has to
    /// be there.
    mutating func set(
        _ controller: String, _ file: String, _ value: String, _ place: String
    ) throws(PlanError) {
        if layout.isUnified {
            guard
                layout.unifiedControllers.contains(where: { $0.utf8.elementsEqual(controller.utf8) }
                )
            else { throw missing(controller, place) }
        } else if layout.hierarchy(of: controller) == nil {
            throw missing(controller, place)
        }
        let name = layout.isUnified ? "" : controller
        steps.append(
            Step(.host, place, .setCgroup(controller: name, file: file, value: value)))
    }

    func missing(_ controller: String, _ place: String) -> PlanError {
        if layout.isUnified {
            return PlanError(
                place,
                "the host has no \(controller) controller in its cgroup v2 hierarchy",
                hint:
                    "see \(layout.unified?.mountPoint ?? "")/cgroup.controllers: the controller is "
                    + "bound to cgroup v1, disabled on the kernel's command line, or not built in")
        }
        return PlanError(
            place, "the host has no \(controller) controller mounted as cgroup v1",
            hint: "mount it (mount -t cgroup -o \(controller) \(controller) "
                + "/sys/fs/cgroup/\(controller)), unless /proc/cgroups shows it disabled")
    }

    /// A limit in bytes: nil where it is absent or 0, which engines write for "not set".
    func bytes(_ value: Int64?, _ place: String) throws(PlanError) -> Int64? {
        guard let value, value != 0 else { return nil }
        if value < -1 {
            throw PlanError(
                place, "\(value) is neither a number of bytes nor -1 for unlimited")
        }
        return value
    }

    /// Checks what v1 and v2 have in common about memory and swap: swap counts both together.
    func checkSwap(_ memory: Resources.Memory) throws(PlanError) {
        let place = "/linux/resources/memory/swap"
        guard let swap = try bytes(memory.swap, place), swap > 0 else { return }
        guard let limit = memory.limit, limit != 0 else {
            throw PlanError(
                place, "a limit of memory plus swap needs a limit of memory",
                hint: "set /linux/resources/memory/limit too")
        }
        if limit > swap {
            throw PlanError(
                place,
                "\(swap) is less than the memory limit \(limit); it limits memory plus swap")
        }
    }

    func checkBurst(_ cpu: Resources.CPU) throws(PlanError) {
        if let burst = cpu.burst, let quota = cpu.quota, quota > 0, burst > UInt64(quota) {
            throw PlanError(
                "/linux/resources/cpu/burst",
                "\(burst) is larger than the quota \(quota)")
        }
    }

    /// The name of a file to write to must stay in the container's own directory.
    func checkFileName(_ name: String, _ place: String) throws(PlanError) {
        let isPath = name.utf8.contains(UInt8(ascii: "/")) || name == "." || name == ".."
        if name.isEmpty || isPath {
            throw PlanError(
                place, "\"\(name)\" is not the name of a control file")
        }
    }

    /// `64KB`, `2MB`, `1GB`: goes into a file name.
    func checkPageSize(_ size: String, _ place: String) throws(PlanError) {
        let bytes = Array(size.utf8)
        let digits = bytes.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        let unit = String(decoding: bytes.dropFirst(digits.count), as: UTF8.self)
        if digits.isEmpty || !["B", "KB", "MB", "GB"].contains(unit) {
            throw PlanError(
                "\(place)/pageSize",
                "\"\(size)\" is not a page size such as 64KB, 2MB or 1GB")
        }
    }

    /// `8:16`
    func number(_ major: Int64, _ minor: Int64, _ place: String) throws(PlanError) -> String {
        if major < 0 || minor < 0 {
            throw PlanError(place, "\(major):\(minor) is not a device number")
        }
        return "\(major):\(minor)"
    }
}

/// A member of a JSON pointer: `~` and `/` escaped (RFC 6901, section 3).
func pointerMember(_ name: String) -> String {
    guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
        return name
    }
    var bytes: [UInt8] = []
    for byte in name.utf8 {
        switch byte {
        case UInt8(ascii: "~"): bytes += Array("~0".utf8)
        case UInt8(ascii: "/"): bytes += Array("~1".utf8)
        default: bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
