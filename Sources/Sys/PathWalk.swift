import CSys
import Glibc

/// One resolution of a path beneath a top directory, component by component on `O_PATH`
/// descriptors: what `openat2(2)` with `RESOLVE_IN_ROOT` does, for kernels without it, and making
/// what is missing on the way.
///
/// The stack of descriptors down from the top makes `..` safe, also while somebody renames
/// directories: it pops, and at the top it stays. Links of procfs, which the kernel may jump through
/// (`/proc/PID/root`), are refused.
struct PathWalk: ~Copyable {
    /// What to make where nothing is.
    enum Making {
        case nothing
        /// Directories, with these permissions.
        case directories(UInt32)
        /// An empty file for the last component, directories before it.
        case file(UInt32, in: UInt32)
    }

    private let path: String
    private let top: Int32
    private let followingLinks: Bool
    private let making: Making
    private var stack: [Int32] = []
    /// What is still to be resolved, the next component last, each NUL-terminated. Bytes, because
    /// the names and links of a file system need not be UTF-8.
    private var pending: [[CChar]]
    private var links = 0

    init(_ path: String, beneath top: Int32, followingLinks: Bool, making: Making) {
        self.path = path
        self.top = top
        self.followingLinks = followingLinks
        self.making = making
        pending = PathWalk.components(Array(path.utf8))
    }

    deinit { for fd in stack { _ = csys_close(fd) } }

    private var current: Int32 { stack.last ?? top }

    /// The components in reverse. A trailing slash leaves a `.`, which demands a directory.
    private static func components(_ path: [UInt8]) -> [[CChar]] {
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        var parts = path.split(separator: slash).filter { !$0.elementsEqual([dot]) }
            .map { $0.map { CChar(bitPattern: $0) } + [0] }
        if path.last == slash || path.elementsEqual([dot]) || path.suffix(2) == [slash, dot] {
            parts.append([CChar(bitPattern: dot), 0])
        }
        return parts.reversed()
    }

    mutating func run(_ flags: Int32, mode: UInt32) throws(SysError) -> Fd {
        if path.isEmpty { throw failure(ENOENT) }
        if path.utf8.count >= 4096 { throw failure(ENAMETOOLONG) }
        while let name = pending.popLast() {
            switch name {
            case [46, 0]:
                continue
            case [46, 46, 0]:
                if let fd = stack.popLast() { _ = csys_close(fd) }
            default:
                if !pending.isEmpty {
                    try enter(name)
                } else if let fd = try last(name, flags, mode) {
                    return fd
                }
            }
        }
        // The path ends in the directory where the walk stands.
        let result = unsafe csys_openat(current, ".", flags | O_CLOEXEC, mode)
        return Fd(owning: try check(result, describe()))
    }

    /// Goes into the directory `name`, or takes up the path that the link `name` holds.
    private mutating func enter(_ name: [CChar]) throws(SysError) {
        let flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        var result = unsafe csys_openat(current, name, flags, 0)
        if result == -Int(ENOENT), let mode = directoryMode {
            try make(name, mode)
            result = unsafe csys_openat(current, name, flags, 0)
        }
        if result == -Int(ENOTDIR) { return try follow(name, otherwise: ENOTDIR) }
        stack.append(Int32(truncatingIfNeeded: try check(result, describe())))
    }

    /// Opens the last component; nil where it is a link whose path is now pending.
    private mutating func last(
        _ name: [CChar], _ flags: Int32, _ mode: UInt32
    ) throws(SysError) -> Fd? {
        // Who wants something made looked in vain before: most likely it is missing.
        switch making {
        case .nothing: break
        case .directories(let mode): try make(name, mode)
        case .file(let mode, in: _):
            let made = unsafe csys_openat(
                current, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_WRONLY, mode)
            if made != -Int(EEXIST) {
                _ = csys_close(Int32(try check(made, describe("O_CREAT"))))
            }
        }
        let result = unsafe csys_openat(current, name, flags | O_NOFOLLOW | O_CLOEXEC, mode)
        if flags & O_NOFOLLOW == 0 {
            // How a link shows: ELOOP, ENOTDIR where a directory is wanted, and O_PATH opens it.
            if result == -Int(ELOOP) || result == -Int(ENOTDIR) {
                try follow(name, otherwise: Int32(-result))
                return nil
            }
            if result >= 0, flags & O_PATH != 0, flags & O_DIRECTORY == 0 {
                let found = Fd(owning: result)
                guard try found.status().isSymlink else { return found }
                try follow(found)
                return nil
            }
        } else if !followingLinks, result >= 0, flags & O_PATH != 0 {
            let found = Fd(owning: result)
            if try found.status().isSymlink { throw failure(ELOOP) }
            return found
        }
        return Fd(owning: try check(result, describe()))
    }

    private func make(_ name: [CChar], _ mode: UInt32) throws(SysError) {
        let made = unsafe csys_mkdirat(current, name, mode)
        if made != -Int(EEXIST) { try check(made, "mkdir(\(shown(name))) for \(quoted(path))") }
    }

    private mutating func follow(_ name: [CChar], otherwise errno: Int32) throws(SysError) {
        let result = unsafe csys_openat(current, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0)
        let link = Fd(owning: try check(result, describe()))
        guard try link.status().isSymlink else { throw failure(errno) }
        try follow(link)
    }

    /// Puts the target of the link before what is pending.
    private mutating func follow(_ link: borrowing Fd) throws(SysError) {
        links += 1
        // 40 as in the kernel, path_resolution(7).
        guard followingLinks, links <= 40 else { throw failure(ELOOP) }
        // Which links of procfs the kernel would jump through cannot be told: none is followed.
        if try link.fileSystemType() == 0x9fa0 { throw failure(ELOOP) }
        var target = [UInt8](repeating: 0, count: 4096)
        let raw = link.raw
        let length = try check(
            unsafe target.withUnsafeMutableBytes {
                unsafe csys_readlinkat(raw, "", $0.baseAddress, $0.count)
            }, "readlink() for \(quoted(path))")
        target.removeLast(target.count - length)
        if target.isEmpty { throw failure(ENOENT) }
        if target.first == UInt8(ascii: "/") {
            for fd in stack { _ = csys_close(fd) }
            stack.removeAll()
        }
        // The link's own trailing slash counts only where nothing follows.
        var components = PathWalk.components(target)
        if !pending.isEmpty, components.first == [46, 0] { components.removeFirst() }
        pending += components
    }

    private var directoryMode: UInt32? {
        switch making {
        case .nothing: nil
        case .directories(let mode), .file(_, in: let mode): mode
        }
    }

    private func failure(_ errno: Int32) -> SysError { SysError(describe(), errno) }

    private func describe(_ flag: String? = nil) -> String {
        "open(\(quoted(path))\(flag.map { ", \($0)" } ?? ""))"
    }

    private func shown(_ name: [CChar]) -> String {
        quoted(String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
