import Glibc
import Sys

/// A failure to map the ids of the mount open as `mount`, which nothing shows by name yet.
/// - Parameter source: the path that it comes from, or its type.
package func idMapFault(_ error: SysError, on mount: Int32, of source: String) -> SysError {
    let system = "the file system of \(quoted(source)), \(fileSystemName(of: mount)),"
    switch error.errno {
    case EINVAL:
        return error.hinting(
            "\(system) or of a mount below it, cannot be id-mapped on this kernel")
    case EPERM:
        return error.hinting(
            "id-mapping needs CAP_SYS_ADMIN where \(system) was mounted, and a mount that is not "
                + "id-mapped already")
    default: return error
    }
}
