import Init
import Spec

/// Kernel parameters: only those that a namespace of the container's own holds, for all others are
/// the host's (config-linux.md, Sysctl).
extension Planner {
    mutating func setSysctls() throws(PlanError) {
        for entry in config.linux.sysctl.entries {
            let place = "/linux/sysctl/" + escapePointer(entry.key)
            guard let name = SysctlName(entry.key), let type = name.namespace else {
                throw PlanError(place, "is not the parameter of a namespace")
            }
            try checkIsOwn(type, place)
            `init`(place, .setSysctl(path: name.path, value: entry.value))
        }
    }

    /// A namespace that is joined by path may be the host's all the same: Docker does so for
    /// `--net host`.
    private func checkIsOwn(_ type: NamespaceType, _ place: String) throws(PlanError) {
        guard namespaces.has(type) else {
            throw PlanError(place, "is set without a namespace of type \(type.rawValue)")
        }
        if let path = namespaces.path(type), facts.isOwnNamespace(type, path) {
            throw PlanError(
                place, "would be set for the host: the joined \(type.rawValue) namespace is its own"
            )
        }
    }
}
