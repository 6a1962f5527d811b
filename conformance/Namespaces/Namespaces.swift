import Foundation
import Testing

extension Conformance {
    /// config-linux.md, namespaces, mappings, time offsets, sysctl; config.md, hostname.
    @Suite struct Namespaces {}
}

/// A type of the config and the name of its file in /proc/PID/ns.
struct NamespaceType: Sendable, CustomTestStringConvertible {
    let type: String
    let file: String
    var testDescription: String { type }

    static let all = [
        NamespaceType(type: "pid", file: "pid"), NamespaceType(type: "network", file: "net"),
        NamespaceType(type: "mount", file: "mnt"), NamespaceType(type: "ipc", file: "ipc"),
        NamespaceType(type: "uts", file: "uts"), NamespaceType(type: "user", file: "user"),
        NamespaceType(type: "cgroup", file: "cgroup"), NamespaceType(type: "time", file: "time"),
    ]

    /// Skips the case where the host, or the runtime, has no such namespace.
    func require() throws {
        if !exists("/proc/self/ns/" + file) {
            try Test.cancel("this host has no \(type) namespace")
        }
        if type == "time" { try knownDifference(runc: "1.1 has no time namespace") }
    }

    func of(_ pid: String) -> String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/ns/\(file)"))
            ?? ""
    }
}

/// Paths can only be masked in a mount namespace of the container's own.
private func withoutMountNamespace(_ config: inout JSON) {
    config.removeNamespace("mount")
    config.linux["maskedPaths"] = .null
    config.linux["readonlyPaths"] = .null
}

extension Conformance.Namespaces {
    @Suite struct Each {
        @Test("a type without a path is a new namespace", arguments: NamespaceType.all)
        func new(type: NamespaceType) throws {
            try type.require()
            try withRunningContainer(edit: {
                if type.type == "user" { $0.userNamespace() } else { $0.namespace(type.type) }
            }) { c in
                let inside = type.of("\(c.pid)")
                #expect(!inside.isEmpty && inside != type.of("self"))
            }
        }

        @Test(
            "whether the runtime has one processor or several",
            arguments: [true, false])
        func processors(one: Bool) throws {
            try withContainer { c in
                let own =
                    readText("/proc/self/status").split(separator: "\n")
                    .first { $0.hasPrefix("Cpus_allowed_list:") }?.split(separator: "\t").last ?? ""
                let cpus = one ? String(own.prefix { $0.isNumber }) : String(own)
                let files = ["net", "ipc", "uts"]
                c.config.shell(
                    "cd /proc/self/ns; for file in \(files.joined(separator: " ")); do readlink $file; done"
                )
                try c.writeConfig()
                let outcome = launch([
                    "taskset", "-c", cpus, Runtime.binary, "--root", c.root, "run", "-b", c.bundle,
                    c.id,
                ])
                let lines = outcome.stdout.split(separator: "\n")
                try #require(lines.count == files.count, "\(outcome)")
                for (file, inside) in zip(files, lines) {
                    #expect(inside.hasPrefix("\(file):["))
                    #expect(inside != NamespaceType(type: "", file: file).of("self"))
                }
            }
        }

        @Test("a type that is not in the config is the runtime's", arguments: NamespaceType.all)
        func inherited(type: NamespaceType) throws {
            try type.require()
            // Only swrunc spares the host's tree then; it has a clause of its own.
            if type.type == "mount" { return }
            try withRunningContainer(edit: {
                $0.removeNamespace(type.type)
                if type.type == "uts" { $0.hostname = .null }
                if type.type == "ipc" { $0.removeMount("/dev/mqueue") }
            }) { c in
                #expect(type.of("\(c.pid)") == type.of("self"))
            }
        }

        @Test(
            "a path is the namespace joined",
            arguments: NamespaceType.all.filter { $0.type != "mount" && $0.type != "user" })
        func joined(type: NamespaceType) throws {
            try type.require()
            try withRunningContainer(edit: { $0.namespace(type.type) }) { other in
                let path = "/proc/\(other.pid)/ns/\(type.file)"
                let expected = type.of("\(other.pid)")
                try withRunningContainer(edit: { $0.namespace(type.type, path: path) }) { c in
                    #expect(type.of("\(c.pid)") == expected)
                    #expect(c.execSh("readlink /proc/self/ns/\(type.file)") == expected)
                }
            }
        }

