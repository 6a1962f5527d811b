import Spec

/// One entry of `mounts`, with its options understood.
public struct MountPlan: Sendable {
    /// The entry's index in `mounts`: what was opened for it beforehand is found by it.
    public var index: Int
    /// Inside the container; resolved beneath the root.
    public var destination: String
    /// What is mounted.
    public var kind: Kind
    /// Attributes of this mount (`mount_setattr(2)`), `MOUNT_ATTR_*` bits.
    public var setting: UInt64
    /// Attributes that go off, likewise.
    public var clearing: UInt64
    /// Attributes of this mount and all below it: the `r…` options.
    public var recursiveSetting: UInt64
    /// Recursive attributes that go off.
    public var recursiveClearing: UInt64
    /// The propagation options in order, as `MS_SHARED`, `MS_SLAVE` … each with or without `MS_REC`.
    public var propagation: [UInt]
    /// Copy what the destination holds into the new tmpfs.
    public var copyUp: Bool
    /// The mount carries id mappings, prepared by ``Action/openIDMap``; recursive for `ridmap`.
    public var idMap: IDMapKind?
    /// Do not follow a symbolic link at the end of the source.
    public var sourceNoFollow: Bool
    /// Mount over a symbolic link at the destination, do not follow it.
    public var destinationNoFollow: Bool
    /// Make a symbolic link like the source, if that is one.
    public var copySymlink: Bool
    /// The source was opened beforehand by ``Action/openMountSource``.
    public var sourceIsOpen: Bool

    /// What a mount entry amounts to.
    public enum Kind: Sendable, Equatable {
        /// A bind mount of a path of the host.
        case bind(source: String, recursive: Bool)
        /// A new instance of a file system type.
        case fileSystem(FileSystemPlan)
        /// The container's cgroups, as its own view of them.
        case cgroup(CgroupMountPlan)
        /// Changes the mount that is at the destination already: its attributes, and with
        /// `superblock` also the flags and options of its file system. This is what the option
        /// `remount` asks for (`bind,remount`: nil), and how a mount whose content later steps
        /// still make (`/dev`, a tmpfs) becomes read-only after them.
        case remount(superblock: FileSystemPlan?)
    }

    /// How far an idmapped mount's mappings reach.
    public enum IDMapKind: Sendable { case single, recursive }

    package init(index: Int, destination: String, kind: Kind) {
        self.index = index
        self.destination = destination
        self.kind = kind
        setting = 0
        clearing = 0
        recursiveSetting = 0
        recursiveClearing = 0
        propagation = []
        copyUp = false
        idMap = nil
        sourceNoFollow = false
        destinationNoFollow = false
        copySymlink = false
        sourceIsOpen = false
    }
}

/// A file system type with its source, its superblock flags and its own options.
public struct FileSystemPlan: Sendable, Equatable {
    /// The type, as in `/proc/filesystems`.
    public var type: String
    /// What the type takes as its source; nil where the config has none.
    public var source: String?
    /// Superblock flags by the names `fsconfig(2)` knows: `ro`, `sync`, `dirsync`, `lazytime`, `mand`,
    /// and for a remount the ones that clear: `rw`, `async`, `nolazytime`, `nomand`.
    public var superblockFlags: [String]
    /// `MS_*` bits that only `mount(2)` can carry (`MS_I_VERSION`, `MS_SILENT`); 0 for most.
    public var classicFlags: UInt
    /// The file system's own options, `key` or `key=value`, in order, each as `mount(2)` wants it in
    /// its text (``FileSystemOptions``).
    public var data: [String]

    package init(
        type: String, source: String?, superblockFlags: [String] = [], classicFlags: UInt = 0,
        data: [String] = []
    ) {
        self.type = type
        self.source = source
        self.superblockFlags = superblockFlags
        self.classicFlags = classicFlags
        self.data = data
    }

    /// The options for `mount(2)`.
    var classicData: String {
        var text = ""
        for option in data {
            // joined() would look up conformances at run time: a tenth of all that the init does.
            if !text.isEmpty { text += "," }
            text += option
        }
        return text
    }

    /// Whether an option begins with one of `names`, such as `mode=`.
    func has(_ names: String...) -> Bool {
        data.contains { option in names.contains { option.utf8.starts(with: $0.utf8) } }
    }
}

/// How `/sys/fs/cgroup` is made up.
public enum CgroupMountPlan: Sendable, Equatable {
    /// cgroup v2 in a cgroup namespace of its own: a new cgroup2 mount.
    case unified(FileSystemPlan)
    /// cgroup v2 without one: a bind of the container's own directory; `fallback` as for v1.
    case unifiedBind(source: String, fallback: String? = nil)
    /// cgroup v1: a tmpfs with one entry per hierarchy.
    case hierarchies([Hierarchy], readOnly: Bool)

    /// One v1 hierarchy as the container sees it.
    public struct Hierarchy: Sendable, Equatable {
        /// The directory below the tmpfs, such as `cpu,cpuacct`.
        public var name: String
        /// New mount in the cgroup namespace: the options (`cpu` and `cpuacct`, or `none` and
        /// `name=systemd`); nil for a bind of `source`.
        public var options: [String]?
        /// The container's directory in the host's hierarchy.
        public var source: String
        /// Where the container stays if a user without privileges was not allowed to make `source`.
        public var fallback: String?
        /// Symbolic links to `name`, such as `cpu` and `cpuacct`.
        public var aliases: [String]

        package init(
            name: String, options: [String]?, source: String, fallback: String? = nil,
            aliases: [String]
        ) {
            self.name = name
            self.options = options
            self.source = source
            self.fallback = fallback
            self.aliases = aliases
        }
    }
}

extension MountPlan {
    /// What is mounted, as an error names it: a path of the host's, or a type of file system.
    package var origin: String {
        switch kind {
        case .bind(let source, _): source
        case .fileSystem(let fileSystem): fileSystem.source ?? fileSystem.type
        default: destination
        }
    }
}
