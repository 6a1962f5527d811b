import Glibc
import Spec
import Sys

/// The last steps: from the container's root to the user's program.
extension Performer {
    /// Changes to the program's directory. The kernel's own answer then proves that it lies inside the
    /// container (CVE-2024-21626).
    mutating func changeDirectory(_ path: String, making: Bool) throws(SysError) {
        let from = prepared.containerInit < 0 ? " set in config.json" : ""
        let directory = try containerRoot { (root) throws(SysError) -> Fd in
            do throws(SysError) {
                if making {
                    if let found = try? root.open(path, O_PATH | O_DIRECTORY) { return found }
                    _ = try root.openMakingDirectories(path)
                    // Opened anew: what was made is there now, a descriptor of the way is not.
                }
                return try root.open(path, O_PATH | O_DIRECTORY)
            } catch let error where error.errno == ELOOP {
                // Not by a magic link such as /proc/self/fd/7 either, wherever it leads.
                throw .refused("the working directory \(quoted(path)) goes by a magic link")
            } catch {
                // In runc's words, which Docker passes on.
                throw SysError("chdir to cwd (\(quoted(path)))\(from) failed", error.errno)
                    .explaining(path)
            }
        }
        try Sys.changeDirectory(to: directory.raw)
        do throws(SysError) {
            _ = try currentDirectory()
        } catch {
            throw .refused(
                "current working directory is outside of container mount namespace root: "
                    + quoted(path))
        }
    }

    /// Calls `body` with the container's root, which a process that joined it has at "/".
    mutating func containerRoot<R: ~Copyable>(
        _ body: (borrowing RootDirectory) throws(SysError) -> R
    ) throws(SysError) -> R {
        if root == nil { root = RootDirectory(try openFile("/", O_PATH | O_DIRECTORY)) }
        return try withRoot(body)
    }

    /// Calls `body` with the root file system that an earlier step opened.
    borrowing func withRoot<R: ~Copyable>(
        _ body: (borrowing RootDirectory) throws(SysError) -> R
    ) throws(SysError) -> R {
        switch root {
        case .some(let root): return try body(root)
        case .none: throw .refused("the container's root is not open")
        }
    }

    /// Finds the program as a shell does, by the PATH of the container's own environment, and sees
    /// that it can be executed, so that `create` fails rather than `start`.
    mutating func findExecutable() throws(SysError) {
        guard let process = plan.process, let name = process.args.first else {
            throw .refused("the config has no process")
        }
        // Made now, so that `start` need not.
        program = (CStringArray(process.args), CStringArray(environment(of: process)))
        if name.utf8.contains(UInt8(ascii: "/")) {
            if let reason = reasonNotExecutable(name) {
                throw .refused("exec: \(quoted(name)): \(reason)", hint: lookupFault(name))
            }
            executable = name
            return
        }
        var reason: String?
        for directory in searchPath(process.env) where !name.isEmpty {
            let path = directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
            guard let found = reasonNotExecutable(path) else {
                executable = path
                return
            }
            if found != Self.notFound { reason = found }
        }
        throw .refused(
            "exec: \(quoted(name)): \(reason ?? "executable file not found in $PATH")",
            hint:
                "the container's PATH is \(quoted(searchPath(process.env).joined(separator: ":")))")
    }

    private static var notFound: String { "no such file or directory" }

    /// Without a PATH it is that of `execvp(3)`, whose semantics `process.args` has (config.md).
    private func searchPath(_ environment: [String]) -> [String] {
        let prefix = "PATH="
        guard let entry = environment.last(where: { $0.utf8.starts(with: prefix.utf8) }) else {
            return ["/bin", "/usr/bin"]
        }
        return entry.utf8.dropFirst(prefix.utf8.count)
            .split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
    }

    /// In the words of Go's os/exec, which engines look for.
    private func reasonNotExecutable(_ path: String) -> String? {
        do throws(SysError) {
            let file = try status(of: path)
            if file.isDirectory { return "is a directory: permission denied" }
            return isExecutable(file) ? nil : "permission denied"
        } catch {
            switch error.errno {
            case ENOENT: return Self.notFound
            case ENOTDIR: return "not a directory"
            case EACCES: return "permission denied"
            default: return "\(error)"
            }
        }
    }

    /// By the mode bits, for the user that the program will run as.
    private func isExecutable(_ file: FileStatus) -> Bool {
        guard let identity = identity, identity.uid != 0 else { return file.mode & 0o111 != 0 }
        if file.uid == identity.uid { return file.mode & 0o100 != 0 }
        // Of groups that are the caller's still, the kernel knows.
        guard let groups = identity.groups else { return file.mode & 0o011 != 0 }
        if file.gid == identity.gid || groups.contains(file.gid) { return file.mode & 0o010 != 0 }
        return file.mode & 0o001 != 0
    }

    /// The identity that the rest of the plan takes on.
    var identity: IdentityPlan? {
        for step in plan.steps[current...] {
            if case .setIdentity(let identity) = step.action { return identity }
        }
        return nil
    }

