import Init
import Spec

/// Until the cgroups are there.
public struct CgroupLayout: Sendable {
    /// Makes one.
    public init() {}
    static func gather() -> CgroupLayout { CgroupLayout() }
}

enum CgroupPlanner {
    static func steps(for linux: Linux, layout: CgroupLayout, path: String) -> [Step] {
        [Step(.host, "/linux/cgroupsPath", .createCgroup(path: path))]
    }
}

extension CgroupPlanner {
    static func mount(
        layout: CgroupLayout, path: String, namespace: Bool, readOnly: Bool
    ) -> CgroupMountPlan {
        .hierarchies([], readOnly: readOnly)
    }
}
