import Glibc
import Spec
import Sys

/// `process.cwd`.
extension Performer {
    /// Makes the program's directory where the image lacks it, before what it lies in is sealed.
    mutating func makeWorkingDirectory(_ path: String) throws(SysError) {
        let joins = prepared.containerInit >= 0
        try containerRoot { (root) throws(SysError) in
            do throws(SysError) {
                _ = try root.openMakingDirectories(path)
            } catch  where error.errno == EACCES {
                // Not for this process to see: as the user it may be there.
            } catch {
                throw Self.explain(error, path, joins)
            }
        }
    }

    /// Changes to the program's directory: with the init's rights, and where those do not suffice, as for
    /// root of a user namespace that does not map the directory's group, with the program's. The
    /// kernel's own answer then proves that it lies inside the container (CVE-2024-21626).
    mutating func changeDirectory(_ path: String) throws(SysError) {
        let identity = self.identity
        let joins = prepared.containerInit >= 0
        try containerRoot { (root) throws(SysError) in
            do throws(SysError) {
                do throws(SysError) {
                    try Self.enter(path, root)
                } catch  where error.errno == EACCES || error.errno == EPERM {
                    try Self.withRights(of: identity) { () throws(SysError) in
                        try Self.enter(path, root)
                    }
                }
            } catch {
                throw Self.explain(error, path, joins)
            }
        }
        do throws(SysError) {
            _ = try currentDirectory()
        } catch {
            throw .refused(
                "current working directory is outside of container mount namespace root: "
                    + quoted(path))
        }
    }

    private static func enter(
        _ path: String, _ root: borrowing RootDirectory
    ) throws(SysError) {
        let directory = try root.open(path, O_PATH | O_DIRECTORY)
        try Sys.changeDirectory(to: directory.raw)
    }

    private static func explain(_ error: SysError, _ path: String, _ joins: Bool) -> SysError {
        if error.errno == ELOOP {
            // Not by a magic link such as /proc/self/fd/7 either, wherever it leads.
            return .refused("the working directory \(quoted(path)) goes by a magic link")
        }
        // In runc's words, which Docker passes on.
        let from = joins ? "" : " set in config.json"
        return SysError("chdir to cwd (\(quoted(path)))\(from) failed", error.errno)
            .explaining(path)
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
}
