import Foundation
import Testing

/// lxcfs, and Podman to start containers with its files.
final class Lxcfs: Podman {
    private var files: String { place.directory + "/lxcfs" }

    override func prepare() throws {
        mkdir(files, 0o755)
        // It serves nobody where it may not look at process 1, which has more rights than this root
        // where that is a container's.
        let script = """
            cat /proc/1/personality 2> /dev/null && exit
            echo 00000000 > "$0"
            mount --bind "$0" /proc/1/personality
            """
        try place.run(["sh", "-ec", script, place.directory + "/tmp/personality"]).mustSucceed()
        let daemon = try place.start(
            "lxcfs", ["lxcfs", "-f", "-p", place.directory + "/lxcfs.pid", files])
        try daemon.ready { self.place.run(["test", "-r", self.files + "/proc/meminfo"]).succeeded }
    }

    override func end() {
        // A container that holds the mount would keep lxcfs from ending.
        podman("rm", "--all", "--force", "--time", "0")
        super.end()
    }

    /// Each file of lxcfs over the one of procfs, as its own documentation has it.
    fileprivate var mounts: [String] {
        let names = ["cpuinfo", "diskstats", "loadavg", "meminfo", "stat", "swaps", "uptime"]
        return names.flatMap { ["--volume", "\(files)/proc/\($0):/proc/\($0)"] }
    }
}

extension Trait where Self == EngineTrait<Lxcfs> {
    static var lxcfs: Self { EngineTrait() }
}

extension Engines {
    @Suite("lxcfs", .lxcfs, .serialized)
    struct LxcfsChecks {
        @Test("a container sees its own memory, processors and time since it began")
        func limits() throws {
            try check(Lxcfs.self) { lxcfs in
                let limits = ["--memory", "64m", "--memory-swap", "64m", "--cpuset-cpus", "1"]
                let text = try lxcfs.sh(
                    """
                    awk '/^MemTotal/ { print $2 }' /proc/meminfo
                    grep -c '^processor' /proc/cpuinfo
                    grep -c '^cpu[0-9]' /proc/stat
                    awk '{ print ($1 < 60) }' /proc/uptime
                    grep -c partition /proc/swaps || true
                    """, limits + lxcfs.mounts)
                try verify(text == "65536\n1\n1\n1\n0", text)
                let others = try lxcfs.sh("grep -c '^processor' /proc/cpuinfo", lxcfs.mounts)
                let online = sysconf(Int32(_SC_NPROCESSORS_ONLN))
                try verify(others == "\(online)", "\(others) without a limit, of \(online)")
            }
        }

        @Test("a process that joins by exec sees the same, and an update shows at once")
        func exec() throws {
            try check(Lxcfs.self) { lxcfs in
                try lxcfs.running(["--memory", "64m"] + lxcfs.mounts) { name in
                    let total = {
                        try lxcfs.execSh(name, "awk '/^MemTotal/ { print $2 }' /proc/meminfo")
                    }
                    try verify(try total() == "65536", try total())
                    try lxcfs.podman("update", "--memory", "32m", name).mustSucceed()
                    try verify(try total() == "32768", "after update: \(try total())")
                }
            }
        }

        @Test("the files of lxcfs and nothing else lie over those of procfs")
        func mounts() throws {
            try check(Lxcfs.self) { lxcfs in
                let text = try lxcfs.sh(
                    "awk '$1 == \"lxcfs\" { print $2, $3 }' /proc/mounts | sort", lxcfs.mounts)
                let names = lxcfs.mounts.compactMap {
                    $0.split(separator: ":").dropFirst().first.map { "\($0) fuse.lxcfs" }
                }
                try verify(text == names.sorted().joined(separator: "\n"), text)
            }
        }
    }
}
