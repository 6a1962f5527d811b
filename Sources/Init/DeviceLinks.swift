import Glibc
import Spec
import Sys

extension Performer {
    /// A default link of `/dev` (config-linux.md, Default Devices). A link that the image has already
    /// stays, as in runc and crun; but `/dev/ptmx` must lead to the container's own devpts, and what
    /// is no link is replaced, if it is not a directory with content.
    func makeSymlink(_ target: String, at path: String) throws(SysError) {
        let parent = try openParent(of: path)
        let name = splitPath(path).name
        do throws(SysError) {
            return try makeSymbolicLink(to: target, at: parent.raw, name)
        } catch let error where error.errno == EEXIST {}
        let found = try status(at: parent.raw, name, AT_SYMLINK_NOFOLLOW)
        if found.isSymlink {
            if name != "ptmx" { return }
            let present = try readLink(at: parent.raw, name)
            if present.utf8.elementsEqual(target.utf8) { return }
        }
        do throws(SysError) {
            if found.isDirectory {
                try removeDirectory(at: parent.raw, name)
            } else {
                try removeFile(at: parent.raw, name)
            }
        } catch {
            throw error.hinting("\(path) is to be a link to \(target), and cannot be replaced")
        }
        try makeSymbolicLink(to: target, at: parent.raw, name)
    }

    /// The directory that `path` is in, made where missing.
    func openParent(of path: String) throws(SysError) -> Fd {
        let (parent, name) = splitPath(path)
        if name.isEmpty || name == "." || name == ".." {
            throw .refused("\(quoted(path)) does not end in a name")
        }
        return try withRoot { (root) throws(SysError) in try root.openMakingDirectories(parent) }
    }
}
