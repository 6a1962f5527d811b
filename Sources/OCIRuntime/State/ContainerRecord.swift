import Glibc
import Spec
import Sys

/// What is written down of a container: `state.json`. Everything a later command needs without the
/// config; `exec` and hooks read the copy of the config beside it.
struct ContainerRecord {
    /// Changes when an older reader would misunderstand the file.
    static let version: Int64 = 1

    var id: String
    var ociVersion: String
    var bundle: String
    var rootfs: String
    /// RFC 3339, UTC.
    var created: String
    /// The user who created it.
    var owner: UInt32
    /// 0 while the container is being created.
    var pid: Int32 = 0
    /// The process's start time in clock ticks since boot: with the pid it names one process.
    var startTime: UInt64 = 0
    /// Directories of the container's cgroup, one per hierarchy.
    var cgroups: [String] = []
    var hasPoststart = false
    var hasPoststop = false
    /// Whether the pid namespace is the container's own: killing its init then ends all of it.
    var hasPidNamespace = true
    var annotations: OrderedMap<String> = [:]

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.object {
            $0.member("version", Self.version)
            $0.member("id", id)
            $0.member("ociVersion", ociVersion)
            $0.member("pid", Int64(pid))
            $0.member("startTime", startTime)
            $0.member("bundle", bundle)
            $0.member("rootfs", rootfs)
            $0.member("created", created)
            $0.member("owner", UInt64(owner))
            $0.member("cgroups", cgroups)
            $0.member("hasPoststart", hasPoststart)
            $0.member("hasPoststop", hasPoststop)
            $0.member("hasPidNamespace", hasPidNamespace)
            $0.member("annotations", annotations)
        }
        return writer.bytes
    }
}
