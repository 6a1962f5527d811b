import Glibc
import Spec
import Sys

/// What `events` tells of a container.
public struct ContainerEvent: Sendable {
    /// The container's id.
    public let id: String
    let kind: Kind

    enum Kind: Sendable {
        case statistics(Statistics)
        case outOfMemory
    }
}

extension ContainerEvent: JSONWritable {
    /// The shape of runc's events: `type`, `id`, `data`.
    public func write(to writer: inout JSONWriter) {
        writer.object {
            switch kind {
            case .statistics(let statistics):
                $0.member("type", "stats")
                $0.member("id", id)
                $0.key("data")
                statistics.write(to: &$0)
            case .outOfMemory:
                $0.member("type", "oom")
                $0.member("id", id)
            }
        }
    }
}

extension Runtime {
    /// What a container has used so far.
    public func statistics(of id: String) throws(RuntimeError) -> ContainerEvent {
        let container = try Container(root: root, id: id)
        let group = container.resctrlGroup(of: try container.config())
        let statistics = Statistics(of: try cgroup(of: container), group)
        return ContainerEvent(id: id, kind: .statistics(statistics))
    }

    /// Tells what a container uses from time to time, and at once when it runs out of memory, until it
    /// stops.
    /// - Parameters:
    ///   - interval: milliseconds.
    ///   - report: called with each event.
    public func events(
        of id: String, every interval: Int64,
        _ report: (ContainerEvent) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        let container = try Container(root: root, id: id)
        let cgroup = try cgroup(of: container)
        let group = container.resctrlGroup(of: try container.config())
        let process: ProcessHandle
        do throws(SysError) {
            process = try container.identity.open()
        } catch {
            // It has ended since the look at its status.
            if error.errno == ESRCH { return }
            throw RuntimeError(error)
        }
        let memory: Fd
        do throws(SysError) {
            memory = try cgroup.openOutOfMemoryEvents()
        } catch {
            throw RuntimeError(error)
        }
        var kills = cgroup.outOfMemoryKills
        var next = Deadline(milliseconds: interval)
        while true {
            let ready: (ended: Bool, input: Bool)
            do throws(SysError) {
                ready = try waitForEnd(
                    of: process.raw, orInputOn: memory.raw, milliseconds: next.milliseconds)
                if ready.input { _ = try Fd.readSome(memory.raw, limit: 4096) }
            } catch {
                throw RuntimeError(error)
            }
            // Also at the end of the init: that may be what the kernel did about it.
            if cgroup.hasRunOutOfMemory(since: &kills, signalled: ready.input) {
                try report(ContainerEvent(id: id, kind: .outOfMemory))
            }
            if ready.ended { return }
            if next.milliseconds == 0 {
                next = Deadline(milliseconds: interval)
                let statistics = Statistics(of: cgroup, group)
                try report(ContainerEvent(id: id, kind: .statistics(statistics)))
            }
        }
    }

    private func cgroup(of container: borrowing Container) throws(RuntimeError) -> Cgroup {
        if try container.status == .stopped {
            throw RuntimeError("container with id \(container.record.id) is not running")
        }
        let cgroup = Cgroup(directories: container.record.cgroups)
        guard cgroup.hasDirectories else {
            throw RuntimeError("the container has no cgroup, which would count what it uses")
        }
        guard cgroup.isThere else {
            throw RuntimeError(
                "the container's cgroup, which would count what it uses, has been removed")
        }
        return cgroup
    }
}
