import Glibc
import Spec
import Sys

/// A container that exists: its directory and what is written down of it.
struct Container: ~Copyable {
    let directory: StateDirectory
    var record: ContainerRecord

    /// - Parameter creating: take it also before its creation is over.
    /// - Throws: where there is none with this id, or its state file cannot be read.
    init(root: String, id: String, even creating: Bool = false) throws(RuntimeError) {
        try validate(id)
        let directory = try StateDirectory(root: root, id: id)
        let record = try ContainerRecord(reading: directory)
        if record.isCreating, !creating {
            throw RuntimeError("container \(id) is being created, or its creation was cut short")
        }
        self.record = record
        self.directory = directory
    }

    var identity: ProcessIdentity {
        ProcessIdentity(pid: record.pid, startTime: record.startTime)
    }

    /// Where the container is in its life, as the kernel knows it.
    /// - Throws: where the kernel does not tell: what cannot be seen is not taken for stopped, and
    ///   deleted.
    var status: Status {
        get throws(RuntimeError) {
            do throws(SysError) {
                guard try identity.isAlive else { return .stopped }
            } catch {
                throw RuntimeError(error)
            }
            if record.isCreating { return .creating }
            // First: a container that is paused before its start does not answer `start`.
            if Cgroup(directories: record.cgroups).isFrozen { return .paused }
            return directory.has(StateDirectory.startSocket) ? .created : .running
        }
    }

    /// The container's own copy of its config.
    func config() throws(RuntimeError) -> Config {
        let bytes: [UInt8]
        do throws(SysError) {
            bytes = try directory.read(StateDirectory.configFile)
        } catch {
            throw RuntimeError(error)
        }
        do throws(ConfigError) {
            var config = try Config(parsing: bytes)
            config.findSeccompAgent()
            return config
        } catch {
            throw RuntimeError(
                "the copy of the config, \(directory.path)/\(StateDirectory.configFile), is "
                    + "damaged: \(error)")
        }
    }
}

extension ContainerRecord {
    /// The state as hooks and callers get it.
    func state(_ status: Status) -> State {
        State(
            ociVersion: ociVersion, id: id, status: status, pid: status == .stopped ? nil : pid,
            bundle: bundle, annotations: annotations)
    }
}
