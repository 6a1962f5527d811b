import Foundation
import Testing

extension Engines.Docker {
    @Suite("docker: files and images")
    struct Images {
        @Test("cp: into a running container and out of it")
        func copy() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer { name in
                    let file = docker.place.directory + "/tmp/in"
                    try writeText("from the host\n", to: file)
                    try docker.docker("cp", file, name + ":/tmp/here").mustSucceed()
                    try verify(docker.exec(name, "cat /tmp/here") == "from the host", "not there")
                    _ = try docker.exec(name, "echo from inside > /tmp/there")
                    try docker.docker("cp", name + ":/tmp/there", file + ".out").mustSucceed()
                    try verify(readText(file + ".out") == "from inside\n", "not here")
                }
            }
        }

        @Test("commit: what a container has written is in the image")
        func commit() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer { name in
                    _ = try docker.exec(name, "echo written > /written")
                    try docker.docker("commit", name, "committed").mustSucceed()
                    let outcome = docker.docker("run", "--rm", "committed", "cat", "/written")
                    try verify(outcome.trimmed == "written", "\(outcome)")
                }
            }
        }

        @Test("build: FROM, WORKDIR, ADD, RUN, EXPOSE, ENV, CMD, each RUN on the runtime")
        func build() throws {
            try check(DockerEngine.self) { docker in
                let context = docker.place.directory + "/tmp/context"
                mkdir(context, 0o755)
                try writeText("added\n", to: context + "/page")
                try writeText(
                    """
                    FROM box
                    WORKDIR /app
                    ADD page /app/
                    RUN cp page index.html && id -u >> index.html && pwd >> index.html
                    RUN grep Seccomp: /proc/self/status >> index.html
                    EXPOSE 80
                    ENV GREETING=hello
                    CMD ["sh", "-c", "echo $GREETING; cat /app/index.html"]

                    """, to: context + "/Dockerfile")
                var options = LaunchOptions()
                // The other builder has its own way to a runtime.
                options.environment = ProcessInfo.processInfo.environment
                    .merging(["DOCKER_BUILDKIT": "0"]) { $1 }
                try docker.docker(["build", "--rm=false", "--tag", "built", context], options)
                    .mustSucceed()
                let built = try docker.docker("run", "--rm", "built").mustSucceed()
                try verify(
                    built.lines == ["hello", "added", "0", "/app", "Seccomp:\t2"], "\(built)")
                try verify(
                    docker.inspect("built", "{{.Config.ExposedPorts}}") == "map[80/tcp:{}]", "")
                try expectRuntimeOfSteps(docker)
            }
        }

        /// `--rm=false` has kept the containers of the steps.
        private func expectRuntimeOfSteps(_ docker: DockerEngine) throws {
            let containers = docker.docker("ps", "-aq", "--filter", "status=exited").lines
            let steps = try containers.filter {
                try docker.inspect($0, "{{.Config.Cmd}}").contains("index.html")
            }
            try verify(steps.count >= 2, "no containers of the steps")
            for step in steps {
                let runtime = try docker.inspect(step, "{{.HostConfig.Runtime}}")
                try verify(runtime == "tested", "a step on \(runtime)")
            }
            docker.docker(["rm"] + containers)
        }
    }
}
