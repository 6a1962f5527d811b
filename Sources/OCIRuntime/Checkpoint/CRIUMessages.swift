import Init
import Sys

/// A request to CRIU: `criu_req` of its `images/rpc.proto`.
struct CRIURequest {
    /// `criu_req_type`.
    enum Kind: UInt64 {
        case dump = 1
        case restore, check, preDump, pageServer, notify
        case featureCheck = 9
        case version
    }

    let kind: Kind
    var options: CRIUOptions?
    /// The answer to a notification.
    var success: Bool?
    /// Whether another request follows on the same connection.
    var isFollowed = false

    var bytes: [UInt8] {
        var writer = ProtocolBufferWriter()
        writer.number(1, kind.rawValue)
        if let options { writer.message(2, options.message) }
        if let success { writer.number(3, success ? 1 : 0) }
        if isFollowed { writer.number(4, 1) }
        if kind == .featureCheck {
            var features = ProtocolBufferWriter()
            features.number(1, 1)
            features.number(2, 1)
            writer.message(5, features)
        }
        return writer.bytes
    }
}

/// What a dump or a restore is to be like: `criu_opts`.
struct CRIUOptions: Equatable {
    enum Flag: UInt64 {
        case leaveRunning = 3
        case externalUnixSockets, tcpEstablished, evasiveDevices, shellJob, fileLocks
        case notifyScripts = 12
        case trackMemory = 15
        case autoDedup
        case linkRemap = 18
        case manageCgroups = 24
        /// The restored process becomes a child of CRIU's parent.
        case restoreSibling = 26
        case tcpSkipInFlight = 46
        case lazyPages = 48
        case orphanPtsMaster = 50
        case tcpClose = 52
    }

    enum Number: UInt64 {
        case imagesDirectory = 1
        case pid
        case logLevel = 9
        case workDirectory = 17
        case cgroupsMode = 34
        /// A mask of `CLONE_NEW*`.
        case emptyNamespaces = 38
        case networkLock = 64
    }

    enum Text: UInt64 {
        case logFile = 10
        case root = 13
        case parentImages
        case external = 37
        case freezeCgroup = 44
        case configFile = 51
        case lsmProfile = 53
        case lsmMountContext = 63
    }

    private(set) var message = ProtocolBufferWriter()

    mutating func set(_ flag: Flag, _ isOn: Bool = true) {
        if isOn { message.number(flag.rawValue, 1) }
    }

    mutating func set(_ field: Number, _ value: Int32) {
        message.number(field.rawValue, UInt64(bitPattern: Int64(value)))
    }

    mutating func set(_ field: Text, _ value: String) { message.text(field.rawValue, value) }

    /// `ext_mount_map`. At a dump the mount at `key` is left out and known by the name `value`; at a
    /// restore what goes by the name `key` is the host's `value`.
    mutating func add(externalMount key: String, _ value: String) { pair(23, key, value) }

    /// `cgroup_root`: where the cgroups of a hierarchy are restored.
    mutating func add(cgroupRoot controller: String, _ path: String) { pair(25, controller, path) }

    /// `join_namespace`: a namespace that the restored processes join.
    mutating func add(joinedNamespace kind: String, _ path: String) { pair(39, kind, path) }

    /// `inherit_fd`: a descriptor of CRIU's process that takes the place of what `key` names.
    mutating func add(inherited key: String, _ fd: Int32) {
        var inner = ProtocolBufferWriter()
        inner.text(1, key)
        inner.number(2, UInt64(fd))
        message.message(27, inner)
    }

    /// `criu_page_server_info`: where the memory goes.
    mutating func set(pageServer address: String, port: UInt16) {
        var inner = ProtocolBufferWriter()
        inner.text(1, address)
        inner.number(2, UInt64(port))
        message.message(11, inner)
    }

    private mutating func pair(_ field: UInt64, _ first: String, _ second: String) {
        var inner = ProtocolBufferWriter()
        inner.text(1, first)
        inner.text(2, second)
        message.message(field, inner)
    }
}

/// What CRIU says: `criu_resp`.
struct CRIUResponse: Equatable {
    var kind: UInt64 = 0
    var success = false
    var errno: Int32 = 0
    var reason: String?
    var notification: Notification?
    var features = Features()
    var version = Version()

    /// `criu_notify`: a point that CRIU has come to and waits at.
    struct Notification: Equatable {
        var script = ""
        /// The root process of what is restored, where there is one.
        var pid: Int32 = 0
    }

    /// `criu_features`: what CRIU can do on this kernel.
    struct Features: Equatable {
        var tracksMemory = false
        var hasLazyPages = false
    }

    struct Version: Equatable, Comparable, CustomStringConvertible {
        var major: Int32 = 0
        var minor: Int32 = 0

        static func < (one: Version, other: Version) -> Bool {
            (one.major, one.minor) < (other.major, other.minor)
        }

        var description: String { "\(major).\(minor)" }
    }

    init(_ bytes: [UInt8]) throws(SysError) {
        var reader = ProtocolBufferReader(bytes)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .number(let number)): kind = number
            case (2, .number(let number)): success = number != 0
            case (5, .bytes(let content)): notification = try Notification(content)
            case (7, _): errno = value.int32 ?? 0
            case (8, .bytes(let content)): features = try Features(content)
            case (9, _): reason = value.text
            case (10, .bytes(let content)): version = try Version(content)
            default: continue
            }
        }
    }
}

extension CRIUResponse.Notification {
    init(_ bytes: [UInt8]) throws(SysError) {
        var reader = ProtocolBufferReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: script = value.text ?? ""
            case 2: pid = value.int32 ?? 0
            default: continue
            }
        }
    }
}

extension CRIUResponse.Features {
    init(_ bytes: [UInt8]) throws(SysError) {
        var reader = ProtocolBufferReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: tracksMemory = value == .number(1)
            case 2: hasLazyPages = value == .number(1)
            default: continue
            }
        }
    }
}

extension CRIUResponse.Version {
    init(_ bytes: [UInt8]) throws(SysError) {
        var reader = ProtocolBufferReader(bytes)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: major = value.int32 ?? 0
            case 2: minor = value.int32 ?? 0
            default: continue
            }
        }
    }
}
