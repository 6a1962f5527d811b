import Foundation
import Testing

extension Engines {
    /// containerd's own command line, through its shim.
    @Suite("containerd: ctr with --runc-binary", .containerd, .serialized)
    struct ContainerdCtr {
        @Test("run gives back what the program printed, and its exit status")
        func run() throws {
            try check(Containerd.self) {
                let outcome = $0.run([], "sh", "-c", "echo out; echo err >&2; exit 7")
                try verify(
                    outcome.status == .exited(7) && outcome.trimmed == "out"
                        && outcome.stderr.contains("err"), "\(outcome)")
            }
        }

        @Test("run --tty gives the program a terminal of the caller's size")
        func terminal() throws {
            try check(Containerd.self) {
                let id = Workspace.nextName()
                let text = try $0.place.runAtTerminal(
                    $0.command() + $0.runCommand(id) + ["--rm", "-t", Containerd.image, id]
                        + ["sh", "-c", Terminal.script])
                try verify(text.contains("/dev/pts/0") && text.contains("31 91"), text)
            }
        }

        @Test("a program that is missing is named in the error, and nothing is left")
        func missingProgram() throws {
            try check(Containerd.self) {
                try $0.run([], "no-such-program").mustFail(saying: "no-such-program")
                let left = $0.ctr("containers", "ls", "-q").lines
                try verify(left.isEmpty, "left: \(left)")
            }
        }

        @Test("exec joins the container, with its own exit status, user and directory")
        func exec() throws {
            try check(Containerd.self) { containerd in
                try containerd.running { id in
                    func exec(_ flags: [String], _ script: String) -> Outcome {
                        containerd.ctr(
                            ["task", "exec", "--exec-id", Workspace.nextName()] + flags
                                + [id, "sh", "-c", script])
                    }
                    let outcome = exec(
                        ["--user", "1000:1000", "--cwd", "/tmp"],
                        "tr '\\0' ' ' < /proc/1/cmdline; id -u; pwd; exit 5")
                    try verify(
                        outcome.status == .exited(5)
                            && outcome.trimmed == "sleep 600 1000\n/tmp", "\(outcome)")
                    let inside = exec([], "cat /proc/self/cgroup").trimmed
                    try verify(isOwnCgroup(inside, of: id), inside)
                }
            }
        }

        @Test("the processes of a container are listed")
        func processes() throws {
            try check(Containerd.self) { containerd in
                try containerd.running { id in
                    try containerd.ctr(
                        "task", "exec", "--detach", "--exec-id", "e", id, "sleep", "500"
                    ).mustSucceed()
                    let listed = try containerd.ctr("task", "ps", id).mustSucceed().lines
                        .compactMap { $0.split(separator: " ").first.flatMap { pid_t($0) } }
                    let real = try containerd.processes(id)
                    try verify(
                        listed.count == 2 && listed.sorted() == real.sorted(),
                        "listed \(listed), in the cgroup \(real)")
                }
            }
        }

        @Test("pause stops the processes, resume lets them go on")
        func pause() throws {
            try check(Containerd.self) { containerd in
                let count = "while :; do echo >> /tmp/ticks; sleep 0.02; done"
                try containerd.running([], ["sh", "-c", count]) { id in
                    let pid = try containerd.processes(id)[0]
                    let ticks = { readBytes("/proc/\(pid)/root/tmp/ticks").count }
                    try verify(eventually { ticks() > 0 }, "it does not run")
                    try containerd.ctr("task", "pause", id).mustSucceed()
                    try verify(
                        containerd.status(of: id) == "PAUSED", containerd.status(of: id))
                    let before = ticks()
                    usleep(300_000)
                    try verify(ticks() == before, "it goes on while paused")
                    try containerd.ctr("task", "resume", id).mustSucceed()
                    try verify(eventually { ticks() > before }, "it does not go on")
                }
            }
        }

        @Test("memory and CPU limits are in the cgroup")
        func limits() throws {
            try check(Containerd.self) { containerd in
                let flags = ["--memory-limit", "67108864", "--cpus", "0.5"]
                try containerd.running(flags) { id in
                    let memory = containerd.cgroupFile(id, .memory)
                    try verify(memory == "67108864", memory)
                    let quota = containerd.cgroupFile(id, .quota)
                    try verify(quota == (Host.isUnified ? "50000 100000" : "50000"), quota)
                    let period = containerd.cgroupFile(id, .period)
                    try verify(period == (Host.isUnified ? quota : "100000"), period)
                }
            }
        }

