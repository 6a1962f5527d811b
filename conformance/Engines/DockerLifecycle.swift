import Foundation
import Testing

extension Engines.Docker {
    @Suite("docker: containers and their lives")
    struct Lifecycle {
        @Test("run in the foreground: output and exit status come back, nothing is left")
        func foreground() throws {
            try check(DockerEngine.self) {
                let outcome = $0.docker(
                    "run", "--rm", "box", "sh", "-c", "echo out; echo err >&2; exit 7")
                try verify(outcome.status == .exited(7), "\(outcome)")
                try verify(outcome.stdout == "out\n" && outcome.stderr == "err\n", "\(outcome)")
                for cgroup in Leaks.cgroups($0.place.cgroup) {
                    var left: [String] = []
                    let isClean = eventually {
                        let names = try? FileManager.default.contentsOfDirectory(atPath: cgroup)
                        left = (names ?? []).filter { $0.count >= 64 }
                        return left.isEmpty
                    }
                    try verify(isClean, "cgroups left in \(cgroup): \(left)")
                }
            }
        }

        @Test("the runtime asked for by name is the one that has the container")
        func runtimeByName() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--runtime", "tested") {
                    let root = docker.place.directory + "/exec/runtime-runc/moby"
                    let state = try docker.place.run([
                        docker.runtime, "--root", root, "state", docker.inspect($0, "{{.Id}}"),
                    ]).mustSucceed()
                    let json = try JSON(parsing: state.stdout)
                    try verify(json.status.string == "running", "\(state)")
                    try verify(json.pid.int == Int(docker.pid($0)), "\(state)")
                }
            }
        }

        @Test("standard input reaches the program")
        func standardInput() throws {
            try check(DockerEngine.self) {
                var options = LaunchOptions()
                options.input = "one\ntwo\n"
                let outcome = $0.docker(["run", "--rm", "-i", "box", "wc", "-l"], options)
                try verify(outcome.trimmed == "2", "\(outcome)")
            }
        }

        @Test("run -it: a terminal of the client's size, which follows it, and an exit status")
        func terminal() throws {
            try check(DockerEngine.self) {
                let outcome = try $0.atTerminal(["run", "--rm", "-it", "box", "sh"]) { terminal in
                    // The client sets the size only once the program runs.
                    try terminal.types(
                        "until stty size | grep '33 101'; do sleep 0.1; done",
                        expecting: "33 101\r\n")
                    try terminal.types("tty", expecting: "/dev/pts/0")
                    try terminal.resizesInside(rows: 44, columns: 111)
                    try terminal.types("echo $((6 * 7))", expecting: "42")
                    terminal.type("exit 5\n")
                    _ = terminal.readToEnd()
                }
                try verify(outcome.status == .exited(5), "\(outcome)")
            }
        }

        @Test("run -d, logs: both streams, and what is printed later")
        func logs() throws {
            try check(DockerEngine.self) { docker in
                let script = "echo out; echo err >&2; sleep 0.5; echo later; exec sleep 600"
                try docker.withContainer(script: script) {
                    try docker.waitsFor($0, toPrint: "later")
                    let logs = docker.docker("logs", $0)
                    try verify(logs.stdout == "out\nlater\n" && logs.stderr == "err\n", "\(logs)")
                }
            }
        }

        @Test("stop: SIGTERM is caught and its status kept; who ignores it is killed")
        func stop() throws {
            try check(DockerEngine.self) { docker in
                let polite = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done"
                try docker.withContainer(script: polite) {
                    try docker.waitsFor($0, toPrint: "up")
                    try docker.docker("stop", "--time", "100", $0).mustSucceed()
                    try verify(docker.docker("logs", $0).stdout == "up\nbye\n", "no bye")
                    try verify(docker.inspect($0, "{{.State.ExitCode}}") == "3", "not 3")
                }
                let stubborn = "trap '' TERM; echo up; while :; do sleep 0.1; done"
                try docker.withContainer(script: stubborn) {
                    try docker.waitsFor($0, toPrint: "up")
                    let pid = try docker.pid($0)
                    try docker.docker("stop", "--time", "1", $0).mustSucceed()
                    try verify(docker.inspect($0, "{{.State.ExitCode}}") == "137", "not 137")
                    try verify(!exists("/proc/\(pid)/root/bin"), "process \(pid) still lives")
                }
            }
        }

        @Test("kill -s: the program gets that signal")
        func kill() throws {
            try check(DockerEngine.self) { docker in
                let script = "trap 'echo usr1' USR1; echo up; while :; do sleep 0.1; done"
                try docker.withContainer(script: script) {
                    try docker.waitsFor($0, toPrint: "up")
                    try docker.docker("kill", "-s", "USR1", $0).mustSucceed()
                    try docker.waitsFor($0, toPrint: "usr1")
                    try docker.docker("kill", $0).mustSucceed()
                    try docker.waitsFor($0, status: "exited")
                    try verify(docker.inspect($0, "{{.State.ExitCode}}") == "137", "not 137")
                }
            }
        }

        @Test("wait: the exit status, of a program that ends by itself and of one that is killed")
        func wait() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer(script: "sleep 0.3; exit 42") {
                    try verify(docker.docker("wait", $0).trimmed == "42", "not 42")
                }
                // The first process of a pid namespace is only killed by its parent namespace.
                try docker.withContainer {
                    _ = try Glibc.kill(docker.pid($0), SIGKILL)
                    try verify(docker.docker("wait", $0).trimmed == "137", "not 137")
                }
            }
        }

        @Test("restart: another process in the same files")
        func restart() throws {
            try check(DockerEngine.self) { docker in
                let script = "echo start | tee -a /starts; exec sleep 600"
                try docker.withContainer(script: script) {
                    let first = try docker.pid($0)
                    try docker.docker("restart", "--time", "1", $0).mustSucceed()
                    try verify(docker.pid($0) != first, "still process \(first)")
                    try docker.waitsFor($0, toPrint: "start\nstart\n")
                    let starts = try docker.exec($0, "cat /starts")
                    try verify(starts == "start\nstart", starts)
                }
            }
        }

        @Test("--restart: who dies comes back, as often as the policy says")
        func restartPolicy() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--restart", "always") { name in
                    let first = try docker.pid(name)
                    _ = Glibc.kill(first, SIGKILL)
                    let isBack = eventually {
                        let now = (try? docker.pid(name)) ?? first
                        return now != first && readText("/proc/\(now)/cmdline").contains("sleep")
                    }
                    try verify(isBack, "it stays dead")
                }
                let failing = "echo try; exit 1"
                try docker.withContainer("--restart", "on-failure:2", script: failing) { name in
                    let isOver = eventually {
                        docker.docker("logs", name).lines.count == 3
                            && (try? docker.inspect(name, "{{.State.Status}}")) == "exited"
                    }
                    try verify(isOver, "\(docker.docker("logs", name))")
                    try verify(docker.inspect(name, "{{.RestartCount}}") == "2", "not 2")
                }
            }
        }

        @Test("pause: nothing moves until unpause")
        func pause() throws {
            try check(DockerEngine.self) { docker in
                let script = "i=0; while :; do i=$((i+1)); echo $i > /n; sleep 0.05; done"
                try docker.withContainer(script: script) { name in
                    let root = "/proc/\(try docker.pid(name))/root"
                    func count() -> Int {
                        Int(readText(root + "/n").split(separator: "\n").first ?? "") ?? 0
                    }
                    try verify(eventually { count() > 2 }, "it does not count")
                    try docker.docker("pause", name).mustSucceed()
                    try verify(docker.inspect(name, "{{.State.Status}}") == "paused", "not paused")
                    let state = ControlFile.freezer.read(in: try docker.cgroup(name))
                    try verify(state.contains(Host.isUnified ? "frozen 1" : "FROZEN"), state)
                    let before = count()
                    usleep(300_000)
                    try verify(count() == before, "it still counts")
                    try docker.docker("exec", name, "true").mustFail(saying: "is paused")
                    try docker.docker("unpause", name).mustSucceed()
                    try verify(eventually { count() > before }, "it does not count again")
                    try verify(
                        docker.inspect(name, "{{.State.Status}}") == "running", "not running")
                }
            }
        }

        @Test("--health-cmd: run in the container again and again, and its state follows")
        func healthCheck() throws {
            try check(DockerEngine.self) { docker in
                let flags = ["--health-cmd", "test -e /well", "--health-interval", "100ms"]
                try docker.withContainer(
                    flags[0], flags[1], flags[2], flags[3], "--health-retries=1"
                ) { name in
                    func becomes(_ state: String) throws {
                        let reached = eventually {
                            (try? docker.inspect(name, "{{.State.Health.Status}}")) == state
                        }
                        try verify(reached, "not \(state): \(docker.docker("inspect", name))")
                    }
                    try becomes("unhealthy")
                    _ = try docker.exec(name, "touch /well")
                    try becomes("healthy")
                    _ = try docker.exec(name, "rm /well")
                    try becomes("unhealthy")
                }
            }
        }

        @Test("top: the processes of the container, and no others")
        func top() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer(script: "sleep 601 & exec sleep 602") { name in
                    let pid = try docker.pid(name)
                    try docker.executes(name, "sleep\0602\0")
                    let top = try docker.docker("top", name, "-o", "pid,args").mustSucceed()
                    try verify(top.lines.count == 3, "\(top)")
                    try verify(
                        top.lines.contains { $0.hasPrefix("\(pid) ") && $0.hasSuffix("sleep 602") },
                        "\(top)")
                    try verify(top.stdout.contains("sleep 601"), "\(top)")
                }
            }
        }

        @Test("inspect: the process it names is the container's, in the namespaces it says")
        func inspect() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--hostname", "named", "--env", "A=b") { name in
                    try docker.executes(name, "sleep\0600\0")
                    let pid = try docker.pid(name)
                    try verify(readText("/proc/\(pid)/environ").contains("A=b\0"), "no A=b")
                    try verify(
                        docker.exec(name, "hostname; cat /etc/hostname") == "named\nnamed", "")
                    try verify(docker.inspect(name, "{{.HostConfig.Runtime}}") == "tested", "")
                }
            }
        }

        @Test("what cannot be started: 127 for what is missing, 126 for what is no program")
        func cannotStart() throws {
            try check(DockerEngine.self) { docker in
                let statuses: [(String, Int32)] = [
                    ("missing", 127), ("/missing", 127), ("/etc/passwd", 126), ("/tmp", 126),
                ]
                for (program, status) in statuses {
                    let outcome = docker.docker("run", "--rm", "box", program)
                    try verify(outcome.status == .exited(status), "\(outcome)")
                    try verify(outcome.stderr.contains(program), "\(outcome)")
                }
                try docker.withContainer {
                    for (program, _) in statuses {
                        let outcome = docker.docker("exec", $0, program)
                        try verify(outcome.status == .exited(126), "\(outcome)")
                        try verify(
                            (outcome.stdout + outcome.stderr).contains(program), "\(outcome)")
                    }
                }
            }
        }
    }
}
