import Foundation
import Testing

/// Docker's other builder, which calls its OCI runtime by itself: with `DOCKER_BUILDKIT_RUNC_COMMAND`, and
/// where dockerd does not know that (20.10) as `runc`. No setting of dockerd's has a say in it.
enum BuildKit {
    /// What dockerd is to have in its environment so that the runtime builds, and that is recorded.
    static func environment(runtime: String, place: EnginePlace) throws -> [String: String] {
        let directory = place.directory + "/buildkit"
        mkdir(directory, 0o755)
        try writeText(
            "#!/bin/sh\necho \"$*\" >> \(directory)/calls\nexec \(runtime) \"$@\"\n",
            to: directory + "/runc")
        chmod(directory + "/runc", 0o755)
        if Debian.version >= 13 { return ["DOCKER_BUILDKIT_RUNC_COMMAND": directory + "/runc"] }
        return ["PATH": directory + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")]
    }
}

extension DockerEngine {
    /// The command lines that BuildKit has called the runtime with so far.
    fileprivate var calls: [Substring] {
        readText(place.directory + "/buildkit/calls").split(separator: "\n")
    }

    /// `docker build` by BuildKit, of a context that has a file `page`.
    fileprivate func build(_ dockerfile: String, _ flags: String...) throws -> Outcome {
        let context = "\(place.directory)/tmp/\(Workspace.nextName())"
        mkdir(context, 0o755)
        try writeText("added\n", to: context + "/page")
        try writeText("FROM box\n" + dockerfile, to: context + "/Dockerfile")
        return place.run(
            ["env", "DOCKER_BUILDKIT=1"] + client
                + ["build", "--progress", "plain", "--tag", "by-buildkit"] + flags + [context])
    }
}

extension Engines.Docker {
    @Suite("docker build by BuildKit, and each RUN on the runtime")
    struct BuildKitSteps {
        @Test("FROM, WORKDIR, COPY, RUN, USER, ENV, CMD")
        func build() throws {
            try check(DockerEngine.self) { docker in
                let before = docker.calls.count
                try docker.build(
                    """
                    WORKDIR /app
                    COPY page /app/
                    RUN cp page index && chmod 777 /app && id -u >> index && pwd >> index && umask >> index
                    RUN grep -E '^(CapEff|Seccomp):' /proc/self/status | tr '\\t' ' ' >> index; echo $$ >> index
                    USER 1000
                    RUN id -u > who
                    ENV GREETING=hello
                    CMD ["sh", "-c", "echo $GREETING; cat index who"]
                    """
                ).mustSucceed()
                let built = try docker.docker("run", "--rm", "by-buildkit").mustSucceed()
                try verify(
                    built.lines == [
                        "hello", "added", "0", "/app", "0022", "CapEff: 00000000a80425fb",
                        "Seccomp: 2", "1", "1000",
                    ], "\(built)")
                let steps = docker.calls[before...].filter { $0.contains(" run --bundle ") }
                try verify(steps.count == 3, "the runtime was called with \(docker.calls)")
            }
        }

        @Test("RUN --mount: a cache, a secret, a tmpfs, and a file of the context, read-only")
        func mounts() throws {
            try check(DockerEngine.self) { docker in
                let secret = docker.place.directory + "/tmp/secret"
                try writeText("hidden\n", to: secret)
                let mounts = "--mount=type=cache,target=/cache --mount=type=secret,id=it"
                let others =
                    "--mount=type=tmpfs,target=/scratch --mount=type=bind,source=page,target=/page"
                try docker.build(
                    """
                    RUN \(mounts) \(others) cat /run/secrets/it /page > /seen; echo kept > /cache/file; \
                        grep -c '^tmpfs /scratch ' /proc/mounts >> /seen; echo > /page || echo no >> /seen
                    RUN \(mounts) cat /cache/file >> /seen; ls /run/secrets/it >> /seen
                    """, "--secret", "id=it,src=" + secret
                ).mustSucceed()
                let seen = try docker.docker("run", "--rm", "by-buildkit", "cat", "/seen")
                    .mustSucceed()
                try verify(
                    seen.lines == ["hidden", "added", "1", "no", "kept", "/run/secrets/it"],
                    "\(seen)")
            }
        }

        @Test("a step that fails ends the build, with its status")
        func failingStep() throws {
            try check(DockerEngine.self) { docker in
                let outcome = try docker.build("RUN echo before; exit 6\nRUN echo after\n")
                try outcome.mustFail(saying: "exit code: 6")
                try verify(!outcome.stderr.contains("after\n#"), "\(outcome)")
                let missing = try docker.build("RUN [\"no-such-program\"]\n")
                try missing.mustFail(saying: "no-such-program")
            }
        }

        @Test(
            "RUN --network=none: no network but lo",
            .requiresDebian(13, "the Dockerfiles of Docker 20.10 have no RUN --network"))
        func network() throws {
            try check(DockerEngine.self) { docker in
                try docker.build("RUN --network=none ls /sys/class/net > /links\n").mustSucceed()
                let links = try docker.docker("run", "--rm", "by-buildkit", "cat", "/links")
                    .mustSucceed()
                try verify(links.lines == ["lo"], "\(links)")
            }
        }
    }
}
