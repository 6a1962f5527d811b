import CSeccomp
import Spec

extension Runtime {
    /// The version of libseccomp that is linked in.
    public static var libseccompVersion: String {
        guard let version = unsafe seccomp_version() else { return "unknown" }
        return unsafe "\(version.pointee.major).\(version.pointee.minor).\(version.pointee.micro)"
    }

    /// What `linux.seccomp` may ask for.
    static var seccompFeatures: LinuxFeatures.Seccomp {
        let flags = SeccompFlag.allCases.map(\.rawValue)
        return .init(
            enabled: true, actions: SeccompAction.allCases.map(\.rawValue),
            operators: SeccompOperator.allCases.map(\.rawValue),
            archs: SeccompArchitecture.allCases.map(\.rawValue), knownFlags: flags,
            supportedFlags: flags)
    }
}
