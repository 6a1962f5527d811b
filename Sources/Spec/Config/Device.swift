/// A device node to supply (config-linux.md, "Devices").
public struct Device: Sendable, Equatable {
    /// The full path in the container; may lie outside `/dev`.
    public var path: String
    /// The type.
    public var type: DeviceType
    /// The major number; 0 for a FIFO without one.
    public var major: Int64
    /// The minor number; 0 for a FIFO without one.
    public var minor: Int64
    /// The permission bits, or nil for the runtime's default.
    public var fileMode: UInt32?
    /// The owner in ids of the container, or nil for the default.
    public var uid: UInt32?
    /// The group in ids of the container, or nil for the default.
    public var gid: UInt32?

    /// Makes a device.
    public init(
        path: String, type: DeviceType, major: Int64 = 0, minor: Int64 = 0, fileMode: UInt32? = nil,
        uid: UInt32? = nil, gid: UInt32? = nil
    ) {
        self.path = path
        self.type = type
        self.major = major
        self.minor = minor
        self.fileMode = fileMode
        self.uid = uid
        self.gid = gid
    }
}

/// A type of device node; the raw value is the letter of mknod(1).
public enum DeviceType: String, Sendable, CaseIterable {
    /// A character device.
    case character = "c"
    /// A block device.
    case block = "b"
    /// An unbuffered character device: the same as `character` for Linux.
    case unbuffered = "u"
    /// A FIFO.
    case fifo = "p"
}

/// A network device of the host that is moved into the container (config-linux.md, "Network
/// Devices").
public struct NetDevice: Sendable, Equatable {
    /// The name in the container, or nil to keep the host's; may end in `%d`.
    public var name: String?

    /// Makes a network device.
    public init(name: String? = nil) {
        self.name = name
    }
}

extension Device {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        let type: DeviceType = try object.required("type").word()
        let isNumbered = type != .fifo
        self.init(
            path: try object.required("path").string(),
            type: type,
            major: try object.integer("major", isRequired: isNumbered) ?? 0,
            minor: try object.integer("minor", isRequired: isNumbered) ?? 0,
            fileMode: try object.integer("fileMode"),
            uid: try object.integer("uid"),
            gid: try object.integer("gid"))
    }
}

extension NetDevice {
    package init(json: JSONValue) throws(ConfigError) {
        self.init(name: try json.object().nonEmpty("name"))
    }
}
