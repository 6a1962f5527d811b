import Foundation
import Testing

extension Engines {
    /// What Podman asks for that other engines do not: mostly mounts.
    @Suite("Podman, as root: mounts, ids, systemd, kube", .podman, .serialized)
    struct PodmanMounts {
        @Test("the umask is 022, or as --umask says, for the program and for exec")
        func umask() throws {
            try check(Podman.self) { podman in
                try podman.running(["--umask", "0077"]) { name in
                    try verify(podman.execSh(name, "umask") == "0077", "exec, with --umask")
                }
                try podman.running([], ["sh", "-c", "umask > /mask; exec sleep 600"]) { name in
                    let masks = try podman.execSh(
                        name, "until [ -s /mask ]; do sleep 0.05; done; cat /mask; umask")
                    try verify(masks == "0022\n0022", masks)
                }
            }
        }

        @Test("--systemd=always: what an init like systemd expects is there, and may be written to")
        func systemdMode() throws {
            try check(Podman.self) { podman in
                let script = """
                    for d in /run /run/lock /tmp /var/log/journal; do
                        awk -v d=$d '$2 == d { print d, $3 }' /proc/mounts; touch $d/x || echo $d
                    done
                    echo $container
                    # On v1 all of its hierarchy is there; on v2 its own cgroup.
                    own=$(sed -n 's/.*:name=systemd://p' /proc/self/cgroup)
                    new=/sys/fs/cgroup${own:+/systemd}$own/new
                    mkdir $new && rmdir $new && echo made
                    """
                let expected = """
                    /run tmpfs
                    /run/lock tmpfs
                    /tmp tmpfs
                    /var/log/journal tmpfs
                    podman
                    made
                    """
                for flags in [[], ["--read-only"]] {
                    let text = try podman.sh(script, ["--systemd=always"] + flags)
                    try verify(text == expected, "\(flags): \(text)")
                }
            }
        }

        @Test(
            "--systemd=always: systemd itself is the init of a container, until it is told to stop",
            .requiresDebian(13, "its root file system is not at hand"),
            .requires(Host.isUnified, "has no cgroup v2, which that systemd wants"))
        func systemd() throws {
            try check(Podman.self) { podman in
                let name = Workspace.nextName()
                defer { podman.podman("rm", "--force", "--time", "0", name) }
                try podman.podman(
                    ["run", "--detach", "--name", name, "--network", "none", "--systemd=always"]
                        + podman.placement + ["--rootfs", "/:O", "/lib/systemd/systemd"]
                ).mustSucceed()
                let state = {
                    podman.podman("exec", name, "systemctl", "is-system-running").trimmed
                }
                let isUp = eventually { ["running", "degraded"].contains(state()) }
                try verify(isUp, "\(state()): \(podman.podman("logs", name))")
                let first = try podman.execSh(name, "cat /proc/1/comm /proc/1/cgroup")
                try verify(first == "systemd\n0::/init.scope", first)
                try podman.podman("stop", "--time", "100", name).mustSucceed()
                let status = podman.inspect(name, "{{.State.ExitCode}}")
                try verify(status != "137", "it was killed")
            }
        }

        @Test(
            "-v …:idmap: the files of a volume have other owners inside, and new ones the mapped owner",
            .requires(Host.kernel(5, 12), "has no id-mapped mounts"))
        func idMapped() throws {
            try check(Podman.self) { podman in
                let directory = try podman.directory(owner: 0)
                let namespace = ["--uidmap", "0:100000:5000", "--gidmap", "0:100000:5000"]
                // The namespace's mapping: what is root's there is root's inside as well.
                let mapped = try podman.sh(
                    "stat -c %u /there/file; touch /there/new; stat -c %u /there/new",
                    namespace + ["--volume", directory + ":/there:idmap"])
                try verify(mapped == "0\n0", mapped)
                try verify(owner(directory + "/new") == 0, "owner \(owner(directory + "/new"))")
                let own = try podman.sh(
                    "stat -c '%u %g' /there/file",
                    ["--volume", directory + ":/there:idmap=uids=0-7-10;gids=0-8-10"])
                try verify(own == "7 8", own)
                // Without it they are nobody's.
                let unmapped = try podman.sh(
                    "stat -c %u /there/file", namespace + ["--volume", directory + ":/there"])
                try verify(unmapped == "65534", unmapped)
            }
        }

        @Test("-v …:U: the files of a volume are given to the container's user")
        func chowned() throws {
            try check(Podman.self) { podman in
                let directory = try podman.directory(owner: 5)
                let text = try podman.sh(
                    "stat -c %u /there/file",
                    ["--user", "1000", "--volume", directory + ":/there:U"])
                try verify(text == "1000" && owner(directory + "/file") == 1000, text)
            }
        }

        private func owner(_ path: String) -> Int {
            var status = stat()
            return stat(path, &status) == 0 ? Int(status.st_uid) : -1
        }

