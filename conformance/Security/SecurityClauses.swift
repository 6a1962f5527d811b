import Foundation
import Testing

extension Conformance {
    /// Published CVEs of other runtimes, each as a container that attacks.
    @Suite struct Security {}
}

extension Conformance.Security {
    /// CVE-2019-5736: the container gets hold of the runtime's executable on the host.
    @Suite(.serialized) struct RuntimeExecutable {
        /// The attack is on a copy: a runtime that is not safe loses that one.
        private func withCopy(_ body: (Container, _ content: () -> [UInt8]) throws -> Void) throws {
            let original = readBytes(Runtime.executable)
            guard original.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
                try Test.cancel("\(Runtime.executable) is a script that runs another executable")
            }
            try withContainer { c in
                let copy = c.directory + "/runtime"
                launch(["cp", Runtime.executable, copy])
                c.binary = Runtime.behindFilter(copy, in: c.directory + "/filter")
                try body(c) { readBytes(copy) }
                #expect(readBytes(copy) == original)
            }
        }

        @Test(
            "run: an entrypoint that is the runtime cannot be written through /proc/PID/exe",
            arguments: [true, false])
        func run(script: Bool) throws {
            try withCopy { c, content in
                let before = content()
                if script {
                    try writeText("#!/proc/self/exe\n", to: c.rootfs + "/bin/x", mode: 0o755)
                } else {
                    symlink("/proc/self/exe", c.rootfs + "/bin/x")
                }
                c.config.process.capabilities = capabilitySets([
                    "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE",
                ])
                c.config.program("/bin/x", "--version")
                try c.run()
                #expect(content() == before)
            }
        }

        // Swift's runtime has a program of that name executed where it is asked to.
        @Test("a crash executes nothing, whatever the environment says", .swruncOnly)
        func crash() throws {
            try withCopy { c, _ in
                let trace = c.directory + "/traced"
                try writeText(
                    "#!/bin/sh\n: >\(trace)\n", to: c.directory + "/swift-backtrace", mode: 0o755)
                c.config.program("sleep", "600")
                try c.runDetached()
                var options = LaunchOptions()
                options.environment = [
                    "SWIFT_BACKTRACE": "enable=yes,swift-backtrace=\(c.directory)/swift-backtrace"
                ]
                options.whileRunning = { pid in
                    #expect(eventually { readText("/proc/\(pid)/wchan").contains("poll") })
                    Foundation.kill(pid, SIGSEGV)
                }
                let outcome = c.runtime(["events", c.id], options)
                #expect(outcome.status == .signalled(SIGSEGV), "\(outcome)")
                #expect(!exists(trace))
            }
        }

