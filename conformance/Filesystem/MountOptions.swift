import Foundation
import Testing

extension Conformance {
    /// config.md, root and mounts; config-linux.md, devices, masked and readonly paths.
    @Suite struct Filesystem {}
}

/// One line of the spec's table of mount options: what must, and must not, be in the mount table.
struct OptionCase: Sendable, CustomTestStringConvertible {
    var options: [String]
    var present: [String] = []
    var absent: [String] = []
    /// Where the two are looked up: in the mount's options or in the file system's.
    var inSuper = false
    /// Why runc is known to fail here.
    var runc: String?

    var testDescription: String { options.joined(separator: ",") }
}

extension Conformance.Filesystem {
    @Suite struct MountOptions {
        /// config.md, Linux mount options, those that say how one mount behaves.
        static let flags: [OptionCase] = [
            OptionCase(
                options: ["defaults"], present: ["rw"], absent: ["nosuid", "noexec"],
                runc: "hands it to the file system, which refuses it"),
            OptionCase(options: ["ro"], present: ["ro"], absent: ["rw"]),
            OptionCase(options: ["rw"], present: ["rw"]),
            OptionCase(options: ["ro", "rw"], present: ["rw"]),
            OptionCase(options: ["nosuid"], present: ["nosuid"]),
            OptionCase(options: ["nosuid", "suid"], absent: ["nosuid"]),
            OptionCase(options: ["nodev"], present: ["nodev"]),
            OptionCase(options: ["nodev", "dev"], absent: ["nodev"]),
            OptionCase(options: ["noexec"], present: ["noexec"]),
            OptionCase(options: ["noexec", "exec"], absent: ["noexec"]),
            OptionCase(options: ["noatime"], present: ["noatime"], absent: ["relatime"]),
            OptionCase(options: ["noatime", "atime"], absent: ["noatime"]),
            OptionCase(options: ["nodiratime"], present: ["nodiratime"]),
            OptionCase(options: ["nodiratime", "diratime"], absent: ["nodiratime"]),
            OptionCase(options: ["relatime"], present: ["relatime"]),
            OptionCase(options: ["strictatime"], absent: ["relatime", "noatime"]),
            OptionCase(options: ["strictatime", "nostrictatime"], present: ["relatime"]),
            OptionCase(options: ["relatime", "norelatime"], absent: ["noatime"]),
        ]

        /// Those of the file system as a whole.
        static let superFlags: [OptionCase] = [
            OptionCase(options: ["sync"], present: ["sync"], inSuper: true),
            OptionCase(options: ["sync", "async"], absent: ["sync"], inSuper: true),
            OptionCase(options: ["dirsync"], present: ["dirsync"], inSuper: true),
            OptionCase(options: ["lazytime"], present: ["lazytime"], inSuper: true),
            OptionCase(options: ["lazytime", "nolazytime"], absent: ["lazytime"], inSuper: true),
            // The mount table does not show these: they must be taken for what they are.
            OptionCase(options: ["iversion"]),
            OptionCase(options: ["noiversion"]),
            OptionCase(options: ["silent"]),
            OptionCase(options: ["loud"]),
            OptionCase(options: ["mand"]),
            OptionCase(options: ["nomand"]),
        ]

        static let symlinkFlags: [OptionCase] = [
            OptionCase(options: ["nosymfollow"], present: ["nosymfollow"]),
            OptionCase(options: ["nosymfollow", "symfollow"], absent: ["nosymfollow"]),
        ]

