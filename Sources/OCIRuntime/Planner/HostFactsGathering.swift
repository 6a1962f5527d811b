import Glibc
import Spec
import Sys

extension HostFacts {
    /// Looks at the host: about fifty short system calls, the costly facts on demand.
    /// - Throws: where the kernel does not tell this process's rights: it must not pass for an ordinary
    ///   user's, whose containers are restricted otherwise.
    package static func gather() throws(PlanError) -> HostFacts {
        let bounding = boundingCapabilities()
        let permitted: UInt64
        do throws(SysError) {
            permitted = try ThreadCapabilities().permitted
        } catch {
            throw PlanError("", "\(error)")
        }
        return HostFacts(
            euid: effectiveUser, egid: effectiveGroup, permitted: permitted,
            bounding: bounding.mask, lastCapability: bounding.last,
            inUserNamespace: !isFirstUserNamespace(), hasKernelCore: exists("/proc/kcore"),
            cgroups: { CgroupLayout.gather() },
            appArmor: { firstByte("/sys/module/apparmor/parameters/enabled") == UInt8(ascii: "Y") },
            seLinux: { exists("/sys/fs/selinux/enforce") },
            setgroupsDenied: { firstByte("/proc/self/setgroups") == UInt8(ascii: "d") },
            isOwnNamespace: isSameNamespace, resctrl: { Resctrl.mountPoint() })
    }

    /// The first user namespace has an inode number of its own (`USER_NS_INIT_INO`, linux/nsfs.h).
    static func isFirstUserNamespace() -> Bool {
        guard let own = try? status(of: "/proc/self/ns/user") else { return true }
        return own.ino == 0xEFFF_FFFD
    }

    /// Not root, or root of a user namespace other than the first.
    static var isRootless: Bool { effectiveUser != 0 || !isFirstUserNamespace() }

    private static func firstByte(_ path: String) -> UInt8? {
        (try? readFile(path, limit: 4096))?.first
    }

    private static func isSameNamespace(_ type: NamespaceType, _ path: String) -> Bool {
        guard let theirs = try? status(of: path),
            let own = try? status(of: "/proc/self/ns/" + type.kind.file)
        else { return false }
        return theirs.dev == own.dev && theirs.ino == own.ino
    }
}
