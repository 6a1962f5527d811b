import Foundation
import Testing

extension Engines {
    /// What the kubelet does: CRI over gRPC, the runtime from containerd's configuration, as a
    /// RuntimeClass chooses it. The numbers are those of the fields in CRI's `api.proto`.
    @Suite("Kubernetes' CRI: containerd with BinaryName", .containerd, .serialized)
    struct ContainerRuntimeInterface {
        @Test("a pod with its own network: sandbox, container, exec sync, status, logs, removal")
        func lifecycle() throws {
            try check(Containerd.self) { containerd in
                try containerd.withPod { pod in
                    let script = "echo to the log; ip address show eth0; sleep 600"
                    let id = try pod.create(["sh", "-c", script])
                    try verify(try pod.state(id) == .created, "\(try pod.state(id))")
                    _ = try containerd.runtimeService("StartContainer", [1: "\(id)"])
                    try verify(try pod.state(id) == .running, "\(try pod.state(id))")

                    let exec = try pod.exec(id, "hostname; cat /proc/self/cgroup; exit 4")
                    try verify(
                        exec.status == 4 && exec.stdout.hasPrefix("pod-host\n")
                            && isOwnCgroup(exec.stdout, of: pod.cgroup(of: id)), "\(exec)")
                    try verify(
                        eventually { readText(pod.log).contains("inet 10.88.") },
                        readText(pod.log))
                    try verify(
                        readText(pod.log).contains(" stdout F to the log\n"), readText(pod.log))

                    _ = try containerd.runtimeService("StopContainer", [1: "\(id)", 2: 1])
                    let status = try containerd.runtimeService("ContainerStatus", [1: "\(id)"])[1]
                    try verify(
                        status[3].number == 2 && status[7].number == 137,
                        "state \(status[3].number), exit status \(status[7].number)")
                    _ = try containerd.runtimeService("RemoveContainer", [1: "\(id)"])
                    let left = containerd.place.left(of: id, at: pod.cgroup(of: id))
                    try verify(left.isEmpty, "left: \(left)")
                }
            }
        }

        @Test("the containers of a pod share its network, ipc and uts namespaces, and no other")
        func sharedNamespaces() throws {
            try check(Containerd.self) { containerd in
                try containerd.withPod { pod in
                    let script = "for n in net ipc uts pid mnt; do readlink /proc/self/ns/$n; done"
                    var seen: [[Substring]] = []
                    for _ in 0..<2 {
                        let id = try pod.start(["sleep", "600"])
                        seen.append(try pod.exec(id, script).stdout.split(separator: "\n"))
                    }
                    try verify(
                        seen.allSatisfy { $0.count == 5 } && seen[0][..<3] == seen[1][..<3]
                            && seen[0][3] != seen[1][3] && seen[0][4] != seen[1][4], "\(seen)")
                }
            }
        }

        @Test("limits are in the cgroup, an update changes them, and stats tell the usage")
        func resources() throws {
            try check(Containerd.self) { containerd in
                try containerd.withPod { pod in
                    // CPU period, quota and memory limit.
                    let id = try pod.start(
                        ["sleep", "600"], linux: [1: [1: 100000, 2: 50000, 4: 67_108_864]])
                    func limits() -> [String] {
                        // On v2 the quota has its period with it.
                        [ControlFile.quota, .memory].map {
                            $0.read(in: pod.cgroup(of: id)).replacing(" 100000", with: "")
                        }
                    }
                    try verify(limits() == ["50000", "67108864"], "\(limits())")
                    _ = try containerd.runtimeService(
                        "UpdateContainerResources",
                        [1: "\(id)", 2: [1: 100000, 2: 20000, 4: 33_554_432]])
                    try verify(limits() == ["20000", "33554432"], "after update: \(limits())")

                    let stats = try containerd.runtimeService("ContainerStats", [1: "\(id)"])[1]
                    let memory = stats[3][2][1].number
                    try verify(
                        stats[1][1].text == id && memory > 4096 && memory < 33_554_432,
                        "id \(stats[1][1].text), working set \(memory)")
                }
            }
        }

