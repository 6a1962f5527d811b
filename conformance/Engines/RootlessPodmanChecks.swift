import Foundation
import Testing

extension Engines {
    @Suite("Podman, as an ordinary user", .rootlessPodman, .serialized)
    struct PodmanRootless {
        @Test("the container's root is the user, and other users are its subordinate ones")
        func identity() throws {
            try check(RootlessPodman.self) { podman in
                try podman.running { name in
                    let pid = podman.inspect(name, "{{.State.Pid}}")
                    var status = stat()
                    try verify(
                        stat("/proc/\(pid)", &status) == 0 && status.st_uid == RootlessPodman.uid,
                        "uid \(status.st_uid)")
                    let inside = try podman.execSh(
                        name, "id -u; awk '{print $2}' /proc/self/uid_map; id -u user")
                    try verify(
                        inside.split { $0.isWhitespace } == [
                            "0", "\(RootlessPodman.uid)", "700000", "1000",
                        ], inside)
                    let user = try podman.podman("exec", "--user", "user", name, "sleep", "0.1")
                        .mustSucceed()
                    try verify(user.stdout.isEmpty, "\(user)")
                }
            }
        }

        @Test("output, exit statuses, environment and directory of run and exec")
        func run() throws {
            try check(RootlessPodman.self) { podman in
                let outcome = podman.run(
                    ["--env", "A=b", "--workdir", "/tmp"], "sh", "-c", "echo $A; pwd; exit 7")
                try verify(
                    outcome.status == .exited(7) && outcome.trimmed == "b\n/tmp", "\(outcome)")
                try podman.running { name in
                    let exec = podman.podman("exec", name, "sh", "-c", "exit 5")
                    try verify(exec.status == .exited(5), "\(exec)")
                }
                let missing = podman.run([], "no-such-program")
                try verify(missing.status == .exited(127), "\(missing)")
            }
        }

        @Test("the container has a network over slirp4netns")
        func network() throws {
            try check(RootlessPodman.self) { podman in
                let text = try podman.sh("ip address show tap0", ["--network", "slirp4netns"])
                try verify(text.contains("inet 10.0.2.100/24"), text)
            }
        }

        @Test(
            "the container has a network over pasta, with a port that is published",
            .requiresDebian(13, "Podman 4.3 has no pasta"))
        func pasta() throws {
            try check(RootlessPodman.self) { podman in
                let serve = "echo hello > /tmp/index.html; exec httpd -f -p 80 -h /tmp"
                try podman.running(
                    ["--network", "pasta", "--publish", "4001:80"], ["sh", "-c", serve]
                ) { _ in
                    let get = { podman.place.run(["curl", "-s", "http://127.0.0.1:4001/"]) }
                    try verify(eventually { get().trimmed == "hello" }, "\(get())")
                }
            }
        }

        @Test("its cgroups can be seen, and cannot be written to")
        func cgroups() throws {
            try check(RootlessPodman.self) { podman in
                let text = try podman.sh(
                    "ls /sys/fs/cgroup | grep -c . ; mkdir /sys/fs/cgroup/*/new 2>&1 | grep -vc x")
                let counts = text.split(separator: "\n").compactMap { Int($0) }
                try verify(counts.count == 2 && counts[0] > 0 && counts[1] > 0, text)
            }
        }

        @Test(
            "limits are in the cgroup of the user's own scope, and an update changes them",
            .requires(Host.usersSystemd != nil, "has no systemd of a user on cgroup v2"))
        func resources() throws {
            try check(RootlessPodman.self) { podman in
                var id = ""
                try podman.running(["--memory", "64m", "--pids-limit", "50"]) { name in
                    id = podman.inspect(name, "{{.Id}}")
                    func limits() -> [String] {
                        [ControlFile.memory, .pids].map { podman.cgroupFile(name, $0) }
                    }
                    try verify(limits() == ["67108864", "50"], "\(limits())")
                    try podman.podman("update", "--memory", "32m", name).mustSucceed()
                    try verify(limits() == ["33554432", "50"], "after update: \(limits())")
                }
                let left = Leaks.cgroups(podman.cgroup(id: id))
                try verify(left.isEmpty, "left: \(left)")
            }
        }

