import Glibc
import Spec
import Sys

extension Performer {
    /// A default link of `/dev` (config-linux.md, Default Devices). A link that the image has already
    /// stays, as in runc and crun; but `/dev/ptmx` must lead to the container's own devpts, and what
    /// is no link is replaced, if it is not a directory with content.
    mutating func makeSymlink(_ target: String, at path: String) throws(SysError) {
        let parent = try openParent(of: path)
        let name = splitPath(path).name
        do throws(SysError) {
            return try makeSymbolicLink(to: target, at: parent, name)
        } catch let error where error.errno == EEXIST {}
        let found = try status(at: parent, name, AT_SYMLINK_NOFOLLOW)
        if found.isSymlink {
            if name != "ptmx" { return }
            let present = try readLink(at: parent, name)
            if present.utf8.elementsEqual(target.utf8) { return }
        }
        do throws(SysError) {
            if found.isDirectory {
                try removeDirectory(at: parent, name)
            } else {
                try removeFile(at: parent, name)
            }
        } catch {
            throw error.hinting("\(path) is to be a link to \(target), and cannot be replaced")
        }
        try makeSymbolicLink(to: target, at: parent, name)
    }

    /// The directory that `path` is in, made where missing; open until another one is asked for.
    mutating func openParent(of path: String) throws(SysError) -> Int32 {
        let (parent, name) = splitPath(path)
        if name.isEmpty || name == "." || name == ".." {
            throw .refused("\(quoted(path)) does not end in a name")
        }
        if let open = openNodeDirectory(parent) { return open }
        let directory = try withRoot { (root) throws(SysError) in
            try root.openMakingDirectories(parent)
        }
        let raw = directory.raw
        nodeDirectory = NodeDirectory(path: parent, fd: directory)
        return raw
    }

    private func openNodeDirectory(_ path: String) -> Int32? {
        switch nodeDirectory {
        case .some(let open): open.path.utf8.elementsEqual(path.utf8) ? open.fd.raw : nil
        case .none: nil
        }
    }
}
