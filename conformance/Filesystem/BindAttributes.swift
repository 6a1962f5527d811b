import Foundation
import Testing

/// A bind mount with `options`, of a source that has `source`.
struct BindCase: Sendable, CustomTestStringConvertible {
    let source: String
    let options: [String]
    /// What it has of the flags that a bind mount may change.
    let expected: Set<String>

    init(_ source: String, _ options: [String], _ expected: Set<String>) {
        self.source = source
        self.options = options
        self.expected = expected
    }

    var testDescription: String { "\(source) with \(options.joined(separator: ","))" }

    static let flags: Set = ["ro", "rw", "nosuid", "nodev", "noexec"]
    static let accessTimes: Set = ["noatime", "relatime", "nodiratime"]
}

extension Conformance.Filesystem {
    /// docs/differences-from-runc.md: an option sets, another one clears, and what none names stays.
    @Suite struct BindAttributes {
        /// mount(8): `atime` is not to use noatime, which leaves the kernel's default; `nodiratime` is
        /// beside them.
        static let accessTimes: [BindCase] = [
            BindCase("noatime", [], ["rw", "noatime"]),
            BindCase("noatime", ["atime"], ["rw", "relatime"]),
            BindCase("noatime", ["nodiratime"], ["rw", "noatime", "nodiratime"]),
            BindCase("noatime", ["nostrictatime"], ["rw", "noatime"]),
            BindCase("noatime", ["norelatime"], ["rw", "noatime"]),
            BindCase("noatime", ["relatime"], ["rw", "relatime"]),
            BindCase("noatime", ["strictatime"], ["rw"]),
            BindCase("noatime,nodiratime", ["atime"], ["rw", "relatime", "nodiratime"]),
            BindCase("noatime,nodiratime", ["diratime"], ["rw", "noatime"]),
            BindCase("strictatime", ["atime"], ["rw"]),
            BindCase("strictatime", ["nostrictatime"], ["rw", "relatime"]),
            BindCase("strictatime", ["nodiratime"], ["rw", "nodiratime"]),
            BindCase("relatime", ["atime"], ["rw", "relatime"]),
            BindCase("relatime", ["noatime", "atime"], ["rw", "relatime"]),
            BindCase("strictatime", ["noatime", "atime"], ["rw"]),
        ]

        /// What engines write: Docker nothing or `ro`, Kubernetes `rw` or `ro`.
        static let restrictions: [BindCase] = [
            BindCase("noexec,nosuid,nodev", ["rprivate"], ["rw", "noexec", "nosuid", "nodev"]),
            BindCase("noexec,nosuid,nodev", ["ro"], ["ro", "noexec", "nosuid", "nodev"]),
            BindCase("noexec,nosuid,nodev", ["rw"], ["rw", "noexec", "nosuid", "nodev"]),
            BindCase("noexec,nosuid,nodev", ["exec"], ["rw", "nosuid", "nodev"]),
            BindCase("noexec,nosuid,nodev", ["dev", "suid", "ro"], ["ro", "noexec"]),
            BindCase("ro", [], ["ro"]),
            BindCase("ro", ["rprivate"], ["ro"]),
            BindCase("ro", ["rw"], ["rw"]),
            BindCase("ro", ["nosuid"], ["ro", "nosuid"]),
        ]

        private func expect(_ one: BindCase, in c: Container) throws {
            c.config.bind("\(c.directory)/src", at: "/mnt", options: one.options)
            c.config.program("cat", "/proc/self/mountinfo")
            let outcome = try c.run(
                inPrivateMounts: """
                    mkdir $DIR/src; mount -t tmpfs none $DIR/src
                    mount -o remount,bind,\(one.source) $DIR/src
                    """)
            let mount = try #require(
                MountInfo.all(outcome.stdout).last { $0.point == "/mnt" }, "\(outcome)")
            let all = BindCase.flags.union(BindCase.accessTimes)
            // Of a source that says nothing about them they are the kernel's.
            let compared = one.source.contains("atime") ? all : BindCase.flags
            #expect(mount.options.intersection(compared) == one.expected)
        }

        @Test(
            "options about access times change what they name", .swruncOnly,
            arguments: accessTimes)
        func accessTime(one: BindCase) throws {
            try withContainer { c in try expect(one, in: c) }
        }

        #if arch(x86_64)
            @Test(
                "and where mount_setattr(2) is hidden", .swruncOnly,
                arguments: accessTimes + restrictions)
            func hidden(one: BindCase) throws {
                try withContainer { c in
                    c.sandbox = [Workspace.probe, "deny", "442", "\(ENOSYS)", "--"]
                    try expect(one, in: c)
                }
            }
        #endif

        @Test(
            "what the source's mount forbids stays, unless an option says otherwise",
            .knownDifference(runc: "one option drops all others"),
            .knownDifference(crun: "one option drops all others"), arguments: restrictions)
        func restriction(one: BindCase) throws {
            try withContainer { c in try expect(one, in: c) }
        }
    }
}
