import Foundation
import Testing

/// Half a second of a busy loop; prints the milliseconds of processor time it got.
private let busyLoop = """
    before=$(cat /sys/fs/cgroup/cpuacct/cpuacct.usage)
    timeout 1 sh -c 'while :; do :; done'
    after=$(cat /sys/fs/cgroup/cpuacct/cpuacct.usage)
    echo $(((after - before) / 1000000))
    """

extension Engines.Docker {
    @Suite("docker: resources")
    struct Resources {
        @Test("--cpu-period, --cpu-quota: in the cgroup, and felt by a busy loop")
        func cpuQuota() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--cpu-period", "50000", "--cpu-quota", "10000") { name in
                    try verify(docker.cgroup(name, "cpu", "cpu.cfs_period_us") == "50000", "period")
                    try verify(docker.cgroup(name, "cpu", "cpu.cfs_quota_us") == "10000", "quota")
                    let used = Int(try docker.exec(name, busyLoop)) ?? 0
                    try verify((1...350).contains(used), "\(used) ms of a second, not 200")
                    let statistics = try docker.cgroup(name, "cpu", "cpu.stat")
                    try verify(!statistics.contains("nr_throttled 0\n"), statistics)
                }
            }
        }

        @Test("--cpuset-cpus: the only processors a process may run on")
        func cpuset() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--cpuset-cpus", "0") { name in
                    try verify(docker.cgroup(name, "cpuset", "cpuset.cpus") == "0", "cgroup")
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
                    let limit = try docker.cgroup(name, "memory", "memory.limit_in_bytes")
                    try verify(limit == "16777216", limit)
                    try verify(docker.exec(name, "probe eat 8 && echo ate").contains("ate"), "8 MB")
                }
                // The shim tells of the kill and of the end on two ways; Docker only listens to the
                // first until the second has arrived.
                let isTold = try (1...5).contains { _ in
                    var isTold = false
                    try docker.withContainer(
                        flags[0], flags[1], flags[2], flags[3], script: "exec probe eat 64"
                    ) { name in
                        try docker.waitsFor(name, status: "exited")
                        let status = try docker.inspect(name, "{{.State.ExitCode}}")
                        try verify(status == "137", "not killed: \(status)")
                        isTold = try docker.inspect(name, "{{.State.OOMKilled}}") == "true"
                    }
                    return isTold
                }
                try verify(isTold, "Docker does not hear of it")
            }
        }

        @Test("--pids-limit: in the cgroup, and the next process is refused")
        func pids() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("--pids-limit", "10") { name in
                    try verify(docker.cgroup(name, "pids", "pids.max") == "10", "cgroup")
                    let outcome = docker.docker(
                        "exec", name, "sh", "-c", "for i in $(seq 20); do sleep 1 & done; wait")
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
                        "--cpu-shares", "512", name
                    ).mustSucceed()
                    let expected = [
                        ("memory", "memory.limit_in_bytes", "33554432"),
                        ("memory", "memory.memsw.limit_in_bytes", "50331648"),
                        ("cpu", "cpu.cfs_period_us", "50000"), ("cpu", "cpu.cfs_quota_us", "10000"),
                        ("cpu", "cpu.shares", "512"), ("cpuset", "cpuset.cpus", "0"),
                        ("pids", "pids.max", "20"),
                    ]
                    for (controller, file, value) in expected
                    where exists(try docker.cgroupDirectory(name, controller) + "/" + file) {
                        let found = try docker.cgroup(name, controller, file)
                        try verify(found == value, "\(file) is \(found), not \(value)")
                    }
                    let used = Int(try docker.exec(name, busyLoop)) ?? 0
                    try verify((1...350).contains(used), "\(used) ms of a second, not 200")
                    try docker.docker("update", "--restart", "always", name).mustSucceed()
                    try verify(docker.cgroup(name, "pids", "pids.max") == "20", "pids lost")
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
