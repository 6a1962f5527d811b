import CSys
import Glibc

/// Walks all directories below `top`, which others may add to and remove from meanwhile: cgroups have
/// no other entries worth a look. Names stay bytes, and one descriptor is open at a time however deep
/// the tree is, because a container makes its own cgroups.
/// - Parameters:
///   - entering: called with each directory's descriptor, `top` first.
///   - leaving: called with the parent's descriptor and the name, after all below it.
/// - Throws: what the closures throw; directories that vanish are passed over.
package func walkDirectories(
    _ top: String,
    entering: (Int32) throws(SysError) -> Void = { _ in },
    leaving: (_ parent: Int32, _ name: DirectoryName) throws(SysError) -> Void = { _, _ in }
) throws(SysError) {
    var current: Fd
    do throws(SysError) {
        current = try openFile(top, O_RDONLY | O_DIRECTORY)
    } catch let error where error.errno == ENOENT {
        return
    }
    try entering(current.raw)
    /// What is still to be seen at each level, and through which name the level was entered.
    var levels: [(entered: DirectoryName?, pending: [DirectoryName])] = [
        (nil, subdirectories(current.raw))
    ]
    while var level = levels.popLast() {
        if let name = level.pending.popLast() {
            levels.append(level)
            let opened = name.open(at: current.raw)
            if opened < 0 { continue }
            current = Fd(owning: opened)
            try entering(current.raw)
            levels.append((name, subdirectories(current.raw)))
        } else if let name = level.entered {
            current = try openFile(at: current.raw, "..", O_RDONLY | O_DIRECTORY)
            try leaving(current.raw, name)
        }
    }
}

/// The name of a directory entry, as the kernel has it.
package struct DirectoryName: Sendable {
    /// With a NUL at the end.
    private let bytes: [CChar]

    fileprivate init(_ name: ArraySlice<UInt8>) {
        bytes = name.map { CChar(bitPattern: $0) } + [0]
    }

    fileprivate func open(at directory: Int32) -> Int {
        unsafe csys_openat(
            directory, bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0)
    }

    /// `rmdir(2)`: 0 or `-errno`.
    package func removeDirectory(at directory: Int32) -> Int {
        unsafe csys_unlinkat(directory, bytes, AT_REMOVEDIR)
    }
}

private func subdirectories(_ directory: Int32) -> [DirectoryName] {
    var names: [DirectoryName] = []
    var buffer = [UInt8](repeating: 0, count: 8192)
    while true {
        let length = unsafe csys_getdents64(directory, &buffer, buffer.count)
        if length <= 0 { return names }
        var offset = 0
        while offset + 19 < length {
            let record = Int(buffer[offset + 16]) | Int(buffer[offset + 17]) << 8
            let isDirectory = buffer[offset + 18] == 4  // DT_DIR
            let name = buffer[(offset + 19)..<(offset + record)].prefix { $0 != 0 }
            if isDirectory, !name.elementsEqual(".".utf8), !name.elementsEqual("..".utf8) {
                names.append(DirectoryName(name))
            }
            offset += record
        }
    }
}

/// `fchownat(2)` of the user alone.
package func changeUser(of path: String, to uid: UInt32) throws(SysError) {
    try check(
        unsafe csys_fchownat(AT_FDCWD, path, uid, UInt32.max, 0), "chown(\(quoted(path)), \(uid))")
}

/// `kill(2)`, for a process that is known to be there: one of a frozen cgroup.
package func signalProcess(_ pid: Int32, _ number: Int32) throws(SysError) {
    try check(csys_kill(pid, number), "kill(\(pid), \(number))")
}
