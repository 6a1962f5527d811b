import Foundation
import Testing

private let user = 1000

extension Conformance.Systemd {
    /// A user without privileges, whose own systemd makes the scopes.
    @Suite(
        .requires(
            readText("/etc/passwd").contains(":x:\(user):") && Host.isUnified,
            "has no user \(user) on cgroup v2"))
    struct UsersOwn {
        private static let runtimeDirectory = "/run/user/\(user)"

        /// The user's systemd runs without a session.
        private static let lingers: Bool = {
            launch(["loginctl", "enable-linger", "\(user)"])
            return eventually(within: 10) { exists(runtimeDirectory + "/systemd/private") }
        }()

        private func withContainerOfUser(_ body: (Container) throws -> Void) throws {
            try #require(Self.lingers)
            try withContainer { c in
                c.globals.append("--systemd-cgroup")
                c.config.linux.cgroupsPath = .string("app.slice:swrunc:\(c.id)")
                c.config.userNamespace(base: user, size: 1)
                c.config.linux.resources = ["pids": ["limit": 21]]
                c.config.editMount("/dev/pts") {
                    $0.options = ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]
                }
                c.config.program("sleep", "600")
                try c.writeConfig()
                launch(["chown", "-R", "\(user):\(user)", c.directory])
                c.sandbox = [
                    "setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups", "env",
                    "XDG_RUNTIME_DIR=" + Self.runtimeDirectory,
                ]
                try body(c)
            }
        }

        @Test("the scope is one of the user's own, in the user's slice, with its limits")
        func scope() throws {
            try withContainerOfUser { c in
                let asUser = c.sandbox
                // Below the user's own systemd, where engines put themselves.
                c.sandbox += ["systemd-run", "--user", "--scope", "--quiet"]
                let outcome = try c.runDetached()
                c.sandbox = asUser
                #expect(outcome.succeeded, "\(outcome)")
                let path = c.scopePath
                #expect(
                    path
                        == "/user.slice/user-\(user).slice/user@\(user).service/app.slice/\(c.unit)"
                )
                #expect(c.scoped(.pids) == "21")
                let show = [
                    "systemctl", "--user", "show", "--value", "--property", "TasksMax", c.unit,
                ]
                #expect(launch(asUser + show).trimmed == "21")
                #expect(c.delete("--force").succeeded)
                #expect(Leaks.cgroups(path).isEmpty)
            }
        }

        @Test("from where the user may not leave the error says what to do")
        func outside() throws {
            try withContainerOfUser { c in
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "systemd-run --user --scope")
            }
        }

        @Test("without the user's systemd the error says what to do")
        func absent() throws {
            try withContainerOfUser { c in
                c.sandbox[c.sandbox.count - 1] = "XDG_RUNTIME_DIR=/nonexistent"
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "XDG_RUNTIME_DIR")
            }
        }
    }
}
