import Foundation
import Testing

extension Conformance {
    /// `checkpoint` and `restore` through CRIU, with runc's command line.
    @Suite struct Checkpoint {}
}

extension Conformance.Checkpoint {
    /// What goes through the images.
    @Suite(.requiresCRIU, .swruncOnly) struct Processes {
        @Test("a restored counter goes on counting where it was")
        func counter() throws {
            try withCounter { c in
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                #expect(saved.stderr.isEmpty && saved.stdout.isEmpty, "\(saved)")
                #expect(Leaks.processes(mentioning: c.id).isEmpty)
                #expect(c.runtime("state", c.id).failed, "it is deleted, as with runc")
                var images = stat()
                #expect(stat(c.images, &images) == 0)
                #expect(images.st_mode & 0o777 == 0o700, "they hold the memory of the container")
                let restored = try c.restore(["--pid-file", c.directory + "/pid"])
                try #require(restored.succeeded, "\(restored)")
                #expect(restored.stderr.isEmpty, "\(restored)")
                #expect(c.status == "running")
                #expect(readText(c.directory + "/pid") == "\(c.pid)")
                c.goesOnCounting()
                #expect(Leaks.mounts(below: c.directory).isEmpty)
            }
        }

        @Test("what is restored is a container like others: exec, pause, kill, delete")
        func others() throws {
            try withCounter { c in
                try c.moveThroughImages()
                #expect(c.execSh("echo $$ > /pid; cat /pid") != "1")
                // Its clocks go on, and a process that joins it has the same.
                let clocks = c.execSh("readlink /proc/1/ns/time; readlink /proc/self/ns/time")
                let links = clocks.split(separator: "\n")
                #expect(links.first == links.last, "\(clocks)")
                #expect(c.runtime("pause", c.id).succeeded)
                #expect(c.status == "paused")
                #expect(c.runtime("resume", c.id).succeeded)
                #expect(c.kill("KILL").succeeded)
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
            }
        }

        @Test("a restored container is checkpointed again")
        func twice() throws {
            try withCounter { c in
                try c.moveThroughImages()
                #expect(launch(["rm", "-r", c.images]).succeeded)
                try c.moveThroughImages()
                c.goesOnCounting()
            }
        }

        @Test("with --leave-running it goes on")
        func leaveRunning() throws {
            try withCounter { c in
                let pid = c.pid
                let saved = c.checkpoint("--leave-running")
                try #require(saved.succeeded, "\(saved)")
                #expect(c.status == "running")
                #expect(c.pid == pid)
                c.goesOnCounting()
            }
        }

        @Test("a paused container is checkpointed, and stays paused with --leave-running")
        func paused() throws {
            try withCounter { c in
                #expect(c.runtime("pause", c.id).succeeded)
                let saved = c.checkpoint("--leave-running")
                try #require(saved.succeeded, "\(saved)")
                #expect(c.status == "paused")
            }
        }

        @Test("a checkpoint after --pre-dump holds what has changed since, by --parent-path")
        func preDump() throws {
            try withCounter { c in
                let first = c.runtime(
                    "checkpoint", "--pre-dump", "--image-path", c.directory + "/first", c.id)
                try #require(first.succeeded, "\(first)")
                #expect(c.status == "running")
                try c.moveThroughImages("--parent-path", "../first")
                #expect(exists(c.images + "/parent"))
                c.goesOnCounting()
            }
        }

        @Test("with --lazy-pages the memory comes when it is asked for")
        func lazyPages() throws {
            try withCounter { c in
                let port = try freePort()
                // The pages stay with a process that waits for the other side: in the background.
                try writeText("", to: c.directory + "/status")
                let background = """
                    exec "$@" 7>\(c.directory)/status
                    """
                var child = Child(
                    arguments: ["sh", "-c", background, "sh", c.binary] + c.globals + [
                        "checkpoint", "--image-path", c.images, "--lazy-pages",
                        "--page-server", "127.0.0.1:\(port)", "--status-fd", "7", c.id,
                    ], options: LaunchOptions())
                let hasBegun = child.spawn()
                try #require(hasBegun)
                #expect(
                    eventually { readBytes(c.directory + "/status") == [0] },
                    "--status-fd gets a zero byte")
                let daemon = launch([
                    "criu", "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port",
                    port, "-D", c.images, "-W", c.images, "-d",
                ])
                #expect(daemon.succeeded, "\(daemon)")
                try c.writeConfig()
                // The first one is still there: another root, and another cgroup.
                let root = c.root
                c.globals = ["--root", root + "2"]
                c.config.linux.cgroupsPath = .string(c.cgroupsPath + "lazy")
                let restored = try c.restore(["--lazy-pages", "--manage-cgroups-mode", "ignore"])
                #expect(restored.succeeded, "\(restored)")
                c.goesOnCounting()
                let saved = child.wait(until: .now + .seconds(longEnough * patience))
                #expect(saved == .exited(0))
                #expect(c.delete("--force").succeeded)
                c.globals = ["--root", root]
            }
        }

