import Foundation
import Testing

private let user = 1000

extension Host {
    /// An ordinary user's own systemd, which runs without a session.
    static let usersSystemd: (uid: Int, directory: String)? = {
        guard hasSystemd, isUnified, readText("/etc/passwd").contains(":x:\(user):") else {
            return nil
        }
        launch(["loginctl", "enable-linger", "\(user)"])
        let directory = "/run/user/\(user)"
        return eventually { exists(directory + "/systemd/private") }
            ? (user, directory) : nil
    }()
}

extension Conformance.Systemd {
    /// A user without privileges, whose own systemd makes the scopes.
    @Suite(.requires(Host.usersSystemd != nil, "has no systemd of user \(user) on cgroup v2"))
    struct UsersOwn {
        private func withContainerOfUser(_ body: (Container) throws -> Void) throws {
            let systemd = try #require(Host.usersSystemd)
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
                    "XDG_RUNTIME_DIR=" + systemd.directory,
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
