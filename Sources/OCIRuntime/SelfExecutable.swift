import Glibc
import Sys

/// Keeps the runtime's own executable from being overwritten out of a container (CVE-2019-5736).
///
/// A container's process may execute `/proc/self/exe` while that is still the runtime, and then write
/// to the file behind it. What decides whether it may is the mount that the executable was started
/// through: so a runtime that could write to its own file starts itself again from a detached
/// read-only copy of the mount, which nobody can reach by a path and which ends with the process. That
/// costs one exec of a file that is in memory, and no copy of it; and a grace period of the kernel's when
/// the copy's last descriptor is closed, which the host does while the init is at work. Where the file is already out of
/// reach (a read-only mount, an immutable file, a caller without rights to it) nothing is done.
public enum SelfExecutable {
    /// To be called first thing by a program that creates containers or executes in them. Returns in
    /// a process whose executable cannot be written to; on the way it may have been executed again
    /// with the same arguments and environment.
    public static func protect() throws(RuntimeError) {
        do throws(SysError) {
            if try isOutOfReach() { return }
            do throws(SysError) {
                try executeThroughReadOnlyMount()
            } catch {
                // No new mount API, or no right to make a mount: a sealed copy in memory.
                try executeSealedCopy()
            }
        } catch {
            throw RuntimeError(
                "protecting the runtime's executable: \(error)",
                hint: "a runtime on a read-only mount needs no protection")
        }
    }

    private static let path = "/proc/self/exe"

    /// `access(2)` says EROFS on a read-only mount, EPERM for an immutable file and EACCES for a caller
    /// without rights; a sealed copy is told by its seals.
    private static func isOutOfReach() throws(SysError) -> Bool {
        if !isWritable(path) { return true }
        let executable = try openFile(path, O_RDONLY)
        return isSealed(executable.raw)
    }

    private static func executeThroughReadOnlyMount() throws(SysError) {
        let tree = try cloneMount(path, recursive: false)
        try setMountAttributes(
            tree.raw, MountAttributes(setting: MountAttributes.readOnly), recursive: false)
        throw executeAgain(tree.raw)
    }

    private static func executeSealedCopy() throws(SysError) {
        let copy = try sealedCopy(of: path)
        throw executeAgain(copy.raw)
    }
}
