import Init
import Testing

@testable import OCIRuntime

/// Runtime-spec `config.md`, Linux mount options: each name, and the bits of `linux/mount.h`.
@Suite struct PlannerMountOptions {
    /// Every name of the table of runtime-spec 1.3.
    static let specified = [
        "async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "iversion",
        "lazytime", "loud", "mand", "noatime", "nodev", "nodiratime", "noexec", "noiversion",
        "nolazytime", "nomand", "norelatime", "nostrictatime", "nosuid", "nosymfollow", "private",
        "ratime", "rbind", "rdev", "rdiratime", "relatime", "remount", "rexec", "rnoatime",
        "rnodiratime", "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid", "rnosymfollow", "ro",
        "rprivate", "rrelatime", "rro", "rrw", "rshared", "rslave", "rstrictatime", "rsuid",
        "rsymfollow", "runbindable", "rw", "shared", "silent", "slave", "strictatime", "suid",
        "symfollow", "sync", "tmpcopyup", "unbindable", "idmap", "ridmap",
    ]

    @Test(arguments: specified)
    func everySpecifiedOptionIsUnderstood(_ name: String) {
        #expect(MountOption.find(name, in: MountOption.all.span) != nil)
        #expect(MountOptions([name]).data.isEmpty)
    }

    @Test func theTableIsInOrderAndWithoutDuplicates() {
        let names = MountOption.names
        #expect(names == names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) })
        #expect(Set(names).count == names.count)
        for name in names { #expect(MountOption.find(name, in: MountOption.all.span) != nil) }
    }

    @Test(arguments: [
        "r", "ro ", "RO", "rob", "mode=755", "nosui", "nosuidx", "rnostrictatimes", "é",
        "context=\"a,b\"", "newinstance", "\u{0}ro", "an-option-longer-than-any-name-known",
    ])
    func otherNamesAreForTheFileSystem(_ name: String) {
        #expect(MountOption.find(name, in: MountOption.all.span) == nil)
        #expect(MountOptions([name]).data == [name])
    }

    struct Bits: Sendable {
        let option: String
        var setting: UInt64 = 0
        var clearing: UInt64 = 0
        var recursiveSetting: UInt64 = 0
        var recursiveClearing: UInt64 = 0
    }

    static let single: [Bits] = [
        Bits(option: "ro", setting: 0x1), Bits(option: "rw", clearing: 0x1),
        Bits(option: "nosuid", setting: 0x2), Bits(option: "suid", clearing: 0x2),
        Bits(option: "nodev", setting: 0x4), Bits(option: "dev", clearing: 0x4),
        Bits(option: "noexec", setting: 0x8), Bits(option: "exec", clearing: 0x8),
        Bits(option: "noatime", setting: 0x10, clearing: 0x70),
        Bits(option: "atime", clearing: 0x10),
        Bits(option: "strictatime", setting: 0x20, clearing: 0x70),
        Bits(option: "nostrictatime", clearing: 0x20),
        Bits(option: "relatime", clearing: 0x70), Bits(option: "norelatime"),
        Bits(option: "nodiratime", setting: 0x80), Bits(option: "diratime", clearing: 0x80),
        Bits(option: "nosymfollow", setting: 0x20_0000),
        Bits(option: "symfollow", clearing: 0x20_0000), Bits(option: "defaults"),
    ]

    @Test(arguments: single)
    func attributesOfTheMount(_ bits: Bits) {
        let options = MountOptions([bits.option])
        #expect(options.setting == bits.setting)
        #expect(options.clearing == bits.clearing)
        #expect(options.recursiveSetting == 0)
        #expect(options.recursiveClearing == 0)
    }

    /// The same bits, one level up.
    @Test(arguments: single.filter { $0.option != "defaults" })
    func recursiveAttributes(_ bits: Bits) {
        let options = MountOptions(["r" + bits.option])
        #expect(options.recursiveSetting == bits.setting)
        #expect(options.recursiveClearing == bits.clearing)
        #expect(options.setting == 0)
        #expect(options.clearing == 0)
        #expect(options.superblockFlags(isRemount: false).isEmpty)
    }

    @Test(arguments: [
        ("private", 1 << 18), ("slave", 1 << 19), ("shared", 1 << 20), ("unbindable", 1 << 17),
        ("rprivate", 1 << 18 | 0x4000), ("rslave", 1 << 19 | 0x4000),
        ("rshared", 1 << 20 | 0x4000), ("runbindable", 1 << 17 | 0x4000),
    ])
    func propagation(_ option: String, _ flags: Int) {
        #expect(MountOptions([option]).propagation == [UInt(flags)])
    }

    @Test(arguments: [
        ("ro", ["ro"], ["ro"]), ("rw", [], ["rw"]), ("sync", ["sync"], ["sync"]),
        ("async", [], ["async"]), ("dirsync", ["dirsync"], ["dirsync"]),
        ("mand", ["mand"], ["mand"]), ("nomand", [], ["nomand"]),
        ("lazytime", ["lazytime"], ["lazytime"]), ("nolazytime", [], ["nolazytime"]),
        ("nosuid", [], []), ("rro", [], []),
    ])
    func superblock(_ option: String, _ new: [String], _ remounted: [String]) {
        #expect(MountOptions([option]).superblockFlags(isRemount: false) == new)
        #expect(MountOptions([option]).superblockFlags(isRemount: true) == remounted)
    }

    @Test(arguments: [
        ("iversion", 1 << 23), ("noiversion", 0), ("silent", 1 << 15), ("loud", 0), ("ro", 0),
    ])
    func classicFlags(_ option: String, _ flags: Int) {
        #expect(MountOptions([option]).classicFlags == UInt(flags))
    }

    @Test func flagsThatAreNoBits() {
        #expect(MountOptions(["bind"]).isBind)
        #expect(!MountOptions(["bind"]).isRecursiveBind)
        #expect(MountOptions(["rbind"]).isBind)
        #expect(MountOptions(["rbind"]).isRecursiveBind)
        #expect(MountOptions(["remount"]).isRemount)
        #expect(MountOptions(["tmpcopyup"]).copyUp)
        #expect(MountOptions(["idmap"]).idMap == .single)
        #expect(MountOptions(["ridmap"]).idMap == .recursive)
        #expect(MountOptions(["src-nofollow"]).sourceNoFollow)
        #expect(MountOptions(["dest-nofollow"]).destinationNoFollow)
        #expect(MountOptions(["copy-symlink"]).copySymlink)
        #expect(MountOptions(["ridmap=x"]).idMap == .recursive)
        #expect(MountOptions(["idmap=a=b"]).idMapText == "a=b")
    }

    @Test(arguments: [
        (["ro", "rw"], 0 as UInt64, 0x1 as UInt64), (["rw", "ro"], 0x1, 0),
        (["nosuid", "suid", "nosuid"], 0x2, 0),
        // The access time is one choice of three.
        (["noatime", "strictatime"], 0x20, 0x70), (["strictatime", "noatime"], 0x10, 0x70),
        (["noatime", "relatime"], 0, 0x70), (["noatime", "atime"], 0, 0x10),
        (["relatime", "atime"], 0, 0x70), (["atime", "nostrictatime"], 0, 0x30),
        // Not this one: another one stays.
        (["noatime", "nostrictatime"], 0x10, 0x70), (["strictatime", "atime"], 0x20, 0x70),
        (["noatime", "norelatime"], 0x10, 0x70),
        // One more bit beside them.
        (["noatime", "nodiratime"], 0x90, 0x70), (["ro", "nosuid", "nodev", "noexec"], 0xf, 0),
    ])
    func theLastOneCounts(_ options: [String], _ setting: UInt64, _ clearing: UInt64) {
        let options = MountOptions(options)
        #expect(options.setting == setting)
        #expect(options.clearing == clearing)
    }

    @Test func theLastOneCountsForSuperblocksToo() {
        #expect(MountOptions(["sync", "async"]).superblockFlags(isRemount: false).isEmpty)
        #expect(MountOptions(["async", "sync"]).superblockFlags(isRemount: true) == ["sync"])
        #expect(MountOptions(["iversion", "noiversion"]).classicFlags == 0)
    }

    /// As `mount(2)` splits what it is given in one string.
    @Test(arguments: [
        ("", "", []), ("", ",", []), ("", "mode=700,", ["mode=700"]),
        ("", "size=1m,mode=700", ["size=1m", "mode=700"]), ("", "=x,a=,b", ["a=", "b"]),
        ("overlay", "lowerdir=/a\\,b:/c,upperdir=/u", ["lowerdir=/a\\,b:/c", "upperdir=/u"]),
        ("overlay", "lowerdir=/a\\\\,ro", ["lowerdir=/a\\\\"]),
        ("ext4", "a=b\\,c", ["a=b\\", "c"]),
        ("tmpfs", "mpol=bind:0,2,size=1m", ["mpol=bind:0,2", "size=1m"]),
        ("ext4", "context=\"a,b\",x", ["context=\"a,b\"", "x"]),
        ("ext4", "context=a,b", ["context=a", "b"]), ("ext4", "a=\"b,c\"", ["a=\"b", "c\""]),
        ("cifs", "pass=a,,b,user=c", ["pass=a,,b", "user=c"]),
    ])
    func oneStringMayHoldMoreThanOne(_ type: String, _ text: String, _ options: [String]) {
        let read = MountOptions([text], type: type)
        #expect(read.data == options)
        #expect(read.isReadOnly == text.hasSuffix(",ro"))
    }

    @Test func namesAreUnderstoodInAStringOfMore() {
        let options = MountOptions(["rbind,ro,nosuid", "size=1m,noexec"])
        #expect(options.isRecursiveBind && options.setting == 0xb)
        #expect(options.data == ["size=1m"])
    }

    @Test func dataKeepsItsOrder() {
        let options = MountOptions(["mode=755", "nosuid", "size=1k", "mode=700"])
        #expect(options.data == ["mode=755", "size=1k", "mode=700"])
    }
}
