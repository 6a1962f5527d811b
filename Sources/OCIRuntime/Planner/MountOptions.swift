import Init
import Spec
import Sys

typealias Attribute = MountAttributes

/// The propagation flags of `mount(2)`.
enum Propagation {
    static let recursive: UInt = 0x4000
    static let unbindable: UInt = 1 << 17
    static let `private`: UInt = 1 << 18
    static let slave: UInt = 1 << 19
    static let shared: UInt = 1 << 20
}

/// The flags of `mount(2)` that `fsconfig(2)` has no name for.
enum ClassicFlag {
    static let silent: UInt = 1 << 15
    static let iversion: UInt = 1 << 23
}

/// A superblock flag that `fsconfig(2)` knows by name.
enum SuperblockFlag: UInt8, CaseIterable {
    case readOnly, sync, dirsync, mand, lazytime

    var bit: UInt8 { 1 << rawValue }

    var on: String {
        switch self {
        case .readOnly: "ro"
        case .sync: "sync"
        case .dirsync: "dirsync"
        case .mand: "mand"
        case .lazytime: "lazytime"
        }
    }

    /// nil where there is no way to switch it off.
    var off: String? {
        switch self {
        case .readOnly: "rw"
        case .sync: "async"
        case .dirsync: nil
        case .mand: "nomand"
        case .lazytime: "nolazytime"
        }
    }
}

/// The options of one mount, understood. Of contradicting options the last one counts.
struct MountOptions: Equatable {
    var isBind = false
    var isRecursiveBind = false
    var isRemount = false
    var setting: UInt64 = 0
    var clearing: UInt64 = 0
    var recursiveSetting: UInt64 = 0
    var recursiveClearing: UInt64 = 0
    /// Bits by ``SuperblockFlag``.
    private(set) var superblockOn: UInt8 = 0
    private(set) var superblockOff: UInt8 = 0
    private(set) var classicFlags: UInt = 0
    private(set) var propagation: [UInt] = []
    private(set) var copyUp = false
    private(set) var idMap: MountPlan.IDMapKind?
    private(set) var sourceNoFollow = false
    private(set) var destinationNoFollow = false
    private(set) var copySymlink = false
    /// What follows `idmap=` or `ridmap=` (crun's); nil without that.
    private(set) var idMapText: String?
    /// What is for the file system.
    var data: [String] = []

    init() {}

    init(_ mount: Mount) { self.init(mount.options, type: mount.type ?? "") }

    /// - Parameter type: the file system's, which may have commas of its own.
    init(_ options: [String], type: String = "") {
        let all = MountOption.all
        for option in options where !read(option, all.span) {
            if FileSystemOptions.isOne(option) {
                data.append(option)
                continue
            }
            // More than one in a string, as in fstab(5), or none.
            for part in FileSystemOptions.split(option, type: type) where !read(part, all.span) {
                data.append(part)
            }
        }
    }

    /// False for an option that is the file system's.
    private mutating func read(_ option: String, _ all: Span<MountOption>) -> Bool {
        guard let effect = MountOption.find(option, in: all) else { return applyIDMap(option) }
        apply(effect)
        return true
    }

    var isReadOnly: Bool { setting & Attribute.readOnly != 0 }

    /// `idmap=MAPPINGS` and `ridmap=MAPPINGS`; see ``IDMapOption``.
    private mutating func applyIDMap(_ option: String) -> Bool {
        let isRecursive = option.utf8.starts(with: "ridmap=".utf8)
        guard isRecursive || option.utf8.starts(with: "idmap=".utf8) else { return false }
        idMap = isRecursive ? .recursive : .single
        idMapText = String(Substring(option.utf8.dropFirst(isRecursive ? 7 : 6)))
        return true
    }

    private mutating func apply(_ effect: MountOption.Effect) {
        switch effect {
        case .nothing: break
        case .bind(let recursive):
            isBind = true
            isRecursiveBind = isRecursiveBind || recursive
        case .remount: isRemount = true
        case .attribute(let bit, let on, let recursive): set(bit, on, recursive)
        case .accessTime(let value, let on, let recursive): setAccessTime(value, on, recursive)
        case .readOnly(let on):
            set(Attribute.readOnly, on, false)
            set(.readOnly, on)
        case .superblock(let flag, let on): set(flag, on)
        case .classic(let flag, let on):
            classicFlags = on ? classicFlags | flag : classicFlags & ~flag
        case .propagation(let flags): propagation.append(flags)
        case .copyUp: copyUp = true
        case .idMap(let kind): idMap = kind
        case .sourceNoFollow: sourceNoFollow = true
        case .destinationNoFollow: destinationNoFollow = true
        case .copySymlink: copySymlink = true
        }
    }

    private mutating func set(_ bit: UInt64, _ on: Bool, _ recursive: Bool) {
        if recursive {
            recursiveSetting = on ? recursiveSetting | bit : recursiveSetting & ~bit
            recursiveClearing = on ? recursiveClearing & ~bit : recursiveClearing | bit
        } else {
            setting = on ? setting | bit : setting & ~bit
            clearing = on ? clearing & ~bit : clearing | bit
        }
    }

    /// The access time is one value of three, not a bit: to choose one clears the whole mask
    /// (`mount_setattr(2)`). To switch one off clears that one alone, and changes nothing where another
    /// one is in force (``MountAttributes/resolved(on:)``). The default, relatime, has no bit to clear.
    private mutating func setAccessTime(_ value: UInt64, _ on: Bool, _ recursive: Bool) {
        let mask = Attribute.atimeMask
        var chosen = recursive ? recursiveSetting : setting
        var cleared = recursive ? recursiveClearing : clearing
        if on {
            chosen = chosen & ~mask | value
            cleared |= mask
        } else if cleared & mask != mask {
            cleared |= value
        } else if value != 0, chosen & mask == value {
            chosen &= ~mask
            cleared = cleared & ~mask | value
        }
        if recursive {
            recursiveSetting = chosen
            recursiveClearing = cleared
        } else {
            setting = chosen
            clearing = cleared
        }
    }

    private mutating func set(_ flag: SuperblockFlag, _ on: Bool) {
        let bit = flag.bit
        superblockOn = on ? superblockOn | bit : superblockOn & ~bit
        superblockOff = on ? superblockOff & ~bit : superblockOff | bit
    }

    /// The names for `fsconfig(2)`; what is off is only worth saying when it may have been on.
    func superblockFlags(isRemount: Bool) -> [String] {
        if superblockOn == 0 && !isRemount { return [] }
        var names: [String] = []
        for flag in SuperblockFlag.allCases {
            let bit = flag.bit
            if superblockOn & bit != 0 { names.append(flag.on) }
            if isRemount, superblockOff & bit != 0, let off = flag.off { names.append(off) }
        }
        return names
    }

    /// Options about a file system, which a bind mount shares with its source.
    var superblockNamesOfBind: [String] {
        var names = SuperblockFlag.allCases.dropFirst()
            .filter { superblockOn & $0.bit != 0 }.map(\.on)
        if classicFlags & ClassicFlag.iversion != 0 { names.append("iversion") }
        return names
    }
}
