import Foundation
import Testing

private let server = """
    mkdir /www; echo served > /www/index.html; httpd -p 80 -h /www; echo up; exec sleep 600
    """

extension Engines.Docker {
    @Suite("docker: networks and volumes")
    struct Network {
        @Test("-p 4000:80: answered over HTTP, by port and by the container's address")
        func ports() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer("-p", "4000:80", script: server) { name in
                    try docker.waitsFor(name, toPrint: "up")
                    try verify(docker.http("http://127.0.0.1:4000/") == "served", "by port")
                    let address = try docker.inspect(name, "{{.NetworkSettings.IPAddress}}")
                    try verify(docker.http("http://\(address)/") == "served", "by address")
                    let inside = try docker.exec(name, "ip -o addr show eth0")
                    try verify(inside.contains(" \(address)/"), inside)
                }
            }
        }

        @Test("two containers on a bridge reach each other; one without network has only lo")
        func bridge() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer(script: server) { name in
                    try docker.waitsFor(name, toPrint: "up")
                    let address = try docker.inspect(name, "{{.NetworkSettings.IPAddress}}")
                    let page = try docker.run(script: "wget -qO- http://\(address)/")
                    try verify(page == "served", page)
                    let links = try docker.run("--net", "none", script: "ls /sys/class/net")
                    try verify(links == "lo", links)
                }
            }
        }

        @Test("--net container: the same namespace, and what listens there")
        func sharedNetwork() throws {
            try check(DockerEngine.self) { docker in
                try docker.withContainer(script: server) { name in
                    try docker.waitsFor(name, toPrint: "up")
                    let its = try docker.exec(name, "readlink /proc/self/ns/net")
                    let shared = try docker.run(
                        "--net", "container:" + name,
                        script: "readlink /proc/self/ns/net; wget -qO- http://127.0.0.1/")
                    try verify(shared == its + "\nserved", shared)
                }
            }
        }

        @Test("--net host, --pid host, --ipc host, --uts host: the daemon's namespaces")
        func hostNamespaces() throws {
            try check(DockerEngine.self) { docker in
                for (flag, namespace) in [
                    ("net", "net"), ("pid", "pid"), ("ipc", "ipc"), ("uts", "uts"),
                ] {
                    let read = "readlink /proc/self/ns/" + namespace
                    let daemon = docker.place.run(["sh", "-c", read]).trimmed
                    let inside = try docker.run("--\(flag)", "host", script: read)
                    try verify(inside == daemon, "\(flag): \(inside), \(daemon)")
                    let own = try docker.run(script: read)
                    try verify(own != daemon, "\(flag): the daemon's without being asked for")
                }
            }
        }

        @Test("-v with a name: outlives its container")
        func namedVolume() throws {
            try check(DockerEngine.self) { docker in
                let volume = Workspace.nextName()
                defer { docker.docker("volume", "rm", volume) }
                _ = try docker.run("-v", volume + ":/data", script: "echo kept > /data/file")
                let kept = try docker.run(
                    "-v", volume + ":/data:ro",
                    script: """
                        cat /data/file; touch /data/x 2>&1
                        """ + "; true")
                try verify(kept == "kept\ntouch: /data/x: Read-only file system", kept)
            }
        }

        @Test("-v without a name: a file system of its own, gone with its container")
        func anonymousVolume() throws {
            try check(DockerEngine.self) { docker in
                var volume = ""
                try docker.withContainer("-v", "/data") { name in
                    let mounts = try docker.exec(name, "touch /data/x; cut -d' ' -f2 /proc/mounts")
                    try verify(mounts.split(separator: "\n").contains("/data"), mounts)
                    volume = try docker.inspect(name, "{{(index .Mounts 0).Name}}")
                    try docker.docker("volume", "inspect", volume).mustSucceed()
                }
                try docker.docker("volume", "inspect", volume).mustFail(saying: "o such volume")
            }
        }

        @Test(
            "-v …:ro: what is mounted below it is read-only as well, unless that is not wanted",
            .requiresDebian(13, "Docker 20.10 leaves that writable"))
        func recursiveReadOnly() throws {
            try check(DockerEngine.self) { docker in
                try withMountBelow(docker) { directory in
                    let mount = "type=bind,src=\(directory),dst=/there,readonly"
                    let script =
                        "for d in there there/below; do echo x > /$d/x && echo $d; done; true"
                    for flags in [
                        ["-v", directory + ":/there:ro"],
                        ["--mount", mount + ",bind-recursive=readonly,bind-propagation=rprivate"],
                    ] {
                        let seen = try docker.run(flags[0], flags[1], script: script)
                        try verify(seen == "", "\(flags): \(seen)")
                    }
                    let seen = try docker.run(
                        "--mount", mount + ",bind-recursive=writable", script: script)
                    try verify(seen == "there/below", seen)
                }
            }
        }

        @Test("-v …:rshared, rslave: mounts go both ways, or in only")
        func propagation() throws {
            try check(DockerEngine.self) { docker in
                try withMountBelow(docker) { directory in
                    for (propagation, isShared) in [("rshared", true), ("rslave", false)] {
                        let volume = directory + ":/there:" + propagation
                        try docker.withContainer("--privileged", "-v", volume) { name in
                            let mount = "mount -t tmpfs t"
                            _ = try docker.exec(
                                name,
                                "mkdir -p /there/out && \(mount) /there/out; touch /there/out/x")
                            let out = docker.place.run(["ls", directory + "/out"]).trimmed
                            try verify(out == (isShared ? "x" : ""), "\(propagation): \(out)")
                            try docker.place.run([
                                "sh", "-ec",
                                "mkdir -p $0; \(mount) $0; touch $0/y", directory + "/in",
                            ]).mustSucceed()
                            let inside = try docker.exec(name, "ls /there/in; umount /there/out")
                            docker.place.run(["umount", directory + "/in"])
                            try verify(inside == "y", "\(propagation): \(inside)")
                        }
                    }
                }
            }
        }

        /// Gives `body` a directory of the host's with a tmpfs in its `below`.
        private func withMountBelow(
            _ docker: DockerEngine, _ body: (String) throws -> Void
        ) throws {
            let directory = "\(docker.place.directory)/tmp/\(Workspace.nextName())"
            try docker.place.run([
                "sh", "-ec", "mkdir -p $0/below; mount -t tmpfs below $0/below", directory,
            ]).mustSucceed()
            defer { docker.place.run(["umount", directory + "/below"]) }
            try body(directory)
        }

        @Test(
            "--mount volume-subpath: a directory of a volume",
            .requiresDebian(13, "Docker 20.10 has no volume-subpath"))
        func volumeSubpath() throws {
            try check(DockerEngine.self) { docker in
                let volume = Workspace.nextName()
                defer { docker.docker("volume", "rm", volume) }
                _ = try docker.run(
                    "-v", volume + ":/data", script: "mkdir /data/sub; echo kept > /data/sub/file")
                let kept = try docker.run(
                    "--mount", "type=volume,src=\(volume),dst=/sub,volume-subpath=sub",
                    script: "cat /sub/file")
                try verify(kept == "kept", kept)
            }
        }

        @Test("-v of a path: the host's directory or file, writable or not")
        func bindVolume() throws {
            try check(DockerEngine.self) { docker in
                let directory = docker.place.directory + "/tmp/bound"
                mkdir(directory, 0o755)
                try writeText("host\n", to: directory + "/file")
                let seen = try docker.run(
                    "-v", directory + ":/there", "-v", directory + "/file:/one:ro",
                    script: "cat /there/file /one; echo x > /one; echo inside > /there/new; true")
                try verify(seen == "host\nhost", seen)
                try verify(readText(directory + "/new") == "inside\n", "not written")
                try verify(readText(directory + "/file") == "host\n", "written although ro")
            }
        }
    }
}
