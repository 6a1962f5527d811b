import Foundation
import Testing

extension Conformance.Namespaces {
    /// A container that is only created has an init that is not dumpable, and still takes an `exec`.
    @Suite("exec into a created container") struct ExecCreated {
        /// What the container is like; `isCrunShort` where crun 1.8 fails with EPERM.
        struct Kind: Sendable, CustomTestStringConvertible {
            let testDescription: String
            var isCrunShort = false
            var sandbox: [String] = []
            let edit: @Sendable (Container) -> Void
        }

        private static let kinds = [
            Kind(testDescription: "with the host's user namespace") { _ in },
            Kind(testDescription: "with a user namespace", isCrunShort: true) { map($0) },
            Kind(testDescription: "with CAP_SYS_PTRACE") {
                $0.config.process.capabilities = capabilitySets(["CAP_SYS_PTRACE"])
            },
            Kind(testDescription: "with both", isCrunShort: true) {
                map($0)
                $0.config.process.capabilities = capabilitySets(["CAP_SYS_PTRACE"])
            },
            Kind(
                testDescription: "by root without CAP_SYS_PTRACE", isCrunShort: true,
                sandbox: withoutPtrace
            ) { _ in },
            Kind(
                testDescription: "by root without CAP_SYS_PTRACE, with a user namespace",
                isCrunShort: true, sandbox: withoutPtrace
            ) { map($0) },
            Kind(
                testDescription: "by root without CAP_SYS_PTRACE, which the config names",
                isCrunShort: true, sandbox: withoutPtrace
            ) { $0.config.process.capabilities = capabilitySets(["CAP_SYS_PTRACE"]) },
        ]

        private static let withoutPtrace = [
            "setpriv", "--bounding-set", "-sys_ptrace", "--inh-caps", "-sys_ptrace",
        ]

        private static func map(_ c: Container) {
            c.config.userNamespace(base: 100_000)
            launch(["chown", "-R", "100000:100000", c.rootfs])
        }

        /// Each of the namespaces, from inside.
        private func namespaces(_ c: Container) -> String {
            c.execSh(
                "cd /proc/self/ns; stat -c %N cgroup ipc mnt net pid user uts"
            )
        }

        @Test("it is in all namespaces of the container", arguments: kinds)
        func all(kind: Kind) throws {
            if kind.isCrunShort, Runtime.kind == .crun { try Test.cancel("crun: EPERM") }
            if !kind.sandbox.isEmpty { try knownDifference(runc: "its init is dumpable") }
            try withContainer { c in
                c.sandbox = kind.sandbox
                kind.edit(c)
                c.config.program("sleep", "600")
                let created = try c.create()
                try #require(created.succeeded, "\(created)")
                let before = namespaces(c)
                #expect(c.status == "created")
                #expect(c.start().succeeded)
                #expect(before == namespaces(c))
                #expect(before.split(separator: "\n").count == 7)
            }
        }

        @Test("it is in the namespaces that the container has joined", arguments: [true, false])
        func joined(joinsUser: Bool) throws {
            if joinsUser, Runtime.kind == .crun { try Test.cancel("crun: EPERM") }
            try withRunningContainer(edit: { if joinsUser { $0.userNamespace(base: 100_000) } }) {
                other in
                try withContainer { c in
                    if joinsUser { Self.map(c) }
                    if joinsUser, Runtime.kind == .swrunc {
                        c.config.linux.uidMappings = .null
                        c.config.linux.gidMappings = .null
                    }
                    for (type, file) in [("network", "net"), ("ipc", "ipc"), ("pid", "pid")] {
                        c.config.namespace(type, path: "/proc/\(other.pid)/ns/\(file)")
                    }
                    if joinsUser { c.config.namespace("user", path: "/proc/\(other.pid)/ns/user") }
                    c.config.program("sleep", "600")
                    let created = try c.create()
                    try #require(created.succeeded, "\(created)")
                    let before = namespaces(c)
                    for file in ["net", "ipc", "pid"] + (joinsUser ? ["user"] : []) {
                        let namespace = NamespaceType(type: file, file: file).of("\(other.pid)")
                        #expect(before.contains(namespace))
                    }
                    #expect(c.start().succeeded)
                    #expect(before == namespaces(c))
                }
            }
        }
    }
}

/// Connects to the `SOCK_SEQPACKET` socket of that path, and leaves.
func knock(on path: String) -> Bool {
    let caller = socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(caller) }
    return withUnixAddress(path) { connect(caller, $0, $1) } == 0
}