        @Test("logs, kill, wait and stop")
        func life() throws {
            try check(RootlessPodman.self) { podman in
                let script =
                    "trap 'echo got; exit 9' TERM; echo began; while :; do sleep 0.05; done"
                try podman.running([], ["sh", "-c", script]) { name in
                    let logged = { podman.podman("logs", name).stdout }
                    try verify(eventually { logged().contains("began") }, logged())
                    try podman.podman("stop", "--time", "100", name).mustSucceed()
                    try verify(podman.podman("wait", name).trimmed == "9", "the exit status")
                    try verify(eventually { logged() == "began\ngot\n" }, logged())
                }
            }
        }

        @Test("volumes belong to the user, and devices are the host's")
        func files() throws {
            try check(RootlessPodman.self) { podman in
                let bound = podman.storage + "/bound"
                mkdir(bound, 0o755)
                chown(bound, uid_t(RootlessPodman.uid), gid_t(RootlessPodman.uid))
                let text = try podman.sh(
                    """
                    touch /bound/new && chown user /bound/new
                    echo x > /dev/null && stat -c '%F %t:%T' /dev/null
                    touch /proc/sys/kernel/hostname 2>&1 | grep -c Read-only
                    """, ["--volume", bound + ":/bound"])
                try verify(text == "character special file 1:3\n1", text)
                var status = stat()
                try verify(
                    stat(bound + "/new", &status) == 0 && status.st_uid == 700_999,
                    "uid \(status.st_uid)")
            }
        }

        @Test("--userns keep-id, --uidmap: who is who")
        func userNamespaces() throws {
            try check(RootlessPodman.self) { podman in
                let kept = try podman.sh("id -u", ["--userns", "keep-id"])
                try verify(kept == "\(RootlessPodman.uid)", kept)
                let mapped = try podman.sh("cat /proc/self/uid_map", ["--uidmap", "0:1:5000"])
                // In Podman's user namespace 1 is the first of the subordinate ids.
                try verify(mapped.split { $0.isWhitespace } == ["0", "1", "5000"], mapped)
            }
        }

        @Test("the containers of a pod share its namespaces")
        func pod() throws {
            try check(RootlessPodman.self) { podman in
                try podman.withPod([]) { pod in
                    let script = "for n in net ipc uts mnt; do readlink /proc/self/ns/$n; done"
                    try podman.running(["--pod", pod, "--init"]) { name in
                        let first = try podman.execSh(name, script).split(separator: "\n")
                        let second = try podman.sh(script, ["--pod", pod]).split(separator: "\n")
                        try verify(
                            first.count == 4 && first[..<3] == second[..<3]
                                && first[3] != second[3], "\(first), \(second)")
                    }
                }
            }
        }

        @Test("a seccomp profile, capabilities and no-new-privileges are as asked for")
        func privileges() throws {
            try check(RootlessPodman.self) { podman in
                let text = try podman.sh(
                    "grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status | tr '\\t' ' '",
                    ["--cap-drop", "all", "--cap-add", "chown", "--security-opt=no-new-privileges"])
                try verify(
                    text == "CapEff: 0000000000000001\nNoNewPrivs: 1\nSeccomp: 2", text)
            }
        }

        @Test("podman build runs its steps")
        func build() throws {
            try check(RootlessPodman.self) { podman in
                let context = podman.storage + "/context"
                mkdir(context, 0o755)
                try writeText(
                    "FROM \(Podman.image)\nRUN id -u > /who && hostname > /name\n",
                    to: context + "/Dockerfile")
                try podman.podman(
                    "build", "--isolation", "oci", "--network", "none", "--tag", "localhost/made",
                    context
                ).mustSucceed()
                let text = try podman.podman(
                    "run", "--rm", "--network", "none", "localhost/made", "cat", "/who"
                ).mustSucceed().trimmed
                try verify(text == "0", text)
            }
        }
    }
}
