import Glibc
import Init
import Sys

/// A mount of a container that a checkpoint leaves out, as what is mounted is the host's: a restore
/// mounts it anew.
struct ExternalMount {
    /// In the container, as the config has it.
    let destination: String
    /// What it is called in the images.
    let name: String
    /// On the host.
    let source: String
    /// Whether it is there to hide a file.
    private let isMask: Bool
    /// What the mount forbids.
    private let attributes: (single: UInt64, recursive: UInt64)

    private init(_ destination: String, source: String, _ mount: MountPlan? = nil) {
        self.destination = destination
        name = destination
        self.source = source
        isMask = false
        attributes = (mount?.setting ?? 0, mount?.recursiveSetting ?? 0)
    }

    /// All masks of files are the same file, and have the name that runc gives it.
    private init(mask destination: String) {
        self.destination = destination
        name = "/dev/null"
        source = "/dev/null"
        isMask = true
        attributes = (MountAttributes.readOnly, 0)
    }

    /// Those that the steps of a container's plan make.
    static func all(_ steps: [Step]) -> [ExternalMount] {
        steps.flatMap { step -> [ExternalMount] in
            switch step.action {
            case .mount(let mount): all(mount)
            case .bindDevice(let device): [ExternalMount(device.path, source: device.path)]
            case .maskPath(let path): [ExternalMount(mask: path)]
            default: []
            }
        }
    }

    private static func all(_ mount: MountPlan) -> [ExternalMount] {
        switch mount.kind {
        case .bind(let source, _): return [ExternalMount(mount.destination, source: source, mount)]
        case .cgroup(.unifiedBind(let source, _)):
            return [ExternalMount(mount.destination, source: source, mount)]
        case .cgroup(.hierarchies(let hierarchies, _)):
            return hierarchies.filter { $0.options == nil }.map {
                ExternalMount("\(mount.destination)/\($0.name)", source: $0.source)
            }
        case .cgroup(.unified), .fileSystem, .remount: return []
        }
    }

    /// What gives it its attributes back: CRIU forgets them where it makes a mount as a copy of another
    /// one, as with masks. nil where there are none, or it is not there.
    func remount(in root: borrowing RootDirectory) throws(SysError) -> MountPlan? {
        guard attributes != (0, 0), let path = try mountPoint(in: root) else { return nil }
        var plan = MountPlan(index: 0, destination: path, kind: .remount(superblock: nil))
        plan.setting = attributes.single
        plan.recursiveSetting = attributes.recursive
        return plan
    }

    /// Where it is in a container that runs; nil for what is not there, and for a masked directory,
    /// whose mask is not the host's.
    func mountPoint(in root: borrowing RootDirectory) throws(SysError) -> String? {
        do throws(SysError) {
            let found = try root.open(destination)
            if isMask, try found.status().isDirectory { return nil }
            return try readLink("/proc/self/fd/\(found.raw)")
        } catch  where error.errno == ENOENT || error.errno == ENOTDIR {
            return nil
        }
    }
}
