import Foundation
import Testing

extension Conformance.Filesystem {
    @Suite struct Mounts {
        @Test("mounts happen in the listed order: the later one is on top")
        func order() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "first")
                c.config.bind(c.directory, at: "/mnt")
                try #expect(c.mountTable().filter { $0.point == "/mnt" }.map(\.type).count == 2)
                try #expect(c.sh("ls -d /mnt/b") == "/mnt/b")
            }
        }

        @Test("a mount may lie in a mount before it")
        func nested() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs")
                c.config.addMount("/mnt/in/ner", type: "tmpfs", source: "inner")
                try #expect(c.mount(at: "/mnt/in/ner").source == "inner")
                #expect(!exists(c.rootfs + "/mnt/in"))
            }
        }

        @Test("proc is the container's own")
        func proc() throws {
            try withContainer { c in
                try #expect(c.sh("ls /proc | grep -c '^[0-9]'").count == 1)
                try #expect(c.mount(at: "/proc").type == "proc")
            }
        }

        @Test("sysfs is the container's network namespace's own")
        func sysfs() throws {
            try withContainer { c in
                try #expect(c.sh("ls /sys/class/net") == "lo")
                let mount = try c.mount(at: "/sys")
                #expect(mount.type == "sysfs")
                #expect(mount.options.isSuperset(of: ["ro", "nosuid", "nodev", "noexec"]))
            }
        }

        @Test("mqueue is the ipc namespace's own")
        func mqueue() throws {
            try withContainer { c in
                try #expect(c.mount(at: "/dev/mqueue").type == "mqueue")
                try #expect(c.sh("ls -A /dev/mqueue") == "")
            }
        }

        @Test("devpts is an instance of its own, with its options")
        func devpts() throws {
            try withContainer { c in
                let mount = try c.mount(at: "/dev/pts")
                #expect(mount.type == "devpts")
                #expect(mount.superOptions.isSuperset(of: ["gid=5", "mode=620", "ptmxmode=666"]))
                try #expect(c.sh("ls /dev/pts") == "ptmx")
            }
        }

        @Test("shm is writable for everyone, sticky, and of the given size")
        func shm() throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1000]
                try #expect(c.sh("touch /dev/shm/x; stat -c %a /dev/shm") == "1777")
                try #expect(c.mount(at: "/dev/shm").superOptions.contains("size=65536k"))
            }
        }

        @Test(
            "an overlay of directories of the host",
            .requires(Host.hasFilesystem("overlay"), "has no overlay"))
        func overlay() throws {
            try withContainer { c in
                for name in ["lower", "upper", "work"] { mkdir("\(c.directory)/\(name)", 0o755) }
                try writeText("low", to: c.directory + "/lower/file")
                c.config.addMount(
                    "/mnt", type: "overlay", source: "overlay",
                    options: [
                        "lowerdir=\(c.directory)/lower", "upperdir=\(c.directory)/upper",
                        "workdir=\(c.directory)/work",
                    ])
                try #expect(c.sh("cat /mnt/file; echo up > /mnt/new") == "low")
                #expect(readText(c.directory + "/upper/new") == "up\n")
                #expect(!exists(c.directory + "/lower/new"))
            }
        }

        @Test("a ramfs, as any other file system of the kernel")
        func ramfs() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "ramfs", source: "none")
                try #expect(c.mount(at: "/mnt").type == "ramfs")
            }
        }

        @Test("a file system type that the kernel does not have fails, and names the mount")
        func unknownType() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "nopefs", source: "none")
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/mounts/6")
                #expect(outcome.stderr.contains("/mnt"), "\(outcome)")
            }
        }

        @Test("a bind of a directory")
        func bindDirectory() throws {
            try withContainer { c in
                mkdir(c.directory + "/data", 0o755)
                try writeText("text", to: c.directory + "/data/file")
                c.config.bind(c.directory + "/data", at: "/mnt")
                try #expect(c.sh("cat /mnt/file; echo new > /mnt/new") == "text")
                #expect(readText(c.directory + "/data/new") == "new\n")
            }
        }

        @Test("a bind of a file onto a file, and onto nothing: the file is made")
        func bindFile() throws {
            try withContainer { c in
                try writeText("text", to: c.directory + "/file")
                c.config.bind(c.directory + "/file", at: "/etc/group")
                c.config.bind(c.directory + "/file", at: "/made/on/the/way")
                try #expect(c.sh("cat /etc/group /made/on/the/way") == "texttext")
                #expect(readText(c.rootfs + "/etc/group").hasPrefix("root:"))
                var status = stat()
                stat(c.rootfs + "/made/on/the/way", &status)
                #expect(status.st_mode & S_IFMT == S_IFREG)
                stat(c.rootfs + "/made/on", &status)
                #expect(status.st_mode & 0o7777 == 0o755)
            }
        }

        @Test("a bind of a socket and of a device")
        func bindSpecial() throws {
            try withContainer { c in
                let socket = try ConsoleSocket(path: c.directory + "/socket")
                c.config.bind(socket.path, at: "/run/socket")
                c.config.bind("/dev/null", at: "/run/null")
                let script = "stat -c %F /run/socket /run/null"
                try #expect(c.sh(script) == "socket\ncharacter special file")
            }
        }

        @Test("the type of a bind mount is a dummy", arguments: ["none", "bind", "ext4", nil])
        func dummyType(type: String?) throws {
            try withContainer { c in
                c.config.bind(c.directory, at: "/mnt")
                c.config.editMount("/mnt") { $0.type = type.map { .string($0) } ?? .null }
                try #expect(c.sh("ls -d /mnt/b") == "/mnt/b")
            }
        }

        @Test("a bind's source is relative to the bundle")
        func relativeSource() throws {
            try withContainer { c in
                mkdir(c.bundle + "/data", 0o755)
                try writeText("text", to: c.bundle + "/data/file")
                c.config.bind("data", at: "/mnt")
                try #expect(c.sh("cat /mnt/file") == "text")
            }
        }

        @Test("a bind whose source is missing fails, names both, and leaves nothing")
        func missingSource() throws {
            try withContainer { c in
                c.config.bind("/no/such/source", at: "/mnt")
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/mounts/6")
                #expect(outcome.stderr.contains("/no/such/source"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "a bind of a directory onto a file fails, and of a file onto a directory",
            arguments: [("/b", "/etc/passwd"), ("/b/config.json", "/mnt")])
        func mismatched(source: String, destination: String) throws {
            try withContainer { c in
                c.config.bind(c.directory + source, at: destination)
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/mounts/6")
                #expect(outcome.stderr.contains(destination), "\(outcome)")
            }
        }

        @Test("a destination that is missing is made, with all on its way")
        func missingDestination() throws {
            try withContainer { c in
                c.config.addMount("/a/b/c", type: "tmpfs", source: "tmpfs")
                try #expect(c.mount(at: "/a/b/c").type == "tmpfs")
                #expect(exists(c.rootfs + "/a/b/c"))
            }
        }

        @Test("a relative destination is relative to /, deprecated as it is")
        func relativeDestination() throws {
            try withContainer { c in
                c.config.addMount("some/where", type: "tmpfs", source: "tmpfs")
                try #expect(c.mount(at: "/some/where").type == "tmpfs")
            }
        }

        @Test(
            "a destination is cleaned: dots, slashes, and .. that would leave the root",
            arguments: ["/mnt/", "//mnt", "/./mnt", "/etc/../mnt", "/../../mnt", "../mnt"])
        func cleaned(destination: String) throws {
            try withContainer { c in
                c.config.addMount(destination, type: "tmpfs", source: "tmpfs")
                try #expect(c.mount(at: "/mnt").type == "tmpfs")
            }
        }

        /// Symbolic links of an image; where a mount through each of them must land.
        static let links: [(link: String, target: String, lands: String)] = [
            ("/link", "/mnt", "/mnt"),
            ("/link", "mnt", "/mnt"),
            ("/etc/link", "../mnt", "/mnt"),
            ("/link", "../../../../mnt", "/mnt"),
            ("/link", "/../../mnt", "/mnt"),
            ("/link", "/new/place", "/new/place"),
            ("/link", "/tmp/outside", "/tmp/outside"),
        ]

        @Test("a destination through a symbolic link stays in the root", arguments: links)
        func throughLink(link: String, target: String, lands: String) throws {
            try withContainer { c in
                symlink(target, c.rootfs + link)
                c.config.addMount(link, type: "tmpfs", source: "landed")
                let outside = exists("/tmp/outside") || exists("/new/place")
                let table = try c.mountTable()
                #expect(table.contains { $0.source == "landed" && $0.point == lands })
                #expect(!outside && !exists("/tmp/outside") && !exists("/new/place"))
            }
        }

        @Test("a destination below a symbolic link to a directory of the host makes nothing there")
        func intoHost() throws {
            try withContainer { c in
                mkdir(c.directory + "/victim", 0o755)
                symlink(c.directory + "/victim", c.rootfs + "/link")
                c.config.addMount("/link/made", type: "tmpfs", source: "landed")
                try writeText("text", to: c.directory + "/file")
                c.config.bind(c.directory + "/file", at: "/link/file")
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                let made = try FileManager.default.contentsOfDirectory(
                    atPath: c.directory + "/victim")
                #expect(made == [])
            }
        }

        @Test("links that go in circles fail and are named")
        func circle() throws {
            try withContainer { c in
                symlink("b", c.rootfs + "/a")
                symlink("a", c.rootfs + "/b")
                c.config.addMount("/a/x", type: "tmpfs", source: "tmpfs")
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/a/x")
            }
        }

        @Test(
            "/proc and /sys must be directories, not symbolic links (CVE-2019-19921)",
            arguments: ["proc", "sys"])
        func linkedProc(name: String) throws {
            try withContainer { c in
                launch(["rm", "-rf", c.rootfs + "/" + name])
                mkdir(c.rootfs + "/elsewhere", 0o755)
                symlink("/elsewhere", c.rootfs + "/" + name)
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/" + name)
                #expect(outcome.stderr.contains(name), "\(outcome)")
            }
        }

        @Test(
            "nothing but proc may be mounted on /proc (CVE-2019-16884)",
            .knownDifference(crun: "allows it"), arguments: ["tmpfs", "bind"])
        func overProc(type: String) throws {
            try withContainer { c in
                c.config.removeMount("/proc")
                c.config.addMount("/proc", type: type, source: type == "bind" ? "/tmp" : "tmpfs")
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/proc")
            }
        }

        @Test(
            "files lxcfs provides may be mounted into /proc",
            arguments: ["/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/uptime"])
        func lxcfs(path: String) throws {
            try withContainer { c in
                try writeText("from lxcfs\n", to: c.directory + "/file")
                c.config.bind(c.directory + "/file", at: path)
                try #expect(c.sh("cat \(path)") == "from lxcfs")
            }
        }

        @Test(
            "a cgroup v1 view holds the container's own cgroup of every controller",
            .requires(Host.controller("pids") != nil, "has no cgroup v1"))
        func cgroupView() throws {
            try withContainer { c in
                c.config.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                    options: ["nosuid", "noexec", "nodev", "relatime", "ro"])
                c.config.linux.resources.pids.limit = 77
                let script = """
                    cat /sys/fs/cgroup/pids/pids.max
                    echo $(ls /sys/fs/cgroup)
                    echo x > /sys/fs/cgroup/pids/tasks || echo refused
                    touch /sys/fs/cgroup/x || echo refused
                    """
                c.config.shell(script)
                let outcome = try c.run()
                #expect(outcome.lines.first == "77", "\(outcome)")
                let names = Set(outcome.lines.dropFirst().first?.split(separator: " ") ?? [])
                #expect(names.isSuperset(of: ["cpu", "memory", "devices", "pids"]), "\(names)")
                #expect(outcome.lines.suffix(2) == ["refused", "refused"])
            }
        }

        @Test(
            "in a cgroup namespace the view's root is the container's cgroup",
            .requires(Host.controller("pids") != nil, "has no cgroup v1"))
        func cgroupNamespaceView() throws {
            try withContainer { c in
                c.config.namespace("cgroup")
                c.config.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                    options: ["nosuid", "noexec", "nodev", "relatime", "ro"])
                c.config.linux.resources.pids.limit = 77
                let script = "cat /sys/fs/cgroup/pids/pids.max; grep pids /proc/self/cgroup"
                let lines = try c.sh(script).split(separator: "\n")
                #expect(lines.first == "77")
                #expect(lines.last?.hasSuffix("pids:/") == true)
            }
        }
    }
}
