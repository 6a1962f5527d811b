import Foundation
import Testing

extension Conformance.Checkpoint {
    /// What is not in the images, and has to be there when a container is restored.
    @Suite(.requiresCRIU, .swruncOnly) struct Surroundings {
        @Test("bind mounts are made anew, from where the config says by then")
        func bindMounts() throws {
            try withCounter { c in
                for name in ["one", "two"] {
                    mkdir("\(c.directory)/\(name)", 0o755)
                    try writeText(name, to: "\(c.directory)/\(name)/file")
                }
                // Private: CRIU takes mounts of one peer group for parts of each other, as they were.
                c.config.bind(c.directory + "/one", at: "/data", options: ["rprivate"])
                c.config.bind(c.directory + "/one", at: "/mnt/read", options: ["ro", "nosuid"])
                c.config.bind(c.directory + "/one/file", at: "/etc/single")
            } _: { c in
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                c.config.editMount("/data") { $0.source = .string(c.directory + "/two") }
                // As after a move to another host, whose root file system has no mount points.
                rmdir(c.rootfs + "/data")
                rmdir(c.rootfs + "/mnt/read")
                let restored = try c.restore()
                try #require(restored.succeeded, "\(restored)")
                #expect(c.execSh("cat /data/file /mnt/read/file /etc/single") == "twooneone")
                #expect(
                    c.execSh("touch /data/new; touch /mnt/read/new || echo refused") == "refused")
                let table = MountInfo.all(c.execSh("cat /proc/self/mountinfo"))
                let read = table.last { $0.point == "/mnt/read" }
                #expect(read?.options.contains("nosuid") == true, "\(String(describing: read))")
            }
        }

        @Test("what was masked and read-only stays so")
        func protectedPaths() throws {
            try withCounter { c in
                c.config.linux.maskedPaths = ["/proc/keys", "/proc/kcore", "/sys/firmware"]
            } _: { c in
                func protected() -> [String] {
                    MountInfo.all(c.execSh("cat /proc/self/mountinfo")).filter {
                        $0.point.hasPrefix("/proc/") || $0.point.hasPrefix("/sys/")
                    }.map { "\($0.point) \($0.options.sorted())" }.sorted()
                }
                let before = protected()
                #expect(before.count >= 5)
                try c.moveThroughImages()
                #expect(protected() == before)
                #expect(c.execSh("cat /proc/keys; ls /sys/firmware").isEmpty)
            }
        }

        @Test("a network namespace that is joined by its path is joined again")
        func networkNamespace() throws {
            try withContainer { c in
                let path = "/var/run/netns/\(c.id)"
                let made = launch(["ip", "netns", "add", c.id])
                try #require(made.succeeded, "\(made)")
                defer { launch(["ip", "netns", "del", c.id]) }
                launch(["ip", "-n", c.id, "link", "add", "probe0", "type", "veth"])
                c.config.namespace("network", path: path)
                c.config.program("sleep", "600")
                try c.runDetached()
                try c.moveThroughImages()
                var inside = stat()
                var named = stat()
                #expect(stat("/proc/\(c.pid)/ns/net", &inside) == 0 && stat(path, &named) == 0)
                #expect(inside.st_ino == named.st_ino)
                #expect(c.execSh("ls /sys/class/net").contains("probe0"))
            }
        }

        @Test("the limits of the config hold for a restored container, in its cgroup")
        func limits() throws {
            try withCounter { c in
                c.config.linux.resources.pids = ["limit": 77]
            } _: { c in
                try c.moveThroughImages()
                #expect(c.reads(.pids) == "77")
                #expect(readText("/proc/\(c.pid)/cgroup").contains(c.id))
            }
        }

        @Test("its view of the cgroups, in a cgroup namespace of its own and without")
        func cgroupMount() throws {
            for own in [true, false] {
                try withCounter { c in
                    if own { c.config.namespace("cgroup") }
                    c.config.addMount(
                        "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"])
                } _: { c in
                    let before = c.execSh("ls /sys/fs/cgroup; cat /proc/self/cgroup")
                    try c.moveThroughImages()
                    #expect(c.execSh("ls /sys/fs/cgroup; cat /proc/self/cgroup") == before)
                }
            }
        }

        @Test("prestart and createRuntime hooks run again, with the new pid; poststop at the end")
        func hooks() throws {
            try withCounter { c in
                c.addLoggingHooks("echo $STATE | grep -o 'pid\":[0-9]*'")
            } _: { c in
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                #expect(c.hookLines.last?.hasPrefix("poststop") == true, "\(c.hookLines)")
                try writeText("", to: c.hookLog)
                let restored = try c.restore()
                try #require(restored.succeeded, "\(restored)")
                #expect(
                    c.hookLines == ["prestart", "createRuntime"].map { "\($0) pid\":\(c.pid)" })
            }
        }
    }
}
