import Glibc
import Spec
import Sys

/// Open files that take what hooks print, instead of the errors; -1 for none.
package struct HookOutput: Sendable {
    package var stdout: Int32 = -1
    package var stderr: Int32 = -1

    package init() {}
}

/// Runs hooks (runtime-spec `config.md`, POSIX-platform hooks): the state on stdin, nothing of the
/// caller's environment, a deadline where the config gives one. What a hook prints is kept, and its
/// last lines are in the error when it fails.
package enum HookRunner {
    /// - Parameters:
    ///   - state: the container's state as JSON.
    ///   - procfs: the host's `/proc`, open; -1 where it is closed, or no more than `/proc`.
    ///   - files: where its output goes.
    ///   - directory: where it starts, if it may be there; nil where this process is.
    ///   - asProgram: called in the hook's process right before it executes, for what the container's
    ///     program is restricted by.
    package static func run(
        _ hook: Hook, kind: HookKind, state: [UInt8], procfs: Int32 = -1,
        output files: HookOutput = HookOutput(),
        in directory: String? = nil, asProgram: () throws(SysError) -> Void = {}
    ) throws(SysError) {
        let call = "error running \(kind.rawValue) hook \(quoted(hook.path))"
        let input = try memoryFile(holding: state)
        var output = try Pipe()
        let vectors = ProgramVectors(
            arguments: hook.args.isEmpty ? [hook.path] : hook.args,
            environment: Environment(hook.env ?? []))
        defer { vectors.free() }
        // By number: what the child's closure captures, the compiler may end early, since the closure
        // never returns.
        let stdin = input.raw
        let stdout = files.stdout >= 0 ? files.stdout : output.write
        let stderr = files.stderr >= 0 ? files.stderr : output.write
        let process = try clone(flags: 0) {
            do throws(SysError) {
                try replaceStandardStreams(stdin, stdout, stderr)
                // Those of a startContainer hook could be had by its path (CVE-2024-21626).
                try closeDescriptors(from: 3, procfs: procfs)
                if let directory { try? changeDirectory(directory) }
                try OpenFilesLimit.restore()
                resetSignals()
                try unblockAllSignals()
                try asProgram()
                let error = Sys.execute(hook.path, vectors)
                throw executionFault(hook.path, error.errno).map { error.hinting($0) } ?? error
            } catch {
                try? Fd.writeOnce(2, "\(error)\(error.hint.map { "; \($0)" } ?? "")\n")
                exitNow(127)
            }
        }
        output.closeWrite()
        var tail = Tail()
        let status: ExitStatus
        do throws(SysError) {
            status = try wait(
                process, reading: output.read, into: &tail, seconds: hook.timeout)
        } catch  where error.errno == ETIMEDOUT {
            throw .refused("\(call): timeout after \(hook.timeout ?? 0) s\(tail.text)")
        }
        switch status {
        case .exited(0): return
        case .exited(let code): throw .refused("\(call): exit status \(code)\(tail.text)")
        case .signalled(let number):
            throw .refused("\(call): killed by signal \(number)\(tail.text)")
        }
    }

    /// Reads what the hook prints until it ends or its time is over; then it is killed.
    private static func wait(
        _ process: borrowing ClonedProcess, reading output: Int32, into tail: inout Tail,
        seconds: Int64?
    ) throws(SysError) -> ExitStatus {
        let deadline = seconds.map { Deadline(seconds: $0) }
        var open = true
        while true {
            let left = deadline?.milliseconds ?? -1
            let ready = try pollEither(
                process.pidfd.raw, open ? output : -1, milliseconds: left)
            if ready.second { open = try tail.read(output) }
            if ready.first {
                // What the pipe still holds; a process that the hook left behind may write for ever.
                var rounds = 0
                while open, rounds < 32, try poll(output, Int32(POLLIN), milliseconds: 0) != 0 {
                    open = try tail.read(output)
                    rounds += 1
                }
                return try Sys.wait(pidfd: process.pidfd.raw)
            }
            if left == 0 {
                try? process.signal(SIGKILL)
                _ = try Sys.wait(pidfd: process.pidfd.raw)
                throw SysError("hook", ETIMEDOUT)
            }
        }
    }

    /// The last of what a hook printed.
    private struct Tail {
        private var bytes: [UInt8] = []

        /// False at the end.
        mutating func read(_ fd: Int32) throws(SysError) -> Bool {
            let more = try Fd.readSome(fd, limit: 4096)
            bytes += more
            if bytes.count > 4096 { bytes.removeFirst(bytes.count - 2048) }
            return !more.isEmpty
        }

        /// `: ` and the last lines, joined; empty where nothing was printed.
        var text: String {
            let lines = String(decoding: bytes, as: UTF8.self)
                .split(whereSeparator: \.isNewline).suffix(8)
            return lines.isEmpty ? "" : ": " + lines.joined(separator: " | ")
        }
    }
}

extension Performer {
    /// createContainer hooks run before the pivot and with the runtime's rights, in the container's
    /// namespaces. startContainer hooks come from the container's own file system: they get no more
    /// than the container's own process has, and its filter. One that asks an agent is loaded before
    /// them, for the agent gets a single descriptor.
    mutating func runHook(_ kind: HookKind, _ hook: Hook) throws(SysError) {
        var state = plan.state
        state.status = kind == .startContainer ? .created : .creating
        // In the container's namespaces the pid is the one that the container sees.
        state.pid = processID
        let json = state.json()
        let identity = self.identity
        let filter = prepared.seccomp
        try HookRunner.run(
            hook, kind: kind, state: json, procfs: isCutOff ? -1 : prepared.procfs,
            output: prepared.hookOutput
        ) { () throws(SysError) in
            guard kind == .startContainer else { return }
            try processControl(.setNoNewPrivileges, 1)
            if let identity { try Performer.setIdentity(identity) }
            if let filter, filter.notify == nil { try filter.load() }
        }
    }
}
