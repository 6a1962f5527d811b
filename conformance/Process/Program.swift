import Foundation
import Testing

extension Conformance {
    /// config.md, process.
    @Suite struct Process {}
}

extension Conformance.Process {
    @Suite struct Program {
        @Test("args arrive exactly, the first one as argv[0]")
        func arguments() throws {
            try withContainer { c in
                let given = ["/bin/probe", "", "a b", "é", "-x", "\\n\"'", "\u{1F600}"]
                c.config.process.args = JSON(given)
                let report = ProbeReport(try c.run().stdout)
                #expect(report["argc"] == "\(given.count)")
                for (index, argument) in given.enumerated() {
                    #expect(report["arg.\(index)"] == argument)
                }
            }
        }

        @Test("an argument of 100 KB arrives whole")
        func longArgument() throws {
            try withContainer { c in
                let long = String(repeating: "x", count: 100_000)
                c.config.process.args = JSON(["sh", "-c", "printf %s \"$1\" | wc -c", "sh", long])
                try #expect(c.run().trimmed == "100000")
            }
        }

        @Test("env is exactly the config's, in its order, plus HOME")
        func environment() throws {
            try withContainer { c in
                let given = ["PATH=/bin", "A=1", "EMPTY=", "B=x=y", "C= é\t", "HOME=/x"]
                c.config.process.env = JSON(given)
                let report = try c.probe()
                let seen = (0..<(Int(report["envc"]) ?? 0)).map { report["env.\($0)"] }
                #expect(seen == given)
            }
        }

        @Test("the caller's environment does not leak in")
        func noLeak() throws {
            try withContainer { c in
                c.config.process.env = ["PATH=/bin", "HOME=/"]
                c.config.program("env")
                var options = LaunchOptions()
                options.environment = ["SECRET": "1", "PATH": "/usr/bin:/usr/sbin"]
                try #expect(c.run([], options).lines == ["PATH=/bin", "HOME=/"])
            }
        }

        @Test(
            "HOME comes from the container's /etc/passwd when the config has none",
            arguments: [(0, "/root"), (1000, "/home"), (4242, "/")])
        func home(uid: Int, home: String) throws {
            try withContainer { c in
                c.config.process.user.uid = JSON(uid)
                c.config.program("sh", "-c", "echo $HOME")
                try #expect(c.run().stdout == home + "\n")
            }
        }

        @Test("HOME of the config wins")
        func ownHome() throws {
            try withContainer { c in
                c.config.process.env.append("HOME=/mine")
                try #expect(c.sh("echo $HOME") == "/mine")
            }
        }

        @Test("the program is looked up in the container's own PATH")
        func path() throws {
            try withContainer { c in
                mkdir(c.rootfs + "/opt", 0o755)
                try writeText("#!/bin/sh\necho mine\n", to: c.rootfs + "/opt/mine", mode: 0o755)
                c.config.process.env = ["PATH=/nowhere:/opt:/bin"]
                c.config.program("mine")
                try #expect(c.run().stdout == "mine\n")
            }
        }

        @Test(
            "without a PATH the program is looked up in that of execvp(3): /bin and /usr/bin",
            .knownDifference(runc: "does not find it"), .knownDifference(crun: "does not find it"))
        func noPath() throws {
            try withContainer { c in
                c.config.process.env = []
                c.config.program("echo", "found")
                try #expect(c.run().stdout == "found\n")
                c.config.process.env = ["PATH="]
                let outcome = try c.create()
                #expect(outcome.failed && outcome.stderr.contains("not found"), "\(outcome)")
                c.config.process.env = ["PATH=/bin"]
                c.config.program("")
                let empty = try c.create()
                #expect(empty.failed && empty.stderr.contains("not found"), "\(empty)")
            }
        }

        @Test("a program without a slash that is not in PATH is not found, though it is elsewhere")
        func notInPath() throws {
            try withContainer { c in
                c.config.process.env = ["PATH=/nowhere"]
                c.config.program("true")
                let outcome = try c.run()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("executable file not found in $PATH"), "\(outcome)")
            }
        }

