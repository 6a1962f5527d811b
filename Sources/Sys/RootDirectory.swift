import CSys
import Glibc

/// A directory tree in which every path is resolved beneath its top, whatever symbolic links it
/// holds: the one place where paths of a container's root file system become descriptors
/// (CVE-2021-30465, CVE-2024-45310, CVE-2026-41579).
///
/// `openat2(2)` with `RESOLVE_IN_ROOT` does the work; where it is not available, when it gives
/// up under renames, and where something missing is to be made, ``PathWalk`` goes component by
/// component.
package struct RootDirectory: ~Copyable {
    package let fd: Fd
    /// Whether the kernel resolves paths; false is for tests of what older kernels need.
    private let byKernel: Bool

    /// Takes the directory open as `fd` as the top.
    package init(_ fd: consuming Fd, byKernel: Bool = true) {
        self.fd = fd
        self.byKernel = byKernel
    }

    /// Opens what `path` names, always `O_CLOEXEC`. Absolute paths and links start at the top, `..`
    /// stays there.
    /// - Parameters:
    ///   - flags: of `open(2)`.
    ///   - followingLinks: false refuses a symbolic link anywhere in the path with ELOOP.
    package borrowing func open(
        _ path: String, _ flags: Int32 = O_PATH, mode: UInt32 = 0, followingLinks: Bool = true
    ) throws(SysError) -> Fd {
        if byKernel {
            let inRootNoMagicLinks: UInt64 = 0x10 | 0x02
            let noSymlinks: UInt64 = followingLinks ? 0 : 0x04
            let result = NewerCall.openat2.answer(
                unsafe csys_openat2(
                    fd.raw, path, flags | O_CLOEXEC, mode, inRootNoMagicLinks | noSymlinks))
            // EAGAIN: the kernel could not rule out that a rename made a `..` leave the root.
            if result != -Int(ENOSYS) && result != -Int(EAGAIN) {
                if result >= 0 { return Fd(owning: result) }
                // That something is missing is mostly no failure: the root is not asked its name then.
                let top = result == -Int(ENOENT) ? "" : "\(named(fd.raw)), "
                throw SysError(
                    "openat2(\(top)\(quoted(path)), RESOLVE_IN_ROOT)",
                    Int32(truncatingIfNeeded: -result))
            }
        }
        var walk = PathWalk(path, beneath: fd.raw, followingLinks: followingLinks, making: .nothing)
        return try walk.run(flags, mode: mode)
    }

    /// An `O_PATH` descriptor of the directory that `path` names, made with its parents where
    /// missing, with exactly the permissions `mode`.
    package borrowing func openMakingDirectories(
        _ path: String, mode: UInt32 = 0o755, followingLinks: Bool = true
    ) throws(SysError) -> Fd {
        do throws(SysError) {
            return try open(path, O_PATH | O_DIRECTORY, followingLinks: followingLinks)
        } catch {
            guard error.errno == ENOENT else { throw error }
        }
        let mask = setUmask(0)
        defer { setUmask(mask) }
        var walk = PathWalk(
            path, beneath: fd.raw, followingLinks: followingLinks, making: .directories(mode))
        return try walk.run(O_PATH | O_DIRECTORY, mode: 0)
    }

    /// An `O_PATH` descriptor of what `path` names; where nothing is there an empty file (mode 0644)
    /// is made, with its parent directories (0755), also where a dangling link says so.
    package borrowing func openMakingFile(_ path: String) throws(SysError) -> Fd {
        do throws(SysError) {
            return try open(path)
        } catch {
            guard error.errno == ENOENT else { throw error }
        }
        let mask = setUmask(0)
        defer { setUmask(mask) }
        var walk = PathWalk(
            path, beneath: fd.raw, followingLinks: true, making: .file(0o644, in: 0o755))
        return try walk.run(O_PATH, mode: 0)
    }
}

/// Opens a file below `directory` without leaving its mount, without following any link and without
/// `..`: for procfs, whose files may be covered by other mounts (CVE-2025-52881).
package func openBeneath(
    _ directory: Int32, _ path: String, _ flags: Int32
) throws(SysError) -> Fd {
    let beneathOneMountNoLinks: UInt64 = 0x08 | 0x04 | 0x02 | 0x01
    let result = NewerCall.openat2.answer(
        unsafe csys_openat2(directory, path, flags | O_CLOEXEC, 0, beneathOneMountNoLinks))
    if result != -Int(ENOSYS) {
        return Fd(
            owning: try check(
                result, "openat2(\(named(directory)), \(quoted(path)), RESOLVE_NO_XDEV)"))
    }
    var walk = PathWalk(path, beneath: directory, followingLinks: false, making: .nothing)
    let file = try walk.run(flags, mode: 0)
    let top = try status(at: directory, "", AT_EMPTY_PATH)
    guard try file.status().dev == top.dev else {
        throw SysError("open(\(quoted(path)))", EXDEV)
    }
    return file
}

/// The parent and the last component of a path; trailing slashes do not count.
package func splitPath(_ path: String) -> (parent: String, name: String) {
    var bytes = path.utf8[...]
    while let last = bytes.last, last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else {
        return (".", String(Substring(bytes)))
    }
    let name = bytes[bytes.index(after: slash)...]
    let parent = bytes[..<slash]
    return (parent.isEmpty ? "/" : String(Substring(parent)), String(Substring(name)))
}
