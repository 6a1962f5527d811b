import Init

/// What one option of a mount means (runtime-spec `config.md`, Linux mount options).
struct MountOption {
    let name: String
    let effect: Effect
    /// The name's bytes as a number, the first one highest: to look up is to compare numbers.
    private let key: UInt128

    private init(_ name: String, _ effect: Effect) {
        self.name = name
        self.effect = effect
        key = MountOption.key(name)
    }

    enum Effect: Equatable {
        /// Nothing but what is so anyway.
        case nothing
        case bind(recursive: Bool)
        case remount
        /// An attribute of the mount (`MOUNT_ATTR_*`) goes on or off; `r…` options reach below.
        case attribute(UInt64, on: Bool, recursive: Bool)
        /// How access times are kept: one of the values under `MOUNT_ATTR__ATIME`.
        case accessTime(UInt64, on: Bool, recursive: Bool)
        /// Read-only is about the mount and, for a new one, its superblock.
        case readOnly(Bool)
        case superblock(SuperblockFlag, on: Bool)
        /// An `MS_*` flag that only `mount(2)` can carry.
        case classic(UInt, on: Bool)
        case propagation(UInt)
        case copyUp
        case idMap(MountPlan.IDMapKind)
        case sourceNoFollow
        /// crun's: a symbolic link at the destination is mounted over, not followed.
        case destinationNoFollow
        /// crun's: a source that is a symbolic link becomes one like it.
        case copySymlink
    }

    /// 0 where the name is longer than any that is known.
    private static func key(_ name: String) -> UInt128 {
        let bytes = name.utf8.span
        guard bytes.count <= 16 else { return 0 }
        var key: UInt128 = 0
        for index in 0..<bytes.count { key = key << 8 | UInt128(bytes[index]) }
        return key << (8 * UInt128(16 - bytes.count))
    }

