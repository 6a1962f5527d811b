import Foundation
import Testing

/// Buildah with its own storage, and Podman beside it to run what was built.
final class Buildah: Podman {
    override var storage: String { place.directory + "/buildah" }

    /// The capabilities that it gives a command; the later one no longer gives `AUDIT_WRITE`, `MKNOD` and
    /// `NET_RAW`.
    fileprivate static let capabilities: UInt64 = Debian.version < 13 ? 0xa804_25fb : 0x8004_05fb

    @discardableResult
    func buildah(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation)
        -> Outcome
    {
        place.run(
            ["env", "BUILDAH_RUNTIME=" + runtime, "BUILDAH_ISOLATION=oci"] + prefix("buildah")
                + arguments, sourceLocation: sourceLocation)
    }

    /// A directory with a Dockerfile and a file to add.
    fileprivate func context(_ dockerfile: String) throws -> String {
        let context = "\(place.directory)/tmp/\(Workspace.nextName())"
        mkdir(context, 0o755)
        try writeText("FROM \(Podman.image)\n" + dockerfile, to: context + "/Dockerfile")
        try writeText("added\n", to: context + "/file")
        return context
    }
}

extension Trait where Self == EngineTrait<Buildah> {
    static var buildah: Self { EngineTrait() }
}

extension Engines {
    @Suite("Buildah", .buildah, .serialized)
    struct BuildahChecks {
        @Test("bud: the steps run in a container, and the image has what they did")
        func build() throws {
            try check(Buildah.self) { buildah in
                let context = try buildah.context(
                    """
                    ENV A=b
                    WORKDIR /app
                    ADD file /app/
                    RUN cat file > copy && echo $A > env && echo $$ > pid
                    RUN ["sh", "-c", "for n in pid mnt; do readlink /proc/self/ns/$n; done > namespaces"]
                    RUN grep -E '^(CapEff|Seccomp):' /proc/self/status | tr '\\t' ' ' > rights
                    USER user
                    RUN id -u > /tmp/user
                    EXPOSE 80
                    CMD ["cat", "copy", "env", "pid", "rights", "/tmp/user"]
                    """)
                try buildah.buildah("bud", "--network", "none", "--tag", "localhost/built", context)
                    .mustSucceed()
                let text = try buildah.podman("run", "--rm", "--network", "none", "localhost/built")
                    .mustSucceed().stdout
                try verify(
                    text == """
                        added
                        b
                        1
                        CapEff: \(capabilityText(Buildah.capabilities))
                        Seccomp: 2
                        1000

                        """, text)
                let namespaces = try buildah.podman(
                    "run", "--rm", "--network", "none", "localhost/built", "cat", "namespaces"
                ).mustSucceed().lines
                let own = try ["pid", "mnt"].map {
                    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/" + $0)
                }
                try verify(
                    namespaces.count == 2 && namespaces[0] != own[0] && namespaces[1] != own[1],
                    "\(namespaces) beside \(own)")
            }
        }

        @Test("bud: a step that fails ends the build with the step's status")
        func failingStep() throws {
            try check(Buildah.self) { buildah in
                let context = try buildah.context("RUN echo before; exit 6\nRUN echo after\n")
                let outcome = buildah.buildah("bud", "--network", "none", context)
                try verify(
                    outcome.failed && outcome.stdout.contains("before")
                        && !outcome.stdout.contains("after\n")
                        && outcome.stderr.contains("exit status 6"), "\(outcome)")
            }
        }

        @Test("bud: limits and volumes are those of the steps")
        func limits() throws {
            try check(Buildah.self) { buildah in
                let context = try buildah.context(
                    """
                    RUN cat /volume/file > /seen
                    RUN cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max \
                        > /limit 2>/dev/null || true
                    """)
                try buildah.buildah(
                    "bud", "--network", "none", "--memory", "64m", "--volume",
                    context + ":/volume:ro", "--tag", "localhost/limited", context
                ).mustSucceed()
                let text = try buildah.podman(
                    "run", "--rm", "--network", "none", "localhost/limited", "cat", "/seen",
                    "/limit"
                ).mustSucceed().trimmed
                try verify(text == "added\n67108864", text)
            }
        }

        @Test("run: a command in a working container, with what it was told to have")
        func run() throws {
            try check(Buildah.self) { buildah in
                let container = try buildah.buildah("from", Podman.image).mustSucceed().trimmed
                defer { buildah.buildah("rm", container) }
                let text = try buildah.buildah(
                    "run", "--network", "none", "--user", "user", "--cap-add", "CAP_SYS_PTRACE",
                    "--hostname", "working", container, "--", "sh", "-c",
                    "id -u; hostname; echo kept > /tmp/kept; grep CapBnd /proc/self/status"
                ).mustSucceed().trimmed
                // With CAP_SYS_PTRACE.
                let capabilities = capabilityText(Buildah.capabilities | 1 << 19)
                try verify(text == "1000\nworking\nCapBnd:\t" + capabilities, text)
                let again = try buildah.buildah(
                    "run", "--network", "none", container, "--", "cat", "/tmp/kept"
                ).mustSucceed().trimmed
                try verify(again == "kept", again)
                let status = buildah.buildah(
                    "run", "--network", "none", container, "--", "sh", "-c", "exit 3")
                try verify(status.status == .exited(3), "\(status)")
            }
        }

        @Test("podman build takes the runtime as well")
        func podmanBuild() throws {
            try check(Buildah.self) { buildah in
                let context = try buildah.context("RUN echo $$ > /first\n")
                try buildah.podman(
                    "build", "--isolation", "oci", "--network", "none", "--tag", "localhost/pod",
                    context
                ).mustSucceed()
                let text = try buildah.podman(
                    "run", "--rm", "--network", "none", "localhost/pod", "cat", "/first"
                ).mustSucceed().trimmed
                try verify(text == "1", text)
            }
        }
    }
}
