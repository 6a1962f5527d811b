import CSys
import Glibc

/// A directory tree in which every path is resolved beneath its top, whatever symbolic links it
/// holds: the one place where paths of a container's root file system become descriptors
/// (CVE-2021-30465, CVE-2024-45310, CVE-2026-41579).
///
/// `openat2(2)` with `RESOLVE_IN_ROOT` does the work; without it, and where missing directories are
/// to be made, the tree is walked component by component on `O_PATH` descriptors.
package struct RootDirectory: ~Copyable {
    package let fd: Fd

    /// Takes the directory open as `fd` as the top.
    package init(_ fd: consuming Fd) { self.fd = fd }

    /// An `O_PATH` descriptor of what `path` names, symbolic links followed inside the root.
    package borrowing func open(
        _ path: String, _ flags: Int32 = O_PATH, mode: UInt32 = 0
    ) throws(SysError) -> Fd {
        let inRootNoMagicLinks: UInt64 = 0x10 | 0x02
        let result = unsafe csys_openat2(
            fd.raw, path, flags | O_CLOEXEC, mode, inRootNoMagicLinks)
        if result == -Int(ENOSYS) || result == -Int(EAGAIN) {
            return try walk(path, flags, mode: mode, making: nil)
        }
        return Fd(owning: try check(result, "openat2(\(quoted(path)), RESOLVE_IN_ROOT)"))
    }

    /// The directory that `path` names, made with its parents where missing (mode 0755).
    package borrowing func openMakingDirectories(
        _ path: String, mode: UInt32 = 0o755
    ) throws(SysError) -> Fd {
        do throws(SysError) {
            return try open(path, O_PATH | O_DIRECTORY)
        } catch {
            guard error.errno == ENOENT else { throw error }
            return try walk(path, O_PATH | O_DIRECTORY, mode: 0, making: mode)
        }
    }

    /// The file that `path` names, made empty, with its parent directories, where missing.
    package borrowing func openMakingFile(_ path: String) throws(SysError) -> Fd {
        do throws(SysError) {
            return try open(path)
        } catch {
            guard error.errno == ENOENT else { throw error }
        }
        let (parent, name) = splitPath(path)
        let directory = try openMakingDirectories(parent)
        // The last component may be a dangling link: O_EXCL refuses it, the walk resolves it.
        let made = unsafe csys_openat(
            directory.raw, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, 0o644)
        if made >= 0 { _ = csys_close(Int32(made)) }
        if made < 0 && made != -Int(EEXIST) { try check(made, "open(\(quoted(path)), O_CREAT)") }
        return try open(path)
    }

    /// Resolves `path` one component at a time. `making` is the mode of directories to make.
    private borrowing func walk(
        _ path: String, _ flags: Int32, mode: UInt32, making: UInt32?
    ) throws(SysError) -> Fd {
        var walk = Walk(path: path, top: fd.raw)
        return try walk.run(flags, mode: mode, making: making)
    }
}

/// The parent and the last component of a path; trailing slashes do not count.
package func splitPath(_ path: String) -> (parent: String, name: String) {
    var bytes = path.utf8[...]
    while let last = bytes.last, last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else {
        return (".", String(decoding: bytes, as: UTF8.self))
    }
    let name = bytes[bytes.index(after: slash)...]
    let parent = bytes[..<slash]
    return (
        parent.isEmpty ? "/" : String(decoding: parent, as: UTF8.self),
        String(decoding: name, as: UTF8.self)
    )
}

/// One walk below a top directory. The stack of descriptors from the top makes `..` safe: it pops,
/// and at the top it stays.
private struct Walk: ~Copyable {
    private let path: String
    private let top: Int32
    private var stack: [Int32] = []
    private var pending: [Substring.UTF8View]
    private var links = 0

    init(path: String, top: Int32) {
        self.path = path
        self.top = top
        pending = Walk.components(path)
    }

    deinit { for fd in stack { _ = csys_close(fd) } }

    private var current: Int32 { stack.last ?? top }

    /// In reverse, so that the next one is the last.
    private static func components(_ path: String) -> [Substring.UTF8View] {
        path.utf8.split(separator: UInt8(ascii: "/")).filter { !($0.count == 1 && $0.first == 46) }
            .map { Substring($0).utf8 }.reversed()
    }

    mutating func run(_ flags: Int32, mode: UInt32, making: UInt32?) throws(SysError) -> Fd {
        while let next = pending.popLast() {
            let name = String(Substring(next))
            if name.utf8.elementsEqual("..".utf8) {
                if let fd = stack.popLast() { _ = csys_close(fd) }
                continue
            }
            let isLast = pending.isEmpty
            try step(name, isLast: isLast, flags: flags, mode: mode, making: making)
        }
        if stack.isEmpty {
            return try openFile(at: top, ".", flags)
        }
        return Fd(owning: stack.removeLast())
    }

    private mutating func step(
        _ name: String, isLast: Bool, flags: Int32, mode: UInt32, making: UInt32?
    ) throws(SysError) {
        let path = self.path
        func open(_ current: Int32) -> Int {
            unsafe csys_openat(current, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
        }
        var result = open(current)
        if result == -Int(ENOENT), let making {
            let made = unsafe csys_mkdirat(current, name, making)
            if made < 0 && made != -Int(EEXIST) {
                try check(made, "mkdir(\(quoted(name))) for \(quoted(path))")
            }
            result = open(current)
        } else if result == -Int(ENOENT), isLast, flags & O_CREAT != 0 {
            result = unsafe csys_openat(
                current, name, flags | O_NOFOLLOW | O_CLOEXEC, mode)
            stack.append(
                Int32(truncatingIfNeeded: try check(result, "open(\(quoted(path)), O_CREAT)")))
            return
        }
        let found = Int32(
            truncatingIfNeeded: try check(result, "open(\(quoted(name))) for \(quoted(path))"))
        stack.append(found)
        let status = try Sys.status(at: found, "", AT_EMPTY_PATH)
        if status.isSymlink && !(isLast && flags & O_NOFOLLOW != 0) {
            try follow()
        } else if isLast && flags & O_PATH == 0 {
            // Reopen what was found, not what the name points to by now.
            _ = stack.popLast()
            let held = Fd(owning: found)
            let reopened = try openFile("/proc/self/fd/\(held.raw)", flags & ~O_NOFOLLOW)
            stack.append(reopened.release())
        } else if !isLast || flags & O_DIRECTORY != 0, !status.isDirectory {
            throw SysError("open(\(quoted(name))) for \(quoted(path))", ENOTDIR)
        }
    }

    /// Replaces the symbolic link on top of the stack by the components of its target.
    private mutating func follow() throws(SysError) {
        guard let top = stack.popLast() else { return }
        let link = Fd(owning: top)
        let status = try Sys.status(at: link.raw, "", AT_EMPTY_PATH)
        let type = try link.fileSystemType()
        let procfs: UInt32 = 0x9fa0
        // A magic link's text is not where it leads; openat2's RESOLVE_NO_MAGICLINKS says ELOOP.
        links += 1
        if links > 40 || (type == procfs && status.size == 0) {
            throw SysError("openat(\(quoted(path)))", ELOOP)
        }
        let target = try readLink(at: link.raw, "")
        if target.utf8.first == UInt8(ascii: "/") {
            for fd in stack { _ = csys_close(fd) }
            stack.removeAll()
        }
        pending += Walk.components(target)
    }
}