        @Test("a program with a slash is relative to cwd")
        func relative() throws {
            try withContainer { c in
                try writeText("#!/bin/sh\necho mine\n", to: c.rootfs + "/home/mine", mode: 0o755)
                c.config.process.cwd = "/home"
                c.config.program("./mine")
                try #expect(c.run().stdout == "mine\n")
            }
        }

        @Test("cwd is the working directory")
        func workingDirectory() throws {
            try withContainer { c in
                c.config.process.cwd = "/usr/bin"
                try #expect(c.probe()["cwd"] == "/usr/bin")
            }
        }

        @Test(
            "an empty HOME is none (runc 1.3)", .knownDifference(crun: "keeps it"))
        func emptyHome() throws {
            try withContainer { c in
                c.config.process.env = ["PATH=/bin", "HOME="]
                c.config.program("env")
                try #expect(c.run().lines.contains("HOME=/root"))
            }
        }

        @Test(
            "a memory policy without nodes is set",
            .knownDifference(runc: "1.1 does not know them"),
            .knownDifference(crun: "1.8 does not know them"),
            arguments: ["MPOL_DEFAULT", "MPOL_LOCAL", "MPOL_PREFERRED"])
        func memoryPolicy(mode: String) throws {
            try withContainer { c in
                c.config.linux.memoryPolicy = ["mode": JSON(mode)]
                try #expect(c.sh("echo ok") == "ok")
            }
        }

        @Test("a cwd that is missing is made, as engines expect")
        func missingWorkingDirectory() throws {
            try withContainer { c in
                c.config.process.cwd = "/new/deep"
                try #expect(c.probe()["cwd"] == "/new/deep")
                #expect(exists(c.rootfs + "/new/deep"))
            }
        }

        @Test("a cwd below a mount is in the mount")
        func mountedWorkingDirectory() throws {
            try withContainer { c in
                c.config.addMount("/mnt", type: "tmpfs", source: "tmpfs")
                c.config.process.cwd = "/mnt/made"
                try #expect(c.sh("pwd; stat -f -c %T .") == "/mnt/made\ntmpfs")
                #expect(!exists(c.rootfs + "/mnt/made"))
            }
        }