    /// Loads the filter; a notify descriptor goes to the listener together with the state.
    mutating func applySeccomp() throws(SysError) {
        guard let program = prepared.seccomp else {
            throw .refused("the seccomp filter was not prepared")
        }
        try refuseUnexecutable(program)
        guard let notify = program.notify else {
            try settle()
            _ = try setSeccompFilter(program.filter, flags: program.flags)
            return
        }
        let newListener: UInt32 = 8
        var state = plan.state
        state.status = .created
        try settle()
        state.pid = hostPid
        let message = ContainerProcessState(
            pid: hostPid, metadata: notify.metadata.isEmpty ? nil : notify.metadata, state: state
        ).json()
        let listener = Fd(
            owning: try setSeccompFilter(program.filter, flags: program.flags | newListener))
        try send(prepared.seccompListener, message, passing: listener.raw)
    }

    /// What remains to be done with system calls that a seccomp filter may deny, the last word to the
    /// host among it. A failure after that word is still told, as far as the filter lets it.
    private mutating func settle() throws(SysError) {
        if isSettled { return }
        isSettled = true
        try cutOff()
        if !limitsOpenFiles { try OpenFilesLimit.restore() }
        try processControl(.setParentDeathSignal, 0)
        resetSignals()
        try unblockAllSignals()
        if !hasMoved { try channel.send(.executing) }
    }

    /// Closes everything of the host's but the sockets, which lead nowhere, before anybody of the
    /// container sees this process, or can wait for it. Nothing is left to close-on-exec: the program's
    /// path is the image's to choose, and `/proc/self/fd/N/../…` would be a program of the host, whose
    /// file could then be written through `/proc/self/exe` (CVE-2024-21626).
    mutating func cutOff() throws(SysError) {
        if isCutOff { return }
        isCutOff = true
        if prepared.seccomp?.notify != nil {
            hostPid = Int32(try readLink(at: prepared.procfs, "self")) ?? 0
        }
        // By their owners, who would otherwise close whatever has got their numbers by then.
        root = nil
        masks = Masks()
        nodeDirectory = nil
        terminal = nil
        try closeDescriptors(
            from: 3 + prepared.preservedFds,
            keeping: [
                channel.raw, prepared.startListener, prepared.seccompListener,
                prepared.hookOutput.stdout, prepared.hookOutput.stderr,
                prepared.execListener.socket,
            ] + ownNamespaces.map { $0.fd },
            procfs: prepared.procfs)
    }

    /// Becomes the program's user, to whom its standard streams are given first.
    func becomeUser(_ identity: IdentityPlan) throws(SysError) {
        try giveStandardStreams(to: identity.uid)
        try Performer.setIdentity(identity)
    }

    /// The program may open its standard streams again by `/proc/self/fd` only where they are its
    /// user's. Files of the host, such as a log, stay whose they are.
    private func giveStandardStreams(to user: UInt32) throws(SysError) {
        if user == 0 { return }
        for stream in 0...2 as ClosedRange<Int32> {
            let file = try status(at: stream, "", AT_EMPTY_PATH)
            guard file.uid != user, file.isPipe || isTerminal(stream) else { continue }
            do throws(SysError) {
                try changeOwner(at: stream, uid: user, gid: UInt32.max)
            } catch  where error.errno == EPERM || error.errno == EINVAL || error.errno == EROFS {
                // Not this user namespace's to give away: the program has the open stream all the same.
                continue
            }
        }
    }

    /// Executes the program. Every descriptor but the standard ones and those to be preserved is
    /// closed by the kernel at that moment, the channel too: its end is the sign of success.
    mutating func execute() throws(SysError) {
        try settle()
        guard let executable, let program else {
            throw .refused("the program was not looked up")
        }
        throw explained(
            Sys.execute(executable, program.arguments, program.environment), executable)
    }

    /// HOME comes from the container's user database where the config sets none, or an empty one, as
    /// engines expect.
    /// The descriptors of socket activation are announced to the program (`sd_listen_fds(3)`).
    private mutating func environment(of process: ProcessPlan) -> [String] {
        var environment = process.env
        environment.removeAll { $0 == "HOME=" }
        if !environment.contains(where: { $0.utf8.starts(with: "HOME=".utf8) }) {
            let user = identity?.uid ?? effectiveUser
            environment.append("HOME=\(homeDirectory(of: user) ?? "/")")
        }
        if prepared.listenFds > 0 {
            environment.append("LISTEN_FDS=\(prepared.listenFds)")
            environment.append("LISTEN_PID=\(processID)")
            if let names = environmentVariable("LISTEN_FDNAMES") {
                environment.append("LISTEN_FDNAMES=\(names)")
            }
        }
        return environment
    }

    /// An image may hold anything in the file's place: a link out of it, or a pipe that nobody writes
    /// to.
    private mutating func homeDirectory(of uid: UInt32) -> String? {
        let bytes: [UInt8]
        do throws(SysError) {
            let file = try containerRoot { (root) throws(SysError) in
                try root.open("/etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY)
            }
            guard try file.status().isRegular else { return nil }
            bytes = try file.readAll(limit: 1 << 20)
        } catch {
            return nil
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 6, UInt32(String(decoding: fields[2], as: UTF8.self)) == uid
            else { continue }
            let home = String(decoding: fields[5], as: UTF8.self)
            return home.isEmpty ? nil : home
        }
        return nil
    }
}