        @Test("user, groups, capabilities, seccomp, read-only root and masked paths of a container")
        func securityContext() throws {
            try check(Containerd.self) { containerd in
                try containerd.withPod { pod in
                    let id = try pod.start(
                        ["sleep", "600"],
                        linux: [
                            2: [
                                1: [1: "SYS_PTRACE", 2: "ALL"], 5: [1: 1000], 12: [1: 1001], 7: 1,
                                8: 4242, 11: 1, 13: "/proc/kallsyms", 15: [1: 0],
                            ]
                        ])
                    let exec = try pod.exec(
                        id,
                        """
                        id -u; id -g; id -G | grep -c 4242; touch /x 2>&1 | grep -o Read-only
                        grep -E '^(CapBnd|Seccomp|NoNewPrivs):' /proc/1/status | tr '\\t' ' '
                        wc -c < /proc/kallsyms
                        """)
                    try verify(
                        exec.stdout == """
                            1000
                            1001
                            1
                            Read-only
                            CapBnd: 0000000000080000
                            NoNewPrivs: 1
                            Seccomp: 2
                            0

                            """, "\(exec)")
                }
            }
        }

        @Test("an exec sync that takes too long is ended")
        func execTimeout() throws {
            try check(Containerd.self) { containerd in
                try containerd.withPod { pod in
                    let id = try pod.start(["sleep", "600"])
                    do {
                        let exec = try pod.exec(id, "sleep 500", timeout: 1)
                        throw CheckFailure("it has ended: \(exec)")
                    } catch let error as CheckFailure where "\(error)".contains("timeout") {}
                    let left = try pod.exec(id, "ps | grep -c '[s]leep 500'").stdout
                    try verify(left == "0\n", "still there: \(left)")
                }
            }
        }

        @Test(
            "hostUsers: false: the pod's containers have one user namespace, and its root is nobody's",
            .requiresDebian(13, "containerd 1.6 has no user namespaces for pods"))
        func userNamespace() throws {
            try check(Containerd.self) { containerd in
                // The kubelet gives each such pod its own 65536 ids; mode 0 is the pod's.
                let ids: Proto = [1: 200_000, 2: 0, 3: 65536]
                let users: Proto = [5: [1: 0, 2: ids, 3: ids]]
                try containerd.withPod(namespaces: users) { pod in
                    let script =
                        "id -u; readlink /proc/self/ns/user; awk '{ print $2 }' /proc/self/uid_map"
                    var seen: [[Substring]] = []
                    for _ in 0..<2 {
                        let id = try pod.start(
                            ["sleep", "600"], linux: [1: [4: 67_108_864], 2: [3: users]])
                        let exec = try pod.exec(
                            id,
                            script
                                + "; touch /new /tmp/x && chown 1000 /new && stat -c %u /new /bin")
                        seen.append(exec.stdout.split(separator: "\n"))
                        try verify(
                            seen.last?.count == 5 && exec.status == 0
                                && ControlFile.memory.read(in: pod.cgroup(of: id)) == "67108864",
                            "\(exec)")
                    }
                    let own = try FileManager.default.destinationOfSymbolicLink(
                        atPath: "/proc/self/ns/user")
                    try verify(
                        seen[0] == seen[1] && seen[0][1] != own && seen[0][0] == "0"
                            && seen[0][2...] == ["200000", "1000", "0"], "\(seen)")
                }
            }
        }

        @Test("a program that is missing is named in the error of StartContainer")
        func missingProgram() throws {
            try check(Containerd.self) { containerd in
                try containerd.withPod { pod in
                    do {
                        _ = try pod.start(["no-such-program"])
                        throw CheckFailure("it has started")
                    } catch let error as CheckFailure
                        where "\(error)".contains("no-such-program")
                    {}
                }
            }
        }

