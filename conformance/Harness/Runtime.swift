import Foundation
import Testing

/// The runtime under test: any program with runc's command line.
///
/// `RUNTIME=/usr/sbin/runc swift test --filter Conformance` drives Debian's runc as the control;
/// without it the package's own `bin/swrunc` is driven.
enum Runtime {
    enum Kind: String { case swrunc, runc, crun, other }

    static let packageRoot: String = {
        let here = URL(fileURLWithPath: #filePath)
        return here.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
    }()

    /// The file of the runtime itself.
    static let executable: String = {
        let given = ProcessInfo.processInfo.environment["RUNTIME"] ?? ""
        return given.isEmpty ? packageRoot + "/bin/swrunc" : given
    }()

    /// What a clause launches.
    static let binary: String = behindFilter(executable, in: Workspace.path + "/filter")

    /// What a filter around the runtime answers to newer system calls, EPERM or ENOSYS; nil without one.
    static let refusal: String? = {
        let given = ProcessInfo.processInfo.environment["SWRUNC_REFUSE"] ?? ""
        return given.isEmpty ? nil : given
    }()

    /// The program that executes `runtime` behind the filter that `SWRUNC_REFUSE` asks for, made in
    /// `directory`.
    static func behindFilter(_ runtime: String, in directory: String) -> String {
        guard let refusal, access(runtime, X_OK) == 0 else { return runtime }
        mkdir(directory, 0o755)
        let output = directory + "/" + (runtime as NSString).lastPathComponent
        let compiled = launch([
            "cc", "-static", "-O1", "-Wall", "-DANSWER=\(refusal)", "-DRUNTIME=\"\(runtime)\"",
            "-o",
            output, packageRoot + "/conformance/probe/refuse.c",
        ])
        if !compiled.succeeded { Issue.record("compiling the filter: \(compiled)") }
        chmod(output, 0o4755)
        return output
    }

    static let exists = access(executable, X_OK) == 0

    static let versionText: String = exists ? launch([binary, "--version"]).stdout : ""

    static let kind: Kind = {
        let name = versionText.prefix { $0 != " " && $0 != "\n" }
        return Kind(rawValue: String(name)) ?? .other
    }()
}

/// The root of every clause: needs root and a runtime; a folder adds its suites by extension.
@Suite(.requiresRoot, .requiresRuntime)
struct Conformance {}

/// Fails, rather than skips, when there is nothing to test: a green run must have run something.
@Test("the runtime under test is there")
func runtimeIsThere() {
    #expect(Runtime.exists, "no executable \(Runtime.executable): make build, or set RUNTIME")
}

extension Trait where Self == ConditionTrait {
    static var requiresRoot: Self {
        .enabled(if: geteuid() == 0, "needs root: the runtime makes namespaces, mounts, cgroups")
    }

    static var requiresRuntime: Self {
        .enabled(if: Runtime.exists, "no executable \(Runtime.executable)")
    }

    /// A promise of swrunc's own that other runtimes do not make.
    static var swruncOnly: Self {
        .enabled(
            if: Runtime.kind == .swrunc, "a promise of swrunc's, this is \(Runtime.kind.rawValue)")
    }

    /// What the clause needs of the host, or its own programs, is behind the filter as well.
    static func needsNewerCalls(_ why: Comment) -> Self {
        .enabled(if: Runtime.refusal == nil, "newer system calls are refused: \(why)")
    }

    /// runc is known to differ from the clause; the clause itself is not weakened for it.
    static func knownDifference(runc why: String) -> Self {
        .enabled(if: Runtime.kind != .runc, "known difference of runc: \(why)")
    }

    static func knownDifference(crun why: String) -> Self {
        .enabled(if: Runtime.kind != .crun, "known difference of crun: \(why)")
    }

    /// The host must offer something; the reason is printed when it does not.
    static func requires(_ holds: @autoclosure @escaping @Sendable () -> Bool, _ reason: Comment)
        -> Self
    {
        .enabled(if: holds(), "this host: \(reason)")
    }
}

/// The same for one case of a clause with many: the case ends here, and says why, on runc.
func knownDifference(runc why: String?) throws {
    if let why, Runtime.kind == .runc { try Test.cancel("known difference of runc: \(why)") }
}
