import Foundation
import Testing

extension Engines {
    @Suite("Podman, as root", .podman, .serialized)
    struct PodmanAsRoot {
        @Test("run gives back what the program printed, and its exit status")
        func run() throws {
            try check(Podman.self) {
                let outcome = $0.run([], "sh", "-c", "echo out; exit 7")
                try verify(outcome.status == .exited(7) && outcome.trimmed == "out", "\(outcome)")
            }
        }

        @Test("a missing program is status 127, one that is not executable 126")
        func missingProgram() throws {
            try check(Podman.self) {
                let missing = $0.run([], "no-such-program")
                try verify(
                    missing.status == .exited(127) && missing.stderr.contains("no-such-program"),
                    "\(missing)")
                let directory = $0.run([], "/etc")
                try verify(directory.status == .exited(126), "\(directory)")
            }
        }

        @Test("run --tty gives the program a terminal of the caller's size")
        func terminal() throws {
            try check(Podman.self) { podman in
                let text = try podman.place.runAtTerminal(
                    podman.prefix() + ["--runtime", podman.runtime, "run", "--rm", "-it"]
                        + ["--network", "none"] + podman.placement
                        + [Podman.image, "sh", "-c", Terminal.script])
                try verify(text.contains("/dev/pts/0") && text.contains("31 91"), text)
            }
        }

        @Test("exec joins the container, with its own user, directory, environment, exit status")
        func exec() throws {
            try check(Podman.self) { podman in
                try podman.running { name in
                    let outcome = podman.podman(
                        "exec", "--user", "user", "--workdir", "/tmp", "--env", "A=b", name,
                        "sh", "-c", "tr '\\0' ' ' < /proc/1/cmdline; id -u; pwd; echo $A; exit 5")
                    try verify(
                        outcome.status == .exited(5)
                            && outcome.trimmed == "sleep 600 1000\n/tmp\nb", "\(outcome)")
                    let cgroup = try podman.execSh(name, "cat /proc/self/cgroup")
                    try verify(isOwnCgroup(cgroup, of: podman.inspect(name, "{{.Id}}")), cgroup)
                }
            }
        }

        @Test("logs, kill, wait, start again, stop")
        func life() throws {
            try check(Podman.self) { podman in
                let script =
                    "trap 'echo got; exit 9' USR1; echo began; while :; do sleep 0.05; done"
                try podman.running(["--stop-signal", "USR1"], ["sh", "-c", script]) { name in
                    let logged = { podman.podman("logs", name).stdout }
                    try verify(eventually { logged().contains("began") }, logged())
                    try podman.podman("kill", "--signal", "USR1", name).mustSucceed()
                    try verify(podman.podman("wait", name).trimmed == "9", "the exit status")
                    try verify(eventually { logged() == "began\ngot\n" }, logged())
                    try podman.podman("start", name).mustSucceed()
                    try verify(
                        eventually { logged() == "began\ngot\nbegan\n" }, "again: \(logged())")
                    try podman.podman("stop", "--time", "100", name).mustSucceed()
                    let ended = podman.inspect(name, "{{.State.ExitCode}} {{.State.Running}}")
                    try verify(ended == "9 false", ended)
                }
            }
        }

        @Test("pause stops the processes, unpause lets them go on")
        func pause() throws {
            try check(Podman.self) { podman in
                let count = "while :; do echo >> /tmp/ticks; sleep 0.02; done"
                try podman.running([], ["sh", "-c", count]) { name in
                    let pid = podman.inspect(name, "{{.State.Pid}}")
                    let ticks = { readBytes("/proc/\(pid)/root/tmp/ticks").count }
                    try verify(eventually { ticks() > 0 }, "it does not run")
                    try podman.podman("pause", name).mustSucceed()
                    let before = ticks()
                    usleep(300_000)
                    try verify(ticks() == before, "it goes on while paused")
                    try verify(
                        podman.inspect(name, "{{.State.Status}}") == "paused", "not shown as paused"
                    )
                    try podman.podman("unpause", name).mustSucceed()
                    try verify(eventually { ticks() > before }, "it does not go on")
                }
            }
        }

