import CSys

/// The name of the file system behind a descriptor, for an error: `sysfs`; its magic number where it has
/// no name here.
package func fileSystemName(of descriptor: Int32) -> String {
    let magic = csys_fstatfs_type(descriptor)
    guard magic >= 0 else { return "of a type that cannot be told" }
    return fileSystems.first { Int($0.magic) == magic }?.name
        ?? "of the type \(hex(UInt64(magic)))"
}

/// `linux/magic.h`, and those of file systems that keep theirs to themselves.
private let fileSystems: [(magic: UInt32, name: String)] = [
    (0x6969, "nfs"), (0x9660, "iso9660"), (0x9fa0, "proc"), (0xef53, "ext4"), (0x1cd1, "devpts"),
    (0x4d44, "vfat"), (0x0027_e0eb, "cgroup"), (0x00c3_6400, "ceph"), (0x0102_1994, "tmpfs"),
    (0x0102_1997, "9p"), (0x1980_0202, "mqueue"), (0x2011_bab0, "exfat"), (0x2fc1_2fc1, "zfs"),
    (0x5846_5342, "xfs"), (0x6265_6570, "configfs"), (0x6265_6572, "sysfs"),
    (0x6367_7270, "cgroup2"), (0x6462_6720, "debugfs"), (0x6573_5543, "fusectl"),
    (0x6573_5546, "fuse"), (0x6e73_6673, "nsfs"), (0x7363_6673, "securityfs"),
    (0x7371_7368, "squashfs"), (0x7472_6163, "tracefs"), (0x794c_7630, "overlay"),
    (0x8584_58f6, "ramfs"), (0x9123_683e, "btrfs"), (0x9584_58f6, "hugetlbfs"),
    (0xca45_1a4e, "bcachefs"), (0xcafe_4a11, "bpf"), (0xde5e_81e4, "efivarfs"),
    (0xe0f5_e1e2, "erofs"), (0xf2f5_2010, "f2fs"), (0xf97c_ff8c, "selinuxfs"),
    (0xfe53_4d42, "cifs"), (0xff53_4d42, "cifs"),
]
