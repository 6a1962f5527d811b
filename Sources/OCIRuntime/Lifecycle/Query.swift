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
    /// The user who created it.
    public let owner: UInt32
}

extension Runtime {
    /// The state of a container (runtime-spec `runtime.md`, Query State).
    public func state(_ id: String) throws(RuntimeError) -> ContainerStatus {
        ContainerStatus(try Container(root: root, id: id))
    }

    /// The containers under ``root``, in the order of their ids. What cannot be read is left out and
    /// told in `warnings`.
    public func list(warnings: inout [String]) throws(RuntimeError) -> [ContainerStatus] {
        let names: [String]
        do throws(SysError) {
            names = try openFile(root, O_RDONLY | O_DIRECTORY).names().sorted()
        } catch where error.errno == ENOENT {
            return []
        } catch {
            throw RuntimeError(error)
        }
        var containers: [ContainerStatus] = []
        for name in names where name.utf8.first != UInt8(ascii: ".") {
            do throws(RuntimeError) {
                containers.append(try state(name))
            } catch {
                warnings.append("container \"\(name)\": \(error)")
            }
        }
        return containers
    }
}

extension ContainerStatus {
    init(_ container: borrowing Container) {
        let status = container.status
        self.init(
            state: container.record.state(status), rootfs: container.record.rootfs,
            created: container.record.created, owner: container.record.owner)
    }
}
