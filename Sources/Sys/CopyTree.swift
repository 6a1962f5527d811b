import CSys
import Glibc

/// Copies what the directory `source` holds into the directory `target`, with permissions and
/// owners: files, directories, links, devices, pipes and sockets. Both are descriptors; links are
/// copied, never followed. Times, extended attributes and hard links are not kept; `target` itself stays
/// as it is.
package func copyTree(from source: Int32, to target: Int32) throws(SysError) {
    let mask = setUmask(0)
    defer { setUmask(mask) }
    try copyContents(of: source, to: target, path: "")
}

private func copyContents(
    of source: Int32, to target: Int32, path: String
) throws(SysError) {
    let reader = try openFile(at: source, ".", O_RDONLY | O_DIRECTORY)
    for name in try entries(of: reader.raw) {
        let shown = "\(path)/\(text(name))"
        do throws(SysError) {
            try copyEntry(name, from: reader.raw, to: target, path: shown)
        } catch {
            // The innermost path is the one that matters.
            if error.call.utf8.starts(with: "copying ".utf8) { throw error }
            throw SysError(
                "copying \(quoted(shown)): \(error.call)", error.errno,
                hint: error.errno == EPERM ? "devices cannot be copied without CAP_MKNOD" : nil)
        }
    }
}

private func copyEntry(
    _ name: [CChar], from source: Int32, to target: Int32, path: String
) throws(SysError) {
    let file = Fd(
        owning: try check(
            unsafe csys_openat(source, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0), "open()"))
    let status = try file.status()
    switch status.kind {
    case S_IFDIR:
        try check(unsafe csys_mkdirat(target, name, 0o700), "mkdir()")
        let copy = Fd(
            owning: try check(
                unsafe csys_openat(
                    target, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0), "open()"))
        try copyContents(of: file.raw, to: copy.raw, path: path)
    case S_IFLNK:
        var link = [CChar](repeating: 0, count: 4097)
        let raw = file.raw
        try check(
            unsafe link.withUnsafeMutableBytes {
                unsafe csys_readlinkat(raw, "", $0.baseAddress, 4096)
            }, "readlink()")
        try check(unsafe csys_symlinkat(link, target, name), "symlink()")
    case S_IFREG:
        return try copyFile(name, from: source, to: target, status)
    default:
        try check(
            unsafe csys_mknodat(
                target, name, status.mode, csys_major(status.rdev), csys_minor(status.rdev)),
            "mknod()")
    }
    try check(
        unsafe csys_fchownat(target, name, status.uid, status.gid, AT_SYMLINK_NOFOLLOW), "chown()")
    if !status.isSymlink {
        try check(unsafe csys_fchmodat(target, name, status.mode & 0o7777), "chmod()")
    }
}

private func copyFile(
    _ name: [CChar], from source: Int32, to target: Int32, _ expected: FileStatus
) throws(SysError) {
    let from = Fd(
        owning: try check(
            unsafe csys_openat(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0),
            "open()"))
    let status = try from.status()
    guard status.ino == expected.ino, status.dev == expected.dev else {
        throw .refused("it was replaced by something else")
    }
    let to = Fd(
        owning: try check(
            unsafe csys_openat(
                target, name, O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY | O_CLOEXEC, 0o600),
            "open(O_CREAT)"))
    while try checkRetrying({ csys_sendfile(to.raw, from.raw, 1 << 30) }, "sendfile()") > 0 {}
    try check(unsafe csys_fchownat(to.raw, "", status.uid, status.gid, AT_EMPTY_PATH), "chown()")
    try check(csys_fchmod(to.raw, status.mode & 0o7777), "chmod()")
}

/// The names in an open directory, NUL-terminated, without `.` and `..`: bytes, whatever they mean.
private func entries(of directory: Int32) throws(SysError) -> [[CChar]] {
    var names: [[CChar]] = []
    var buffer = [UInt8](repeating: 0, count: 32768)
    while true {
        let length = try check(
            unsafe csys_getdents64(directory, &buffer, buffer.count), "getdents64()")
        if length == 0 { return names }
        var offset = 0
        while offset + 19 < length {
            let record = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
            let name = buffer[(offset + 19)..<(offset + record)].prefix { $0 != 0 }
                .map { CChar(bitPattern: $0) }
            if name != [46], name != [46, 46] { names.append(name + [0]) }
            offset += record
        }
    }
}

private func text(_ name: [CChar]) -> String {
    String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
