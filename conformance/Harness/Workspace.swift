import Foundation
import Testing

/// The directory all tests of one run share: the template of the root file systems, and a folder
/// for each test. Its path is short, for sockets live below it.
enum Workspace {
    static let path: String = {
        sweepDeadRuns()
        let path = "/tmp/swc-\(getpid())"
        mkdir(path, 0o755)
        atexit { Workspace.remove("/tmp/swc-\(getpid())") }
        return path
    }()

    /// Names of busybox's applets, which become links in every root file system.
    static let applets: [String] = launch(["/bin/busybox", "--list"]).lines

    /// `probe.c`, compiled once a run, static so that it starts in any root file system. A virtual
    /// machine without a compiler brings it along.
    static let probe: String = {
        let output = path + "/probe"
        if let compiled = ProcessInfo.processInfo.environment["SWRUNC_PROBE"] {
            if !launch(["cp", compiled, output]).succeeded { Issue.record("copying \(compiled)") }
            return output
        }
        let source = Runtime.packageRoot + "/conformance/probe/probe.c"
        let compiled = launch(["cc", "-static", "-O1", "-Wall", "-o", output, source])
        if !compiled.succeeded { Issue.record("compiling the probe: \(compiled)") }
        return output
    }()

    /// A copy of the host's, for what a container does to a hard link it does to the file.
    private static let busybox: String = {
        let copy = path + "/busybox"
        if !launch(["cp", "/bin/busybox", copy]).succeeded { Issue.record("copying busybox") }
        return copy
    }()

    private static let counter = Counter()

    /// No name is the beginning of another's, so that a search for one finds only its own.
    static func nextName() -> String { "swrunc-test-\(getpid())-\(10000 + counter.next())" }

    /// A root file system of its own: busybox, a link for each of its applets, probe.
    static func makeRootfs(at root: String) throws {
        mkdir(root, 0o755)
        for directory in [
            "bin", "dev", "etc", "home", "mnt", "proc", "root", "run", "sys", "tmp", "usr", "var",
            "usr/bin",
        ] {
            mkdir("\(root)/\(directory)", 0o755)
        }
        chmod(root + "/tmp", 0o1777)
        guard link(busybox, root + "/bin/busybox") == 0 else {
            throw HarnessError("no busybox in \(root): install busybox-static")
        }
        guard link(probe, root + "/bin/probe") == 0 else { throw HarnessError("no probe") }
        // Hard links, for a file system is slow to make and to remove some hundred inodes.
        for applet in applets where applet != "busybox" {
            link(busybox, "\(root)/bin/\(applet)")
        }
        try writeText(
            "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n",
            to: root + "/etc/passwd")
        try writeText("root:x:0:\nuser:x:1000:\n", to: root + "/etc/group")
    }

    /// Removes a folder, but nothing that is mounted below it: that may be the host's own files.
    static func remove(_ folder: String) {
        Leaks.unmountBelow(folder)
        guard Leaks.mounts(below: folder).isEmpty else {
            print("\(folder) is left: something is mounted below it")
            return
        }
        launch(["rm", "-rf", "--one-file-system", folder])
    }

    /// Runs that were killed leave folders and mounts: their pid, which is in the name, is gone.
    private static func sweepDeadRuns() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/tmp")) ?? []
        for name in names where name.hasPrefix("swc-") {
            guard let pid = pid_t(name.dropFirst(4)), kill(pid, 0) != 0, errno == ESRCH else {
                continue
            }
            Leaks.removeRun(ofProcess: pid)
            remove("/tmp/" + name)
        }
    }
}

/// Numbers for names, from any thread.
final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var last = 0

    func next() -> Int {
        lock.lock()
        defer { lock.unlock() }
        last += 1
        return last
    }
}
