import Foundation
import Testing

extension Conformance {
    /// runtime.md, lifecycle steps 1 to 11.
    @Suite struct Lifecycle {}
}

extension Conformance.Lifecycle {
    @Suite struct CreateAndStart {
        @Test("create builds the environment and does not run the user's program; start runs it")
        func createBlocks() throws {
            try withContainer { c in
                c.config.shell("echo ran > /ran; sleep 600")
                let created = try c.create()
                #expect(created.succeeded, "\(created)")
                #expect(c.status == "created")
                usleep(50_000)
                #expect(!exists(c.rootfs + "/ran"), "the program ran before start")
                #expect(c.start().succeeded)
                #expect(eventually { exists(c.rootfs + "/ran") })
                #expect(c.status == "running")
            }
        }

        @Test("state goes created, running, stopped")
        func statuses() throws {
            try withContainer { c in
                c.config.shell("while ! test -e /go; do sleep 0.02; done")
                try c.create()
                #expect(c.status == "created")
                c.start()
                #expect(c.status == "running")
                try writeText("", to: c.rootfs + "/go")
                #expect(c.becomes("stopped"))
            }
        }

        @Test("state has the properties of runtime.md and runc's, and adheres to the schema")
        func stateProperties() throws {
            try withContainer { c in
                c.config.annotations = ["com.example.key": "väl\"ue\n", "empty": ""]
                c.config.program("sleep", "600")
                try c.create()
                let state = c.state()
                #expect(state.ociVersion.string?.hasPrefix("1.") == true)
                #expect(state.id.string == c.id)
                #expect(state.bundle.string == c.bundle)
                #expect(state.annotations == c.config.annotations)
                #expect(state.rootfs.string == c.rootfs)
                let pid = try #require(state.pid.int)
                #expect(Leaks.processes(inCgroup: c.cgroupsPath) == [pid_t(pid)])
                let created = try #require(state.created.string)
                let rfc3339 = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/
                #expect(created.wholeMatch(of: rfc3339) != nil, "\(created)")
                c.start()
                #expect(c.state().pid.int == pid, "the program runs in the created process")
            }
        }

        @Test("a stopped container's state has pid 0 or none")
        func stoppedPid() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                #expect(c.state().pid.int ?? 0 == 0)
            }
        }

        @Test("changes to config.json after create have no effect")
        func configIsReadOnce() throws {
            try withContainer { c in
                c.config.shell("echo first")
                try c.create()
                c.config.shell("echo second")
                try c.writeConfig()
                c.start()
                #expect(c.prints("first"))
                #expect(!c.output.contains("second"))
            }
        }

        @Test("removing config.json after create has no effect")
        func configMayGo() throws {
            try withContainer { c in
                c.config.shell("echo first")
                try c.create()
                unlink(c.bundle + "/config.json")
                #expect(c.start().succeeded)
                #expect(c.prints("first"))
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
            }
        }

        @Test("the bundle is the current directory when none is given")
        func bundleFromDirectory() throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = c.runtime(["run", c.id], LaunchOptions(directory: c.bundle))
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("the bundle may be given relative to the current directory, state has it absolute")
        func relativeBundle() throws {
            try withContainer { c in
                try c.writeConfig()
                let options = c.intoFiles(LaunchOptions(directory: c.directory))
                let outcome = c.runtime(["create", "-b", "b", c.id], options)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(c.state().bundle.string == c.bundle)
            }
        }

        @Test("an id in use is refused and the container there is untouched")
        func duplicateId() throws {
            try withRunningContainer { c in
                let pid = c.pid
                let again = try c.create()
                #expect(again.failed)
                #expect(again.stderr.contains("already exists"), "\(again)")
                #expect(c.status == "running")
                #expect(c.pid == pid)
            }
        }

        @Test("an id may be used again once its container is deleted")
        func idAgain() throws {
            try withContainer { c in
                for _ in 0..<2 {
                    try #expect(c.create().succeeded)
                    #expect(c.delete("--force").succeeded)
                }
            }
        }

        @Test("starting a running container fails and changes nothing")
        func startTwice() throws {
            try withRunningContainer { c in
                let pid = c.pid
                let again = c.start()
                #expect(again.failed)
                #expect(again.stderr.contains("cannot start an already running container"))
                #expect(c.pid == pid)
                #expect(c.status == "running")
            }
        }

        @Test("starting a stopped container fails and says so")
        func startStopped() throws {
            try withContainer { c in
                try c.runDetached()
                #expect(c.becomes("stopped"))
                let again = c.start()
                #expect(again.failed)
                #expect(again.stderr.contains("cannot start a container that has stopped"))
            }
        }

        @Test("start without process fails; create works without it")
        func noProcess() throws {
            try withContainer { c in
                c.config.process = .null
                let created = try c.create()
                if created.succeeded {
                    let started = c.start()
                    #expect(started.failed, "\(started)")
                    #expect(started.stderr.contains("process"), "\(started)")
                } else {
                    // runtime.md lets a runtime validate the config at create.
                    #expect(created.stderr.lowercased().contains("process"), "\(created)")
                }
            }
        }

        @Test(
            "every command on an id that is not there fails and says `does not exist`",
            arguments: [
                ["start"], ["state"], ["kill"], ["delete"], ["exec", "ID", "true"],
            ])
        func missing(command: [String]) throws {
            try withContainer { c in
                var arguments = command.map { $0 == "ID" ? c.id : $0 }
                if arguments.count == 1 { arguments.append(c.id) }
                let outcome = c.runtime(arguments)
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("does not exist"), "\(outcome)")
            }
        }

        @Test(
            "every command without an id fails",
            arguments: ["create", "run", "start", "state", "kill", "delete", "exec"])
        func noId(command: String) throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = c.runtime([command], LaunchOptions(directory: c.bundle))
                #expect(outcome.failed, "\(outcome)")
                #expect(!outcome.stderr.isEmpty)
            }
        }

        @Test(
            "nothing is printed on success, for engines read both streams",
            arguments: ["create", "start", "kill", "delete"])
        func silence(command: String) throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                var outcomes = ["create": try c.create()]
                outcomes["start"] = c.start()
                outcomes["kill"] = c.kill("KILL")
                #expect(c.becomes("stopped"))
                outcomes["delete"] = c.delete()
                let outcome = try #require(outcomes[command])
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stdout.isEmpty && outcome.stderr.isEmpty, "\(outcome)")
            }
        }
    }
}
