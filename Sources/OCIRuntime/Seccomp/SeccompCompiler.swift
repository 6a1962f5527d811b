import Glibc
import Init
import Spec
import Sys

/// Turns `linux.seccomp` into a program for `seccomp(2)`.
///
/// libseccomp only tells the numbers of the system calls here; the program is our own. What
/// libseccomp makes of Docker's profile takes 12 ms to generate and, at 960 instructions (1200 as a
/// binary tree), 0.2 to 0.9 ms for the kernel to check, translate and load, in every container.
/// A profile allows long runs of neighbouring numbers, so a binary search over the *ranges* with the
/// same action is a quarter of the size, and is loaded in less than a tenth of a millisecond.
///
/// Where the spec is silent the peers decide, and where they depend on the order in which libseccomp
/// happens to sort, the stricter reading does:
/// - Names that libseccomp does not know are left out, and so are rules that say what the default
///   action says.
/// - A rule without conditions beats those with conditions on the same call; of several, the first.
/// - Conditions on different arguments must all hold; when one argument is tested twice, any of the
///   conditions is enough.
/// - Of several rules whose conditions hold, the strictest action wins, as it does in the kernel
///   between several filters.
/// - Calls through an ABI that is not listed kill the thread.
/// - Calls newer than the profile fail with ENOSYS where the default is to refuse, so that a C
///   library falls back to the older call (``SyscallLine``).
package enum SeccompCompiler {
    /// Changes when the same profile gives another program: a part of the cache's key.
    static let revision: UInt32 = 1

    /// Compiles a filter.
    /// - Parameter place: where `seccomp` stands in the config, for errors.
    /// - Throws: what cannot be expressed, with its place.
    package static func compile(
        _ seccomp: Seccomp, at place: String = "/linux/seccomp"
    ) throws(ConfigError) -> SeccompProgram {
        let profile = try SeccompProfile(seccomp, at: place)
        var program = BPFProgram()
        // Backwards: see `BPFProgram`. An ABI that nothing matches is killed, as by libseccomp.
        var otherwise = BPFProgram.Target.exit(SeccompProfile.killThread)
        for family in profile.families.reversed() {
            let line = SyscallLine(profile, family)
            let section = line.emit(into: &program)
            otherwise = program.branch(
                .equal, family.auditArchitecture, then: section, else: otherwise)
        }
        program.load(offset: BPFProgram.architectureOffset)
        guard program.count <= BPFProgram.limit else {
            throw ConfigError(
                place: place,
                message: "the filter has \(program.count) instructions, more than the kernel's "
                    + "\(BPFProgram.limit)")
        }
        return SeccompProgram(
            filter: program.bytes(), flags: loadFlags(seccomp), notify: notify(seccomp))
    }

    /// A filter that somebody else has compiled, loaded as the config says.
    static func program(_ filter: [UInt8], notifies: Bool, _ seccomp: Seccomp) -> SeccompProgram {
        SeccompProgram(
            filter: filter, flags: loadFlags(seccomp, notifies: notifies),
            notify: notifies ? .init(metadata: seccomp.listenerMetadata ?? "") : nil)
    }

    /// - Throws: where there is a rule for a system call that nobody knows.
    static func checkNames(of seccomp: Seccomp) throws(ConfigError) {
        let native = SyscallABI.native
        for (index, syscall) in seccomp.syscalls.enumerated() {
            for (position, name) in syscall.names.enumerated() where native.number(of: name) == -1 {
                throw ConfigError(
                    place: "/linux/seccomp/syscalls/\(index)/names/\(position)",
                    message: "\(quoted(name)) is not a system call",
                    hint: "run.oci.seccomp_fail_unknown_syscall makes this an error")
            }
        }
    }

    /// The flags for `seccomp(2)`. Without a `flags` list the mitigation of Speculative Store Bypass
    /// stays as it is: so do runc and crun.
    static func loadFlags(_ seccomp: Seccomp) -> UInt32 {
        loadFlags(seccomp, notifies: notifies(seccomp))
    }

    private static func loadFlags(_ seccomp: Seccomp, notifies: Bool) -> UInt32 {
        var flags: UInt32 = notifies ? newListener : 0
        for flag in seccomp.flags ?? [.specAllow] {
            switch flag {
            // The init has one thread, so there is nothing to synchronise; and the kernel refuses
            // the flag together with a notify descriptor.
            case .tsync: continue
            case .log: flags |= 1 << 1
            case .specAllow: flags |= 1 << 2
            // The kernel refuses it without a notify descriptor, to which alone it applies.
            case .waitKillableRecv: flags |= notifies ? 1 << 5 : 0
            }
        }
        return flags
    }

    /// `SECCOMP_FILTER_FLAG_NEW_LISTENER`.
    static let newListener: UInt32 = 1 << 3

    static func notify(_ seccomp: Seccomp) -> SeccompProgram.Notify? {
        notifies(seccomp) ? .init(metadata: seccomp.listenerMetadata ?? "") : nil
    }

    private static func notifies(_ seccomp: Seccomp) -> Bool {
        seccomp.syscalls.contains { $0.action == .notify }
    }
}
