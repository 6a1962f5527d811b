import Foundation
import Testing

extension Engines.Docker {
    @Suite("docker swarm")
    struct Swarm {
        @Test("a service of 10 replicas, scaled to 30 and back, and updated a few at a time")
        func service() throws {
            try check(DockerEngine.self) { docker in
                try joinSwarm(docker)
                defer { docker.docker("swarm", "leave", "--force") }
                let script = "trap 'exit 0' TERM; while :; do sleep 0.2; done"
                try docker.docker(
                    "service", "create", "--detach", "--name", "web", "--replicas", "10",
                    "--env", "VERSION=1", "--update-parallelism", "5", "--update-monitor", "1s",
                    "--stop-grace-period", "2s", "--limit-memory", "32m", "box", "sh", "-c", script
                ).mustSucceed()
                try expect(docker, replicas: 10, version: 1)
                try docker.docker("service", "scale", "--detach", "web=30").mustSucceed()
                try expect(docker, replicas: 30, version: 1)
                try docker.docker("service", "scale", "--detach", "web=10").mustSucceed()
                try expect(docker, replicas: 10, version: 1)
                try docker.docker(
                    "service", "update", "--detach", "--env-add", "VERSION=2", "web"
                ).mustSucceed()
                try expect(docker, replicas: 10, version: 2)
                let isCompleted = eventually {
                    (try? docker.inspect("web", "{{.UpdateStatus.State}}")) == "completed"
                }
                try verify(isCompleted, "\(docker.docker("service", "ps", "web"))")
                try docker.docker("service", "rm", "web").mustSucceed()
                let areGone = eventually { running(docker).isEmpty }
                try verify(areGone, "replicas outlive their service")
            }
        }

        /// Its address is on a bridge of the place, which has no other.
        private func joinSwarm(_ docker: DockerEngine) throws {
            let script = """
                ip link add swarm type bridge; ip addr add 10.99.0.1/24 dev swarm
                ip link set swarm up
                """
            docker.place.run(["sh", "-c", script])
            try docker.docker(
                "swarm", "init", "--advertise-addr", "10.99.0.1", "--task-history-limit", "1"
            ).mustSucceed()
        }

        private func running(_ docker: DockerEngine) -> [String] {
            docker.docker(
                "ps", "-q", "--no-trunc", "--filter", "label=com.docker.swarm.service.name=web"
            ).lines
        }

        /// Waits until as many replicas run, and looks at every one's process, cgroup and runtime.
        private func expect(_ docker: DockerEngine, replicas: Int, version: Int) throws {
            var why = ""
            let areThere = eventually(within: 60) {
                let names = running(docker)
                guard names.count == replicas else {
                    why = "\(names.count) replicas run"
                    usleep(200_000)
                    return false
                }
                let format = "{{.State.Pid}} {{.HostConfig.Runtime}}"
                for line in docker.docker(["inspect", "--format", format] + names).lines {
                    let pid = line.prefix { $0 != " " }
                    let environment = readText("/proc/\(pid)/environ")
                    if !line.hasSuffix(" tested") || !environment.contains("VERSION=\(version)\0") {
                        why = "\(line), with \(environment.debugDescription)"
                        return false
                    }
                }
                for name in names {
                    do { try docker.mustRead(name, .memory, "33554432") } catch {
                        why = "\(error)"
                        return false
                    }
                }
                return true
            }
            try verify(
                areThere,
                "not \(replicas) of version \(version): \(why)\n\(docker.docker("service", "ps", "web"))"
            )
        }
    }
}
