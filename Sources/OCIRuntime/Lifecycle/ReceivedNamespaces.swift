import Glibc
import Init
import Sys

/// The namespaces of a container that is there, for a process that joins it.
extension HostPerformer {
    /// Gets them from an init that is not started yet. Later it is the user's own program, whose pidfd is
    /// enough. To enter some and not the others would be a way out of the container.
    mutating func receiveNamespaces(_ kinds: [NamespaceKind]) throws(SysError) {
        let socket: Fd
        do throws(SysError) {
            socket = try connectSocket(.packet, "\(stateDirectory)/\(StateDirectory.execSocket)")
        } catch  where error.errno == ENOENT || error.errno == ECONNREFUSED {
            return
        }
        try limitReceiving(socket.raw, seconds: Patience.slice)
        let channel = Channel(socket)
        while let (message, fd) = try channel.receive() {
            guard case .namespace(let kind) = message, fd >= 0 else {
                throw .refused("the container's init sent an unexpected message")
            }
            joinedLater.append((kind, keep(Fd(owning: fd))))
        }
        // None of them: it has been started, or has ended, meanwhile.
        guard joinedLater.isEmpty || Set(joinedLater.map(\.kind)) == Set(kinds) else {
            throw .refused("the container's init ended before it had handed out its namespaces")
        }
    }

    /// - Parameter before: those to be entered before the clone.
    mutating func takeNamespaces(_ before: [NamespaceKind]) throws(SysError) {
        if !joinedLater.isEmpty {
            prepared.namespaces = joinedLater.filter { before.contains($0.kind) }
            joinedLater.removeAll { before.contains($0.kind) }
        } else if prepared.containerInitIsPidfd {
            // It stands for each of them.
            prepared.namespaces = before.map { ($0, prepared.containerInit) }
        } else {
            for (kind, fd) in try openNamespaces(before, ofDirectory: prepared.containerInit) {
                prepared.namespaces.append((kind, keep(Fd(owning: fd))))
            }
        }
    }
}
