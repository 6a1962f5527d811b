import Foundation
import Testing

extension Conformance.Filesystem {
    @Suite struct Rootfs {
        @Test("the container's root is the bundle's, and nothing of the host's is mounted")
        func pivoted() throws {
            try withContainer { c in
                let table = try c.mountTable()
                let expected: Set = [
                    "/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys",
                ]
                let masks = ["/proc/", "/sys/firmware"]
                let others = table.map(\.point).filter { point in
                    !expected.contains(point) && !masks.contains { point.hasPrefix($0) }
                }
                #expect(others == [])
                #expect(table.first { $0.point == "/" }?.root.hasSuffix("/rootfs") == true)
            }
        }

        @Test("--no-pivot works where pivot_root cannot")
        func noPivot() throws {
            try withContainer { c in
                c.config.shell("ls -d /b /etc; cat /proc/1/comm")
                let outcome = try c.run(["--no-pivot"])
                #expect(
                    outcome.lines == ["/etc", "sh"] || outcome.lines == ["/etc", "cat"],
                    "\(outcome)")
            }
        }

        @Test("root.readonly makes the root read-only, not the mounts on it")
        func readonly() throws {
            try withContainer { c in
                c.config.root.readonly = true
                let script = "touch /x 2>&1; touch /dev/shm/x && echo written"
                let text = try c.sh(script)
                #expect(text.contains("Read-only file system"))
                #expect(text.hasSuffix("written"))
                try #expect(c.mount(at: "/").options.contains("ro"))
            }
        }

        @Test("without root.readonly the root is writable")
        func writable() throws {
            try withContainer { c in
                _ = try c.sh("echo text > /written")
                #expect(readText(c.rootfs + "/written") == "text\n")
            }
        }

        @Test("a root that is read-only on the host is entered all the same")
        func readonlyHost() throws {
            try withContainer { c in
                c.config.root.readonly = true
                c.config.program("echo", "in")
                let outcome = try c.run(
                    inPrivateMounts:
                        "mount --bind $DIR/b $DIR/b; mount -o remount,bind,ro $DIR/b")
                #expect(outcome.trimmed == "in", "\(outcome)")
            }
        }

