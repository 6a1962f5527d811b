/// A container's configuration: `config.json` of runtime-spec 1.3, the Linux part.
///
/// Of optional strings that mean nothing when empty, the empty string counts as absent.
public struct Config: Sendable, Equatable {
    /// The version of the runtime-spec that the bundle complies with (SemVer 2.0.0).
    public var ociVersion: String
    /// The root filesystem; required on Linux (config.md, "Root").
    public var root: Root?
    /// What to mount, in this order (config.md, "Mounts").
    public var mounts: [Mount]
    /// The container's process; required when the container is started, not when it is created.
    public var process: Process?
    /// The host name inside the UTS namespace, or nil to leave it.
    public var hostname: String?
    /// The NIS domain name inside the UTS namespace, or nil to leave it.
    public var domainname: String?
    /// The lifecycle hooks (config.md, "POSIX-platform Hooks").
    public var hooks: Hooks
    /// The Linux section (config-linux.md).
    public var linux: Linux
    /// Arbitrary metadata; may also change what the runtime does.
    public var annotations: OrderedMap<String>

    /// Makes a configuration.
    public init(
        ociVersion: String = "1.3.0", root: Root? = nil, mounts: [Mount] = [],
        process: Process? = nil, hostname: String? = nil, domainname: String? = nil,
        hooks: Hooks = Hooks(), linux: Linux = Linux(), annotations: OrderedMap<String> = [:]
    ) {
        self.ociVersion = ociVersion
        self.root = root
        self.mounts = mounts
        self.process = process
        self.hostname = hostname
        self.domainname = domainname
        self.hooks = hooks
        self.linux = linux
        self.annotations = annotations
    }
}

/// The container's root filesystem (config.md, "Root").
public struct Root: Sendable, Equatable {
    /// The directory: absolute, or relative to the bundle.
    public var path: String
    /// Whether the root filesystem is read-only inside the container.
    public var readonly: Bool

    /// Makes a root.
    public init(path: String, readonly: Bool = false) {
        self.path = path
        self.readonly = readonly
    }
}

extension Config {
    /// Parses and decodes a `config.json`.
    ///
    /// Properties that the spec does not know are ignored, as it demands; any other of the wrong
    /// type or with a value the spec does not list is an error that names it.
    public init(parsing document: [UInt8]) throws(ConfigError) {
        try self.init(json: try JSONValue(parsing: document))
    }

    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            ociVersion: try object.required("ociVersion").string(),
            root: try object.decode("root", Root.init(json:)),
            mounts: try object.list("mounts", Mount.init(json:)) ?? [],
            process: try object.decode("process", Process.init(json:)),
            hostname: try object.nonEmpty("hostname"),
            domainname: try object.nonEmpty("domainname"),
            hooks: try object.decode("hooks", Hooks.init(json:)) ?? Hooks(),
            linux: try object.decode("linux", Linux.init(json:)) ?? Linux(),
            annotations: try object.stringMap("annotations") ?? [:])
    }
}

extension Root {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            path: try object.required("path").string(),
            readonly: try object.bool("readonly") ?? false)
    }
}
