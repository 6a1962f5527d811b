import CSys

/// New namespaces that a process of its own makes, on another processor: the kernel takes half a
/// millisecond for a network namespace, in which this process has other things to do.
///
/// There is one at a time. Until it is finished, this process may not change its own namespaces.
package struct NamespacesAside: ~Copyable {
    /// What can be made by somebody else: these hold nothing of the process that makes them.
    package static let kinds: [NamespaceKind] = [.network, .ipc, .uts]

    private let pidfd: Int32

    /// nil where there is only one processor, or the kernel refuses: nothing has been made then.
    /// - Parameters:
    ///   - kinds: out of ``kinds``.
    ///   - procfs: the host's `/proc`.
    package init?(_ kinds: [NamespaceKind], procfs: Int32) {
        let flags = kinds.reduce(0) { $0 | $1.rawValue }
        var pidfd: Int32 = -1
        guard unsafe csys_make_aside(flags, procfs, &pidfd) > 0 else { return nil }
        self.pidfd = pidfd
    }

    deinit { close(made()) }

    /// Waits for them.
    /// - Returns: an open descriptor of each one that could be made; the caller owns them.
    package consuming func finish() -> [(kind: NamespaceKind, fd: Int32)] {
        let all = made()
        discard self
        return all
    }

    private func made() -> [(kind: NamespaceKind, fd: Int32)] {
        while csys_wait_aside(pidfd) == -Int(EINTR) {}
        closeDescriptor(pidfd)
        var all: [(kind: NamespaceKind, fd: Int32)] = []
        for index in 0..<CSYS_ASIDE_KINDS {
            var flag: Int32 = 0
            let fd = unsafe csys_made_aside(index, &flag)
            if fd >= 0, let kind = NamespaceKind(rawValue: flag) { all.append((kind, fd)) }
        }
        return all
    }

    private func close(_ namespaces: [(kind: NamespaceKind, fd: Int32)]) {
        for (_, fd) in namespaces { closeDescriptor(fd) }
    }
}
