import Glibc
import Sys

extension Performer {
    /// After the change of root, so that `/` is the container's; resolved inside it.
    func makeMountReadOnly(_ path: String) throws(SysError) {
        let root = RootDirectory(try openFile("/", O_PATH | O_DIRECTORY))
        let mount = try root.open(path)
        try setMountAttributes(
            mount.raw, MountAttributes(setting: MountAttributes.readOnly), recursive: false)
    }
}
