/// One mount (config.md, "Mounts" and "POSIX-platform Mounts").
public struct Mount: Sendable, Equatable {
    /// The path inside the container; a relative one is relative to `/` (deprecated).
    public var destination: String
    /// The filesystem type, or nil; a dummy for bind mounts.
    public var type: String?
    /// A device, a dummy, or for bind mounts a path: absolute, or relative to the bundle.
    public var source: String?
    /// The options as written, in order; unknown ones are data of the filesystem.
    public var options: [String]
    /// The mapping of user ids of an id-mapped mount; given exactly when `gidMappings` is.
    public var uidMappings: [IDMapping]
    /// The mapping of group ids of an id-mapped mount.
    public var gidMappings: [IDMapping]

    /// Makes a mount.
    public init(
        destination: String, type: String? = nil, source: String? = nil, options: [String] = [],
        uidMappings: [IDMapping] = [], gidMappings: [IDMapping] = []
    ) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
    }
}

/// A range of ids (config-linux.md, "User namespace mappings").
public struct IDMapping: Sendable, Equatable {
    /// The first id in the container.
    public var containerID: UInt32
    /// The first id on the host.
    public var hostID: UInt32
    /// How many ids the range has.
    public var size: UInt32

    /// Makes a range.
    public init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }
}

extension Mount {
    /// Reads a JSON array of mounts, as the config has it.
    public static func list(parsing document: [UInt8]) throws(ConfigError) -> [Mount] {
        try JSONValue(parsing: document).list(Mount.init(json:))
    }

    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            destination: try object.required("destination").string(),
            type: try object.nonEmpty("type"),
            source: try object.nonEmpty("source"),
            options: try object.strings("options") ?? [],
            uidMappings: try object.list("uidMappings", IDMapping.init(json:)) ?? [],
            gidMappings: try object.list("gidMappings", IDMapping.init(json:)) ?? [])
    }
}

extension IDMapping {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            containerID: try object.required("containerID").integer(),
            hostID: try object.required("hostID").integer(),
            size: try object.required("size").integer())
    }
}
