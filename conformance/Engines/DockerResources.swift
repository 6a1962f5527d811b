import Foundation
import Testing

/// A second of a busy loop, or more on a busy host; prints the milliseconds of processor time that it
/// got in each.
private let busyLoop = """
    used() {
        cat /sys/fs/cgroup/cpuacct/cpuacct.usage 2>/dev/null \\
            || awk '/^usage_usec/ { printf "%d000", $2 }' /sys/fs/cgroup/cpu.stat
    }
    # In hundredths.
    seconds() { cut -d' ' -f1 /proc/uptime | tr -d .; }
    start=$(seconds) before=$(used)
    timeout 1 sh -c 'while :; do :; done'
    after=$(used) end=$(seconds)
    echo $(((after - before) / 10000 / (end - start)))
    """

extension Engines.Docker {
    @Suite("docker: resources")
    struct Resources {
        @Test("--cpu-period, --cpu-quota: in the cgroup, and felt by a busy loop")
        func cpuQuota() throws {
            try check(DockerEngine.self) { docker in
                // So little that it is throttled beside any other work as well.
                try docker.withContainer("--cpu-period", "50000", "--cpu-quota", "2500") { name in
                    try docker.mustRead(name, .period, "50000", v2: "2500 50000")
                    try docker.mustRead(name, .quota, "2500", v2: "2500 50000")
                    let used = Int(try docker.exec(name, busyLoop)) ?? 0
                    try verify((1...200).contains(used), "\(used) ms of a second, not 50")
                    let statistics = ControlFile.cpuStatistics.read(in: try docker.cgroup(name))
                    try verify(
                        statistics.contains("nr_throttled ")
                            && !statistics.contains("nr_throttled 0\n"), statistics)
                }
            }
        }

