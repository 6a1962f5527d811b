import Foundation
import Testing

extension Engines.Docker {
    @Suite("docker exec")
    struct Exec {
        @Test("joins the container's namespaces and cgroup; output and exit status come back")
        func joins() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer { name in
                    let script = """
                        for n in mnt pid net ipc uts; do
                            [ "$(readlink /proc/self/ns/$n)" = "$(readlink /proc/1/ns/$n)" ] || echo $n
                        done
                        cmp /proc/self/cgroup /proc/1/cgroup
                        exit 9
                        """
                    let outcome = docker.docker("exec", name, "sh", "-c", script)
                    try verify(outcome.status == .exited(9) && outcome.stdout == "", "\(outcome)")
                }
            }
        }

        @Test("-u, -w, -e: user, working directory and environment")
        func options() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("-e", "A=a") { name in
                    let outcome = docker.docker(
                        "exec", "-u", "1000:1000", "-w", "/tmp", "-e", "B=b", name, "sh", "-c",
                        "id -u; id -g; pwd; echo $A$B; grep CapEff /proc/self/status")
                    try verify(
                        outcome.lines == [
                            "1000", "1000", "/tmp", "ab", "CapEff:\t0000000000000000",
                        ],
                        "\(outcome)")
                    let byName = docker.docker("exec", "-u", "user", name, "id", "-un")
                    try verify(byName.trimmed == "user", "\(byName)")
                }
            }
        }

        @Test("-i: standard input, to its end")
        func standardInput() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer { name in
                    var options = LaunchOptions()
                    options.input = "a\nb\nc\n"
                    let outcome = docker.docker(["exec", "-i", name, "wc", "-l"], options)
                    try verify(outcome.trimmed == "3", "\(outcome)")
                }
            }
        }

        @Test("-it: a terminal of the client's size, which follows it, and an exit status")
        func terminal() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer { name in
                    let outcome = try docker.atTerminal(["exec", "-it", name, "sh"]) { terminal in
                        try terminal.types(
                            "until stty size | grep '33 101'; do sleep 0.1; done",
                            expecting: "33 101\r\n")
                        try terminal.resizesInside(rows: 44, columns: 111)
                        // Control-C reaches the foreground program, and not the shell.
                        terminal.type("sleep 611\n")
                        let sleeps = eventually {
                            docker.docker("top", name, "-o", "pid,args").stdout.contains(
                                "sleep 611")
                        }
                        try verify(sleeps, "it does not sleep: \(terminal.text.debugDescription)")
                        terminal.type("\u{3}")
                        try terminal.types("echo $?", expecting: "130")
                        terminal.type("exit 6\n")
                        _ = terminal.readToEnd()
                    }
                    try verify(outcome.status == .exited(6), "\(outcome)")
                }
            }
        }

        @Test("-d: goes on without the client")
        func detached() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer { name in
                    try docker.docker(
                        "exec", "-d", name, "sh", "-c", "sleep 0.3; echo done > /done"
                    ).mustSucceed()
                    let isDone = eventually { (try? docker.exec(name, "cat /done")) == "done" }
                    try verify(isDone, "no /done")
                }
            }
        }

        @Test("--privileged: all capabilities, in a container without")
        func privileged() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--cap-drop", "ALL") { name in
                    let caps = "grep CapEff /proc/self/status | cut -f2"
                    try verify(docker.exec(name, caps) == "0000000000000000", "not without")
                    let outcome = docker.docker(
                        "exec", "--privileged", name, "sh", "-c", caps + "; chown 1 /tmp && echo ok"
                    )
                    try verify(outcome.lines.last == "ok", "\(outcome)")
                }
            }
        }
    }
}
