/// A namespace to create or to join (config-linux.md, "Namespaces").
public struct Namespace: Sendable, Equatable {
    /// The type.
    public var type: NamespaceType
    /// The namespace to join, an absolute path in the runtime's mount namespace; nil for a new one.
    public var path: String?

    /// Makes a namespace.
    public init(type: NamespaceType, path: String? = nil) {
        self.type = type
        self.path = path
    }
}

/// A type of namespace; the raw value is the spec's name.
public enum NamespaceType: String, Sendable, CaseIterable {
    /// Process ids.
    case pid
    /// Network.
    case network
    /// Mounts.
    case mount
    /// System V IPC and POSIX message queues.
    case ipc
    /// Host name and domain name.
    case uts
    /// User and group ids, capabilities.
    case user
    /// The view of the cgroup hierarchy.
    case cgroup
    /// The monotonic and boot clocks.
    case time
}

extension Namespace {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            type: try object.required("type").word(), path: try object.nonEmpty("path"))
    }
}
