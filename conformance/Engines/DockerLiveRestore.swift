import Foundation
import Testing

/// A dockerd whose containers outlive it.
final class LiveDocker: DockerEngine {
    override class var options: [String] { ["--live-restore"] }
}

extension Trait where Self == EngineTrait<LiveDocker> {
    static var liveDocker: Self { EngineTrait() }
}

extension Engines {
    @Suite("docker --live-restore", .liveDocker)
    struct DockerLiveRestore {
        @Test("a container goes on without the daemon, and the next daemon has it as before")
        func restart() throws {
            try check(LiveDocker.self) { docker in
                let script = """
                    trap 'echo bye; exit 3' TERM
                    i=0; while :; do i=$((i + 1)); echo $i > /n; sleep 0.05; done
                    """
                try docker.withContainer("--memory", "64m", script: script) { name in
                    let pid = try docker.pid(name)
                    let root = "/proc/\(pid)/root"
                    func count() -> Int { Int(readText(root + "/n").prefix { $0 != "\n" }) ?? 0 }
                    try docker.withoutDaemon {
                        let before = count()
                        try verify(eventually { count() > before + 2 }, "it does not go on")
                    }
                    try verify(docker.pid(name) == pid, "another process")
                    try verify(docker.exec(name, "echo $PPID") == "0", "exec")
                    try docker.docker("update", "--memory", "32m", "--memory-swap", "32m", name)
                        .mustSucceed()
                    try docker.mustRead(name, .memory, "33554432")
                    try docker.docker("pause", name).mustSucceed()
                    try docker.docker("unpause", name).mustSucceed()
                    try docker.docker("stop", "--time", "100", name).mustSucceed()
                    try verify(docker.inspect(name, "{{.State.ExitCode}}") == "3", "not 3")
                    try verify(docker.docker("logs", name).stdout == "bye\n", "no bye")
                }
            }
        }

        @Test("one that ends while there is no daemon has ended for the next one")
        func endsWithout() throws {
            try check(LiveDocker.self) { docker in
                let script = "until [ -e /end ]; do sleep 0.05; done; rm /end; exit 5"
                try docker.withContainer(script: script) { name in
                    let pid = try docker.pid(name)
                    try docker.withoutDaemon {
                        try writeText("", to: "/proc/\(pid)/root/end")
                        try verify(eventually { !exists("/proc/\(pid)/root/bin") }, "it lives")
                    }
                    try docker.waitsFor(name, status: "exited")
                    try docker.docker("start", name).mustSucceed()
                    try verify(docker.pid(name) != pid, "not started again")
                }
            }
        }
    }
}
