import Foundation
import Testing

/// The root of every check through a container engine: `scripts/test engines`, after
/// `scripts/setup engines`. One after the other, for engines share the host's two ends: its time
/// and its cgroups.
@Suite(.requiresRoot, .requiresRuntime, .serialized)
struct Engines {}

/// The runtimes that an engine is told to use.
enum EngineRuntime {
    /// `ENGINE_RUNTIME=/usr/sbin/runc scripts/test engines` shows what the control can do.
    static let tested: String = {
        let given = ProcessInfo.processInfo.environment["ENGINE_RUNTIME"] ?? ""
        return given.isEmpty ? Runtime.binary : given
    }()

    /// Debian's runc: what fails with it too, this host cannot do.
    static let control = "/usr/sbin/runc"
}

/// An engine with all that it needs to run: its daemons, if it has any, and its data.
protocol Engine: AnyObject {
    /// Starts it with its runtime, by path, in a directory that it has for itself.
    init(runtime: String, place: EnginePlace) throws
    /// Ends all that `init` and the checks have started.
    func end()
}

/// Something that does not hold, said so that a person sees why.
struct CheckFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// As `#expect` and `#require` in one, but of a check that may be the control's: it throws.
func verify(_ holds: Bool, _ otherwise: @autoclosure () throws -> String) throws {
    if !holds { throw CheckFailure(try otherwise()) }
}

/// Whether a process has a handler for a signal.
func catches(_ pid: pid_t, _ signal: Int32) -> Bool {
    let line = readText("/proc/\(pid)/status").split(separator: "\n")
        .first { $0.hasPrefix("SigCgt:") }
    let caught = UInt64(line?.split(separator: "\t").last ?? "", radix: 16) ?? 0
    return caught & 1 << (signal - 1) != 0
}

extension Outcome {
    /// What was printed, of a command that must succeed.
    @discardableResult
    func mustSucceed() throws -> Outcome {
        try verify(succeeded, description)
        return self
    }

    /// The outcome of a command that must not succeed, and must say `why`.
    @discardableResult
    func mustFail(saying why: String = "") throws -> Outcome {
        try verify(failed && (why.isEmpty || (stdout + stderr).contains(why)), description)
        return self
    }
}

/// Runs `body` on the engine with the runtime under test. If it fails, the same is tried with the
/// control: what the control cannot do either is skipped, with its reason.
func check<E: Engine>(
    _ type: E.Type, sourceLocation: SourceLocation = #_sourceLocation, _ body: (E) throws -> Void
) throws {
    do {
        try body(RunningEngines.engine(type, EngineRuntime.tested))
    } catch let failure {
        if EngineRuntime.tested != EngineRuntime.control {
            do {
                try body(RunningEngines.engine(type, EngineRuntime.control))
            } catch let same {
                try Test.cancel("Debian's runc fails here too: \(same)")
            }
        }
        Issue.record("\(failure)", sourceLocation: sourceLocation)
    }
}

/// The engines that are running: each is started for the first check that asks for it.
enum RunningEngines {
    private struct Key: Hashable {
        let type: ObjectIdentifier
        let runtime: String
    }
    private nonisolated(unsafe) static var engines: [Key: Result<any Engine, any Error>] = [:]
    private static let lock = NSLock()

    static func engine<E: Engine>(_ type: E.Type, _ runtime: String) throws -> E {
        lock.lock()
        defer { lock.unlock() }
        let key = Key(type: ObjectIdentifier(type), runtime: runtime)
        // One that does not start is not tried again for every check.
        let result: Result<any Engine, any Error> =
            engines[key] ?? Result { try start(E.self, runtime) }
        engines[key] = result
        guard let engine = try result.get() as? E else { throw CheckFailure("not a \(type)") }
        return engine
    }

    private static func start<E: Engine>(_ type: E.Type, _ runtime: String) throws -> E {
        var place: EnginePlace?
        do {
            let made = try EnginePlace()
            place = made
            return try E(runtime: runtime, place: made)
        } catch {
            place?.end()
            // All of its checks will be skipped: that must not go by unseen.
            Issue.record("\(type) does not start: \(error)")
            throw error
        }
    }

    static func end<E: Engine>(_ type: E.Type) {
        lock.lock()
        defer { lock.unlock() }
        for (key, result) in engines where key.type == ObjectIdentifier(type) {
            if case .success(let engine) = result { engine.end() }
            engines[key] = nil
        }
    }
}

/// On a suite: ends its engine after the last of its checks.
struct EngineTrait<E: Engine>: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        defer { RunningEngines.end(E.self) }
        try await function()
    }
}
