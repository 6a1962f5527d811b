import Glibc
import Sys

/// A directory of its own for one test, removed with all that is in it.
final class TemporaryTree {
    let path: String

    init() throws {
        var template = Array("/tmp/swrunc-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SysError("mkdtemp()", errno) }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        var one = stat()
        guard lstat(path, &one) == 0 else { return }
        if one.st_mode & S_IFMT == S_IFDIR {
            chmod(path, 0o700)
            if let directory = opendir(path) {
                while let entry = readdir(directory) {
                    withUnsafePointer(to: &entry.pointee.d_name) {
                        $0.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                            if strcmp(name, ".") == 0 || strcmp(name, "..") == 0 { return }
                            // Bytes, for names that are not UTF-8.
                            if unlinkat(dirfd(directory), name, 0) != 0 {
                                remove(path + "/" + String(cString: name))
                            }
                        }
                    }
                }
                closedir(directory)
            }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    func directory(_ name: String) throws { try makeDirectories("\(path)/\(name)", mode: 0o755) }

    func file(_ name: String, _ text: String = "") throws {
        let fd = try openFile("\(path)/\(name)", O_CREAT | O_EXCL | O_WRONLY, mode: 0o644)
        try fd.write(Array(text.utf8))
    }

    func link(_ name: String, to target: String) throws {
        try makeSymbolicLink(to: target, at: AT_FDCWD, "\(path)/\(name)")
    }

    func open() throws -> Fd { try openFile(path, O_PATH | O_DIRECTORY) }

    func root(byKernel: Bool) throws -> RootDirectory {
        RootDirectory(try open(), byKernel: byKernel)
    }
}