        @Test("metrics are those of the container's cgroup")
        func metrics() throws {
            try check(Containerd.self) { containerd in
                try containerd.running { id in
                    let text = try containerd.ctr("task", "metrics", id).mustSucceed().stdout
                    let lines = text.split(separator: "\n").map { $0.split(separator: " ") }
                    let usage = lines.first { ($0.first ?? "").hasPrefix("memory.usage") }?.last
                    try verify((usage.flatMap { Int($0) } ?? 0) > 4096, text)
                }
            }
        }

        @Test("a signal reaches the program, and its exit status comes back")
        func signal() throws {
            try check(Containerd.self) { containerd in
                let script = "trap 'echo got; exit 9' TERM; while :; do sleep 0.05; done"
                try containerd.running([], ["sh", "-c", script]) { id in
                    let pid = try containerd.processes(id)[0]
                    try verify(eventually { catches(pid, SIGTERM) }, "it sets no trap")
                    try containerd.ctr("task", "kill", "--signal", "TERM", id).mustSucceed()
                    try verify(
                        eventually { containerd.status(of: id) == "STOPPED" },
                        containerd.status(of: id))
                    let outcome = containerd.ctr("task", "rm", id)
                    try verify("\(outcome)".contains("exit code 9"), "\(outcome)")
                    let left = containerd.place.left(of: id, at: containerd.cgroup(of: id))
                    try verify(left.isEmpty, "left: \(left)")
                }
            }
        }

        @Test("root file system, environment, directory and mounts are as asked for")
        func filesystem() throws {
            try check(Containerd.self) { containerd in
                let file = containerd.place.directory + "/file"
                try writeText("from the host", to: file)
                let text = try containerd.sh(
                    "touch /x || echo read-only; pwd; echo $A; cat /f; touch /f || echo kept",
                    [
                        "--read-only", "--cwd", "/tmp", "--env", "A=b",
                        "--mount", "type=bind,src=\(file),dst=/f,options=rbind:ro",
                    ])
                try verify(text == "read-only\n/tmp\nb\nfrom the hostkept", text)
            }
        }

        @Test("capabilities, seccomp and no-new-privileges are as asked for")
        func privileges() throws {
            try check(Containerd.self) { containerd in
                let script = "grep -E '^(CapEff|Seccomp|NoNewPrivs):' /proc/self/status"
                let usual = try containerd.sh(script)
                try verify(
                    usual.contains("00000000a80425fb") && usual.contains("Seccomp:\t0")
                        && usual.contains("NoNewPrivs:\t1"), usual)
                let changed = try containerd.sh(
                    script,
                    [
                        "--cap-add", "CAP_SYS_PTRACE", "--cap-drop", "CAP_CHOWN", "--seccomp",
                        "--allow-new-privs",
                    ])
                try verify(
                    changed.contains("00000000a80c25fa") && changed.contains("Seccomp:\t2")
                        && changed.contains("NoNewPrivs:\t0"), changed)
            }
        }

        @Test(
            "--uidmap makes the container's root nobody on the host",
            .requires(!Host.hasSystemd, "has systemd, which ctr forgets with this flag"))
        func userNamespace() throws {
            try check(Containerd.self) { containerd in
                let flags = ["--uidmap", "0:100000:5000", "--gidmap", "0:100000:5000"]
                try containerd.running(flags) { id in
                    let pid = try containerd.processes(id)[0]
                    var status = stat()
                    try verify(
                        stat("/proc/\(pid)", &status) == 0 && status.st_uid == 100000,
                        "uid \(status.st_uid)")
                    // It is the runtime's, see where containerd is started.
                    let root = "/run/containerd/runc/" + containerd.namespace
                    try containerd.place.run([containerd.runtime, "--root", root, "state", id])
                        .mustSucceed()
                    let inside = containerd.ctr(
                        "task", "exec", "--exec-id", "e", id, "sh", "-c",
                        "id -u; touch /root/new && stat -c %u /root/new")
                    try verify(inside.trimmed == "0\n0", "\(inside)")
                }
            }
        }

        @Test("--with-ns joins another container's network")
        func joinedNamespace() throws {
            try check(Containerd.self) { containerd in
                try containerd.running { id in
                    let pid = try containerd.processes(id)[0]
                    let joined = try containerd.sh(
                        "readlink /proc/self/ns/net", ["--with-ns", "network:/proc/\(pid)/ns/net"])
                    let theirs = try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/\(pid)/ns/net")
                    try verify(joined == theirs, "\(joined) is not \(theirs)")
                }
            }
        }
    }
}
