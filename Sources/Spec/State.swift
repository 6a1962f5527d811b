/// The state of a container (runtime.md, "State"): what `state` prints and hooks get on stdin.
public struct State: Sendable, Equatable {
    /// The version of the runtime-spec that the state complies with.
    public var ociVersion: String
    /// The container's id.
    public var id: String
    /// The status.
    public var status: Status
    /// The container process as the host sees it; nil once it is gone.
    public var pid: Int32?
    /// The absolute path of the bundle.
    public var bundle: String
    /// The config's annotations.
    public var annotations: OrderedMap<String>

    /// Makes a state.
    public init(
        ociVersion: String = specVersion, id: String, status: Status, pid: Int32? = nil,
        bundle: String, annotations: OrderedMap<String> = [:]
    ) {
        self.ociVersion = ociVersion
        self.id = id
        self.status = status
        self.pid = pid
        self.bundle = bundle
        self.annotations = annotations
    }
}

/// Where a container is in its life; the raw value is the spec's name.
public enum Status: String, Sendable, CaseIterable {
    /// Being created.
    case creating
    /// Created, the user's program not started.
    case created
    /// The user's program was started and has not exited.
    case running
    /// The container process has exited.
    case stopped
    /// Frozen: a status of our own, which runc and crun have too.
    case paused
}

/// What a seccomp agent is sent (config-linux.md, "The Container Process State").
public struct ContainerProcessState: Sendable, Equatable {
    /// The version of the runtime-spec that the state complies with.
    public var ociVersion: String
    /// The names of the descriptors sent along.
    public var fds: [String]
    /// The container process as the runtime sees it.
    public var pid: Int32
    /// The filter's `listenerMetadata`, or nil.
    public var metadata: String?
    /// The state of the container.
    public var state: State

    /// Makes a state.
    public init(
        ociVersion: String = specVersion, fds: [String] = ["seccompFd"], pid: Int32,
        metadata: String? = nil, state: State
    ) {
        self.ociVersion = ociVersion
        self.fds = fds
        self.pid = pid
        self.metadata = metadata
        self.state = state
    }
}

extension State {
    /// Parses and decodes a state.
    public init(parsing document: [UInt8]) throws(ConfigError) {
        try self.init(json: try JSONValue(parsing: document))
    }

    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            ociVersion: try object.required("ociVersion").string(),
            id: try object.required("id").string(),
            status: try object.required("status").word(),
            pid: try object.integer("pid"),
            bundle: try object.required("bundle").string(),
            annotations: try object.stringMap("annotations") ?? [:])
    }
}
