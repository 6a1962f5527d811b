import Foundation
import Testing

extension Conformance {
    /// config.md, POSIX-platform hooks; runtime.md, lifecycle.
    @Suite struct Hooks {}
}

extension Conformance.Hooks {
    @Suite struct Moments {
        @Test(
            "each kind runs at its moment, in the order of the lifecycle",
            .knownDifference(runc: "1.1 runs poststart in create"))
        func order() throws {
            try withContainer { c in
                c.addLoggingHooks()
                c.config.shell("echo program >> \(c.hookLog); sleep 600")
                try c.create()
                #expect(c.hookLines == ["prestart", "createRuntime", "createContainer"])
                c.start()
                try #require(eventually { c.hookLines.count == 6 })
                #expect(c.hookLines[3] == "startContainer")
                // The program and poststart run at the same time.
                #expect(Set(c.hookLines[4...]) == ["program", "poststart"])
                c.kill("KILL")
                #expect(c.becomes("stopped"))
                #expect(c.hookLines.count == 6, "poststop before delete")
                c.delete()
                #expect(c.hookLines.last == "poststop")
            }
        }

        @Test("poststart has run when start returns")
        func poststartBeforeReturn() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                c.addHook("poststart", "sleep 0.3; echo done > \(c.hookLog)")
                try c.create()
                c.start()
                #expect(c.hookLines == ["done"])
            }
        }

        @Test(
            "hooks of one kind run in the listed order, one after the other",
            arguments: Container.hookKinds)
        func listedOrder(kind: String) throws {
            try withContainer { c in
                c.config.bind(c.directory, at: c.directory)
                for (index, delay) in ["0.1", "0.05", "0"].enumerated() {
                    c.addHook(kind, "sleep \(delay); echo \(index) >> \(c.hookLog)")
                }
                try c.run()
                #expect(c.hookLines == ["0", "1", "2"])
            }
        }

        @Test("delete --force of a running container runs poststop")
        func poststopForced() throws {
            try withRunningContainer { c in
                c.delete("--force")
                c.config.program("sleep", "600")
                c.addHook("poststop", "echo stopped >> \(c.hookLog)")
                try c.runDetached()
                #expect(c.delete("--force").succeeded)
                #expect(c.hookLines == ["stopped"])
            }
        }

        @Test(
            "a foreground run whose container somebody deletes runs poststop once", .swruncOnly)
        func poststopOnce() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                c.addHook("poststop", "echo stopped >> \(c.hookLog); sleep 0.3")
                try c.writeConfig()
                let script = """
                    "$@" run --bundle "$BUNDLE" "$ID" & run=$!
                    until "$@" state "$ID" >/dev/null 2>&1; do sleep 0.02; done
                    "$@" delete --force "$ID" || echo "delete failed"
                    wait $run; echo "run ended with $?"
                    """
                let outcome = launch([
                    "env", "BUNDLE=\(c.bundle)", "ID=\(c.id)", "sh", "-c", script, "sh",
                    Runtime.binary, "--root", c.root,
                ])
                #expect(outcome.stdout == "run ended with 137\n", "\(outcome)")
                #expect(c.hookLines == ["stopped"])
            }
        }

        @Test("hooks are the config's at create, whatever becomes of config.json")
        func readOnce() throws {
            try withContainer { c in
                c.addHook("poststop", "echo stopped >> \(c.hookLog)")
                try c.create()
                unlink(c.bundle + "/config.json")
                c.start()
                #expect(c.becomes("stopped"))
                c.delete()
                #expect(c.hookLines == ["stopped"])
            }
        }
    }

    @Suite struct Surroundings {
        @Test(
            "hooks of the host's start in the bundle",
            arguments: Container.hookKinds.filter { !$0.hasSuffix("Container") })
        func directory(kind: String) throws {
            try knownDifference(
                runc: kind.hasPrefix("post") ? "its later commands do not go there" : nil)
            try withContainer { c in
                c.addHook(kind, "pwd > \(c.hookLog)")
                try c.create()
                c.start()
                c.kill("KILL")
                #expect(c.becomes("stopped"))
                c.delete()
                #expect(c.hookLines == [c.bundle])
            }
        }

        @Test(
            "the state on stdin has the status of the moment",
            arguments: [
                ("prestart", ["creating", "created"]), ("createRuntime", ["creating", "created"]),
                ("createContainer", ["creating", "created"]), ("startContainer", ["created"]),
                ("poststart", ["running"]), ("poststop", ["stopped"]),
            ])
        func state(kind: String, statuses: [String]) throws {
            try knownDifference(runc: kind == "poststart" ? "1.1 runs it in create" : nil)
            try withContainer { c in
                c.config.annotations = ["some.key": "some value"]
                c.config.bind(c.directory, at: c.directory)
                c.config.program("sleep", "600")
                c.addHook(kind, "printf '%s' \"$STATE\" > \(c.hookLog)")
                try c.create()
                let pid = c.pid
                c.start()
                c.kill("KILL")
                #expect(c.becomes("stopped"))
                c.delete()
                let state = try JSON(parsing: readText(c.hookLog))
                #expect(statuses.contains(state.status.string ?? ""), "\(state)")
                #expect(state.id.string == c.id)
                #expect(state.bundle.string == c.bundle)
                #expect(state.annotations == ["some.key": "some value"])
                #expect(state.ociVersion.string?.hasPrefix("1.") == true)
                switch kind {
                case "poststop": #expect(state.pid.int ?? 0 == 0)
                case "createContainer", "startContainer":
                    // runtime.md: the pid as seen by the container; runc gives the host's.
                    #expect([1, Int(pid)].contains(state.pid.int ?? 0))
                default: #expect(state.pid.int == Int(pid))
                }
            }
        }

        @Test(
            "who asks for the state during create hears that it is being created, and can do no more",
            .swruncOnly, arguments: ["prestart", "createRuntime", "createContainer"])
        func asked(kind: String) throws {
            try withContainer { c in
                let command = "\(Runtime.binary) --root \(c.root)"
                c.addHook(
                    kind,
                    """
                    {
                    \(command) state \(c.id)
                    for i in 'kill \(c.id) KILL' 'start \(c.id)' 'pause \(c.id)' 'exec \(c.id) true'; do
                        \(command) $i 2>&1 | grep -c 'is being created'
                    done
                    \(command) list --quiet
                    } > \(c.hookLog) 2>&1
                    """)
                let outcome = try c.create()
                #expect(outcome.succeeded, "\(outcome)")
                let parts = readText(c.hookLog).components(separatedBy: "\n}\n")
                let state = try JSON(parsing: (parts.first ?? "") + "}")
                #expect(state.status.string == "creating", "\(state)")
                #expect(state.id.string == c.id && state.bundle.string == c.bundle, "\(state)")
                #expect(state.pid.int == Int(c.pid))
                #expect(parts.last == "1\n1\n1\n1\n\(c.id)\n", "\(parts)")
                #expect(c.status == "created")
            }
        }

        @Test(
            "a create that is killed in a hook leaves what delete removes, and can be told",
            .swruncOnly)
        func cutShort() throws {
            try withContainer { c in
                c.addHook("createRuntime", "echo in > \(c.hookLog); sleep 600")
                c.addHook("poststop", "echo over >> \(c.hookLog)")
                var options = c.intoFiles(LaunchOptions())
                options.whileRunning = { pid in
                    #expect(eventually { readText(c.hookLog) == "in\n" })
                    kill(pid, SIGKILL)
                }
                try c.create([], options)
                #expect(c.becomes("stopped"))
                let started = c.start()
                #expect(started.failed && started.stderr.contains("cut short"), "\(started)")
                #expect(c.delete().succeeded)
                #expect(readText(c.hookLog) == "in\nover\n")
                c.expectNothingLeft()
                for pid in Leaks.processes(mentioning: c.hookLog) { kill(pid, SIGKILL) }
            }
        }

        @Test(
            "the pid in a container hook's state is the one the container sees", .swruncOnly,
            arguments: ["createContainer", "startContainer"])
        func pidInside(kind: String) throws {
            try withContainer { c in
                c.config.bind(c.directory, at: c.directory)
                c.addHook(kind, "printf '%s' \"$STATE\" > \(c.hookLog)")
                try c.run()
                try #expect(JSON(parsing: readText(c.hookLog)).pid.int == 1)
            }
        }

        @Test("args and env are exactly the config's", arguments: Container.hookKinds)
        func argumentsAndEnvironment(kind: String) throws {
            try withContainer { c in
                c.config.bind(c.directory, at: c.directory)
                let path = kind == "startContainer" ? "/bin/probe" : c.rootfs + "/bin/probe"
                c.config.addHook(
                    kind,
                    [
                        "path": "/bin/sh",
                        "args": [
                            "sh", "-c",
                            .string("exec \(path) \"$0\" \"$@\" > \(c.hookLog)"), "zero", "a b", "",
                        ],
                        "env": ["A=1", "B=x y"],
                    ])
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                let report = ProbeReport(readText(c.hookLog))
                #expect(report["argc"] == "4")
                #expect(["arg.1", "arg.2", "arg.3"].map { report[$0] } == ["zero", "a b", ""])
                let environment = (0..<(Int(report["envc"]) ?? 0)).map { report["env.\($0)"] }
                // A shell adds these of its own.
                let own = environment.filter { entry in
                    !["PATH=", "PWD=", "SHLVL=", "_=", "OLDPWD="].contains { entry.hasPrefix($0) }
                }
                #expect(own == ["A=1", "B=x y"])
                // runc leaves descriptors of its own open for the container's hooks.
                #expect(report["fds"] == "0,1,2" || Runtime.kind == .runc)
            }
        }

        @Test("without args the hook's argv[0] is its path")
        func noArguments() throws {
            try withContainer { c in
                let hook = c.directory + "/hook"
                try writeText("#!/bin/sh\necho \"$0 $#\" > \(c.hookLog)\n", to: hook, mode: 0o755)
                c.config.addHook("prestart", ["path": .string(hook)])
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.hookLines == [hook + " 0"])
            }
        }

        @Test("runtime hooks run in the runtime's namespaces, container hooks in the container's")
        func namespaces() throws {
            try withContainer { c in
                let names = ["mnt", "net", "uts", "ipc", "pid"]
                let paths = names.map { "/proc/self/ns/\($0)" }
                c.addLoggingHooks("for n in \(paths.joined(separator: " ")); do readlink $n; done")
                c.config.program("sleep", "600")
                try c.create()
                c.start()
                c.delete("--force")
                let text = readText(c.hookLog).replacingOccurrences(of: "\n", with: " ")
                func links(of pid: String) throws -> String {
                    try names.map {
                        try FileManager.default.destinationOfSymbolicLink(
                            atPath: "/proc/\(pid)/ns/\($0)")
                    }.joined(separator: " ")
                }
                let host = try links(of: "self")
                for kind in ["prestart", "createRuntime", "poststart", "poststop"] {
                    #expect(text.contains("\(kind) \(host)"), "\(text)")
                }
                for kind in ["createContainer", "startContainer"] {
                    #expect(text.contains(kind) && !text.contains("\(kind) \(host)"), "\(text)")
                }
            }
        }

        @Test("createContainer sees the host's files, and the mounts below the root")
        func createContainerRoot() throws {
            try withContainer { c in
                try writeText("host", to: c.directory + "/only-on-host")
                c.addHook(
                    "createContainer",
                    "cat \(c.directory)/only-on-host > \(c.hookLog); "
                        + "grep -c \(c.rootfs)/proc /proc/self/mounts >> \(c.hookLog)")
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.hookLines.first?.hasPrefix("host") == true, "\(c.hookLines)")
                #expect(c.hookLines.first != "host0")
            }
        }

        @Test("createContainer's mounts below the root are the container's")
        func createContainerMounts() throws {
            try withContainer { c in
                c.addHook("createContainer", "mount -t tmpfs by-hook \(c.rootfs)/mnt")
                try #expect(c.mount(at: "/mnt").source == "by-hook")
            }
        }

        @Test("startContainer's path is the container's own, after pivot_root")
        func startContainerRoot() throws {
            try withContainer { c in
                let hook = "#!/bin/sh\nls -d /b /etc > /seen 2>/dev/null\nexit 0\n"
                try writeText(hook, to: c.rootfs + "/home/hook", mode: 0o755)
                c.config.addHook("startContainer", ["path": "/home/hook"])
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(readText(c.rootfs + "/seen") == "/etc\n")
            }
        }

        @Test("createRuntime can reach the container's network namespace by the state's pid")
        func networkSetUp() throws {
            try withContainer { c in
                c.addHook(
                    "createRuntime",
                    """
                    pid=$(printf %s "$STATE" | sed -n 's/.*"pid": *\\([0-9]*\\).*/\\1/p')
                    nsenter -t $pid -n ip link set lo alias by-hook
                    """)
                try #expect(c.sh("cat /sys/class/net/lo/ifalias") == "by-hook")
            }
        }

        @Test("output of hooks does not mix with the container's")
        func output() throws {
            try withContainer { c in
                for kind in Container.hookKinds {
                    c.addHook(kind, "echo hook-out; echo hook-err >&2")
                }
                c.config.shell("echo program")
                let outcome = try c.run()
                #expect(outcome.stdout == "program\n" && outcome.stderr == "", "\(outcome)")
            }
        }

        @Test("a hook may leave a process behind without holding the runtime")
        func leavesProcess() throws {
            try withContainer { c in
                c.addHook("prestart", "sleep 600 > /dev/null 2>&1 & echo $! > \(c.hookLog)")
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                let left = try #require(c.hookLines.first.flatMap { pid_t($0) })
                #expect(kill(left, SIGKILL) == 0, "it should still be there")
            }
        }
    }

    @Suite struct Failures {
        @Test(
            "a failing hook of create fails create: the container is destroyed, poststop ran",
            arguments: ["prestart", "createRuntime", "createContainer"])
        func create(kind: String) throws {
            try withContainer { c in
                c.addHook(kind, "echo first line >&2; echo the reason >&2; exit 3")
                c.addHook("poststop", "echo stopped >> \(c.hookLog)")
                c.config.shell("echo ran > /ran")
                let outcome = try c.create()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("the reason"), "\(outcome)")
                if Runtime.kind == .swrunc {
                    #expect(outcome.stderr.contains("/hooks/\(kind)/0"), "\(outcome)")
                    #expect(outcome.stderr.contains("3"), "\(outcome)")
                }
                #expect(!exists(c.rootfs + "/ran"))
                c.expectNothingLeft()
                // runc runs poststop only for containers that came to be.
                if Runtime.kind == .swrunc { #expect(c.hookLines == ["stopped"]) }
            }
        }

        @Test("hooks after a failing one do not run", arguments: ["prestart", "createRuntime"])
        func following(kind: String) throws {
            try withContainer { c in
                c.addHook(kind, "exit 1")
                c.addHook(kind, "echo second >> \(c.hookLog)")
                c.addHook("createContainer", "echo later >> \(c.hookLog)")
                try #expect(c.create().failed)
                #expect(c.hookLines == [])
            }
        }

        @Test("a failing startContainer fails start, and the program does not run")
        func startContainer() throws {
            try withContainer { c in
                c.config.bind(c.directory, at: c.directory)
                c.addHook("startContainer", "echo the reason >&2; exit 3")
                c.addHook("poststop", "echo stopped >> \(c.hookLog)")
                c.config.shell("echo ran > /ran")
                try c.create()
                let outcome = c.start()
                // runc's start has already returned when the init runs the hook.
                if Runtime.kind == .swrunc {
                    #expect(outcome.failed, "\(outcome)")
                    #expect(outcome.stderr.contains("the reason"), "\(outcome)")
                    #expect(c.hookLines == ["stopped"])
                    c.expectNothingLeft()
                }
                #expect(!exists(c.rootfs + "/ran"))
                #expect(c.status != "running")
            }
        }

        @Test(
            "a failing poststart fails start and destroys the container (runtime-spec 1.3)",
            .knownDifference(runc: "1.1 logs a warning"),
            .knownDifference(crun: "1.8.1 logs a warning"))
        func poststart() throws {
            try withContainer { c in
                c.addHook("poststart", "echo the reason >&2; exit 3")
                c.addHook("poststop", "echo stopped >> \(c.hookLog)")
                c.config.program("sleep", "600")
                try c.create()
                let outcome = c.start()
                #expect(outcome.failed)
                #expect(outcome.stderr.contains("the reason"), "\(outcome)")
                #expect(c.hookLines == ["stopped"])
                c.expectNothingLeft()
            }
        }

        @Test(
            "a failing poststart fails run and destroys the container",
            .knownDifference(runc: "1.1 logs a warning"),
            .knownDifference(crun: "1.8.1 logs a warning"))
        func poststartOfRun() throws {
            try withContainer { c in
                c.addHook("poststart", "exit 3")
                c.config.program("sleep", "600")
                let outcome = try c.run()
                #expect(outcome.failed)
                c.expectNothingLeft()
            }
        }

        @Test(
            "a failing poststop is a warning: the others run, and delete succeeds",
            .knownDifference(runc: "the others do not run"))
        func poststop() throws {
            try withContainer { c in
                c.addHook("poststop", "exit 3")
                c.addHook("poststop", "echo second >> \(c.hookLog)")
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let outcome = c.delete()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.hookLines == ["second"])
                c.expectNothingLeft()
            }
        }

        @Test(
            "a hook that outlives its timeout is killed and fails, naming the time",
            arguments: ["prestart", "createRuntime", "createContainer"])
        func timeout(kind: String) throws {
            try withContainer { c in
                c.addHook(kind, "exec sleep 601.5", timeout: 1)
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "timeout")
                #expect(outcome.duration >= .seconds(1))
                #expect(eventually { Leaks.processes(mentioning: "601.5").isEmpty })
            }
        }

        @Test("a hook that ends in time is not disturbed by its timeout")
        func inTime() throws {
            try withContainer { c in
                c.addHook("prestart", "sleep 0.2; echo done > \(c.hookLog)", timeout: 60)
                try #expect(c.run().succeeded)
                #expect(c.hookLines == ["done"])
            }
        }

        @Test("a timeout that is not greater than zero is refused", arguments: [0, -1])
        func badTimeout(value: Int) throws {
            try knownDifference(runc: "1.1 takes it")
            try withContainer { c in
                c.addHook("prestart", "true", timeout: value)
                expectRefusal(try c.create(), c, naming: "timeout")
            }
        }

        @Test(
            "a hook whose path is missing, relative, or no program fails and is named",
            arguments: ["/no/such/hook", "/etc/passwd", "relative/hook", ""])
        func badPath(path: String) throws {
            try withContainer { c in
                c.config.addHook("createRuntime", ["path": .string(path)])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: path.isEmpty ? "hooks" : path)
                c.expectNothingLeft()
            }
        }

        @Test("a hook killed by a signal fails, and the signal is named")
        func signalled() throws {
            try withContainer { c in
                c.addHook("prestart", "kill -9 $$")
                let outcome = try c.create()
                expectRefusal(outcome, c)
                let text = outcome.stderr.lowercased()
                #expect(text.contains("kill") || text.contains("signal 9"), "\(outcome)")
            }
        }

        @Test("a hook that prints a megabyte does not hang, and its last lines are kept")
        func muchOutput() throws {
            try withContainer { c in
                c.addHook("prestart", "yes noise | head -c 1048576 >&2; echo the end >&2; exit 1")
                let outcome = try c.create()
                expectRefusal(outcome, c)
                #expect(outcome.stderr.contains("the end"))
                if Runtime.kind == .swrunc { #expect(outcome.stderr.utf8.count < 16384) }
            }
        }

        @Test("a hook that does not read its stdin does no harm")
        func unread() throws {
            try withContainer { c in
                c.config.annotations = ["big": .string(String(repeating: "x", count: 300_000))]
                c.config.addHook("prestart", ["path": "/bin/true"])
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }
    }
}
