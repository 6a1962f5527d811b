import Foundation
import Testing

private let effective = "grep CapEff /proc/self/status | cut -f2"

extension Engines.Docker {
    @Suite("docker: privileges and isolation")
    struct Security {
        @Test("--cap-add, --cap-drop: exactly those, and what they are for")
        func capabilities() throws {
            try check(DockerEngine.self) { docker in
                let chown = "; chown 1 /tmp 2>&1 && echo chown"
                let standard = try docker.run(script: effective + chown)
                try verify(standard == "00000000a80425fb\nchown", standard)
                let one = try docker.run(
                    "--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE",
                    script: effective + chown + "; true")
                try verify(
                    one == "0000000000000400\nchown: /tmp: Operation not permitted", one)
                let without = try docker.run("--cap-drop", "CHOWN", script: effective)
                try verify(without == "00000000a80425fa", without)
                let more = try docker.run(
                    "--cap-add", "NET_ADMIN", script: "ip link add b type bridge && echo made")
                try verify(more == "made", more)
            }
        }

        @Test("--privileged: what the host can grant, its devices, and mounting")
        func privileged() throws {
            try check(DockerEngine.self) { docker in
                let script =
                    effective + """
                        ; mount -t tmpfs t /mnt && grep -c ' /mnt ' /proc/mounts
                        grep Seccomp: /proc/self/status
                        touch /sys/kernel/x 2>&1 | grep -c Read-only
                        ls -d /dev/fuse
                        """
                let lines = try docker.run("--privileged", script: script).split(separator: "\n")
                let own =
                    readText("/proc/self/status").split(separator: "\n")
                    .first { $0.hasPrefix("CapEff:") }?.split(separator: "\t").last ?? ""
                let granted = UInt64(lines.first ?? "", radix: 16) ?? 0
                // Docker 20.10 does not know the last three capabilities.
                let known = (UInt64(own, radix: 16) ?? 0) & 0x3f_ffff_ffff
                try verify(granted & known == known, "\(lines.first ?? ""), not \(own)")
                try verify(lines.dropFirst() == ["1", "Seccomp:\t0", "0", "/dev/fuse"], "\(lines)")
                try docker.docker("run", "--rm", "box", "mount", "-t", "tmpfs", "t", "/mnt")
                    .mustFail()
            }
        }

        @Test("--read-only, --tmpfs: nothing is writable but that, up to its size")
        func readOnly() throws {
            try check(DockerEngine.self) { docker in
                let script = """
                    touch /x 2>&1; touch /etc/x 2>&1; touch /scratch/x && echo written
                    dd if=/dev/zero of=/scratch/big bs=1M count=2 2>&1 | grep -o 'No space left on device'
                    """
                let lines = try docker.run(
                    "--read-only", "--tmpfs", "/scratch:size=1m,noexec", script: script
                ).split(separator: "\n")
                try verify(
                    lines == [
                        "touch: /x: Read-only file system", "touch: /etc/x: Read-only file system",
                        "written", "No space left on device",
                    ], "\(lines)")
            }
        }

        @Test("--init: the first process is Docker's, and it takes in orphans")
        func initProcess() throws {
            try check(DockerEngine.self) { docker in
                let script = """
                    sh -c 'sleep 0.1 &'
                    for i in $(seq 50); do
                        sleep 0.5; left=$(cat /proc/[0-9]*/stat | grep -c ' Z ') || break
                    done
                    echo $left
                    """
                let zombies = docker.docker("run", "--rm", "--init", "box", "sh", "-c", script)
                try verify(zombies.trimmed == "0", "\(zombies)")
                let first = try docker.run("--init", script: "cat /proc/1/comm; echo $$")
                try verify(first.hasPrefix("docker-init\n") && !first.hasSuffix("\n1"), first)
            }
        }

        @Test(
            "--device: there, with the access given, and not without",
            .requires(exists("/dev/fuse"), "has no /dev/fuse"))
        func device() throws {
            try check(DockerEngine.self) { docker in
                let script = "stat -c %t:%T /dev/own; : < /dev/own && echo read; : > /dev/own; true"
                let seen = docker.docker(
                    "run", "--rm", "--device", "/dev/fuse:/dev/own:r", "box", "sh", "-c", script)
                try verify(seen.lines == ["a:e5", "read"], "\(seen)")
                try verify(seen.stderr.contains("Operation not permitted"), "\(seen)")
                let without = docker.docker(
                    "run", "--rm", "box", "sh", "-c", "mknod /dev/own c 10 229; : < /dev/own")
                try without.mustFail(saying: "Operation not permitted")
            }
        }

        @Test("--sysctl: the container's, and not the host's")
        func sysctl() throws {
            try check(DockerEngine.self) { docker in
                let path = "/proc/sys/net/ipv4/ip_default_ttl"
                let before = docker.place.run(["cat", path]).trimmed
                let seen = try docker.run(
                    "--sysctl", "net.ipv4.ip_default_ttl=42", "--sysctl", "kernel.msgmax=4242",
                    script: "cat \(path) /proc/sys/kernel/msgmax")
                try verify(seen == "42\n4242", seen)
                try verify(docker.place.run(["cat", path]).trimmed == before, "the host's changed")
            }
        }

