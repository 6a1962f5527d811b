import Arguments
import OCIRuntime
import Spec
import Sys

extension Session {
    /// Does something that starts a process in a container; see `SelfExecutable`.
    mutating func performProtected<Result>(
        _ work: (Runtime) throws(RuntimeError) -> Result
    ) throws(Failure) -> Result {
        try perform { (runtime) throws(RuntimeError) in
            try SelfExecutable.protect()
            return try work(runtime)
        }
    }

    /// Protects the executable before standard input is read: what has been read is lost to the
    /// program as it is executed again.
    mutating func protect() throws(Failure) {
        try performProtected { (_) throws(RuntimeError) in }
    }

    /// The runtime that the global options describe.
    func runtime() throws(Failure) -> Runtime {
        let manager = CgroupManager(rawValue: globals.cgroupManager.rawValue) ?? .cgroupfs
        let rootless = RootlessCgroups(rawValue: globals.rootless.rawValue) ?? .auto
        do throws(RuntimeError) {
            return try Runtime(
                root: globals.root, cgroupManager: manager, rootless: rootless,
                executableMount: executableMount())
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Does something with the runtime; its failure becomes the command's, with the warnings before it.
    mutating func perform<Result>(
        _ work: (Runtime) throws(RuntimeError) -> Result
    ) throws(Failure) -> Result {
        let runtime = try runtime()
        do throws(RuntimeError) {
            return try work(runtime)
        } catch {
            warn(error.warnings)
            throw Failure("\(error)")
        }
    }

    /// With `--debug` the log has the plan of the container, a line a step.
    mutating func explain(_ options: CreateOptions) throws(Failure) {
        guard report.hasDebug else { return }
        try protect()
        let plan = try perform { (runtime) throws(RuntimeError) in try runtime.plan(options) }
        for line in PlanReport(plan).text.utf8.split(separator: UInt8(ascii: "\n")) {
            report.debug(String(Substring(line)))
        }
    }

    mutating func warn(_ warnings: [String]) {
        for warning in warnings { report.warning(warning) }
    }

    /// Prints a document and a newline on standard output.
    func print(_ document: [UInt8]) throws(Failure) {
        try output(document + [UInt8(ascii: "\n")])
    }

    /// Prints lines of text on standard output.
    func printText(_ text: String) throws(Failure) { try output(Array(text.utf8)) }

    private func output(_ bytes: [UInt8]) throws(Failure) {
        do throws(SysError) {
            try write(bytes, to: 1)
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Calls `work` for the container `id`, or for every one whose id matches the pattern `id`.
    mutating func forEach(
        _ id: String, isPattern: Bool, _ work: (inout Session, String) throws(Failure) -> Void
    ) throws(Failure) {
        guard isPattern else { return try work(&self, id) }
        let pattern: Pattern
        do throws(UsageError) {
            pattern = try Pattern(id)
        } catch {
            throw Failure(error.message)
        }
        for name in try perform({ (runtime) throws(RuntimeError) in try runtime.ids() })
        where pattern.matches(name) { try work(&self, name) }
    }
}
