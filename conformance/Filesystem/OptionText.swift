import Foundation
import Testing

extension Conformance.Filesystem {
    /// Options that mount(2) takes in one string and splits, and fsconfig(2) one at a time: they mean the
    /// same by whichever a mount is made.
    @Suite struct OptionText {
        /// What makes a runtime hold on to the new mount, and what lets mount(2) do.
        static let ways: [[String]] = [[], ["rprivate"], ["tmpcopyup"]]

        /// Podman's `--systemd=always` has such.
        @Test(
            "an empty option is none",
            arguments: [[""], ["mode=700", ""], ["mode=700,"], [",mode=700,,size=1m"]], ways)
        func empty(options: [String], way: [String]) throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "x", options: way + options)
                let mount = try c.mount(at: "/mnt")
                #expect(mount.type == "tmpfs")
                #expect(mount.superOptions.contains("mode=700") == (options != [""]))
            }
        }

        @Test("a bind mount has no empty options either")
        func emptyOnBind() throws {
            try withContainer { c in
                c.config.bind(c.directory, at: "/mnt", options: ["rprivate", "", "ro,"])
                try #expect(c.mount(at: "/mnt").options.contains("ro"))
            }
        }

        @Test("a mode, an owner and a size in one string count", arguments: ways)
        func joined(way: [String]) throws {
            try withContainer { c in
                mkdir(c.rootfs + "/there", 0o755)
                for path in ["/there", "/missing"] {
                    c.config.addMount(
                        path, type: "tmpfs", source: "x",
                        options: way + ["size=1m,mode=700,uid=7", "gid=8,nr_inodes=99"])
                }
                let seen = try c.sh("stat -c '%a %u %g' /there /missing")
                #expect(seen == "700 7 8\n700 7 8")
                try #expect(c.mount(at: "/there").superOptions.contains("size=1024k"))
            }
        }

        @Test(
            "a name of the table counts in a string of more, too",
            .knownDifference(runc: "hands it to the file system, which refuses it"),
            .knownDifference(crun: "hands it to the file system, which refuses it"),
            arguments: ways)
        func names(way: [String]) throws {
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "x", options: way + ["size=1m,nosuid,ro"])
                let mount = try c.mount(at: "/mnt")
                #expect(mount.options.isSuperset(of: ["ro", "nosuid"]))
                #expect(mount.superOptions.contains("size=1024k"))
            }
        }

        @Test("of an option that is given twice the last one counts", arguments: ways)
        func twice(way: [String]) throws {
            try withContainer { c in
                c.config.addMount(
                    "/mnt", type: "tmpfs", source: "x",
                    options: way + ["mode=755", "size=1m", "mode=700,size=2m"])
                let options = try c.mount(at: "/mnt").superOptions
                #expect(options.isSuperset(of: ["mode=700", "size=2048k"]))
            }
        }

        @Test(
            "a comma that an overlay's directory has is no end of the option",
            .requires(Host.hasFilesystem("overlay"), "has no overlay"),
            arguments: [[], ["rprivate"]])
        func overlay(way: [String]) throws {
            try withContainer { c in
                for name in ["lo,wer", "upper", "work"] { mkdir("\(c.directory)/\(name)", 0o755) }
                try writeText("low", to: c.directory + "/lo,wer/file")
                let lower = "lowerdir=\(c.directory)/lo\\,wer"
                c.config.addMount(
                    "/mnt", type: "overlay", source: "overlay",
                    options: way + [
                        lower + ",upperdir=\(c.directory)/upper", "workdir=\(c.directory)/work",
                    ])
                try #expect(c.sh("cat /mnt/file; echo up > /mnt/new") == "low")
                #expect(readText(c.directory + "/upper/new") == "up\n")
            }
        }

        @Test(
            "without a mount namespace a v1 hierarchy that only has a name is mounted as well",
            .swruncOnly, .needsNewerCalls("there is no container without a mount namespace"),
            .requires(Host.mountsDetached, "has a kernel before 6.15"),
            .requires(
                readText("/proc/self/cgroup").contains(":name=systemd:"), "has no such hierarchy"))
        func namedHierarchy() throws {
            try withContainer { c in
                for key in ["maskedPaths", "readonlyPaths"] { c.config.linux[key] = .null }
                c.config.removeNamespace("mount")
                c.config.namespace("cgroup")
                c.config.addMount("/sys/fs/cgroup", type: "cgroup", source: "cgroup")
                try #expect(c.sh("ls /sys/fs/cgroup/systemd").contains("tasks"))
            }
        }
    }
}