        @Test("a user namespace is joined, with what belongs to it")
        func joinedUser() throws {
            try withRunningContainer(edit: { $0.userNamespace(base: 100_000) }) { other in
                let pid = other.pid
                try withContainer { c in
                    // runc 1.1 wants the mappings again, others read them from the namespace.
                    if Runtime.kind == .runc { c.config.userNamespace(base: 100_000) }
                    for type in ["user", "network", "ipc", "uts"] {
                        let file = type == "network" ? "net" : type
                        c.config.namespace(type, path: "/proc/\(pid)/ns/\(file)")
                    }
                    launch(["chown", "-R", "100000:100000", c.rootfs])
                    c.config.hostname = .null
                    c.config.program("sleep", "600")
                    let outcome = try c.runDetached()
                    try #require(outcome.succeeded, "\(outcome)")
                    let own = try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(c.pid)/ns/user")
                    let others = try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/ns/user")
                    #expect(own == others)
                }
            }
        }

        @Test("a namespace bound to a file is joined")
        func boundFile() throws {
            try withContainer { c in
                let path = c.directory + "/netns"
                try writeText("", to: path)
                c.config.namespace("network", path: path)
                c.config.program("ls", "/sys/class/net")
                let outcome = try c.run(
                    inPrivateMounts: """
                        unshare --net=$DIR/netns sh -c 'ip link add probe0 type dummy || true'
                        """)
                #expect(outcome.lines.contains("lo"), "\(outcome)")
            }
        }

        @Test(
            "a path of another type is refused, and the place named",
            arguments: NamespaceType.all)
        func wrongType(type: NamespaceType) throws {
            try type.require()
            try withContainer { c in
                let other = type.file == "uts" ? "ipc" : "uts"
                c.config.namespace(type.type, path: "/proc/self/ns/\(other)")
                let outcome = try c.create()
                let index = c.config.linux.namespaces.array.count - 1
                expectRefusal(outcome, c, naming: "/linux/namespaces/\(index)")
            }
        }

        @Test(
            "a path that is no namespace, or missing, is refused and named",
            arguments: ["/etc/passwd", "/no/such/file", "/proc/self/ns"])
        func noNamespace(path: String) throws {
            try withContainer { c in
                c.config.namespace("network", path: path)
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: path)
            }
        }

        @Test(
            "a relative path is refused", .knownDifference(runc: "takes it"),
            .knownDifference(crun: "takes it"))
        func relativePath() throws {
            try withContainer { c in
                c.config.namespace("network", path: "proc/self/ns/net")
                expectRefusal(try c.create(), c, naming: "proc/self/ns/net")
            }
        }

