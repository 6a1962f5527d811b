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
