import Glibc
import Spec
import Sys

/// What `state` and `list` show of a container.
public struct ContainerStatus: Sendable {
    /// The spec's state: version, id, status, pid, bundle, annotations.
    public let state: State
    /// The root file system on the host.
    public let rootfs: String
    /// When it was created: RFC 3339, UTC.
    public let created: String
    /// The name of the user who created it, in a list; else empty, as runc has it.
    public internal(set) var owner: String
    /// The systemd unit whose cgroup it has; empty with the cgroupfs driver.
    public let unit: String
}

extension Runtime {
    /// The state of a container (runtime-spec `runtime.md`, Query State).
    public func state(_ id: String) throws(RuntimeError) -> ContainerStatus {
        try ContainerStatus(try Container(root: root, id: id, even: true))
    }

    /// The ids of the containers under ``root``, in order.
    public func ids() throws(RuntimeError) -> [String] {
        do throws(SysError) {
            return try openFile(root, O_RDONLY | O_DIRECTORY).names()
                .filter { (try? validate($0)) != nil }.sorted()
        } catch  where error.errno == ENOENT && root == Self.defaultRoot {
            // Made with the first container. Another directory was named by somebody, who may have
            // mistyped it.
            return []
        } catch {
            throw RuntimeError(error)
        }
    }

    /// The containers under ``root``, in the order of their ids. What cannot be read is left out and
    /// told in `warnings`.
    public func list(warnings: inout [String]) throws(RuntimeError) -> [ContainerStatus] {
        var containers: [ContainerStatus] = []
        for id in try ids() {
            do throws(RuntimeError) {
                let container = try Container(root: root, id: id, even: true)
                var status = try ContainerStatus(container)
                status.owner = userName(container.record.owner)
                containers.append(status)
            } catch {
                warnings.append("container \"\(id)\": \(error)")
            }
        }
        return containers
    }
}

extension ContainerStatus {
    init(_ container: borrowing Container) throws(RuntimeError) {
        let status = try container.status
        self.init(
            state: container.record.state(status), rootfs: container.record.rootfs,
            created: container.record.created, owner: "",
            unit: container.record.unit)
    }
}

extension ContainerStatus: JSONWritable {
    /// The shape that engines read: the spec's members, and runc's `rootfs`, `created`, `owner`. `pid`
    /// is 0 once the process has ended, as runc has it. `systemd-scope` is crun's.
    public func write(to writer: inout JSONWriter) {
        writer.object {
            $0.member("ociVersion", state.ociVersion)
            $0.member("id", state.id)
            $0.member("pid", state.pid ?? 0)
            $0.member("status", state.status.rawValue)
            $0.member("bundle", state.bundle)
            $0.member("rootfs", rootfs)
            $0.member("created", created)
            if !state.annotations.isEmpty { $0.member("annotations", state.annotations) }
            if !unit.isEmpty { $0.member("systemd-scope", unit) }
            $0.member("owner", owner)
        }
    }
}
