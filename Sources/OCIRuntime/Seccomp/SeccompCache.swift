import Glibc
import Init
import Spec
import Sys

/// Compiled filters on disk, by the content of their profiles.
///
/// A file is named after the digest of all that decides what is compiled, so it never goes stale and
/// is never changed: a file that is not exactly as it was written is compiled anew. Nothing about
/// the cache can make a container fail.
///
/// What is read here decides what a container may do, so it is only trusted where no other user can
/// have written it: directory and file are ours, and others may not write to them.
package struct SeccompCache: Sendable {
    /// How many files are kept.
    static let limit = 256

    private let directory: String

    /// - Parameter directory: made when the first program is written; its parent exists.
    package init(directory: String) {
        self.directory = directory
    }

    /// The program for a filter, from the cache or else compiled.
    /// - Parameter place: where `seccomp` stands in the config, for errors.
    /// - Throws: what cannot be compiled, with its place.
    package func program(
        for seccomp: Seccomp, at place: String = "/linux/seccomp"
    ) throws(ConfigError) -> SeccompProgram {
        let key = Digest(of: SeccompContent(seccomp).bytes)
        if let filter = read(key) {
            return SeccompProgram(
                filter: filter, flags: SeccompCompiler.loadFlags(seccomp),
                notify: SeccompCompiler.notify(seccomp))
        }
        let program = try SeccompCompiler.compile(seccomp, at: place)
        write(program.filter, key)
        return program
    }

    // MARK: reading

    private func read(_ key: Digest) -> [UInt8]? {
        do throws(SysError) {
            guard let directory = try openDirectory() else { return nil }
            let file = try openFile(
                at: directory.raw, key.hexadecimal, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let status = try file.status()
            guard status.isRegular, isOurs(status) else { return nil }
            return SeccompFile.filter(
                in: try file.readAll(limit: SeccompFile.largest), key: key)
        } catch {
            // Not there, or not readable: it is compiled.
            return nil
        }
    }

    /// Nil where others could have put files into the directory.
    private func openDirectory() throws(SysError) -> Fd? {
        let fd = try openFile(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
        guard isOurs(try fd.status()) else { return nil }
        return fd
    }

    private func isOurs(_ status: FileStatus) -> Bool {
        status.uid == effectiveUser && status.mode & 0o022 == 0
    }

    // MARK: writing

    private func write(_ filter: [UInt8], _ key: Digest) {
        do throws(SysError) {
            guard let directory = try openOrMakeDirectory() else { return }
            // Should two writers meet in the same nanosecond, one of them gives up.
            let now = clock(CLOCK_MONOTONIC)
            let name = "new-\(now.seconds)-\(now.nanoseconds)"
            let file = try openFile(
                at: directory.raw, name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            do throws(SysError) {
                try file.write(SeccompFile.bytes(filter: filter, key: key))
                try rename(at: directory.raw, name, to: key.hexadecimal)
            } catch {
                try removeFile(at: directory.raw, name)
                return
            }
            try makeRoom(in: directory, keeping: key.hexadecimal)
        } catch {
            // A disk that is full or read-only: the next container compiles again.
        }
    }

    private func openOrMakeDirectory() throws(SysError) -> Fd? {
        do throws(SysError) {
            return try openDirectory()
        } catch  where error.errno == ENOENT {
            do throws(SysError) {
                try makeDirectory(directory, mode: 0o700)
            } catch  where error.errno == EEXIST {
                // Another process was faster.
            }
            return try openDirectory()
        }
    }

    /// Removes what is too much: a tmpfs lists the newest files first, and elsewhere the choice does
    /// not matter, because compiling again takes less than a millisecond. What a writer left that
    /// was killed goes the same way.
    private func makeRoom(in directory: borrowing Fd, keeping newest: String) throws(SysError) {
        let others = try directory.names().filter { $0 != newest }
        for name in others.dropFirst(Self.limit - 1) {
            try removeFile(at: directory.raw, name)
        }
    }
}

/// A file of the cache: what it is, the key, the program, and a digest of all that.
enum SeccompFile {
    private static let magic: [UInt8] = Array("swrunc seccomp 1".utf8)
    private static let digestSize = 32
    private static let overhead = magic.count + 2 * digestSize

    /// The size of the largest file.
    static let largest = overhead + BPFProgram.limit * 8

    static func bytes(filter: [UInt8], key: Digest) -> [UInt8] {
        let content = magic + key.bytes + filter
        return content + Digest(of: content).bytes
    }

    /// The program in a file; nil where the file is not exactly what was written for `key`.
    static func filter(in file: [UInt8], key: Digest) -> [UInt8]? {
        guard file.count > overhead, (file.count - overhead) % 8 == 0 else { return nil }
        let content = Array(file.dropLast(digestSize))
        let filter = content.dropFirst(magic.count + digestSize)
        guard content.starts(with: magic),
            content[magic.count..<filter.startIndex].elementsEqual(key.bytes),
            file.suffix(digestSize).elementsEqual(Digest(of: content).bytes)
        else { return nil }
        return Array(filter)
    }
}