        @Test("a sandbox that is stopped takes its containers with it")
        func stopSandbox() throws {
            try check(Containerd.self) { containerd in
                try containerd.withPod { pod in
                    let id = try pod.start(["sleep", "600"])
                    _ = try containerd.runtimeService("StopPodSandbox", [1: "\(pod.id)"])
                    try verify(try pod.state(id) == .exited, "\(try pod.state(id))")
                    let sandbox = try containerd.runtimeService(
                        "PodSandboxStatus", [1: "\(pod.id)"])
                    try verify(sandbox[1][3].number == 1, "the sandbox is still ready")
                    _ = try containerd.runtimeService("RemovePodSandbox", [1: "\(pod.id)"])
                    let left = [id, pod.id].flatMap {
                        containerd.place.left(of: $0, at: pod.cgroup(of: $0))
                    }
                    try verify(left.isEmpty, "left: \(left)")
                }
            }
        }
    }
}

/// A pod sandbox of containerd's.
private struct Pod {
    enum State: Int { case created, running, exited, unknown }

    let containerd: Containerd
    let config: Proto
    let id: String
    let log: String
    /// The parent of its containers' cgroups, as the kubelet gives it: with systemd a slice in
    /// another that nobody has made yet.
    let parent: String

    func cgroup(of id: String) -> String {
        Host.hasSystemd ? "\(parent)/cri-containerd-\(id).scope" : "\(parent)/\(id)"
    }

    func create(_ program: [String], linux: Proto = [:]) throws -> String {
        let container: Proto =
            [
                1: [1: "\(Workspace.nextName())"], 2: [1: "\(Containerd.image)"], 11: "log",

                // As the kubelet has it: a pid namespace for each container.
                15: linux + [(2, [3: [2: 1]])],
            ] + Proto.repeated(3, program)
        return try containerd.runtimeService(
            "CreateContainer", [1: "\(id)", 2: container, 3: config])[1].text
    }

    func start(_ program: [String], linux: Proto = [:]) throws -> String {
        let id = try create(program, linux: linux)
        _ = try containerd.runtimeService("StartContainer", [1: "\(id)"])
        return id
    }

    func exec(_ id: String, _ script: String, timeout: UInt64 = 100) throws
        -> (status: Int, stdout: String, stderr: String)
    {
        let request: Proto = [1: "\(id)", 3: .number(timeout)]
        let response = try containerd.runtimeService(
            "ExecSync", request + Proto.repeated(2, ["sh", "-c", script]))
        return (response[3].number, response[1].text, response[2].text)
    }

    func state(_ id: String) throws -> State {
        State(
            rawValue: try containerd.runtimeService("ContainerStatus", [1: "\(id)"])[1][3].number)
            ?? .unknown
    }
}

extension Containerd {
    /// Gives `body` a pod whose runtime handler is the runtime, and removes it.
    /// - Parameter namespaces: `NamespaceOption`, besides a pid namespace for each container.
    fileprivate func withPod(namespaces: Proto = [:], _ body: (Pod) throws -> Void) throws {
        let name = Workspace.nextName()
        let logs = "\(place.directory)/log/\(name)"
        let slice = place.cgroup.dropLast(".slice".count) + "-pod1.slice"
        let parent = Host.hasSystemd ? "\(place.cgroup)\(slice)" : place.cgroup
        let config: Proto = [
            1: [1: "\(name)", 2: "\(name)", 3: "default"], 2: "pod-host", 3: "\(logs)",
            8: [1: "\(parent)", 2: [1: namespaces + [(2, 1)]]],
        ]
        let id = try runtimeService("RunPodSandbox", [1: config, 2: "tested"])[1].text
        defer {
            _ = try? runtimeService("StopPodSandbox", [1: "\(id)"])
            _ = try? runtimeService("RemovePodSandbox", [1: "\(id)"])
        }
        try body(Pod(containerd: self, config: config, id: id, log: logs + "/log", parent: parent))
    }
}
