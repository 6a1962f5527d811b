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
    /// The systemd unit whose cgroup that is; empty with the cgroupfs driver.
    var unit = ""
    /// Whether the unit is one of the owner's own systemd.
    var isUserUnit = false
    /// The directories of resctrl that go with the container, in this order.
    var resctrl: [String] = []
    /// A container without a process in its config can be created but not started.
    var hasProcess = true
    var hasPoststart = false
    var hasPoststop = false
    /// Whether the pid namespace is the container's own: killing its init then ends all of it.
    var hasPidNamespace = true
    /// Whether its hooks are still to be done before it is created.
    var isCreating = false
    /// Whether it is written down before its init is ready, under the lock: see
    /// ``Creation/startsByItself``.
    var startsByItself = false
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
            if !unit.isEmpty {
                $0.member("unit", unit)
                $0.member("isUserUnit", isUserUnit)
            }
            if !resctrl.isEmpty { $0.member("resctrl", resctrl) }
            $0.member("hasProcess", hasProcess)
            $0.member("hasPoststart", hasPoststart)
            $0.member("hasPoststop", hasPoststop)
            $0.member("hasPidNamespace", hasPidNamespace)
            $0.member("startsByItself", startsByItself)
            if isCreating { $0.member("isCreating", isCreating) }
            $0.member("annotations", annotations)
        }
        return writer.bytes
    }
}

extension ContainerRecord {
    /// Reads `state.json`.
    init(reading directory: borrowing StateDirectory) throws(RuntimeError) {
        let file = "\(directory.path)/\(StateDirectory.stateFile)"
        let bytes: [UInt8]
        do throws(SysError) {
            bytes = try directory.read(StateDirectory.stateFile)
        } catch  where error.errno == ENOENT {
            throw RuntimeError(
                "the state file \(file) is missing: the container is being created, or its creation "
                    + "was cut short", hint: "`delete --force` removes what is left of it")
        } catch {
            throw RuntimeError(error)
        }
        do throws(ConfigError) {
            try self.init(json: try JSONValue(parsing: bytes))
        } catch {
            throw RuntimeError(
                "the state file \(file) is damaged: \(error)",
                hint: "`delete --force` removes what is left of the container")
        }
    }

    private init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        guard try object.required("version").integer(Int64.self) == Self.version else {
            throw json.error("its version is not \(Self.version): another swrunc wrote it")
        }
        id = try object.required("id").string()
        ociVersion = try object.required("ociVersion").string()
        bundle = try object.required("bundle").string()
        rootfs = try object.required("rootfs").string()
        created = try object.required("created").string()
        owner = try object.required("owner").integer()
        pid = try object.required("pid").integer()
        startTime = try object.required("startTime").integer()
        cgroups = try object.strings("cgroups") ?? []
        unit = try object.string("unit") ?? ""
        isUserUnit = try object.bool("isUserUnit") ?? false
        resctrl = try object.strings("resctrl") ?? []
        hasProcess = try object.bool("hasProcess") ?? true
        hasPoststart = try object.bool("hasPoststart") ?? false
        hasPoststop = try object.bool("hasPoststop") ?? false
        hasPidNamespace = try object.bool("hasPidNamespace") ?? true
        startsByItself = try object.bool("startsByItself") ?? false
        isCreating = try object.bool("isCreating") ?? false
        annotations = try object.stringMap("annotations") ?? [:]
    }
}

/// - Throws: `invalid container ID format`, where the id is none.
func validate(_ id: String) throws(RuntimeError) {
    do throws(ConfigError) {
        _ = try ContainerID(id)
    } catch {
        throw RuntimeError(error.message, hint: error.hint)
    }
}