        @Test("a type given twice is refused and named")
        func duplicate() throws {
            try withContainer { c in
                c.config.linux.namespaces.append(["type": "uts"])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "uts")
            }
        }

        // Never against another runtime: those mount into the host's tree.
        @Test(
            "without a mount namespace the container is in the runtime's, which its mounts spare",
            .swruncOnly,
            .requires(Host.mountsDetached, "mounts in a detached tree need Linux 6.15"),
            .needsNewerCalls("there is no container without a mount namespace"))
        func noMountNamespace() throws {
            try withRunningContainer(edit: {
                withoutMountNamespace(&$0)
                $0.mounts.append([
                    "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
                    "options": ["nosuid", "ro"],
                ])
            }) { c in
                let mount = NamespaceType(type: "mount", file: "mnt")
                let group = Host.isUnified ? "cgroup.procs" : "pids/tasks"
                #expect(mount.of("\(c.pid)") == mount.of("self"))
                #expect(Leaks.mounts(below: c.rootfs).isEmpty)
                // The container's pid namespace, its devices and its cgroups, for exec as well.
                let seen = c.execSh(
                    "cat /proc/1/comm; ls -d /dev/null /sys/fs/cgroup/\(group)")
                #expect(seen == "sleep\n/dev/null\n/sys/fs/cgroup/\(group)")
                #expect(c.execSh("mkdir /sys/fs/cgroup/x 2>&1; true").contains("Read-only"))
                // The root has no parent.
                #expect(c.execSh("cd ../../..; ls -d /proc/1/root/bin proc").contains("proc"))
            }
        }

        @Test(
            "without a mount namespace nothing that would need one is done to the host",
            .swruncOnly, arguments: ["rootfsPropagation", "maskedPaths", "readonlyPaths"])
        func refusedWithoutMountNamespace(property: String) throws {
            try withContainer { c in
                c.sandbox = Sandbox.namespaces
                withoutMountNamespace(&c.config)
                c.config.linux[property] =
                    property == "rootfsPropagation" ? "shared" : ["/proc/keys"]
                expectRefusal(try c.create(), c, naming: property)
            }
        }

        @Test(
            "without a mount namespace a mount below a shared bind stays inside", .swruncOnly,
            .requires(Host.mountsDetached, "mounts in a detached tree need Linux 6.15"),
            .needsNewerCalls("there is no container without a mount namespace"))
        func sharedBindWithoutMountNamespace() throws {
            try withContainer { c in
                let script = """
                    mount --bind "$0" "$0"; mount --make-shared "$0"; "$@"
                    if grep inner /proc/self/mountinfo; then exit 9; fi
                    """
                let unshare = ["unshare", "--mount", "--propagation", "private"]
                c.sandbox = unshare + ["sh", "-ec", script, c.directory]
                mkdir(c.directory + "/shared", 0o755)
                withoutMountNamespace(&c.config)
                c.config.bind(c.directory + "/shared", at: "/shared")
                c.config.addMount("/shared/inner", type: "tmpfs", source: "tmpfs")
                try #expect(c.sh("touch /shared/inner/x && echo done") == "done")
                #expect(!exists(c.directory + "/shared/inner/x"))
            }
        }

        @Test(
            "before Linux 6.15 a container without a mount namespace is refused, with the reason",
            .swruncOnly, .requires(!Host.mountsDetached, "Linux 6.15 or later"))
        func tooOldForNoMountNamespace() throws {
            try withContainer { c in
                withoutMountNamespace(&c.config)
                for outcome in [try c.create(), try c.run()] {
                    expectRefusal(outcome, c, naming: "6.15")
                }
            }
        }

        @Test(
            "the root without a mount namespace is read-only where it is to be", .swruncOnly,
            .requires(Host.mountsDetached, "mounts in a detached tree need Linux 6.15"),
            .needsNewerCalls("there is no container without a mount namespace"))
        func readOnlyWithoutMountNamespace() throws {
            try withContainer { c in
                withoutMountNamespace(&c.config)
                c.config["root"]["readonly"] = true
                try #expect(c.sh("touch /x 2>&1 || touch /dev/x && echo done").contains("done"))
                #expect(!exists(c.rootfs + "/x"))
            }
        }

        @Test("children of the program see it as pid 1, and it ends them")
        func pidNamespace() throws {
            try withContainer { c in
                try #expect(c.sh("sh -c 'echo $PPID'; true") == "1")
                c.config.shell("sleep 602 & echo ready; sleep 601")
                try c.runDetached()
                #expect(c.prints("ready"))
                c.kill("KILL")
                #expect(eventually { Leaks.processes(inCgroup: c.cgroupsPath).isEmpty })
            }
        }

        @Test("loopback is up in a new network namespace")
        func loopback() throws {
            try withContainer { c in
                let text = try c.sh(
                    "ip addr show lo; ping -c 1 -W 1 127.0.0.1 > /dev/null; echo $?")
                #expect(text.contains("LOOPBACK,UP"))
                #expect(text.contains("127.0.0.1/8"))
            }
        }
    }

    @Suite struct User {
        @Test("the mappings are the config's, in their order")
        func mappings() throws {
            try withContainer { c in
                c.config.namespace("user")
                c.config.linux.uidMappings = [
                    ["containerID": 0, "hostID": 100_000, "size": 1000],
                    ["containerID": 5000, "hostID": 200_000, "size": 10],
                ]
                c.config.linux.gidMappings = [
                    ["containerID": 0, "hostID": 300_000, "size": 2000]
                ]
                launch(["chown", "-R", "100000:300000", c.rootfs])
                c.config.shell("cat /proc/self/uid_map /proc/self/gid_map")
                let outcome = try c.run()
                let rows = outcome.lines.map { $0.split(separator: " ").map(String.init) }
                #expect(
                    rows == [
                        ["0", "100000", "1000"], ["5000", "200000", "10"], ["0", "300000", "2000"],
                    ], "\(outcome)")
            }
        }

        @Test("root inside is nobody special outside: its files belong to the mapped id")
        func ownership() throws {
            try withContainer { c in
                c.config.userNamespace(base: 100_000)
                launch(["chown", "-R", "100000:100000", c.rootfs])
                _ = try c.sh("echo x > /written; id -u")
                var status = stat()
                stat(c.rootfs + "/written", &status)
                #expect(status.st_uid == 100_000 && status.st_gid == 100_000)
            }
        }

        @Test("the process is uid 0 inside and the mapped id outside")
        func process() throws {
            try withRunningContainer(edit: { $0.userNamespace(base: 0) }) { c in
                #expect(c.execSh("id -u; id -g") == "0\n0")
            }
            try withContainer { c in
                c.config.userNamespace(base: 100_000)
                launch(["chown", "-R", "100000:100000", c.rootfs])
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                #expect(readText("/proc/\(c.pid)/status").contains("Uid:\t100000\t100000\t100000"))
                #expect(c.execSh("id -u") == "0")
            }
        }

        @Test("devices, masks and a terminal work in a user namespace")
        func devices() throws {
            try withContainer { c in
                c.config.userNamespace(base: 100_000)
                launch(["chown", "-R", "100000:100000", c.rootfs])
                c.config.shell(
                    """
                    for d in null zero full random urandom tty; do stat -c %t:%T /dev/$d; done
                    echo x > /dev/null && cat /proc/kcore; readlink /dev/fd
                    """)
                let outcome = try c.run()
                #expect(
                    outcome.lines == [
                        "1:3", "1:5", "1:7", "1:8", "1:9", "5:0", "/proc/self/fd",
                    ], "\(outcome)")
            }
        }

        @Test("capabilities count inside the user namespace only")
        func capabilities() throws {
            try withContainer { c in
                c.config.userNamespace(base: 100_000)
                launch(["chown", "-R", "100000:100000", c.rootfs])
                c.config.process.capabilities = capabilitySets(["CAP_SYS_ADMIN", "CAP_CHOWN"])
                let report = try c.probe()
                #expect(report["cap.effective"] == "0000000000200001")
                #expect(report["uid"] == "0,0,0")
            }
        }

        @Test("additional groups and another user inside the mapping")
        func otherUser() throws {
            try withContainer { c in
                c.config.userNamespace(base: 100_000)
                launch(["chown", "-R", "100000:100000", c.rootfs])
                c.config.process.user = ["uid": 33, "gid": 34, "additionalGids": [35]]
                let report = try c.probe()
                #expect(report["uid"] == "33,33,33")
                #expect(report["gid"] == "34,34,34")
                #expect(report["groups"] == "35")
            }
        }

        @Test("a user that is not mapped fails, and leaves nothing")
        func unmapped() throws {
            try withContainer { c in
                c.config.userNamespace(base: 100_000, size: 10)
                launch(["chown", "-R", "100000:100000", c.rootfs])
                c.config.process.user = ["uid": 11, "gid": 0]
                let outcome = try c.create()
                expectRefusal(outcome, c)
                c.expectNothingLeft()
            }
        }

        @Test("mappings that overlap fail, and are named")
        func overlapping() throws {
            try withContainer { c in
                c.config.userNamespace()
                c.config.linux.uidMappings.append(["containerID": 5, "hostID": 7, "size": 10])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "uidMappings")
            }
        }

        @Test("a new user namespace without mappings fails, and names them")
        func noMappings() throws {
            try withContainer { c in
                c.config.namespace("user")
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "Mappings")
            }
        }
    }

    @Suite struct Names {
        @Test("hostname is the container's, and the host keeps its own")
        func hostname() throws {
            try withContainer { c in
                let before = readText("/proc/sys/kernel/hostname")
                c.config.hostname = "mrsdalloway"
                try #expect(
                    c.sh("hostname; cat /proc/sys/kernel/hostname")
                        == "mrsdalloway\nmrsdalloway")
                #expect(readText("/proc/sys/kernel/hostname") == before)
            }
        }

        @Test("domainname is the container's", .knownDifference(runc: "1.1 does not know it"))
        func domainname() throws {
            try withContainer { c in
                c.config.domainname = "foobarbaz.test"
                try #expect(c.probe()["domainname"] == "foobarbaz.test")
            }
        }

        @Test("hostname without a uts namespace is refused and named")
        func noNamespace() throws {
            try withContainer { c in
                c.sandbox = Sandbox.namespaces
                c.config.removeNamespace("uts")
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "hostname")
            }
        }

        @Test(
            "domainname without a uts namespace is refused and named",
            .knownDifference(runc: "1.1 does not know it"))
        func noNamespaceDomain() throws {
            try withContainer { c in
                c.sandbox = Sandbox.namespaces
                c.config.removeNamespace("uts")
                c.config.hostname = .null
                c.config.domainname = "foobarbaz.test"
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "domainname")
            }
        }

        @Test("a hostname of 64 bytes works, of 65 is refused")
        func longHostname() throws {
            try withContainer { c in
                c.config.hostname = .string(String(repeating: "h", count: 64))
                try #expect(c.sh("hostname").count == 64)
                c.config.hostname = .string(String(repeating: "h", count: 65))
                expectRefusal(try c.create(), c, naming: "hostname")
            }
        }
    }
}