        @Test(
            "container checkpoint and restore: the program goes on, also of an exported container",
            .requiresTheirCRIU)
        func checkpoint() throws {
            try check(Podman.self) { podman in
                let directory = podman.place.directory + "/counted"
                mkdir(directory, 0o755)
                defer { Workspace.remove(directory) }
                let counter = Counting(file: directory + "/count")
                let exported = directory + "/exported.tar"
                let program = ["sh", "-c", Counting.script("/counted/count")]
                try podman.running(["--volume", directory + ":/counted"], program) { name in
                    try counter.goesOn()
                    try podman.podman("container", "checkpoint", name).mustSucceed()
                    let saved = podman.inspect(name, "{{.State.Checkpointed}} {{.State.Running}}")
                    try verify(saved == "true false", saved)
                    try podman.podman("container", "restore", name).mustSucceed()
                    try counter.goesOn()
                    try podman.podman("container", "checkpoint", "--export", exported, name)
                        .mustSucceed()
                    try podman.podman("rm", name).mustSucceed()
                    try podman.podman("container", "restore", "--import", exported).mustSucceed()
                    try counter.goesOn()
                    let first = try podman.execSh(name, "tr '\\0' ' ' < /proc/1/cmdline")
                    try verify(first.hasPrefix("sh -c n=0;"), first)
                }
            }
        }

        @Test("limits are in the cgroup, an update changes them, and stats and top tell the truth")
        func resources() throws {
            try check(Podman.self) { podman in
                let flags = [
                    "--memory", "64m", "--cpus", "0.5", "--pids-limit", "50", "--cpuset-cpus", "1",
                ]
                try podman.running(flags) { name in
                    func limits() -> String {
                        // On v2 the quota has its period with it.
                        [ControlFile.memory, .quota, .pids, .cpus].map {
                            podman.cgroupFile(name, $0).replacing(" 100000", with: "")
                        }.joined(separator: " ")
                    }
                    try verify(limits() == "67108864 50000 50 1", limits())
                    let stats = try podman.podman("stats", "--no-stream", name).mustSucceed()
                    try verify(stats.stdout.contains("/ 67.11MB"), stats.stdout)
                    let top = try podman.podman("top", name, "pid", "args").mustSucceed()
                    try verify(
                        top.lines.count == 2 && top.lines[1].contains("sleep 600"), "\(top)")
                    try podman.podman("update", "--memory", "32m", "--cpus", "0.2", name)
                        .mustSucceed()
                    try verify(limits() == "33554432 20000 50 1", "after update: \(limits())")
                }
            }
        }

        @Test("volumes: named, bound, tmpfs; a read-only root; cp in and out")
        func files() throws {
            try check(Podman.self) { podman in
                let directory = podman.place.directory + "/bound"
                mkdir(directory, 0o755)
                try writeText("host\n", to: directory + "/file")
                let flags = [
                    "--read-only", "--volume", "named:/named", "--volume", "\(directory):/bound:ro",
                    "--tmpfs", "/scratch:size=1m",
                ]
                try podman.running(flags) { name in
                    let text = try podman.execSh(
                        name,
                        """
                        cat /bound/file; touch /bound/x || echo bound read-only
                        touch /x || echo root read-only
                        echo kept > /named/file; touch /scratch/x && grep -c ' /scratch ' /proc/mounts
                        """)
                    try verify(
                        text == "host\nbound read-only\nroot read-only\n1", text)
                    try podman.podman("cp", directory + "/file", name + ":/named/in").mustSucceed()
                    try verify(try podman.execSh(name, "cat /named/in") == "host", "cp into it")
                    try podman.podman("cp", name + ":/named/file", directory + "/out").mustSucceed()
                    try verify(readText(directory + "/out") == "kept\n", "cp out of it")
                }
                let again = try podman.sh("cat /named/file", ["--volume", "named:/named"])
                try verify(again == "kept", again)
            }
        }