    /// What `option` means; nil where it is for the file system.
    /// - Parameter all: ``all``, of which every use is a copy.
    static func find(_ option: String, in all: Span<MountOption>) -> Effect? {
        let key = key(option)
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            let candidate = all[middle].key
            if candidate == key { return all[middle].effect }
            if candidate < key { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The names of all, in byte order.
    static var names: [String] { all.indices.map { all[$0].name } }

    /// Every option with a meaning of its own, in byte order. No array: the first array of a type
    /// takes longer to make than all look-ups for a container.
    static let all: [65 of MountOption] = [
        MountOption("async", .superblock(.sync, on: false)),
        MountOption("atime", .accessTime(Attribute.noAtime, on: false, recursive: false)),
        MountOption("bind", .bind(recursive: false)),
        MountOption("copy-symlink", .copySymlink),
        MountOption("defaults", .nothing),
        MountOption("dest-nofollow", .destinationNoFollow),
        MountOption("dev", .attribute(Attribute.noDev, on: false, recursive: false)),
        MountOption("diratime", .attribute(Attribute.noDirAtime, on: false, recursive: false)),
        MountOption("dirsync", .superblock(.dirsync, on: true)),
        MountOption("exec", .attribute(Attribute.noExec, on: false, recursive: false)),
        MountOption("idmap", .idMap(.single)),
        MountOption("iversion", .classic(ClassicFlag.iversion, on: true)),
        MountOption("lazytime", .superblock(.lazytime, on: true)),
        MountOption("loud", .classic(ClassicFlag.silent, on: false)),
        MountOption("mand", .superblock(.mand, on: true)),
        MountOption("noatime", .accessTime(Attribute.noAtime, on: true, recursive: false)),
        MountOption("nodev", .attribute(Attribute.noDev, on: true, recursive: false)),
        MountOption("nodiratime", .attribute(Attribute.noDirAtime, on: true, recursive: false)),
        MountOption("noexec", .attribute(Attribute.noExec, on: true, recursive: false)),
        MountOption("noiversion", .classic(ClassicFlag.iversion, on: false)),
        MountOption("nolazytime", .superblock(.lazytime, on: false)),
        MountOption("nomand", .superblock(.mand, on: false)),
        MountOption("norelatime", .accessTime(Attribute.relatime, on: false, recursive: false)),
        MountOption(
            "nostrictatime", .accessTime(Attribute.strictAtime, on: false, recursive: false)),
        MountOption("nosuid", .attribute(Attribute.noSuid, on: true, recursive: false)),
        MountOption("nosymfollow", .attribute(Attribute.noSymFollow, on: true, recursive: false)),
        MountOption("private", .propagation(Propagation.private)),
        MountOption("ratime", .accessTime(Attribute.noAtime, on: false, recursive: true)),
        MountOption("rbind", .bind(recursive: true)),
        MountOption("rdev", .attribute(Attribute.noDev, on: false, recursive: true)),
        MountOption("rdiratime", .attribute(Attribute.noDirAtime, on: false, recursive: true)),
        MountOption("relatime", .accessTime(Attribute.relatime, on: true, recursive: false)),
        MountOption("remount", .remount),
        MountOption("rexec", .attribute(Attribute.noExec, on: false, recursive: true)),
        MountOption("ridmap", .idMap(.recursive)),
        MountOption("rnoatime", .accessTime(Attribute.noAtime, on: true, recursive: true)),
        MountOption("rnodev", .attribute(Attribute.noDev, on: true, recursive: true)),
        MountOption("rnodiratime", .attribute(Attribute.noDirAtime, on: true, recursive: true)),
        MountOption("rnoexec", .attribute(Attribute.noExec, on: true, recursive: true)),
        MountOption("rnorelatime", .accessTime(Attribute.relatime, on: false, recursive: true)),
        MountOption(
            "rnostrictatime", .accessTime(Attribute.strictAtime, on: false, recursive: true)),
        MountOption("rnosuid", .attribute(Attribute.noSuid, on: true, recursive: true)),
        MountOption("rnosymfollow", .attribute(Attribute.noSymFollow, on: true, recursive: true)),
        MountOption("ro", .readOnly(true)),
        MountOption("rprivate", .propagation(Propagation.private | Propagation.recursive)),
        MountOption("rrelatime", .accessTime(Attribute.relatime, on: true, recursive: true)),
        MountOption("rro", .attribute(Attribute.readOnly, on: true, recursive: true)),
        MountOption("rrw", .attribute(Attribute.readOnly, on: false, recursive: true)),
        MountOption("rshared", .propagation(Propagation.shared | Propagation.recursive)),
        MountOption("rslave", .propagation(Propagation.slave | Propagation.recursive)),
        MountOption("rstrictatime", .accessTime(Attribute.strictAtime, on: true, recursive: true)),
        MountOption("rsuid", .attribute(Attribute.noSuid, on: false, recursive: true)),
        MountOption("rsymfollow", .attribute(Attribute.noSymFollow, on: false, recursive: true)),
        MountOption("runbindable", .propagation(Propagation.unbindable | Propagation.recursive)),
        MountOption("rw", .readOnly(false)),
        MountOption("shared", .propagation(Propagation.shared)),
        MountOption("silent", .classic(ClassicFlag.silent, on: true)),
        MountOption("slave", .propagation(Propagation.slave)),
        MountOption("src-nofollow", .sourceNoFollow),
        MountOption("strictatime", .accessTime(Attribute.strictAtime, on: true, recursive: false)),
        MountOption("suid", .attribute(Attribute.noSuid, on: false, recursive: false)),
        MountOption("symfollow", .attribute(Attribute.noSymFollow, on: false, recursive: false)),
        MountOption("sync", .superblock(.sync, on: true)),
        MountOption("tmpcopyup", .copyUp),
        MountOption("unbindable", .propagation(Propagation.unbindable)),
    ]
}
