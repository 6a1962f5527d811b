import Glibc
import Spec
import Sys

/// A container's directory under `--root`: `state.json`, a copy of `config.json`, the start socket.
/// Its lock keeps commands that change the container apart.
struct StateDirectory: ~Copyable {
    let path: String
    let fd: Fd

    // The init inherits the descriptor and lives on: closing ours would not give the lock back.
    deinit { Sys.unlock(fd.raw) }

    static let stateFile = "state.json"
    static let configFile = "config.json"
    static let startSocket = "start.sock"
    /// Where a created init hands out its namespaces, see ``Action/listenForExec(_:)``.
    static let execSocket = "exec.sock"
    static let notifyDirectory = "notify"
    /// Where CRIU sees the root file system, which must be a mount whose parent is not covered.
    static let restoreRoot = "criu-root"

    /// Opens the directory of an existing container.
    init(root: String, id: String) throws(RuntimeError) {
        let path = "\(root)/\(id)"
        let fd = try Self.open(path, id, root)
        self.path = path
        self.fd = fd
    }

    private static func open(
        _ path: String, _ id: String, _ root: String
    ) throws(RuntimeError) -> Fd {
        do throws(SysError) {
            return try openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        } catch  where error.errno == ENOENT {
            throw RuntimeError(missing: id, root: root)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Makes the directory of a new container, and locks it.
    init(making id: String, root: String) throws(RuntimeError) {
        let path = "\(root)/\(id)"
        try Self.make(path, root: root, id: id)
        do throws(RuntimeError) {
            let fd = try Self.open(path, id, root)
            try Self.lock(fd.raw, path)
            self.path = path
            self.fd = fd
        } catch {
            // Only while it is empty: by now it may be somebody else's.
            try? removeDirectory(path)
            throw error
        }
    }

    private static func make(_ path: String, root: String, id: String) throws(RuntimeError) {
        do throws(SysError) {
            do throws(SysError) {
                try makeDirectory(path, mode: 0o711)
            } catch  where error.errno == ENOENT {
                // Sticky, so that what clears $XDG_RUNTIME_DIR of old files leaves it alone.
                try makeDirectories(root, mode: 0o1700)
                try makeDirectory(path, mode: 0o711)
            }
        } catch  where error.errno == EEXIST {
            throw RuntimeError(
                "container with given ID already exists: \"\(id)\"",
                hint: "`delete` removes it once it has stopped")
        } catch {
            throw RuntimeError(
                "the state directory \(path): \(error)",
                hint: "--root must name a directory that can be written")
        }
    }

    /// Takes the lock that commands which change the container hold; waits 10 s for another one.
    /// - Throws: `does not exist`, where it has been deleted, or made anew, meanwhile.
    borrowing func lock(_ id: String) throws(RuntimeError) {
        if try lockIfThere() { return }
        throw RuntimeError(missing: id, root: splitPath(path).parent)
    }

    /// The same; false where the container has been deleted, or made anew, meanwhile.
    borrowing func lockIfThere() throws(RuntimeError) -> Bool {
        try Self.lock(fd.raw, path)
        do throws(SysError) {
            let ours = try fd.status()
            let named = try status(at: AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
            return ours.dev == named.dev && ours.ino == named.ino
        } catch  where error.errno != ENOENT {
            throw RuntimeError(error)
        } catch {
            return false
        }
    }

    /// Gives the lock back before the end, for a command that goes on to wait.
    borrowing func unlock() { Sys.unlock(fd.raw) }

    private static func lock(_ fd: Int32, _ path: String) throws(RuntimeError) {
        let deadline = Deadline(milliseconds: 10_000)
        var pause: Int64 = 200_000
        while true {
            do throws(SysError) {
                if try tryLock(fd) { return }
            } catch {
                throw RuntimeError(error)
            }
            if deadline.milliseconds == 0 {
                throw RuntimeError(
                    "another command has been changing the container for over 10 s",
                    hint: "look for a process that holds \(path) open")
            }
            sleep(nanoseconds: pause)
            pause = min(pause * 2, 20_000_000)
        }
    }

    private static func temporaryName(_ name: String) -> String { ".\(name).new" }

    /// Writes a file whole or not at all.
    borrowing func write(_ name: String, _ bytes: [UInt8]) throws(SysError) {
        try stage(name, bytes)
        try commit(name)
    }

    /// Writes a file that is not there until ``commit(_:)``.
    borrowing func stage(_ name: String, _ bytes: [UInt8]) throws(SysError) {
        try naming(name) { () throws(SysError) in
            let file = try openFile(
                at: fd.raw, Self.temporaryName(name),
                O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
            try file.write(bytes)
        }
    }

    /// Puts a staged file in its place.
    borrowing func commit(_ name: String) throws(SysError) {
        try naming(name) { () throws(SysError) in
            try rename(at: fd.raw, Self.temporaryName(name), to: name)
        }
    }

    /// Removes a staged file that is not to be put in its place.
    borrowing func discard(_ name: String) {
        try? removeFile(at: fd.raw, Self.temporaryName(name))
    }

    private borrowing func naming(
        _ name: String, _ work: () throws(SysError) -> Void
    ) throws(SysError) {
        do throws(SysError) {
            try work()
        } catch {
            discard(name)
            throw SysError("write(\(quoted("\(path)/\(name)")))", error.errno)
        }
    }

    /// Makes the directory of the container's notify socket.
    borrowing func makeNotifyDirectory() throws(RuntimeError) {
        do throws(SysError) {
            try makeDirectory(at: fd.raw, Self.notifyDirectory, mode: 0o755)
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Makes the directory that CRIU has the root file system mounted on, in its own mount namespace.
    /// - Returns: its path.
    borrowing func makeRestoreRoot() throws(RuntimeError) -> String {
        do throws(SysError) {
            try makeDirectory(at: fd.raw, Self.restoreRoot, mode: 0o700)
        } catch {
            throw RuntimeError(error)
        }
        return "\(path)/\(Self.restoreRoot)"
    }

    borrowing func removeRestoreRoot() {
        try? removeDirectory(at: fd.raw, Self.restoreRoot)
    }

    /// The notify socket, where the caller has asked for readiness by `$NOTIFY_SOCKET` and the
    /// container was created with a directory for it.
    borrowing func openNotifySocket() throws(RuntimeError) -> NotifySocket? {
        guard let outer = NotifySocket.requested, has(Self.notifyDirectory) else { return nil }
        do throws(SysError) {
            return try NotifySocket(outer: outer, directory: "\(path)/\(Self.notifyDirectory)")
        } catch {
            throw RuntimeError(error)
        }
    }

    borrowing func read(_ name: String) throws(SysError) -> [UInt8] {
        let file = try openFile(at: fd.raw, name, O_RDONLY | O_NOFOLLOW)
        return try file.readAll(limit: 64 << 20)
    }

    borrowing func has(_ name: String) -> Bool {
        (try? status(at: fd.raw, name, AT_SYMLINK_NOFOLLOW)) != nil
    }

    /// Removes the directory. Never more than a container's own files: where it holds anything else it
    /// is somebody's under a wrong `--root`, and stays as it is.
    borrowing func remove() throws(SysError) {
        let directories = [Self.notifyDirectory, Self.restoreRoot]
        for name in try ownFiles() where !directories.contains(name) {
            try gone { () throws(SysError) in try removeFile(at: fd.raw, name) }
        }
        let notify = Self.notifyDirectory
        try gone { () throws(SysError) in
            try removeFile(at: fd.raw, "\(notify)/\(NotifySocket.name)")
        }
        for name in directories {
            try gone { () throws(SysError) in try removeDirectory(at: fd.raw, name) }
        }
        try gone { () throws(SysError) in try removeDirectory(path) }
    }

    /// What the directory holds, refused where it is not a container's.
    @discardableResult
    borrowing func ownFiles() throws(SysError) -> [String] {
        let names = try Fd.names(of: fd.raw)
        if let foreign = names.first(where: { !Self.isOwn($0) }) {
            throw .refused(
                "\(path) holds \(quoted(foreign)), which is not a container's: nothing is removed",
                hint: "is --root right?")
        }
        return names
    }

    private static func isOwn(_ name: String) -> Bool {
        [
            stateFile, temporaryName(stateFile), configFile, temporaryName(configFile), startSocket,
            execSocket, notifyDirectory, restoreRoot,
        ].contains { $0.utf8.elementsEqual(name.utf8) }
    }

    /// Does something after which a file is gone; that it was gone before is no error.
    private borrowing func gone(_ work: () throws(SysError) -> Void) throws(SysError) {
        do throws(SysError) {
            try work()
        } catch let error where error.errno == ENOENT {
            return
        }
    }
}
