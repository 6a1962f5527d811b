import Foundation
import Testing

extension Conformance {
    /// The runtime as rootless engines call it: by an ordinary user, as root of a user namespace that
    /// the engine has made, without a `--root`.
    @Suite("an ordinary user, inside a user namespace of the engine's")
    struct OrdinaryUser {
        @Test("the state is kept below $XDG_RUNTIME_DIR (XDG Base Directory)")
        func stateDirectory() throws {
            try withOrdinaryUsersContainer { c, options in
                c.config.program("sleep", "600")
                let started = try c.runDetached([], options)
                #expect(started.succeeded, "\(started)")
                let user = c.directory + "/user"
                let roots = (try? FileManager.default.contentsOfDirectory(atPath: user)) ?? []
                #expect(roots.contains { exists("\(user)/\($0)/\(c.id)") }, "\(roots)")
                #expect(c.runtime(["delete", "--force", c.id], options).succeeded)
                #expect(roots.allSatisfy { !exists("\(user)/\($0)/\(c.id)") })
            }
        }

        @Test("a cgroup mount shows the cgroups that the container is in, where it may make none")
        func cgroupMount() throws {
            try withOrdinaryUsersContainer { c, options in
                c.config.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"])
                // Each hierarchy there, on v2 the only one, lists processes and cannot be written to.
                c.config.shell(
                    """
                    for file in $(find /sys/fs/cgroup/ -maxdepth 2 -name cgroup.procs); do
                        mkdir "${file%/*}/new" 2>&1 | grep -o 'Read-only file system'
                        test -r "$file" && echo readable
                    done | sort | uniq -c
                    """)
                let outcome = try c.run([], options)
                #expect(outcome.succeeded, "\(outcome)")
                let counts = outcome.lines.map { $0.split(separator: " ").first ?? "" }
                #expect(counts.count == 2 && counts[0] == counts[1], "\(outcome)")
            }
        }
    }
}

/// A container of user 4711, whose `$XDG_RUNTIME_DIR` is `user` in the container's directory; every
/// command needs the options given.
private func withOrdinaryUsersContainer(
    _ body: (Container, LaunchOptions) throws -> Void
) throws {
    try withContainer { c in
        let user = c.directory + "/user"
        mkdir(user, 0o700)
        chown(user, 4711, 4711)
        c.globals = []
        // One namespace for all commands, as an engine's: a later one has no rights over the first.
        let script = """
            setpriv --reuid 4711 --regid 4711 --clear-groups \
                unshare --user --map-root-user --mount sleep 600 > /dev/null 2>&1 &
            until grep -qsx sleep /proc/$!/comm; do sleep 0.01; done; echo $!
            """
        let holder = pid_t(launch(["sh", "-c", script]).trimmed) ?? 0
        try #require(holder > 0)
        defer { kill(holder, SIGKILL) }
        c.sandbox = [
            "nsenter", "--target", "\(holder)", "--user", "--mount", "--setuid", "0", "--setgid",
            "0",
        ]
        c.config.linux.cgroupsPath = .null
        c.config.linux.resources = .null
        // Only the user's own ids are mapped.
        c.config.editMount("/dev/pts") { $0.options = ["newinstance", "ptmxmode=0666"] }
        var options = LaunchOptions()
        options.environment = [
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "XDG_RUNTIME_DIR": user,
        ]
        try body(c, options)
    }
}