        @Test("a cwd that is a file fails and is named")
        func fileAsWorkingDirectory() throws {
            try withContainer { c in
                c.config.process.cwd = "/etc/passwd"
                let outcome = try c.run()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("/etc/passwd"), "\(outcome)")
            }
        }

        @Test("a cwd only the user may enter works", .knownDifference(crun: "1.8.1 fails"))
        func privateWorkingDirectory() throws {
            try withContainer { c in
                mkdir(c.rootfs + "/private", 0o700)
                chown(c.rootfs + "/private", 1000, 1000)
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.process.cwd = "/private"
                try #expect(c.probe()["cwd"] == "/private")
            }
        }

        @Test("the program is pid 1 of a new pid namespace and leads its session")
        func processIds() throws {
            try withContainer { c in
                let report = try c.probe()
                #expect(report["pid"] == "1")
                #expect(report["ppid"] == "0")
                #expect(report["sid"] == "1")
                #expect(report["pgid"] == "1")
            }
        }

        @Test("no signal is blocked or ignored, whatever the caller did")
        func signals() throws {
            try withContainer { c in
                c.config.program("/bin/probe")
                try c.writeConfig()
                let command = """
                    trap '' HUP USR1 PIPE; exec "$@"
                    """
                let outcome = launch(
                    [
                        "bash", "-c", command, "bash", Runtime.binary, "--root", c.root, "run",
                        "-b",
                        c.bundle, c.id,
                    ])
                let report = ProbeReport(outcome.stdout)
                #expect(report["ignored"] == "" && report["blocked"] == "", "\(outcome)")
                #expect(report["pdeathsig"] == "0")
            }
        }

        @Test("only the three standard descriptors are open (runtime-linux.md)")
        func descriptors() throws {
            try withContainer { c in
                try #expect(c.probe()["fds"] == "0,1,2")
            }
        }

        @Test("only the three standard descriptors are open in a detached container and in exec")
        func descriptorsDetached() throws {
            try withContainer { c in
                c.config.shell("probe; sleep 600")
                try c.runDetached()
                #expect(c.prints("argc="))
                #expect(ProbeReport(c.output)["fds"] == "0,1,2")
                #expect(c.execProbe()["fds"] == "0,1,2")
            }
        }

        @Test("descriptors the caller leaks do not reach the program")
        func leakedDescriptors() throws {
            try withContainer { c in
                c.config.program("/bin/probe")
                let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
                defer { close(null) }
                var options = LaunchOptions()
                options.descriptors = [null, null, null]
                try #expect(ProbeReport(c.run([], options).stdout)["fds"] == "0,1,2")
            }
        }

        @Test("--preserve-fds N hands over N more, in order, and no others")
        func preserved() throws {
            try withContainer { c in
                try writeText("three", to: c.directory + "/3")
                try writeText("four", to: c.directory + "/4")
                let files = ["/3", "/4", "/3"].map { open(c.directory + $0, O_RDONLY | O_CLOEXEC) }
                defer { for file in files { close(file) } }
                var options = LaunchOptions()
                options.descriptors = files
                c.config.shell("cat <&3; echo; cat <&4; echo; probe | grep ^fds=")
                let outcome = try c.run(["--preserve-fds", "2"], options)
                #expect(outcome.lines == ["three", "four", "fds=0,1,2,3,4"], "\(outcome)")
            }
        }

        @Test("exec --preserve-fds hands over N more")
        func preservedByExec() throws {
            try withRunningContainer { c in
                try writeText("three", to: c.directory + "/3")
                let file = open(c.directory + "/3", O_RDONLY | O_CLOEXEC)
                defer { close(file) }
                let outcome = c.exec(
                    ["--preserve-fds", "1"], "sh", "-c", "cat <&3; echo; probe | grep ^fds=",
                    options: LaunchOptions(descriptors: [file, file]))
                #expect(outcome.lines == ["three", "fds=0,1,2,3"], "\(outcome)")
            }
        }

        @Test("a standard input that is closed has nothing of the runtime's in its place")
        func closedInput() throws {
            try withContainer { c in
                c.config.shell("probe | grep ^fds=")
                try c.writeConfig()
                let outcome = launch([
                    "sh", "-c", "\"$@\" <&-", "sh", Runtime.binary, "--root", c.root, "run", "-b",
                    c.bundle, c.id,
                ])
                #expect(outcome.stdout == "fds=1,2\n", "\(outcome)")
            }
        }

        @Test(
            "more --preserve-fds than there are descriptors fails and leaves nothing",
            arguments: ["1", "5"])
        func preservedMissing(count: String) throws {
            try withContainer { c in
                let outcome = try c.run(["--preserve-fds", count])
                #expect(outcome.failed)
                #expect(!outcome.stderr.isEmpty)
                c.expectNothingLeft()
            }
        }

        /// Runs the container with two descriptors; `pid` is what LISTEN_PID says.
        private func runListening(_ c: Container, pid: String) throws -> Outcome {
            let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
            defer { close(null) }
            var options = LaunchOptions()
            options.descriptors = [null, null]
            c.config.shell("echo $LISTEN_FDS $LISTEN_PID; probe | grep ^fds=")
            try c.writeConfig()
            return launch(
                [
                    "sh", "-c", "export LISTEN_FDS=2 LISTEN_PID=\(pid); exec \"$@\"", "sh",
                    Runtime.binary, "--root", c.root, "run", "-b", c.bundle, c.id,
                ], options)
        }

        @Test("LISTEN_FDS descriptors are handed over, with LISTEN_PID 1 (sd_listen_fds)")
        func listen() throws {
            try withContainer { c in
                let outcome = try runListening(c, pid: "$$")
                #expect(outcome.lines == ["2 1", "fds=0,1,2,3,4"], "\(outcome)")
            }
        }

        @Test(
            "LISTEN_FDS meant for another process is not ours",
            .knownDifference(crun: "does not look at LISTEN_PID"))
        func listenElsewhere() throws {
            try withContainer { c in
                let outcome = try runListening(c, pid: "1")
                #expect(outcome.lines == ["fds=0,1,2"], "\(outcome)")
            }
        }

        @Test("LISTEN_FDS is no matter of commands that hand nothing over")
        func listenForNobody() throws {
            try withRunningContainer { c in
                var options = LaunchOptions()
                options.environment = ["LISTEN_FDS": "1", "PATH": "/usr/bin:/usr/sbin"]
                let state = c.runtime(["state", c.id], options)
                #expect(state.succeeded, "\(state)")
                let killed = c.runtime(["kill", c.id, "KILL"], options)
                #expect(killed.succeeded, "\(killed)")
            }
        }

        /// A container, a caller's socket and the environment that names it.
        private func withNotifySocket(
            _ body: (Container, LaunchOptions, Int32) throws -> Void
        ) throws {
            try withContainer { c in
                let path = c.directory + "/n"
                let socket = Foundation.socket(
                    AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
                defer { close(socket) }
                #expect(withUnixAddress(path) { bind(socket, $0, $1) } == 0)
                var options = LaunchOptions()
                options.environment = ["NOTIFY_SOCKET": path, "PATH": "/usr/bin:/usr/sbin"]
                try body(c, options, socket)
            }
        }

        private func expectReadiness(
            _ socket: Int32, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            var buffer = [UInt8](repeating: 0, count: 4096)
            var text = ""
            while !text.contains("READY=1") {
                guard becomesReadable(socket) else { break }
                let count = read(socket, &buffer, buffer.count)
                text += String(decoding: buffer[..<max(0, count)], as: UTF8.self) + "\n"
            }
            #expect(text.contains("READY=1"), "\(text)", sourceLocation: sourceLocation)
        }

        @Test("READY=1 sent to NOTIFY_SOCKET inside arrives at the caller's socket")
        func notifySocket() throws {
            try withNotifySocket { c, options, socket in
                c.config.shell("probe notify READY=1; sleep 0.3")
                let outcome = try c.run([], options)
                #expect(outcome.lines.contains("sent=7"), "\(outcome)")
                expectReadiness(socket)
            }
        }

        @Test(
            "READY=1 is passed on where the program has ended by the time it is read", .swruncOnly)
        func lastNotification() throws {
            try withNotifySocket { c, options, socket in
                var options = options
                options.whileRunning = { pid in
                    #expect(eventually { exists(c.rootfs + "/runs") })
                    let status = "/proc/\(c.pid)/stat"
                    kill(pid, SIGSTOP)
                    try writeText("", to: c.rootfs + "/go")
                    #expect(eventually { readText(status).contains(") Z ") })
                    kill(pid, SIGCONT)
                }
                c.config.shell(
                    """
                    echo >/runs; until test -e /go; do sleep 0.05; done
                    for message in STATUS=1 STATUS=2 READY=1; do probe notify $message; done
                    """)
                let outcome = try c.run([], options)
                #expect(outcome.succeeded, "\(outcome)")
                expectReadiness(socket)
            }
        }

        @Test(
            "a message longer than sd_notify(3) sends, or with descriptors, harms nobody",
            .swruncOnly, arguments: ["x", "READY=1"])
        func longNotification(text: String) throws {
            try withContainer { c in
                var options = LaunchOptions()
                options.environment = [
                    "NOTIFY_SOCKET": c.directory + "/n", "PATH": "/usr/bin:/usr/sbin",
                ]
                options.whileRunning = { pid in
                    #expect(eventually { exists(c.rootfs + "/sent") })
                    let open = try FileManager.default.contentsOfDirectory(
                        atPath: "/proc/\(pid)/fd")
                    #expect(open.count < 30, "\(open)")
                    try writeText("", to: c.rootfs + "/seen")
                }
                c.config.shell(
                    """
                    long=$(head -c 5000 /dev/zero | tr '\\0' x)
                    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
                        probe notify "\(text)
                    $long"
                    done
                    echo >/sent; until test -e /seen; do sleep 0.05; done; exit 7
                    """)
                let outcome = try c.run([], options)
                #expect(outcome.status == .exited(7), "\(outcome)")
            }
        }
    }
}
