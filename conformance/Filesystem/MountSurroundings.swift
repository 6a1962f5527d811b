import Foundation
import Testing

extension Conformance.Filesystem {
    /// What a mount has from its surroundings: of whom it is, who sees it, what is below it.
    @Suite struct MountSurroundings {
        private func own(_ c: Container) { launch(["chown", "-R", "100000:100000", c.rootfs]) }

        /// Runs the container detached, in a mount namespace that `before` has prepared and where `after`
        /// runs meanwhile; its mount table then.
        private func table(
            _ c: Container, before: String, after: String = ":"
        ) throws -> [MountInfo] {
            c.config.program("sleep", "600")
            try c.writeConfig()
            let script = """
                \(before)
                "$@" run --detach -b "$DIR/b" \(c.id) </dev/null >"$DIR/out" 2>&1
                \(after)
                "$@" exec \(c.id) cat /proc/self/mountinfo
                """
            var options = LaunchOptions()
            options.environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DIR": c.directory]
            let outcome = launch(
                [
                    "unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh",
                    Runtime.binary, "--root", c.root,
                ], options)
            #expect(outcome.succeeded, "\(outcome) \(c.output)")
            return MountInfo.all(outcome.stdout)
        }

        /// As engines have it: the merged directory of an overlay, on a host whose mounts are shared.
        private static let shared = """
            mount --bind $DIR/b/rootfs $DIR/b/rootfs; mount --make-shared $DIR/b/rootfs
            mkdir -p $DIR/b/rootfs/sub; mount -t tmpfs below $DIR/b/rootfs/sub
            mkdir -p $DIR/b/rootfs/sub/x
            """
        private static let late = """
            mount -t tmpfs late $DIR/b/rootfs/mnt; mount -t tmpfs late $DIR/b/rootfs/sub/x
            """

        @Test("what the host mounts below a shared root later does not appear in the container")
        func sharedRoot() throws {
            try withContainer { c in
                let table = try table(c, before: Self.shared, after: Self.late)
                #expect(!table.contains { $0.source == "late" })
                #expect(table.contains { $0.source == "below" })
                #expect(table.first { $0.point == "/" }?.propagation == [])
            }
        }

        @Test(
            "unless rootfsPropagation says so", .swruncOnly,
            arguments: [
                ("rslave", true), ("slave", true), ("private", false), ("rprivate", false),
                ("unbindable", false), ("runbindable", false), ("shared", false),
            ])
        func propagation(value: String, appears: Bool) throws {
            try withContainer { c in
                c.config.linux.rootfsPropagation = .string(value)
                let table = try table(c, before: Self.shared, after: Self.late)
                #expect(table.contains { $0.source == "late" && $0.point == "/mnt" } == appears)
            }
        }

        @Test("masks are nobody's slaves", .knownDifference(runc: "1.1 leaves them so"))
        func masks() throws {
            try withContainer { c in
                let table = try table(c, before: "mount --make-rshared /")
                let masks = table.filter { $0.point == "/proc/kcore" || $0.point == "/proc/keys" }
                #expect(!masks.isEmpty && masks.allSatisfy { $0.propagation == [] }, "\(masks)")
            }
        }

        @Test("/dev/mqueue belongs to the root of the user namespace, a new one or a joined one")
        func mqueue() throws {
            try withContainer { c in
                own(c)
                c.config.userNamespace(base: 100_000)
                c.config.shell("stat -c '%u %g' /dev/mqueue; sleep 600")
                try c.runDetached()
                #expect(eventually { c.output == "0 0" }, "\(c.output)")
                try withContainer { other in
                    own(other)
                    other.config.namespace("user", path: "/proc/\(c.pid)/ns/user")
                    try #expect(other.sh("stat -c '%u %g' /dev/mqueue") == "0 0")
                }
            }
        }

        @Test(
            "devices that are bound take nosuid and noexec, and nothing of the host's later mounts",
            .knownDifference(runc: "binds them as they are"))
        func devices() throws {
            try withContainer { c in
                own(c)
                c.config.userNamespace(base: 100_000)
                let devices = try table(c, before: "mount --make-rshared /")
                    .filter { ["/dev/null", "/dev/zero", "/dev/tty"].contains($0.point) }
                #expect(devices.count == 3)
                for mount in devices {
                    #expect(mount.options.isSuperset(of: ["nosuid", "noexec"]))
                    #expect(!mount.options.contains("nodev") && mount.propagation == [])
                }
            }
        }

