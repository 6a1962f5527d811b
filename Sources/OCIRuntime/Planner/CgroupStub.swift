import Init
import Spec
import Sys

/// Until the cgroups are there.
package struct CgroupLayout: Sendable, Equatable {
    package static let none = CgroupLayout()
    package static func gather(needsOwn: Bool) throws(SysError) -> CgroupLayout { none }
    package var isUnified: Bool { false }
}

package enum CgroupManager: String, Sendable {
    case cgroupfs, systemd, disabled
}

package struct CgroupPath: Sendable, Equatable {
    package let path: String
    package let isAbsolute: Bool
    package init(_ cgroupsPath: String?, id: String) throws(ConfigError) {
        path = cgroupsPath ?? id
        isAbsolute = true
    }
}

package struct CgroupPlanner {
    package static func plan(
        for resources: Resources?, path: CgroupPath, layout: CgroupLayout,
        manager: CgroupManager = .cgroupfs, isRootless: Bool = false
    ) throws(ConfigError) -> (steps: [Step], warnings: [String]) {
        ([Step(.host, "/linux/cgroupsPath", .createCgroup(path: path.path))], [])
    }

    package static func mountPlan(
        layout: CgroupLayout, path: CgroupPath, ownNamespace: Bool, readOnly: Bool
    ) -> CgroupMountPlan {
        .hierarchies([], readOnly: readOnly)
    }
}