        @Test(
            "exec: a program that is the runtime cannot be written from inside",
            arguments: [true, false])
        func exec(script: Bool) throws {
            try withCopy { c, content in
                let before = content()
                if script {
                    try writeText("#!/proc/self/exe\n", to: c.rootfs + "/bin/x", mode: 0o755)
                } else {
                    symlink("/proc/self/exe", c.rootfs + "/bin/x")
                }
                c.config.process.capabilities = capabilitySets([
                    "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE",
                ])
                // The attacker inside: takes hold of every executable that comes by, then writes.
                c.config.shell(
                    """
                    echo ready
                    while :; do
                        for p in /proc/[0-9]*; do
                            case $p in /proc/1|/proc/$$) continue;; esac
                            exec 8< $p/exe && echo PWNED >> /proc/self/fd/8
                        done 2> /dev/null
                    done
                    """)
                try c.runDetached()
                try #require(c.prints("ready"))
                for _ in 0..<5 {
                    c.exec([], "/bin/x", "--version")
                    c.exec([], "true")
                }
                // A write to a running program fails with ETXTBSY: now it does not run any more.
                usleep(100_000)
                #expect(content() == before)
            }
        }
    }

    /// CVE-2024-21626: a working directory through a descriptor the runtime left open.
    @Suite struct WorkingDirectory {
        @Test(
            "run: /proc/self/fd/N as cwd always fails, never is a directory of the host",
            arguments: 0..<21)
        func run(descriptor: Int) throws {
            try withContainer { c in
                c.config.process.cwd = .string("/proc/self/fd/\(descriptor)")
                c.config.shell("pwd; ls -a; ls ../../..")
                let outcome = try c.run()
                #expect(!outcome.stdout.contains(c.id), "\(outcome)")
                #expect(outcome.failed, "\(outcome)")
            }
        }

        @Test("exec: /proc/self/fd/N as cwd always fails")
        func exec() throws {
            try withRunningContainer { c in
                for descriptor in 0..<21 {
                    let cwd = "/proc/self/fd/\(descriptor)"
                    let outcome = c.exec(["--cwd", cwd], "sh", "-c", "pwd; ls ../../..")
                    #expect(outcome.failed, "\(outcome)")
                }
            }
        }

        @Test("exec: a link in the container to such a descriptor fails as well")
        func link() throws {
            try withRunningContainer { c in
                for descriptor in 3..<15 {
                    symlink("/proc/self/fd/\(descriptor)", c.rootfs + "/link\(descriptor)")
                    let outcome = c.exec(["--cwd", "/link\(descriptor)"], "ls")
                    #expect(outcome.failed, "\(outcome)")
                }
            }
        }

        @Test("a preserved descriptor of a directory of the host is no cwd either")
        func preserved() throws {
            try withContainer { c in
                let directory = open("/usr", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                defer { close(directory) }
                c.config.process.cwd = "/proc/self/fd/3"
                c.config.shell("ls")
                let outcome = try c.run(
                    ["--preserve-fds", "1"], LaunchOptions(descriptors: [directory]))
                #expect(outcome.failed, "\(outcome)")
            }
        }
    }

    @Suite struct Privileges {
        @Test(
            "an exec'd program cannot be traced, nor its descriptors taken, before it is confined",
            arguments: [true, false])
        func dumpable(noNewPrivileges: Bool) throws {
            try withContainer { c in
                c.config.process.noNewPrivileges = .bool(noNewPrivileges)
                if !noNewPrivileges { c.config.filter(rule("munlockall", "ERRNO")) }
                c.config.process.capabilities = capabilitySets(["CAP_SYS_PTRACE"])
                // Looks for a process that still shows the host's root or the runtime's files.
                c.config.shell(
                    """
                    echo ready
                    while :; do
                        for p in /proc/[0-9]*; do
                            case $p in /proc/1|/proc/$$) continue;; esac
                            for f in $p/fd/*; do
                                t=$(readlink $f) || continue
                                case $t in *swrunc-test*|/tmp/swc-*|/sys/fs/cgroup*) echo leak $t;; esac
                            done
                            ls $p/root/tmp/swc-* > /dev/null 2>&1 && echo leak root
                        done 2> /dev/null
                    done
                    """)
                try c.runDetached()
                try #require(c.prints("ready"))
                for _ in 0..<50 { c.exec([], "true") }
                #expect(!c.output.contains("leak"), "\(c.output)")
            }
        }

        @Test("an exec'd program has its user and capabilities when it is first seen", .swruncOnly)
        func confinedFirst() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_SYS_PTRACE"])
                c.config.shell(
                    """
                    echo ready
                    while :; do
                        for p in /proc/[0-9]*; do
                            case $p in /proc/1|/proc/$$) continue;; esac
                            while read key value; do
                                case $key in CapEff:) echo "seen $value";; esac
                            done < $p/status
                        done 2> /dev/null
                    done
                    """)
                try c.runDetached()
                try #require(c.prints("ready"))
                let held = capabilityText(capabilityMask(["CAP_SYS_PTRACE"]))
                for _ in 0..<50 { c.exec([], "true") }
                // Whoever looks may have slept all the time.
                _ = eventually {
                    c.exec([], "true")
                    return c.output.contains("seen")
                }
                let seen = Set(c.output.split(separator: "\n").dropFirst())
                #expect(!seen.isEmpty && seen.allSatisfy { $0 == "seen \(held)" }, "\(seen)")
            }
        }

        /// What a process has open besides its standard streams.
        private func descriptors(_ pid: pid_t) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
                .filter { (Int($0) ?? 0) > 2 }
                .compactMap {
                    try? FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/fd/\($0)")
                }
        }

        @Test("a created container's init has nothing of the host's open but sockets", .swruncOnly)
        func created() throws {
            try withContainer { c in
                c.config.bind("/usr", at: "/mnt")
                try c.create()
                let open = try descriptors(c.pid)
                #expect(!open.isEmpty && open.allSatisfy { $0.hasPrefix("socket:") }, "\(open)")
            }
        }

        @Test("nor does a startContainer hook with CAP_SYS_PTRACE find any", .swruncOnly)
        func startContainerHook() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_SYS_PTRACE"])
                c.config.addHook(
                    "startContainer",
                    [
                        "path": "/bin/sh", "env": ["PATH=/bin"],
                        "args": [
                            "sh", "-c",
                            "for f in /proc/1/fd/*; do readlink $f; done > /seen; ls /proc/self/fd >> /seen",
                        ],
                    ])
                try #expect(c.run().succeeded)
                let seen = readText(c.rootfs + "/seen").split(separator: "\n").dropFirst(3)
                let own = seen.filter { Int($0) != nil }
                #expect(own == ["0", "1", "2", "3"], "\(seen)")
                #expect(
                    // What it runs the hook with, and the channel.
                    seen.dropLast(own.count).allSatisfy {
                        !$0.hasPrefix("/") || $0.hasPrefix("/memfd:")
                    }, "\(seen)")
            }
        }

        @Test("the container sees no process of the runtime")
        func processes() throws {
            try withRunningContainer { c in
                let text = c.execSh("cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
                #expect(!text.contains(c.id) && !text.contains(Runtime.executable), "\(text)")
            }
        }

        @Test("the container's environment and command line do not show the runtime's")
        func environment() throws {
            try withContainer { c in
                var options = LaunchOptions()
                options.environment = ["PATH": "/usr/bin:/usr/sbin", "HOST_SECRET": "hidden"]
                c.config.shell("cat /proc/1/environ /proc/self/environ | tr '\\0' '\\n'")
                let outcome = try c.run([], options)
                #expect(!outcome.stdout.contains("HOST_SECRET"), "\(outcome)")
            }
        }

        @Test("a mount's source does not show the host's paths in the container's descriptors")
        func mapFiles() throws {
            try withContainer { c in
                c.config.process.capabilities = capabilitySets(["CAP_SYS_ADMIN"])
                let text = try c.sh("ls -l /proc/1/fd /proc/1/map_files 2>/dev/null; true")
                #expect(!text.contains(Runtime.executable), "\(text)")
            }
        }
    }

    /// The image as attacker: links where the runtime makes files.
    @Suite struct Images {
        @Test(
            "/dev/console as a link out of the root writes nothing there (CVE-2026-88264)",
            arguments: [true, false])
        func console(withDev: Bool) throws {
            try withContainer { c in
                let victim = c.directory + "/victim"
                let socket = try ConsoleSocket(path: c.directory + "/s")
                if !withDev {
                    for point in ["/dev", "/dev/shm", "/dev/mqueue"] { c.config.removeMount(point) }
                }
                symlink(victim, c.rootfs + "/dev/console")
                c.config.process.terminal = true
                let outcome = try c.create(["--console-socket", socket.path])
                if outcome.succeeded { _ = try socket.receive() }
                #expect(!exists(victim))
            }
        }

        @Test("/etc/passwd as a link to the host's is read inside the root")
        func passwd() throws {
            try withContainer { c in
                let host = c.directory + "/passwd"
                try writeText("root:x:0:0:root:/from-host:/bin/sh\n", to: host)
                unlink(c.rootfs + "/etc/passwd")
                symlink(host, c.rootfs + "/etc/passwd")
                try #expect(c.sh("echo $HOME") != "/from-host")
            }
        }

        @Test("a cwd that is missing below a link is made inside the root")
        func workingDirectory() throws {
            try withContainer { c in
                mkdir(c.directory + "/victim", 0o755)
                symlink(c.directory + "/victim", c.rootfs + "/link")
                c.config.process.cwd = "/link/made"
                try c.run()
                #expect(!exists(c.directory + "/victim/made"))
            }
        }

        @Test("linux.devices below a link are made inside the root")
        func devices() throws {
            try withContainer { c in
                mkdir(c.directory + "/victim", 0o755)
                symlink(c.directory + "/victim", c.rootfs + "/link")
                c.config.linux.devices = [
                    ["type": "p", "path": "/link/pipe", "fileMode": 0o666],
                    ["type": "c", "path": "/link/deep/null", "major": 1, "minor": 3],
                ]
                try c.run()
                let made = try FileManager.default.contentsOfDirectory(
                    atPath: c.directory + "/victim")
                #expect(made == [])
            }
        }

        @Test("masked and read-only paths through a link stay inside the root")
        func masks() throws {
            try withContainer { c in
                let victim = c.directory + "/victim"
                mkdir(victim, 0o755)
                try writeText("mine", to: victim + "/file")
                symlink(victim, c.rootfs + "/link")
                c.config.linux.maskedPaths = ["/link/file", "/link"]
                c.config.linux.readonlyPaths = ["/link"]
                try c.run()
                #expect(readText(victim + "/file") == "mine")
                #expect(Leaks.mounts(below: c.directory) == [])
            }
        }

        @Test(
            "mount targets swapped for links while create runs make nothing on the host",
            arguments: 0..<3)
        func race(round: Int) throws {
            try withContainer { c in
                let victim = c.directory + "/victim"
                mkdir(victim, 0o755)
                mkdir(c.rootfs + "/a", 0o755)
                symlink(victim, c.rootfs + "/b")
                for index in 0..<8 {
                    c.config.addMount("/a/m\(index)", type: "tmpfs", source: "tmpfs")
                }
                try c.writeConfig()
                // Exchanges the two without rest (CVE-2021-30465, CVE-2024-45310).
                let swapper = """
                    cd $ROOT; while :; do mv -T a x; mv -T b a; mv -T x b; \
                    mv -T a x; mv -T b a; mv -T x b; done
                    """
                var options = LaunchOptions()
                options.environment = ["ROOT": c.rootfs, "PATH": "/usr/bin:/bin"]
                options.whileRunning = { pid in
                    for _ in 0..<6 {
                        c.runtime(["create", "-b", c.bundle, c.id], c.intoFiles(LaunchOptions()))
                        c.delete("--force")
                    }
                    Foundation.kill(pid, SIGKILL)
                }
                launch(["busybox", "sh", "-c", swapper], options)
                let made = try FileManager.default.contentsOfDirectory(atPath: victim)
                #expect(made == [], "round \(round)")
                #expect(Leaks.mounts(below: c.directory) == [])
            }
        }
    }
}
