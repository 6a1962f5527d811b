import Glibc
import Spec
import Sys

extension Performer {
    /// Finds the program as a shell does, by the PATH of the container's own environment, and sees
    /// that its user can execute it, so that `create` fails rather than `start`.
    mutating func findExecutable() throws(SysError) {
        guard let process = plan.process, let name = process.args.first else {
            throw .refused("the config has no process")
        }
        let environment = environment(of: process)
        // Made now, so that `start` need not.
        program = ProgramVectors(arguments: process.args, environment: environment)
        let directories = Self.searchPath(environment)
        var found: String?
        try Self.withRights(of: identity) { () throws(SysError) in
            found = try Self.look(for: name, in: directories)
        }
        executable = found
    }

    private static func look(for name: String, in directories: [String]) throws(SysError) -> String
    {
        if name.utf8.contains(UInt8(ascii: "/")) {
            guard let reason = reasonNotExecutable(name) else { return name }
            throw .refused("exec: \(quoted(name)): \(reason)", hint: lookupFault(name))
        }
        var reason: String?
        for directory in directories where !name.isEmpty {
            let path = directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
            guard let found = reasonNotExecutable(path) else { return path }
            if found != notFound { reason = found }
        }
        throw .refused(
            "exec: \(quoted(name)): \(reason ?? "executable file not found in $PATH")",
            hint: "the container's PATH is \(quoted(directories.joined(separator: ":")))")
    }

    private static var notFound: String { "no such file or directory" }

    /// Without a PATH it is that of `execvp(3)`, whose semantics `process.args` has (config.md).
    private static func searchPath(_ environment: Environment) -> [String] {
        guard let path = environment.value(of: "PATH") else { return ["/bin", "/usr/bin"] }
        return path.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
    }

    /// In the words of Go's os/exec, which engines look for.
    private static func reasonNotExecutable(_ path: String) -> String? {
        do throws(SysError) {
            if try status(of: path).isDirectory { return "is a directory: permission denied" }
            try verifyExecutable(path)
            return nil
        } catch {
            switch error.errno {
            case ENOENT: return notFound
            case ENOTDIR: return "not a directory"
            case EACCES: return "permission denied"
            default: return "\(error)"
            }
        }
    }

    /// The config's environment, and what the runtime adds to it, which counts more.
    /// HOME comes from the container's user database where the config sets none, or an empty one, as
    /// engines expect. The descriptors of socket activation are announced to the program
    /// (`sd_listen_fds(3)`): without names of theirs the config's would be others'.
    private mutating func environment(of process: ProcessPlan) -> Environment {
        var environment = Environment(process.env)
        if environment.value(of: "HOME")?.isEmpty != false {
            let user = identity?.uid ?? effectiveUser
            environment.set("HOME=\(homeDirectory(of: user) ?? "/")")
        }
        if prepared.listenFds > 0 {
            environment.set("LISTEN_FDS=\(prepared.listenFds)")
            environment.set("LISTEN_PID=\(processID)")
            if let names = environmentVariable("LISTEN_FDNAMES") {
                environment.set("LISTEN_FDNAMES=\(names)")
            } else {
                environment.remove("LISTEN_FDNAMES")
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