        @Test(
            "rootfsPropagation is the root mount's",
            arguments: [
                "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable",
                "runbindable",
            ])
        func propagation(value: String) throws {
            let differs = value.hasSuffix("shared") || value.hasSuffix("unbindable")
            try knownDifference(runc: differs ? "1.1 leaves the root private, or fails" : nil)
            try withContainer { c in
                c.config.linux.rootfsPropagation = .string(value)
                c.config.program("cat", "/proc/self/mountinfo")
                let outcome = try c.run(inPrivateMounts: "mount --make-rshared /")
                let root = try #require(
                    MountInfo.all(outcome.stdout).first { $0.point == "/" }, "\(outcome)")
                switch value {
                case "private", "rprivate": #expect(root.propagation == [])
                case "slave", "rslave":
                    #expect(root.propagation.allSatisfy { $0.hasPrefix("master:") })
                    #expect(!root.propagation.isEmpty)
                case "shared", "rshared":
                    #expect(root.propagation.contains { $0.hasPrefix("shared:") }, "\(outcome)")
                default: #expect(root.propagation == ["unbindable"])
                }
            }
        }

        @Test("without rootfsPropagation nothing mounted inside reaches the host")
        func noPropagation() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_SYS_ADMIN"])
                c.config.shell("mount -t tmpfs inside /mnt && sleep 600")
                try c.runDetached()
                #expect(eventually { readText("/proc/\(c.pid)/mounts").contains("inside /mnt") })
                #expect(!readText("/proc/self/mounts").contains("inside"))
            }
        }

        @Test("the runtime leaves no mount of its own on the host while a container runs")
        func noHostMounts() throws {
            try withRunningContainer { c in
                #expect(Leaks.mounts(below: c.directory) == [])
            }
        }
    }

    @Suite struct Devices {
        @Test(
            "the default devices are there for everyone, and are what they seem",
            arguments: [
                ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8),
                ("urandom", 1, 9), ("tty", 5, 0),
            ])
        func defaults(name: String, major: Int, minor: Int) throws {
            try withContainer { c in
                let script = "stat -c '%F %t:%T %a %u %g' /dev/\(name)"
                try #expect(c.sh(script) == "character special file \(major):\(minor) 666 0 0")
            }
        }

        @Test("the default devices may be used, by a user as well")
        func use() throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1000]
                let script = """
                    echo x > /dev/null; head -c 3 /dev/zero | od -An -tx1; echo x > /dev/full
                    head -c 8 /dev/urandom | wc -c; head -c 8 /dev/random | wc -c
                    """
                c.config.shell(script)
                let outcome = try c.run()
                #expect(
                    outcome.lines.map { $0.trimmingCharacters(in: .whitespaces) }
                        == ["00 00 00", "8", "8"], "\(outcome)")
                #expect(outcome.stderr.contains("No space left on device"))
            }
        }

        @Test(
            "the links of runtime-linux.md",
            arguments: [
                ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
            ])
        func links(name: String, target: String) throws {
            try withContainer { c in
                try #expect(c.sh("readlink /dev/\(name)") == target)
            }
        }

        @Test("/dev/ptmx is the container's /dev/pts/ptmx and gives terminals of its devpts")
        func ptmx() throws {
            try withContainer { c in
                let target = try c.sh("readlink /dev/ptmx || stat -c %t:%T /dev/ptmx")
                #expect(["pts/ptmx", "/dev/pts/ptmx", "5:2"].contains(target))
                try #expect(c.sh("exec 5<>/dev/ptmx; ls /dev/pts").contains("0"))
            }
        }

        @Test("without a terminal there is no /dev/console")
        func noConsole() throws {
            try withContainer { c in
                try #expect(c.sh("ls /dev/console 2>&1 || true").contains("No such file"))
            }
        }

        @Test("the default devices are there without a mount on /dev")
        func withoutDevMount() throws {
            try withContainer { c in
                for point in ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"] {
                    c.config.removeMount(point)
                }
                try #expect(c.sh("echo x > /dev/null; readlink /dev/fd") == "/proc/self/fd")
            }
        }

        @Test("linux.devices: character, block and pipe, with mode and owner, also outside /dev")
        func devices() throws {
            try withContainer { c in
                c.config.linux.devices = [
                    [
                        "type": "c", "path": "/dev/one", "major": 10, "minor": 229,
                        "fileMode": 0o640, "uid": 5, "gid": 6,
                    ],
                    [
                        "type": "b", "path": "/dev/deep/two", "major": 8, "minor": 1,
                        "fileMode": 0o600,
                    ],
                    ["type": "p", "path": "/three", "fileMode": 0o622, "uid": 7, "gid": 8],
                    ["type": "u", "path": "/dev/four", "major": 1, "minor": 5, "fileMode": 0o666],
                ]
                let script = "stat -c '%F %t:%T %a %u:%g' /dev/one /dev/deep/two /three /dev/four"
                try #expect(
                    c.sh(script) == """
                        character special file a:e5 640 5:6
                        block special file 8:1 600 0:0
                        fifo 0:0 622 7:8
                        character special file 1:5 666 0:0
                        """)
            }
        }

        @Test(
            "a file at a device's path that is not the device is an error",
            .knownDifference(runc: "takes the file for it"))
        func mismatch() throws {
            try withContainer { c in
                try writeText("text", to: c.rootfs + "/home/device")
                c.config.linux.devices = [
                    ["type": "c", "path": "/home/device", "major": 1, "minor": 3]
                ]
                expectRefusal(try c.create(), c, naming: "/home/device")
                #expect(readText(c.rootfs + "/home/device") == "text")
            }
        }

        @Test("the very device at a device's path is taken")
        func match() throws {
            try withContainer { c in
                mknod(c.rootfs + "/home/device", S_IFCHR | 0o666, makedev(1, 3))
                c.config.linux.devices = [
                    ["type": "c", "path": "/home/device", "major": 1, "minor": 3]
                ]
                try #expect(c.run().succeeded)
            }
        }

        @Test("a device of the host that is bound into the container stays whose it is")
        func boundDevice() throws {
            try withContainer { c in
                let devices = c.directory + "/devices"
                mkdir(devices, 0o755)
                let node = devices + "/zero"
                try #require(launch(["mknod", "-m", "600", node, "c", "1", "5"]).succeeded)
                c.config.addMount("/home", type: "bind", source: devices, options: ["bind"])
                c.config.linux.devices = [
                    [
                        "type": "c", "path": "/home/zero", "major": 1, "minor": 5,
                        "fileMode": 0o666, "uid": 1000, "gid": 1000,
                    ]
                ]
                try #expect(c.run().succeeded)
                #expect(launch(["stat", "-c", "%u:%g %a", node]).stdout == "0:0 600\n")
            }
        }

        @Test(
            "a /dev that is a link to a directory of the host touches nothing there",
            .knownDifference(runc: "CVE-2026-41579 is not mended in 1.1"), arguments: [true, false])
        func linkedDev(withMount: Bool) throws {
            try withContainer { c in
                let victim = c.directory + "/victim"
                mkdir(victim, 0o755)
                for name in ["ptmx", "null", "fd", "stdin", "console", "tty"] {
                    try writeText("mine", to: victim + "/" + name)
                }
                launch(["rm", "-rf", c.rootfs + "/dev"])
                symlink(victim, c.rootfs + "/dev")
                if !withMount {
                    for point in ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"] {
                        c.config.removeMount(point)
                    }
                }
                // Whether it runs or refuses is the runtime's choice.
                try c.run()
                let names = try FileManager.default.contentsOfDirectory(atPath: victim).sorted()
                #expect(names == ["console", "fd", "null", "ptmx", "stdin", "tty"])
                for name in names { #expect(readText(victim + "/" + name) == "mine") }
            }
        }
    }

    @Suite struct MaskedAndReadonly {
        @Test("a masked file reads empty and takes nothing")
        func maskedFile() throws {
            try withContainer { c in
                try writeText("secret", to: c.rootfs + "/etc/secret")
                c.config.linux.maskedPaths = ["/etc/secret"]
                try #expect(c.sh("cat /etc/secret; echo x > /etc/secret; cat /etc/secret") == "")
                #expect(readText(c.rootfs + "/etc/secret") == "secret")
            }
        }

        @Test("a masked directory is empty and read-only")
        func maskedDirectory() throws {
            try withContainer { c in
                try writeText("secret", to: c.rootfs + "/home/secret")
                c.config.linux.maskedPaths = ["/home"]
                let text = try c.sh("ls -A /home; touch /home/x 2>&1 || true")
                #expect(text.contains("Read-only file system"))
                #expect(!text.contains("secret"))
            }
        }

        @Test("a masked path that is missing is no error and is not made")
        func maskedMissing() throws {
            try withContainer { c in
                c.config.linux.maskedPaths = ["/no/such/path", "/etc/below"]
                try #expect(c.sh("ls /no 2>&1 || true").contains("No such file"))
            }
        }

        @Test("a masked path through a link masks what the link names, inside the root")
        func maskedLink() throws {
            try withContainer { c in
                try writeText("secret", to: c.rootfs + "/etc/secret")
                symlink("/etc/secret", c.rootfs + "/link")
                c.config.linux.maskedPaths = ["/link"]
                try #expect(c.sh("cat /etc/secret /link") == "")
            }
        }

        @Test(
            "an image's fake /dev/null does not become the mask (CVE-2025-31133)",
            .knownDifference(runc: "not mended in 1.1"))
        func fakeNull() throws {
            try withContainer { c in
                for point in ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"] {
                    c.config.removeMount(point)
                }
                try writeText("secret", to: c.rootfs + "/etc/secret")
                try writeText("fake", to: c.rootfs + "/etc/fake")
                symlink("/etc/fake", c.rootfs + "/dev/null")
                c.config.linux.maskedPaths = ["/etc/secret"]
                c.config.shell("cat /etc/secret")
                let outcome = try c.run()
                // Refusing is as good as masking with the real one.
                if outcome.succeeded { #expect(outcome.stdout == "") }
            }
        }

        @Test("the default masks hide what they should")
        func defaults() throws {
            try withContainer { c in
                try #expect(c.sh("cat /proc/kcore /proc/keys; ls -A /sys/firmware") == "")
            }
        }

        @Test("a read-only directory, file, and one with a mount below")
        func readonly() throws {
            try withContainer { c in
                try writeText("text", to: c.rootfs + "/etc/file")
                c.config.linux.readonlyPaths = ["/home", "/etc/file", "/no/such/path", "/proc/sys"]
                let text = try c.sh(
                    """
                    touch /home/x 2>&1; echo x 2>&1 > /etc/file
                    (echo 1 > /proc/sys/kernel/domainname) 2>&1; cat /etc/file
                    """)
                #expect(
                    text.components(separatedBy: "Read-only file system").count == 3 + 1
                        || text.components(separatedBy: "Read-only file system").count == 2 + 1)
                #expect(text.hasSuffix("text"))
                #expect(readText(c.rootfs + "/etc/file") == "text")
            }
        }

        @Test("a read-only path keeps the flags of the mount it lies in")
        func readonlyKeepsFlags() throws {
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec"])
                c.config.linux.readonlyPaths = ["/mnt"]
                let options = try c.mount(at: "/mnt").options
                #expect(options.isSuperset(of: ["ro", "nosuid", "nodev", "noexec"]), "\(options)")
            }
        }
    }
}

private func makedev(_ major: UInt64, _ minor: UInt64) -> dev_t { dev_t(major << 8 | minor) }