        /// A TCP port that nobody has, for somebody else may have any that is written here.
        private func freePort() throws -> String {
            let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(socket) }
            listen(socket, 1)
            var address = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let got = withUnsafeMutablePointer(to: &address) {
                getsockname(socket, .init(__sockaddr_in__: $0), &length)
            }
            try #require(got == 0)
            return "\(UInt16(bigEndian: address.sin_port))"
        }

        @Test("open TCP connections go along with --tcp-established")
        func tcp() throws {
            try withContainer { c in
                // Both ends in a network namespace of the container's own.
                c.config.shell(
                    """
                    mkfifo /in; nc -l -p 7007 -e cat & exec 3<>/in
                    \(untilListening); nc 127.0.0.1 7007 <&3 >/out
                    """)
                try c.runDetached()
                func answers(_ text: String) -> Bool {
                    let fifo = open(c.rootfs + "/in", O_RDWR | O_CLOEXEC)
                    defer { close(fifo) }
                    _ = Array("\(text)\n".utf8).withUnsafeBytes {
                        write(fifo, $0.baseAddress, $0.count)
                    }
                    return eventually { readText(c.rootfs + "/out").contains(text) }
                }
                try #require(eventually { exists(c.rootfs + "/out") })
                try #require(answers("before"))
                try c.moveThroughImages(alike: ["--tcp-established"])
                #expect(answers("after"))
            }
        }

        @Test("the terminal of a restored container comes over --console-socket")
        func terminal() throws {
            try withContainer { c in
                let socket = try ConsoleSocket(path: c.directory + "/s")
                c.config.process.terminal = true
                c.config.shell("while read x; do echo got $x; done")
                let started = try c.runDetached(["--console-socket", socket.path])
                try #require(started.succeeded, "\(started)")
                let first = try socket.receive()
                first.type("one\n")
                #expect(first.prints("got one"))
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                let restored = try c.restore(["--console-socket", socket.path])
                try #require(restored.succeeded, "\(restored)")
                let second = try socket.receive()
                second.type("two\n")
                #expect(second.prints("got two"))
                #expect(c.execSh("test -t 0 < /dev/console && echo yes") == "yes")
            }
        }

        @Test("the config that an annotation names is CRIU's")
        func configFile() throws {
            try withCounter { c in
                try writeText("log-file theirs.log\n", to: c.directory + "/criu.conf")
                c.config.annotations["org.criu.config"] = .string(c.directory + "/criu.conf")
            } _: { c in
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                #expect(exists(c.directory + "/logs/theirs.log"))
            }
        }

        @Test("what the program writes into a pipe goes into that of restore")
        func pipes() throws {
            try withContainer { c in
                var ends: [Int32] = [-1, -1]
                pipe2(&ends, O_CLOEXEC)
                defer { close(ends[0]) }
                c.config.shell("while :; do echo one; echo two >&2; sleep 0.2; done")
                var options = LaunchOptions()
                options.stdout = .descriptor(ends[1])
                options.stderr = .descriptor(ends[1])
                let started = try c.run(["--detach"], options)
                close(ends[1])
                try #require(started.succeeded, "\(started)")
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                let restored = try c.restore()
                try #require(restored.succeeded, "\(restored)")
                #expect(c.prints("one"))
                #expect(c.prints("two"))
            }
        }

        @Test("a file that the program writes into wants a file from restore")
        func files() throws {
            try withContainer { c in
                c.config.shell("while :; do echo x; sleep 0.1; done")
                try c.runDetached()
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                let restored = c.runtime(
                    "restore", "--bundle", c.bundle, "--image-path", c.images, c.id)
                #expect(restored.failed && restored.stderr.contains("the file"), "\(restored)")
                c.expectNothingLeft()
                let again = try c.restore()
                #expect(again.succeeded, "\(again)")
            }
        }

        @Test("restore waits in the foreground, passes signals on and gives the exit status")
        func foreground() throws {
            try withContainer { c in
                c.config.shell("trap 'exit 7' TERM; echo > /up; while :; do sleep 0.1; done")
                try c.runDetached(writingTo: "/dev/null")
                try #require(eventually { exists(c.rootfs + "/up") })
                let saved = c.checkpoint()
                try #require(saved.succeeded, "\(saved)")
                var options = LaunchOptions()
                options.whileRunning = { pid in
                    _ = eventually { c.status == "running" }
                    Foundation.kill(pid, SIGTERM)
                }
                let restored = c.runtime(
                    ["restore", "--bundle", c.bundle, "--image-path", c.images, c.id], options)
                #expect(restored.status == .exited(7), "\(restored)")
            }
        }
    }
}
