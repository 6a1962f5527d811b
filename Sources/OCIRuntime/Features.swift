import CSeccomp
import Init
import Spec

extension Runtime {
    /// What this runtime implements (runtime-spec `features.md`).
    /// - Parameter version: of the program that asks.
    public static func features(version: String) -> Features {
        Features(
            ociVersionMin: "1.0.0", ociVersionMax: specVersion,
            hooks: HookKind.allCases.map(\.rawValue), mountOptions: MountOption.all.map(\.name),
            linux: LinuxFeatures(
                namespaces: NamespaceType.allCases.map(\.rawValue).sorted(),
                capabilities: Capability.allCases.map(\.name),
                cgroup: .init(v1: true, v2: true, systemd: false, systemdUser: false, rdma: true),
                seccomp: seccomp, apparmor: true, selinux: true,
                intelRdt: .init(enabled: false, schemata: false, monitoring: false),
                memoryPolicy: .init(
                    modes: MemoryPolicyMode.allCases.map(\.rawValue),
                    flags: MemoryPolicyFlag.allCases.map(\.rawValue)),
                idmappedMounts: true, netDevices: false),
            annotations: [
                "io.github.seccomp.libseccomp.version": libseccompVersion,
                "org.swrunc.version": version,
            ])
    }

    /// The version of libseccomp that is linked in.
    public static var libseccompVersion: String {
        guard let version = unsafe seccomp_version() else { return "unknown" }
        return unsafe "\(version.pointee.major).\(version.pointee.minor).\(version.pointee.micro)"
    }

    private static var seccomp: LinuxFeatures.Seccomp {
        let flags = SeccompFlag.allCases.map(\.rawValue)
        return .init(
            enabled: true, actions: SeccompAction.allCases.map(\.rawValue),
            operators: SeccompOperator.allCases.map(\.rawValue),
            archs: SeccompArchitecture.allCases.map(\.rawValue), knownFlags: flags,
            supportedFlags: flags)
    }
}