        private func expect(
            _ mount: MountInfo, _ expected: OptionCase,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            let seen = expected.inSuper ? mount.superOptions : mount.options
            for option in expected.present {
                #expect(
                    seen.contains(option), "\(expected.options) \(seen)",
                    sourceLocation: sourceLocation)
            }
            for option in expected.absent {
                #expect(
                    !seen.contains(option), "\(expected.options) \(seen)",
                    sourceLocation: sourceLocation)
            }
        }

        @Test("an option of the table on a tmpfs", arguments: flags + superFlags)
        func onTmpfs(expected: OptionCase) throws {
            try knownDifference(runc: expected.runc)
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "tmpfs", options: expected.options)
                expect(try c.mount(at: "/mnt"), expected)
            }
        }

        @Test("an option of the table on a bind mount", arguments: flags)
        func onBind(expected: OptionCase) throws {
            try withContainer { c in
                c.config.bind(c.directory, at: "/mnt", options: expected.options)
                expect(try c.mount(at: "/mnt"), expected)
            }
        }

        @Test(
            "nosymfollow and symfollow", .knownDifference(crun: "does not know them"),
            arguments: symlinkFlags)
        func symlinks(expected: OptionCase) throws {
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "tmpfs", options: expected.options)
                c.config.bind(c.directory, at: "/home", options: expected.options)
                expect(try c.mount(at: "/mnt"), expected)
                expect(try c.mount(at: "/home"), expected)
            }
        }

        @Test("a read-only bind mount cannot be written to, its source can")
        func readOnlyBind() throws {
            try withContainer { c in
                c.config.bind(c.directory, at: "/mnt", options: ["ro"])
                try #expect(c.sh("touch /mnt/x 2>&1 || true").contains("Read-only file system"))
                try #expect(c.sh("ls -d /mnt/b") == "/mnt/b")
            }
        }

        @Test(
            "options of the bind's source stay, when the config does not change them",
            .knownDifference(runc: "1.1 loses them"), .knownDifference(crun: "loses them"))
        func bindKeepsFlags() throws {
            try withContainer { c in
                c.config.bind("\(c.directory)/src", at: "/mnt", options: ["ro"])
                c.config.program("cat", "/proc/self/mountinfo")
                let outcome = try c.run(
                    inPrivateMounts:
                        "mkdir $DIR/src; mount -t tmpfs -o nosuid,nodev,noexec none $DIR/src")
                let mount = try #require(
                    MountInfo.all(outcome.stdout).last { $0.point == "/mnt" }, "\(outcome)")
                #expect(mount.options.isSuperset(of: ["ro", "nosuid", "nodev", "noexec"]))
            }
        }

        @Test("remount changes a mount made before")
        func remount() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs")
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "tmpfs", options: ["remount", "ro", "nosuid"])
                let table = try c.mountTable().filter { $0.point == "/mnt" }
                #expect(table.count == 1)
                #expect(table.last?.options.isSuperset(of: ["ro", "nosuid"]) == true)
            }
        }

        @Test("a later mount, or remount, decides what the mount at its place is")
        func lastWord() throws {
            try withContainer { c in
                let read = ["ro", "size=1m"]
                c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs", options: read)
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "tmpfs", options: ["remount", "rw", "size=1m"])
                c.config.addMount("/home", type: "tmpfs", source: "a", options: read)
                c.config.addMount("/home/", type: "tmpfs", source: "b", options: ["size=1m"])
                c.config.addMount("/var/x", type: "tmpfs", source: "a", options: read)
                c.config.addMount("/var", type: "tmpfs", source: "b", options: ["size=1m"])
                c.config.addMount("/srv", type: "tmpfs", source: "a", options: read)
                c.config.addMount("/srv/in", type: "tmpfs", source: "b", options: ["size=1m"])
                let script = """
                    for d in /mnt /home /var /srv /srv/in; do
                        touch $d/file 2> /dev/null && echo $d
                    done; true
                    """
                try #expect(c.sh(script) == "/mnt\n/home\n/var\n/srv/in")
            }
        }

        @Test("an option that is not of the table goes to the file system")
        func filesystemOption() throws {
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "x",
                    options: ["size=1m", "mode=1710", "uid=7", "gid=8", "nr_inodes=99"])
                let mount = try c.mount(at: "/mnt")
                #expect(
                    mount.superOptions.isSuperset(of: [
                        "size=1024k", "mode=1710", "uid=7", "gid=8", "nr_inodes=99",
                    ]))
                #expect(mount.source == "x")
            }
        }

        @Test("an option no one knows fails, names the mount, and leaves nothing")
        func unknownOption() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs", options: ["nope=1"])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "/mounts/6")
                #expect(outcome.stderr.contains("/mnt"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        static let propagation: [(String, @Sendable (MountInfo) -> Bool)] = [
            ("private", { $0.propagation.isEmpty }),
            ("rprivate", { $0.propagation.isEmpty }),
            ("shared", { $0.propagation.contains { $0.hasPrefix("shared:") } }),
            ("rshared", { $0.propagation.contains { $0.hasPrefix("shared:") } }),
            ("unbindable", { $0.propagation == ["unbindable"] }),
            ("runbindable", { $0.propagation == ["unbindable"] }),
        ]

        @Test(
            "propagation of a mount", arguments: ["tmpfs", "bind"],
            ["private", "rprivate", "shared", "rshared", "unbindable", "runbindable"])
        func propagates(kind: String, option: String) throws {
            try withContainer { c in
                if kind == "bind" {
                    c.config.bind(c.directory, at: "/mnt", options: [option])
                } else {
                    c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs", options: [option])
                }
                let mount = try c.mount(at: "/mnt")
                let holds = Self.propagation.first { $0.0 == option }?.1(mount)
                #expect(holds == true, "\(mount.propagation)")
            }
        }

        @Test("slave receives from the host's shared mount", arguments: ["slave", "rslave"])
        func slave(option: String) throws {
            try withContainer { c in
                c.config.bind("\(c.directory)/src", at: "/mnt", options: [option])
                c.config.linux.rootfsPropagation = "slave"
                c.config.program("cat", "/proc/self/mountinfo")
                let outcome = try c.run(
                    inPrivateMounts: """
                        mkdir $DIR/src; mount -t tmpfs none $DIR/src
                        mount --make-shared $DIR/src
                        """)
                let mount = try #require(
                    MountInfo.all(outcome.stdout).last { $0.point == "/mnt" }, "\(outcome)")
                #expect(mount.propagation.contains { $0.hasPrefix("master:") })
            }
        }

        private static let clearsOneBit = "clears one bit of MOUNT_ATTR__ATIME: EINVAL"

        /// The recursive options: on `/mnt` and on a mount below it.
        static let recursive: [OptionCase] = [
            OptionCase(options: ["rro"], present: ["ro"]),
            OptionCase(options: ["rnosuid"], present: ["nosuid"]),
            OptionCase(options: ["rnodev"], present: ["nodev"]),
            OptionCase(options: ["rnoexec"], present: ["noexec"]),
            OptionCase(options: ["rnodiratime"], present: ["nodiratime"]),
            OptionCase(options: ["rnoatime"], present: ["noatime"], absent: ["relatime"]),
            OptionCase(options: ["rstrictatime"], absent: ["noatime", "relatime"]),
            OptionCase(options: ["rrelatime"], present: ["relatime"]),
            OptionCase(
                options: ["rnostrictatime"], absent: ["strictatime"], runc: clearsOneBit),
            OptionCase(options: ["rnorelatime"], absent: ["noatime"]),
            OptionCase(options: ["ratime"], absent: ["noatime"], runc: clearsOneBit),
        ]

        /// The same, taking away what the source has.
        static let clearing: [OptionCase] = [
            OptionCase(options: ["rrw"], present: ["rw"], absent: ["ro"]),
            OptionCase(options: ["rsuid"], absent: ["nosuid"]),
            OptionCase(options: ["rdev"], absent: ["nodev"]),
            OptionCase(options: ["rexec"], absent: ["noexec"]),
            OptionCase(options: ["rdiratime"], absent: ["nodiratime"]),
            OptionCase(options: ["ratime"], absent: ["noatime"], runc: clearsOneBit),
        ]

        private func recursiveMounts(_ option: OptionCase, sourceOptions: String) throws
            -> [MountInfo]
        {
            try knownDifference(runc: option.runc)
            var mounts: [MountInfo] = []
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "none", source: "\(c.directory)/src",
                    options: ["rbind"] + option.options)
                c.config.program("cat", "/proc/self/mountinfo")
                let outcome = try c.run(
                    inPrivateMounts: """
                        mkdir $DIR/src; mount -t tmpfs -o \(sourceOptions) none $DIR/src
                        mount -o remount,rw $DIR/src; mkdir $DIR/src/sub
                        mount -t tmpfs -o \(sourceOptions) none $DIR/src/sub
                        mount -o remount,bind,\(sourceOptions) $DIR/src
                        """)
                #expect(outcome.succeeded, "\(outcome)")
                mounts = MountInfo.all(outcome.stdout).filter { $0.point.hasPrefix("/mnt") }
            }
            return mounts
        }

        @Test(
            "a recursive option reaches the mounts below (mount_setattr(2))",
            .requires(Host.kernel(5, 12), "has a kernel before 5.12"),
            .needsNewerCalls("only mount_setattr(2) is recursive"), arguments: recursive)
        func recursively(expected: OptionCase) throws {
            let mounts = try recursiveMounts(expected, sourceOptions: "rw")
            #expect(mounts.map(\.point) == ["/mnt", "/mnt/sub"])
            for mount in mounts { expect(mount, expected) }
        }

        @Test(
            "a recursive option takes away what the mounts below had",
            .requires(Host.kernel(5, 12), "has a kernel before 5.12"),
            .needsNewerCalls("only mount_setattr(2) is recursive"), arguments: clearing)
        func recursivelyClearing(expected: OptionCase) throws {
            let mounts = try recursiveMounts(
                expected, sourceOptions: "ro,nosuid,nodev,noexec,noatime,nodiratime")
            #expect(mounts.map(\.point) == ["/mnt", "/mnt/sub"])
            for mount in mounts { expect(mount, expected) }
        }

        @Test(
            "rnosymfollow and rsymfollow", .knownDifference(crun: "does not know them"),
            .requires(Host.kernel(5, 14), "has a kernel before 5.14"),
            .needsNewerCalls("only mount_setattr(2) is recursive"),
            arguments: [
                OptionCase(options: ["rnosymfollow"], present: ["nosymfollow"]),
                OptionCase(
                    options: ["rnosymfollow", "rsymfollow"], absent: ["nosymfollow"],
                    runc: "setting wins over clearing"),
            ])
        func recursiveSymlinks(expected: OptionCase) throws {
            for mount in try recursiveMounts(expected, sourceOptions: "rw") {
                expect(mount, expected)
            }
        }

        @Test("a plain ro stays on the one mount of an rbind")
        func notRecursively() throws {
            let mounts = try recursiveMounts(
                OptionCase(options: ["ro"]), sourceOptions: "rw")
            #expect(mounts.map { $0.options.contains("ro") } == [true, false])
        }

        @Test("bind takes the one mount, rbind those below too", arguments: ["bind", "rbind"])
        func bindOrRbind(option: String) throws {
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "none", source: "\(c.directory)/src", options: [option])
                c.config.shell("cat /mnt/sub/file || echo none")
                let outcome = try c.run(
                    inPrivateMounts: """
                        mkdir -p $DIR/src/sub; mount -t tmpfs none $DIR/src/sub
                        echo inner > $DIR/src/sub/file
                        """)
                #expect(outcome.trimmed == (option == "rbind" ? "inner" : "none"), "\(outcome)")
            }
        }

        @Test("tmpcopyup fills the tmpfs with what lay there")
        func tmpcopyup() throws {
            try withContainer { c in
                mkdir(c.rootfs + "/data", 0o755)
                mkdir(c.rootfs + "/data/deep", 0o750)
                try writeText("text", to: c.rootfs + "/data/file", mode: 0o640)
                chown(c.rootfs + "/data/file", 0, 6)
                symlink("file", c.rootfs + "/data/link")
                c.config.addMount(
                    "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=2m"])
                let script = "cat /data/link; echo; cd /data; stat -c '%a %u %g %n' file deep"
                try #expect(c.sh(script) == "text\n640 0 6 file\n750 0 0 deep")
                let mount = try c.mount(at: "/data")
                #expect(mount.type == "tmpfs" && mount.superOptions.contains("size=2048k"))
                _ = try c.sh("echo changed > /data/file")
                #expect(readText(c.rootfs + "/data/file") == "text")
            }
        }

        /// Podman gives tmpcopyup to every tmpfs.
        @Test(
            "with it too the options say whose the tmpfs is, and else the directory",
            arguments: [
                (["mode=700"], "700 7 8", "700 0 0"),
                (["mode=700", "uid=1000", "gid=5"], "700 1000 5", "700 1000 5"),
                ([], "751 7 8", "1777 0 0"),
            ])
        func tmpcopyupOwner(options: [String], there: String, missing: String) throws {
            try knownDifference(runc: "1.1 looks at the directory, or at nothing")
            try withContainer { c in
                mkdir(c.rootfs + "/there", 0o751)
                chown(c.rootfs + "/there", 7, 8)
                for path in ["/there", "/missing"] {
                    c.config.addMount(
                        path, type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"] + options)
                }
                let seen = try c.sh("stat -c '%a %u %g' /there /missing")
                #expect(seen == there + "\n" + missing)
            }
        }
    }
}
