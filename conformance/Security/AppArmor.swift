import Foundation
import Testing

extension Conformance.Security {
    /// `process.apparmorProfile`, with real profiles: "the profile name of the AppArmor profile for
    /// the process" (config.md).
    @Suite(
        .requires(
            readText("/sys/module/apparmor/parameters/enabled").hasPrefix("Y")
                && exists("/sys/kernel/security/apparmor/.load"), "AppArmor is not enabled"),
        .requires(exists("/sbin/apparmor_parser"), "no apparmor_parser"))
    struct AppArmor {}
}

/// Loads a profile, under a name of its own, that lets everything happen but reading `denied`.
func withProfile(
    denied: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (String) throws -> Void
) throws {
    let name = Workspace.nextName()
    func parser(_ action: String) -> Outcome {
        let text = """
            profile \(name) flags=(attach_disconnected,mediate_deleted) {
                file, capability, network, mount, umount, pivot_root, signal, ptrace, unix, dbus,
                deny \(denied) r,
            }
            """
        return launch(
            ["/sbin/apparmor_parser", "--quiet", "--skip-cache", action],
            LaunchOptions(input: text), sourceLocation: sourceLocation)
    }
    let loaded = parser("--add")
    try #require(loaded.succeeded, "\(loaded)", sourceLocation: sourceLocation)
    defer { #expect(parser("--remove").succeeded, sourceLocation: sourceLocation) }
    try body(name)
}

/// Says under which profile it runs, and which of two files it may read.
private let look = """
    cat /proc/self/attr/current; for f in /etc/one /etc/two; do cat $f 2>/dev/null || echo no; done
    """

extension Container {
    fileprivate func addFiles() throws {
        for name in ["one", "two"] { try writeText(name + "\n", to: rootfs + "/etc/" + name) }
    }
}

extension Conformance.Security.AppArmor {
    @Test(
        "the program runs under the profile, which denies what it denies", arguments: [true, false])
    func program(noNewPrivileges: Bool) throws {
        try withProfile(denied: "/etc/two") { profile in
            try withContainer { c in
                try c.addFiles()
                c.config.process.noNewPrivileges = .bool(noNewPrivileges)
                try #expect(c.sh(look) == "unconfined\none\ntwo")
                c.config.process.apparmorProfile = .string(profile)
                try #expect(c.sh(look) == "\(profile) (enforce)\none\nno")
            }
        }
    }

    @Test("so does the program of a container with a user namespace, and a filter")
    func userNamespace() throws {
        try withProfile(denied: "/etc/two") { profile in
            try withContainer { c in
                try c.addFiles()
                c.config.userNamespace(base: 100_000)
                c.config.filter(rule("munlockall", "ERRNO"))
                c.config.process.apparmorProfile = .string(profile)
                try #expect(c.sh(look) == "\(profile) (enforce)\none\nno")
            }
        }
    }

    @Test("exec runs under the container's profile, or under the one that it is told")
    func exec() throws {
        try withProfile(denied: "/etc/two") { profile in
            try withProfile(denied: "/etc/one") { other in
                try withRunningContainer(edit: { $0.process.apparmorProfile = .string(profile) }) {
                    c in
                    try c.addFiles()
                    #expect(c.execSh(look) == "\(profile) (enforce)\none\nno")
                    let told = c.exec(["--apparmor", other], "sh", "-c", look)
                    #expect(told.trimmed == "\(other) (enforce)\nno\ntwo", "\(told)")
                    let file = c.directory + "/process.json"
                    var process = c.config.process
                    process.args = ["sh", "-c", .string(look)]
                    process.apparmorProfile = .string(other)
                    try writeText(process.text, to: file)
                    let filed = c.runtime("exec", "--process", file, c.id)
                    #expect(filed.trimmed == "\(other) (enforce)\nno\ntwo", "\(filed)")
                }
            }
        }
    }

    @Test("create refuses a profile that is not loaded, and says which and where")
    func unknown() throws {
        try withContainer { c in
            c.config.process.apparmorProfile = "no-such-profile"
            let outcome = try c.create()
            expectRefusal(outcome, c, naming: "no-such-profile")
            if Runtime.kind == .swrunc {
                #expect(outcome.stderr.contains("/process/apparmorProfile"), "\(outcome)")
            }
        }
    }

    @Test("so does exec, and the container goes on")
    func unknownForExec() throws {
        try withRunningContainer { c in
            let outcome = c.exec(["--apparmor", "no-such-profile"], "true")
            #expect(outcome.failed && outcome.stderr.contains("no-such-profile"), "\(outcome)")
            #expect(c.status == "running")
        }
    }

    @Test("`unconfined` is the profile of those without one")
    func unconfined() throws {
        try withContainer { c in
            c.config.process.apparmorProfile = "unconfined"
            try #expect(c.sh("cat /proc/self/attr/current") == "unconfined")
        }
    }

    @Test("features says that profiles are put on")
    func features() throws {
        let outcome = launch([Runtime.binary, "features"])
        let features = try JSON(parsing: outcome.stdout)
        #expect(features.linux.apparmor.enabled == true)
    }
}