        @Test("capabilities, privileges, seccomp, sysctl, limits and devices are as asked for")
        func privileges() throws {
            try check(Podman.self) { podman in
                let status = "grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status"
                let usual = try podman.sh(status)
                try verify(
                    usual.contains("Seccomp:\t2") && usual.contains("NoNewPrivs:\t0"), usual)
                let none = try podman.sh(
                    status
                        + "; sysctl -n net.ipv4.ip_forward; ulimit -n; test -c /dev/fuse && echo fuse",
                    [
                        "--cap-drop", "all", "--security-opt", "no-new-privileges",
                        "--security-opt", "seccomp=unconfined", "--sysctl",
                        "net.ipv4.ip_forward=1", "--ulimit", "nofile=100:200", "--ulimit",
                        "nproc=1000:2000", "--device",
                        "/dev/fuse",
                    ])
                try verify(
                    none == """
                        CapEff:\t0000000000000000
                        NoNewPrivs:\t1
                        Seccomp:\t0
                        1
                        100
                        fuse
                        """, none)
                let privileged = try podman.sh(status, ["--privileged"])
                let bounding =
                    readText("/proc/self/status").split(separator: "\n")
                    .first { $0.hasPrefix("CapBnd:") }?.split(separator: "\t").last ?? ""
                try verify(
                    privileged.contains(bounding) && privileged.contains("Seccomp:\t0"), privileged)
            }
        }

        @Test("--group-add keep-groups leaves the program the caller's groups")
        func keepGroups() throws {
            try check(Podman.self) { podman in
                let run = ["run", "--rm", "--network", "none", "--group-add", "keep-groups"]
                let outcome = podman.place.run(
                    ["setpriv", "--groups", "1234"] + podman.prefix()
                        + ["--runtime", podman.runtime] + run + podman.placement
                        + [Podman.image, "grep", "Groups", "/proc/self/status"])
                try verify(outcome.trimmed == "Groups:\t1234", "\(outcome)")
            }
        }

        @Test("--init reaps what the program leaves behind")
        func initProcess() throws {
            try check(Podman.self) { podman in
                try podman.running(["--init"]) { name in
                    let first = try podman.execSh(name, "tr '\\0' ' ' < /proc/1/cmdline")
                    try verify(
                        first.contains("init") && first.hasSuffix("-- sleep 600"), first)
                    try podman.execSh(name, "(sleep 0.05 & ) ; sleep 0.3")
                    let zombies = { () in
                        podman.podman(
                            "exec", name, "sh", "-c", "grep -l '^State:.Z' /proc/*/status | wc -l"
                        ).trimmed
                    }
                    try verify(eventually { zombies() == "0" }, "zombies: \(zombies())")
                }
            }
        }

        @Test("--uidmap makes the container's root nobody on the host")
        func userNamespace() throws {
            try check(Podman.self) { podman in
                try podman.running(["--uidmap", "0:100000:5000"]) { name in
                    let pid = podman.inspect(name, "{{.State.Pid}}")
                    var status = stat()
                    try verify(
                        stat("/proc/\(pid)", &status) == 0 && status.st_uid == 100000,
                        "uid \(status.st_uid)")
                    let inside = try podman.execSh(
                        name, "id -u; touch /new; stat -c %u /new /bin; cat /proc/self/uid_map")
                    try verify(
                        inside.split { $0.isWhitespace } == ["0", "0", "0", "0", "100000", "5000"],
                        inside)
                }
            }
        }

        @Test("the health check runs in the container")
        func healthCheck() throws {
            try check(Podman.self) { podman in
                // Without systemd's timers nobody but the caller runs it.
                let flags = ["--health-cmd", "test -e /tmp/well", "--health-interval", "disable"]
                try podman.running(flags) { name in
                    let ill = podman.podman("healthcheck", "run", name)
                    try verify(ill.status == .exited(1), "\(ill)")
                    try podman.execSh(name, "touch /tmp/well")
                    try podman.podman("healthcheck", "run", name).mustSucceed()
                    let health = podman.inspect(name, "{{.State.Health.Status}}")
                    try verify(health == "healthy", health)
                }
            }
        }