        @Test("--userns=auto: ids that no other container has")
        func automaticNamespaces() throws {
            try check(Podman.self) { podman in
                try podman.place.run([
                    "sh", "-c",
                    "grep -q ^containers: /etc/subuid || echo containers:300000:65536 | tee -a /etc/subuid >> /etc/subgid",
                ]).mustSucceed()
                try podman.running(["--userns=auto:size=1000"]) { first in
                    try podman.running(["--userns=auto:size=1000"]) { second in
                        let maps = try [first, second].map {
                            try podman.execSh($0, "cat /proc/self/uid_map").split {
                                $0.isWhitespace
                            }
                        }
                        try verify(
                            maps.allSatisfy { $0.count == 3 && $0[0] == "0" && $0[2] == "1000" }
                                && Set(maps.map { $0[1] }) == ["300000", "301000"], "\(maps)")
                    }
                }
            }
        }

        @Test(
            "--tmpfs, --mount type=tmpfs, ramfs and devpts, with their options",
            .requiresDebian(13, "Podman 4.3 has no ramfs"))
        func fileSystems() throws {
            try check(Podman.self) { podman in
                let text = try podman.sh(
                    """
                    stat -c %a /scratch; ls /etc/passwd; ls -A /empty
                    awk '$2 == "/ram" || $2 == "/own/pts" { print $3 }' /proc/mounts | sort
                    dd if=/dev/zero of=/scratch/x bs=1M count=3 2>&1 | grep -c 'No space'
                    """,
                    [
                        "--tmpfs", "/scratch:mode=700,size=2m,noexec", "--tmpfs",
                        "/etc:rw,tmpcopyup",
                        "--mount", "type=tmpfs,dst=/empty,notmpcopyup",
                        "--mount", "type=ramfs,dst=/ram", "--mount", "type=devpts,dst=/own/pts",
                    ])
                try verify(text == "700\n/etc/passwd\ndevpts\nramfs\n1", text)
            }
        }

        @Test("-v …:rshared: a mount of the container's is seen outside")
        func propagation() throws {
            try check(Podman.self) { podman in
                let directory = try podman.directory(owner: 0)
                let flags = ["--privileged", "--volume", directory + ":/there:rshared"]
                try podman.running(flags) { name in
                    try podman.execSh(
                        name, "mkdir /there/out; mount -t tmpfs t /there/out; touch /there/out/x")
                    let seen = podman.place.run(["ls", directory + "/out"]).trimmed
                    try podman.execSh(name, "umount /there/out")
                    try verify(seen == "x", seen)
                }
            }
        }

        @Test("play kube: limits, user, rights, volumes, a config map, an init container")
        func kube() throws {
            try check(Podman.self) { podman in
                let file = podman.place.directory + "/tmp/rich.yaml"
                try writeText(Self.pod, to: file)
                try podman.podman("play", "kube", "--network", "none", file).mustSucceed()
                defer { podman.podman("play", "kube", "--down", file) }
                let inside = try podman.execSh(
                    "rich-main",
                    """
                    hostname; id -u; id -g; cat /made/by-init /config/greeting; echo " $WHERE"
                    touch /x 2>&1 | grep -o Read-only; touch /config/x 2>&1 | grep -o Read-only
                    grep -E '^(CapBnd|NoNewPrivs):' /proc/self/status | tr '\\t' ' '
                    """)
                try verify(
                    inside == """
                        rich
                        1000
                        1001
                        made
                        hello here
                        Read-only
                        CapBnd: 0000000000000400
                        NoNewPrivs: 1
                        """, inside)
                let id = podman.inspect("rich-main", "{{.Id}} {{.HostConfig.Memory}}")
                try verify(id.hasSuffix(" 67108864"), id)
            }
        }

        private static let pod = """
            apiVersion: v1
            kind: ConfigMap
            metadata: {name: settings}
            data: {greeting: hello}
            ---
            apiVersion: v1
            kind: Pod
            metadata: {name: rich}
            spec:
              volumes:
              - {name: made, emptyDir: {}}
              - {name: settings, configMap: {name: settings}}
              initContainers:
              - name: before
                image: \(Podman.image)
                command: [sh, -c, "echo made > /made/by-init"]
                volumeMounts: [{name: made, mountPath: /made}]
              containers:
              - name: main
                image: \(Podman.image)
                command: [sh, -c, "trap exit TERM; while :; do sleep 0.1; done"]
                env: [{name: WHERE, value: here}]
                resources: {limits: {memory: 64Mi, cpu: 500m}}
                securityContext:
                  runAsUser: 1000
                  runAsGroup: 1001
                  readOnlyRootFilesystem: true
                  allowPrivilegeEscalation: false
                  capabilities: {drop: [all], add: [NET_BIND_SERVICE]}
                volumeMounts:
                - {name: made, mountPath: /made}
                - {name: settings, mountPath: /config}

            """
    }
}

extension Podman {
    /// A directory of the host's with a file in it, which belong to a user.
    fileprivate func directory(owner: uid_t) throws -> String {
        let directory = "\(place.directory)/tmp/\(Workspace.nextName())"
        mkdir(directory, 0o755)
        try writeText("host\n", to: directory + "/file")
        for path in [directory, directory + "/file"] { chown(path, owner, owner) }
        return directory
    }
}