        @Test(
            "idmap without mappings applies those of the joined user namespace",
            .knownDifference(runc: "1.1 has no id-mapped mounts"),
            .needsNewerCalls("mount_setattr(2) maps ids"),
            .requires(Host.kernel(6, 3), "tmpfs has no id-mapped mounts before Linux 6.3"))
        func joinedMappings() throws {
            try withRunningContainer(edit: { $0.userNamespace(base: 100_000) }) { other in
                try withContainer { c in
                    own(c)
                    mkdir(c.directory + "/src", 0o755)
                    c.config.namespace("user", path: "/proc/\(other.pid)/ns/user")
                    c.config.bind(c.directory + "/src", at: "/mnt", options: ["idmap"])
                    try #expect(c.sh("stat -c '%u %g' /mnt; touch /mnt/file") == "0 0")
                    let made = launch(["stat", "-c", "%u", c.directory + "/src/file"])
                    #expect(made.trimmed == "0")
                }
            }
        }
    }

    /// A step must not need what a step before it has sealed.
    @Suite struct Sealing {
        @Test(
            "a mount point below a read-only bind mount is made, and the mount is read-only",
            .knownDifference(runc: "seals it first"))
        func belowBind() throws { try expectMountPoint(belowBind: "ro") }

        @Test(
            "and below one that is read-only with all below it",
            .knownDifference(runc: "seals it first"),
            .needsNewerCalls("only mount_setattr(2) is recursive"))
        func belowRecursiveBind() throws { try expectMountPoint(belowBind: "rro") }

        private func expectMountPoint(belowBind option: String) throws {
            try withContainer { c in
                mkdir(c.directory + "/src", 0o755)
                c.config.bind(c.directory + "/src", at: "/mnt", options: ["rbind", option])
                c.config.addMount("/mnt/new", type: "tmpfs", source: "tmpfs")
                let script = "touch /mnt/x 2>&1 || true; touch /mnt/new/x && echo written"
                let text = try c.sh(script)
                #expect(text.contains("Read-only file system") && text.hasSuffix("written"))
                try #expect(c.mount(at: "/mnt").options.contains("ro"))
            }
        }

        @Test("a mount point below a tmpfs that is read-only with all below it", .swruncOnly)
        func belowTmpfs() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs", options: ["rro"])
                c.config.addMount("/mnt/new", type: "tmpfs", source: "tmpfs")
                let text = try c.sh("touch /mnt/x 2>&1 || true; touch /mnt/new/x && echo written")
                #expect(text.contains("Read-only file system") && text.hasSuffix("written"))
            }
        }

        @Test(
            "the caller's NOTIFY_SOCKET finds a place in a root that takes no mount point",
            .knownDifference(runc: "fails to make /run/notify"), arguments: ["root", "run"])
        func notifySocket(place: String) throws {
            try withContainer { c in
                var script = "export NOTIFY_SOCKET=$DIR/n"
                if place == "root" {
                    let root = "$DIR/b/rootfs"
                    script += "; mount --bind \(root) \(root); mount -o remount,bind,ro \(root)"
                } else {
                    mkdir(c.directory + "/src", 0o755)
                    c.config.bind(c.directory + "/src", at: "/run", options: ["ro"])
                }
                c.config.shell("test -S $NOTIFY_SOCKET && echo there")
                let outcome = try c.run(inPrivateMounts: script)
                #expect(outcome.trimmed == "there", "\(outcome)")
            }
        }

        @Test(
            "a read-only path in an unbindable mount",
            .knownDifference(runc: "cannot bind it"), .knownDifference(crun: "cannot bind it"))
        func inUnbindable() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "x", options: ["unbindable"])
                c.config.addMount("/mnt/in", type: "tmpfs", source: "tmpfs")
                c.config.linux.readonlyPaths = ["/mnt"]
                try #expect(c.sh("touch /mnt/x 2>&1 || true").contains("Read-only file system"))
                let table = try c.mountTable().filter { $0.point == "/mnt" }
                #expect(table.last?.propagation == ["unbindable"])
            }
        }
    }
}