        @Test("a published port is answered over HTTP")
        func publishedPort() throws {
            try check(Podman.self) { podman in
                let serve = "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp"
                try podman.running(
                    ["--network", "podman", "--publish", "4000:80"], ["sh", "-c", serve]
                ) { name in
                    let get = { podman.place.run(["curl", "-s", "http://127.0.0.1:4000/"]) }
                    try verify(eventually { get().trimmed == "hello" }, "\(get())")
                }
            }
        }

        @Test("--network container:… shares the network of another container")
        func sharedNetwork() throws {
            try check(Podman.self) { podman in
                try podman.running { name in
                    let own = try podman.execSh(name, "readlink /proc/self/ns/net")
                    let theirs = try podman.sh(
                        "readlink /proc/self/ns/net", ["--network", "container:" + name])
                    try verify(own == theirs && !own.isEmpty, "\(own), \(theirs)")
                }
            }
        }

        @Test("the containers of a pod share its namespaces")
        func pod() throws {
            try check(Podman.self) { podman in
                try podman.withPod(["--share", "net,ipc,uts,pid"]) { pod in
                    let script = "for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done"
                    try podman.running(["--pod", pod]) { name in
                        let first = try podman.execSh(name, script).split(separator: "\n")
                        let second = try podman.sh(script + "; hostname", ["--pod", pod])
                            .split(separator: "\n")
                        try verify(
                            first.count == 5 && first[..<4] == second[..<4]
                                && first[4] != second[4] && second.last == "pod-host",
                            "\(first), \(second)")
                    }
                }
            }
        }

        @Test("generate kube and play kube: the same pod again")
        func kube() throws {
            try check(Podman.self) { podman in
                let file = podman.place.directory + "/tmp/pod.yaml"
                try podman.withPod([]) { pod in
                    try podman.running(["--pod", pod], ["sleep", "601"]) { _ in
                        let yaml = try podman.podman("generate", "kube", pod).mustSucceed()
                        try writeText(yaml.stdout, to: file)
                    }
                }
                try podman.podman("play", "kube", "--network", "none", file).mustSucceed()
                defer { podman.podman("play", "kube", "--down", file) }
                let names = podman.podman("ps", "--format", "{{.Names}}").lines
                let container = try #require(
                    names.first { !$0.hasSuffix("-infra") }, "\(names)")
                let inside = try podman.execSh(
                    container, "hostname; tr '\\0' ' ' < /proc/1/cmdline")
                try verify(inside == "pod-host\nsleep 601", inside)
            }
        }

        @Test("commit makes an image of what the container changed")
        func commit() throws {
            try check(Podman.self) { podman in
                try podman.running { name in
                    try podman.execSh(name, "echo changed > /new")
                    try podman.podman("commit", "--quiet", name, "localhost/changed").mustSucceed()
                }
                let text = try podman.podman(
                    "run", "--rm", "--network", "none", "localhost/changed", "cat", "/new"
                ).mustSucceed().trimmed
                try verify(text == "changed", text)
            }
        }

        @Test("nothing is left of a container that was removed")
        func removal() throws {
            try check(Podman.self) { podman in
                var id = ""
                try podman.running { id = podman.inspect($0, "{{.Id}}") }
                let left = podman.place.left(of: id, at: podman.cgroup(id: id))
                try verify(!id.isEmpty && left.isEmpty, "left: \(left)")
                let states = ["/run/swrunc", "/run/runc"].map { "\($0)/\(id)" }
                let found = podman.place.run(["ls", "-d"] + states).stdout
                try verify(found.isEmpty, "left: \(found)")
            }
        }
    }
}
