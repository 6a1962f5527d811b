import CSys
import Glibc

/// An `eventfd(2)` that becomes readable when a cgroup v1 file notifies.
/// - Parameters:
///   - directory: the cgroup.
///   - name: the file, such as `memory.oom_control`.
package func openCgroupEvents(_ directory: String, _ name: String) throws(SysError) -> Fd {
    let events = Fd(
        owning: try check(csys_eventfd(0, Int32(O_CLOEXEC | O_NONBLOCK)), "eventfd()"))
    let file = try openFile("\(directory)/\(name)", O_RDONLY)
    // The kernel keeps the file by itself.
    try writeFile("\(directory)/cgroup.event_control", "\(events.raw) \(file.raw)")
    return events
}

/// An inotify descriptor that becomes readable when one of the files changes (`inotify(7)`).
package func openWatch(of paths: [String]) throws(SysError) -> Fd {
    let modify: UInt32 = 2
    let watch = Fd(
        owning: try check(csys_inotify_init(Int32(O_CLOEXEC | O_NONBLOCK)), "inotify_init()"))
    for path in paths {
        try check(
            unsafe csys_inotify_add_watch(watch.raw, path, modify),
            "inotify_add_watch(\(quoted(path)))")
    }
    return watch
}