        @Test("--cpuset-cpus: the only processors a process may run on")
        func cpuset() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--cpuset-cpus", "0") { name in
                    try docker.mustRead(name, .cpus, "0")
                    let allowed = try docker.exec(
                        name, "sh -c 'while :; do :; done' & grep Cpus_allowed_list /proc/$!/status"
                    )
                    try verify(allowed == "Cpus_allowed_list:\t0", allowed)
                }
            }
        }

        @Test("--memory: in the cgroup, and who needs more is killed")
        func memory() throws {
            try check(DockerEngine.self) { docker in
                let flags = ["--memory", "16m", "--memory-swap", "16m"]
                try docker.withContainer(flags[0], flags[1], flags[2], flags[3]) { name in
                    try docker.mustRead(name, .memory, "16777216")
                    try verify(docker.exec(name, "probe eat 8 && echo ate").contains("ate"), "8 MB")
                }
                // The shim tells of a kill and of the end on two ways, and Docker does not listen to
                // the first once the second has arrived: so a child is killed, and later the rest.
                let script = """
                    probe eat 64; echo $?; until [ -e /told ]; do sleep 0.1; done; exec probe eat 64
                    """
                try docker.withContainer(
                    flags[0], flags[1], flags[2], flags[3], script: script
                ) { name in
                    let events = [
                        "events", "--since", "0", "--until", "0s", "--filter", "event=oom",
                        "--filter", "container=" + name,
                    ]
                    _ = eventually { !docker.docker(events).lines.isEmpty }
                    _ = try docker.exec(name, ": > /told")
                    try docker.waitsFor(name, status: "exited")
                    let status = try docker.inspect(name, "{{.State.ExitCode}}")
                    try verify(status == "137", "the init is not killed: \(status)")
                    let logs = docker.docker("logs", name)
                    try verify(logs.trimmed == "137", "its child is not killed: \(logs)")
                    let isTold = try docker.inspect(name, "{{.State.OOMKilled}}")
                    try verify(isTold == "true", "Docker does not hear of it")
                }
            }
        }

        @Test("the cgroup: who is executed joins it, and nothing of it is left")
        func cgroup() throws {
            try check(DockerEngine.self) { docker in
                var (id, cgroup) = ("", "")
                try docker.withContainer { name in
                    (id, cgroup) = (try docker.inspect(name, "{{.Id}}"), try docker.cgroup(name))
                    try docker.docker("exec", "--detach", name, "sleep", "603").mustSucceed()
                    let pids = { ControlFile.processes.read(in: cgroup).split(separator: "\n") }
                    let lines = { pids().map { readText("/proc/\($0)/cmdline") }.sorted() }
                    let expected = ["sleep\0600\0", "sleep\0603\0"]
                    try verify(eventually { lines() == expected }, "\(lines())")
                }
                let left = docker.place.left(of: id, at: cgroup)
                try verify(left.isEmpty, "left: \(left)")
            }
        }

        @Test("--pids-limit: in the cgroup, and the next process is refused")
        func pids() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--pids-limit", "10") { name in
                    try docker.mustRead(name, .pids, "10")
                    let outcome = docker.docker(
                        "exec", name, "sh", "-c", "for i in $(seq 20); do sleep 600 & done; wait")
                    try verify(outcome.stderr.contains("can't fork"), "\(outcome)")
                }
            }
        }

        @Test("update: the limits of a running container, felt at once")
        func update() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--memory", "64m", "--memory-swap", "64m") { name in
                    try docker.docker(
                        "update", "--memory", "32m", "--memory-swap", "48m", "--cpu-period",
                        "50000",
                        "--cpu-quota", "10000", "--cpuset-cpus", "0", "--pids-limit", "20",
                        "--cpu-shares", "262144", name
                    ).mustSucceed()
                    try docker.mustRead(name, .memory, "33554432")
                    // A kernel may not account for swap.
                    if !ControlFile.swap.read(in: try docker.cgroup(name)).isEmpty {
                        try docker.mustRead(name, .swap, "50331648", v2: "16777216")
                    }
                    try docker.mustRead(name, .period, "50000", v2: "10000 50000")
                    try docker.mustRead(name, .quota, "10000", v2: "10000 50000")
                    try docker.mustRead(name, .shares, "262144", v2: "10000")
                    try docker.mustRead(name, .cpus, "0")
                    try docker.mustRead(name, .pids, "20")
                    let used = Int(try docker.exec(name, busyLoop)) ?? 0
                    try verify((1...350).contains(used), "\(used) ms of a second, not 200")
                    try docker.docker("update", "--restart", "always", name).mustSucceed()
                    try docker.mustRead(name, .pids, "20")
                }
            }
        }

        @Test("stats: memory against its limit, processes, processor time")
        func stats() throws {
            try check(DockerEngine.self) { docker in
                let script = "sleep 601 & while :; do :; done"
                try docker.withContainer(
                    "--memory", "64m", "--cpu-period", "50000", "--cpu-quota", "25000",
                    script: script
                ) { name in
                    let format = "{{.MemUsage}} {{.PIDs}} {{.CPUPerc}}"
                    let stats = try docker.docker("stats", "--no-stream", "--format", format, name)
                        .mustSucceed()
                    let fields = stats.trimmed.split(separator: " ").map(String.init)
                    try verify(fields.count == 5, "\(stats)")
                    try verify(fields[0] != "0B" && fields[2] == "64MiB", "\(stats)")
                    try verify(fields[3] == "2", "\(stats)")
                    let percent = Double(fields[4].dropLast()) ?? 0
                    try verify(percent > 1 && percent < 75, "\(stats)")
                }
            }
        }

        @Test("--ulimit: soft and hard")
        func ulimit() throws {
            try check(DockerEngine.self) { docker in
                let limits = try docker.run(
                    "--ulimit", "nofile=100:200", "--ulimit", "core=0",
                    script: "ulimit -n; ulimit -Hn; ulimit -c")
                try verify(limits == "100\n200\n0", limits)
            }
        }
    }
}
