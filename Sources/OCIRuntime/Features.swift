import Init
import Spec

extension Runtime {
    /// What this runtime implements (runtime-spec `features.md`).
    /// - Parameter version: of the program that asks.
    public static func features(version: String) -> Features {
        Features(
            ociVersionMin: "1.0.0", ociVersionMax: specVersion,
            hooks: HookKind.allCases.map(\.rawValue), mountOptions: MountOption.names,
            linux: LinuxFeatures(
                namespaces: NamespaceType.allCases.map(\.rawValue).sorted(),
                capabilities: Capability.allCases.map(\.name),
                cgroup: .init(v1: true, v2: true, systemd: true, systemdUser: true, rdma: true),
                seccomp: seccompFeatures, apparmor: true, selinux: true,
                intelRdt: .init(enabled: true, schemata: true, monitoring: true),
                memoryPolicy: .init(
                    modes: MemoryPolicyMode.allCases.map(\.rawValue),
                    flags: MemoryPolicyFlag.allCases.map(\.rawValue)),
                idmappedMounts: true, netDevices: true),
            annotations: [
                "io.github.seccomp.libseccomp.version": libseccompVersion,
                "org.opencontainers.runc.checkpoint.enabled": "true",
                "org.swrunc.version": version,
                // Where tools look that know crun.
                "run.oci.crun.checkpoint.enabled": "true",
                "run.oci.crun.wasm": "false",
            ],
            potentiallyUnsafeConfigAnnotations: [
                "io.kubernetes.cri.container-type", "module.wasm.image/variant", "org.criu.config",
                "org.systemd.property.", "run.oci.",
            ])
    }
}