        @Test("--security-opt seccomp: the profile given, Docker's own, or none")
        func seccomp() throws {
            try check(DockerEngine.self) { docker in
                let profile = docker.place.directory + "/tmp/seccomp.json"
                try writeText(
                    """
                    {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
                        {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}
                    """, to: profile)
                let script = "mkdir /new 2>&1; touch /file && echo touched"
                let seen = try docker.run("--security-opt", "seccomp=" + profile, script: script)
                try verify(
                    seen
                        == "mkdir: can't create directory '/new': Operation not permitted\ntouched",
                    seen)
                let unshare = "unshare -U true && echo unshared; true"
                try verify(docker.run("-u", "1000", script: unshare) == "", "Docker's profile")
                let free = try docker.run(
                    "-u", "1000", "--security-opt", "seccomp=unconfined", script: unshare)
                try verify(free == "unshared", "unconfined: \(free)")
            }
        }

        @Test("--security-opt no-new-privileges: a set-user-id program gains nothing")
        func noNewPrivileges() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer { name in
                    _ = try docker.exec(name, "cp /bin/probe /bin/gain && chmod 4755 /bin/gain")
                    try docker.docker("commit", name, "gaining").mustSucceed()
                }
                func effectiveUser(_ flags: [String]) throws -> String {
                    let report = try docker.docker(
                        ["run", "--rm", "-u", "1000"] + flags + ["gaining", "gain"]
                    ).mustSucceed()
                    return report.lines.first { $0.hasPrefix("uid=") } ?? "\(report)"
                }
                let gained = try effectiveUser([])
                try verify(gained == "uid=1000,0,0", gained)
                let kept = try effectiveUser(["--security-opt", "no-new-privileges"])
                try verify(kept == "uid=1000,1000,1000", kept)
            }
        }

        @Test("what Docker hides of /proc and /sys is hidden")
        func maskedPaths() throws {
            try check(DockerEngine.self) { docker in
                let read = """
                    for path in /proc/acpi /proc/kcore /proc/keys /proc/timer_list /sys/firmware; do
                        if [ -d $path ]; then ls -A $path; else head -c 9 $path; fi
                    done 2> /dev/null | wc -c
                    """
                try verify(docker.place.run(["sh", "-c", read]).trimmed != "0", "nothing to hide")
                try verify(docker.run(script: read) == "0", "something is not hidden")
                let readOnly = docker.docker(
                    "run", "--rm", "box", "sh", "-c", "echo 1 > /proc/sys/kernel/panic")
                try readOnly.mustFail(saying: "Read-only file system")
            }
        }
    }
}

/// A dockerd whose containers have a user namespace: their root is an ordinary user of the host.
final class RemappedDocker: DockerEngine {
    override class var options: [String] { ["--userns-remap", "default"] }
}

extension Trait where Self == EngineTrait<RemappedDocker> {
    static var remappedDocker: Self { EngineTrait() }
}

extension Engines {
    @Suite("docker --userns-remap", .remappedDocker)
    struct DockerUserNamespace {
        @Test("a file of the host that the container's root may not delete")
        func hostFile() throws {
            try check(RemappedDocker.self) { docker in
                let directory = docker.place.directory + "/tmp/bound"
                mkdir(directory, 0o755)
                try writeText("host\n", to: directory + "/file")
                let script =
                    "id -u; rm -f /there/file 2>&1; cat /there/file; stat -c %u /there/file"
                let seen = try docker.run("-v", directory + ":/there", script: script)
                try verify(
                    seen == "0\nrm: can't remove '/there/file': Permission denied\nhost\n65534",
                    seen)
                try verify(readText(directory + "/file") == "host\n", "the host's file is gone")
            }
        }

        @Test("its root is another user on the host; it may do in its own files what root may")
        func mapping() throws {
            try check(RemappedDocker.self) { docker in
                try docker.withContainer { name in
                    let owner = readText("/proc/\(try docker.pid(name))/uid_map")
                        .split { $0 == " " || $0 == "\n" }
                    try verify(owner.count == 3 && owner[0] == "0" && owner[1] != "0", "\(owner)")
                    var status = stat()
                    lstat("/proc/\(try docker.pid(name))", &status)
                    try verify("\(status.st_uid)" == owner[1], "owned by \(status.st_uid)")
                    let script =
                        "touch /x && chown 1000 /x && stat -c %u /x; mount -t tmpfs t /mnt 2>&1"
                    let seen = docker.docker("exec", name, "sh", "-c", script)
                    try verify(seen.lines.first == "1000" && seen.failed, "\(seen)")
                }
            }
        }

        @Test("exec, a terminal, limits and a published port work there as well")
        func others() throws {
            try check(RemappedDocker.self) { docker in
                let script = """
                    mkdir /www; echo served > /www/index.html; httpd -p 80 -h /www; exec sleep 600
                    """
                try docker.withContainer(
                    "-p", "4000:80", "--memory", "64m", "--pids-limit", "50", script: script
                ) { name in
                    let isServed = eventually {
                        (try? docker.http("http://127.0.0.1:4000/")) == "served"
                    }
                    try verify(isServed, "no answer")
                    try docker.mustRead(name, .pids, "50")
                    let outcome = try docker.atTerminal(["exec", "-it", name, "sh"]) { terminal in
                        try terminal.types("id -u; tty", expecting: "0\r\n/dev/pts/")
                        terminal.type("exit 6\n")
                        _ = terminal.readToEnd()
                    }
                    try verify(outcome.status == .exited(6), "\(outcome)")
                }
            }
        }
    }
}
