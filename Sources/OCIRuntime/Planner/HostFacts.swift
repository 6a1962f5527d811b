import Spec
import Sys

/// What a plan depends on besides the config: this process's rights and the host's make. A value
/// like any other, so that a plan can be made for a host that is not there.
package struct HostFacts: Sendable {
    /// The effective user id.
    package var euid: UInt32
    /// The effective group id.
    package var egid: UInt32
    /// The permitted capabilities, as a mask of `1 << number`.
    package var permitted: UInt64
    /// The capability bounding set, as a mask.
    package var bounding: UInt64
    /// The number of the last capability that the kernel knows.
    package var lastCapability: UInt8
    /// Whether the runtime is inside a user namespace other than the first.
    package var inUserNamespace: Bool
    /// Whether `/proc/kcore` exists, which `/dev/core` links to.
    package var hasKernelCore: Bool
    /// The cgroup hierarchies, with the runtime's own cgroup in each if asked to; asked for only where
    /// the container gets a cgroup.
    package var cgroups: @Sendable () -> CgroupLayout
    /// Whether the kernel has AppArmor switched on; asked for only where a profile is given.
    package var appArmor: @Sendable () -> Bool
    /// Whether SELinux is switched on; asked for only where a label is given.
    package var seLinux: @Sendable () -> Bool
    /// Whether `setgroups(2)` is denied in the runtime's user namespace; asked for only inside one.
    package var setgroupsDenied: @Sendable () -> Bool
    /// Whether the namespace file at a path is the runtime's own namespace of that type; asked for
    /// only where a sysctl depends on it.
    package var isOwnNamespace: @Sendable (NamespaceType, String) -> Bool

    /// Where resctrl is mounted; asked for only where the container has a class of service.
    package var resctrl: @Sendable () -> String?

    /// Makes facts; the defaults are those of root on a plain host.
    package init(
        euid: UInt32 = 0, egid: UInt32 = 0, permitted: UInt64 = 0x1ff_ffff_ffff,
        bounding: UInt64 = 0x1ff_ffff_ffff, lastCapability: UInt8 = 40,
        inUserNamespace: Bool = false, hasKernelCore: Bool = true,
        cgroups: @escaping @Sendable () -> CgroupLayout = { .none },
        appArmor: @escaping @Sendable () -> Bool = { false },
        seLinux: @escaping @Sendable () -> Bool = { false },
        setgroupsDenied: @escaping @Sendable () -> Bool = { false },
        isOwnNamespace: @escaping @Sendable (NamespaceType, String) -> Bool = { _, _ in false },
        resctrl: @escaping @Sendable () -> String? = { nil }
    ) {
        self.euid = euid
        self.egid = egid
        self.permitted = permitted
        self.bounding = bounding
        self.lastCapability = lastCapability
        self.inUserNamespace = inUserNamespace
        self.hasKernelCore = hasKernelCore
        self.cgroups = cgroups
        self.appArmor = appArmor
        self.seLinux = seLinux
        self.setgroupsDenied = setgroupsDenied
        self.isOwnNamespace = isOwnNamespace
        self.resctrl = resctrl
    }

    /// Whether this process may, say, mount in its own user namespace.
    func has(_ capability: Capability) -> Bool { permitted & capability.mask != 0 }
}

extension Capability {
    /// `1 << number`, as in the masks of `capabilities(7)`.
    var mask: UInt64 { 1 << UInt64(rawValue) }
}
