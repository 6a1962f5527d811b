import Foundation
import Testing

extension Conformance {
    /// A state that is broken, and commands that are killed.
    @Suite struct Robustness {}
}

extension Conformance.Robustness {
    @Suite struct BrokenState {
        /// The file in which the runtime keeps a container's state.
        private func stateFile(_ c: Container) throws -> String {
            let directory = c.root + "/" + c.id
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            let file = names.first { $0 == "state.json" } ?? names.first { $0.contains("st") }
            return directory + "/" + (try #require(file, "no state file among \(names)"))
        }

        @Test(
            "a state file cut short names itself, and delete --force still cleans up",
            .knownDifference(crun: "cannot delete it"), arguments: [0, 1, 10, 100, -1])
        func cut(length: Int) throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached()
                let pid = c.pid
                let file = try stateFile(c)
                let whole = readText(file)
                let kept = length < 0 ? whole.utf8.count + length : length
                try writeText(String(decoding: Array(whole.utf8)[..<kept], as: UTF8.self), to: file)
                try expectNamed(c, file)
                // runc forgets the process whose state it cannot read.
                if Runtime.kind == .runc { Foundation.kill(pid, SIGKILL) }
                let deleted = c.delete("--force")
                #expect(deleted.succeeded || Runtime.kind == .runc, "\(deleted)")
                if Runtime.kind == .runc { launch(["rm", "-rf", c.root + "/" + c.id]) }
                if Runtime.kind == .runc { Leaks.removeCgroups(c.cgroupsPath) }
                c.expectNothingLeft()
            }
        }

        /// Every command that reads the state fails with a message, and does not crash.
        private func expectNamed(_ c: Container, _ file: String) throws {
            for command in [
                ["state", c.id], ["start", c.id], ["kill", c.id], ["exec", c.id, "true"],
            ] {
                let outcome = c.runtime(command)
                #expect(outcome.failed, "\(outcome)")
                if Runtime.kind == .swrunc {
                    #expect(outcome.stderr.contains(file), "\(outcome)")
                }
            }
        }

        @Test(
            "a state file with other content names itself, and delete --force still cleans up",
            .swruncOnly,
            arguments: [
                "garbage", "{}", "[]", "null", "{\"version\":999999}", "\0\0\0\0",
                "{\"id\":7}", "{\"pid\":99999999999999999999}",
            ])
        func garbage(content: String) throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached()
                let file = try stateFile(c)
                try writeText(content, to: file)
                try expectNamed(c, file)
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }

        @Test(
            "a state with a pid that is everybody's, or another's, ends nobody",
            arguments: ["-1", "0", "1", "2"], ["kill", "delete"])
        func foreignPid(pid: String, command: String) throws {
            try withContainer(leaks: .unchecked) { c in
                c.config.program("sleep", "600")
                try c.create()
                let file = try stateFile(c)
                let state = readText(file)
                c.delete("--force")
                // The same state with another pid, in a pid namespace of its own, where pid 2 is
                // a bystander and -1 is everyone. It starts later by more than a clock tick, which is
                // all that a start time tells.
                usleep(30_000)
                mkdir(c.root, 0o700)
                mkdir(c.root + "/" + c.id, 0o700)
                let changed = state.replacing(/(pid"\s*:\s*)\d+/) { "\($0.1)\(pid)" }
                #expect(changed != state)
                try writeText(changed, to: file)
                let arguments =
                    command == "kill" ? ["kill", c.id, "KILL"] : ["delete", "-f", c.id]
                let script = """
                    sleep 600 & bystander=$!
                    test $bystander = 2 || echo "pid 2 is another"
                    "$@"; kill -0 $bystander && echo alive; kill -9 $bystander
                    """
                let outcome = launch(
                    Sandbox.processes + [
                        "sh", "-c", script, "sh", Runtime.binary, "--root", c.root,
                    ]
                        + arguments)
                #expect(outcome.stdout == "alive\n", "\(outcome)")
            }
        }

        @Test("every byte of the state file, one at a time, changed: never a crash", .swruncOnly)
        func flipped() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.create()
                let file = try stateFile(c)
                let whole = Array(readText(file).utf8)
                for index in stride(from: 0, to: whole.count, by: 7) {
                    var bytes = whole
                    bytes[index] ^= 0x15
                    try Data(bytes).write(to: URL(fileURLWithPath: file))
                    let outcome = c.runtime("state", c.id)
                    if case .exited = outcome.status { continue }
                    Issue.record("byte \(index): \(outcome)")
                }
                try Data(whole).write(to: URL(fileURLWithPath: file))
                #expect(c.status == "created")
            }
        }

        @Test("a broken container does not hide the others from list", .swruncOnly)
        func list() throws {
            try withRunningContainer { c in
                mkdir(c.root + "/broken", 0o700)
                try writeText("garbage", to: c.root + "/broken/state.json")
                mkdir(c.root + "/empty", 0o700)
                let outcome = c.runtime("list", "-q")
                #expect(outcome.lines.contains(c.id), "\(outcome)")
                #expect(c.runtime("delete", "--force", "broken").succeeded)
                #expect(c.runtime("delete", "--force", "empty").succeeded)
                #expect(!exists(c.root + "/broken") && !exists(c.root + "/empty"))
            }
        }

        @Test(
            "files that are no containers under --root do no harm, and take none",
            .knownDifference(crun: "1.8.1 deletes what a link there points to"))
        func strangers() throws {
            try withRunningContainer { c in
                try writeText("x", to: c.root + "/a file")
                let victim = c.directory + "/victim"
                mkdir(victim, 0o755)
                try writeText("mine", to: victim + "/file")
                symlink(victim, c.root + "/link")
                #expect(c.runtime("list", "-q").lines.contains(c.id))
                for command in [["state"], ["delete"], ["delete", "--force"], ["kill"]] {
                    c.runtime(command + ["link"])
                }
                #expect(readText(victim + "/file") == "mine")
                unlink(c.root + "/a file")
                unlink(c.root + "/link")
            }
        }

        @Test("the state is not readable for others")
        func permissions() throws {
            try withRunningContainer { c in
                var status = stat()
                stat(c.root, &status)
                let closed = status.st_mode & 0o007 == 0
                let file = try stateFile(c)
                stat(file, &status)
                #expect(closed || status.st_mode & 0o004 == 0, "\(file)")
            }
        }
    }

    @Suite struct Killed {
        @Test(
            "create killed at any moment leaves nothing that delete --force does not remove",
            .knownDifference(runc: "leaves cgroups and processes"),
            .knownDifference(crun: "leaves cgroups and processes"))
        func create() throws {
            // The moments lie between the start of the process and a little after its usual end.
            for delay in stride(from: 0, through: 6000, by: 250) {
                try withContainer { c in
                    c.config.program("sleep", "600")
                    c.config.addMount("/mnt/a", type: "tmpfs", source: "tmpfs")
                    try c.writeConfig()
                    var options = c.intoFiles(LaunchOptions())
                    options.whileRunning = { pid in
                        usleep(UInt32(delay))
                        Foundation.kill(pid, SIGKILL)
                    }
                    c.runtime(["create", "-b", c.bundle, c.id], options)
                    let deleted = c.delete("--force")
                    #expect(deleted.succeeded, "after \(delay) µs: \(deleted)")
                    c.expectNothingLeft()
                }
            }
        }

        @Test("after a killed create the id may be used again", .swruncOnly)
        func createAgain() throws {
            for delay in [500, 1500, 3000] {
                try withContainer { c in
                    c.config.program("sleep", "600")
                    try c.writeConfig()
                    var options = c.intoFiles(LaunchOptions())
                    options.whileRunning = { pid in
                        usleep(UInt32(delay))
                        Foundation.kill(pid, SIGKILL)
                    }
                    c.runtime(["create", "-b", c.bundle, c.id], options)
                    c.delete("--force")
                    let again = try c.create()
                    #expect(again.succeeded, "after \(delay) µs: \(again)")
                }
            }
        }

        @Test("a killed foreground run leaves a container that delete --force removes")
        func run() throws {
            try withContainer { c in
                c.config.shell("echo > /ready; sleep 600")
                var options = LaunchOptions()
                options.whileRunning = { pid in
                    #expect(eventually { exists(c.rootfs + "/ready") })
                    Foundation.kill(pid, SIGKILL)
                }
                try #expect(c.run([], options).status == .signalled(SIGKILL))
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }

        @Test("a container whose init is killed from outside is stopped, and is deleted")
        func initKilled() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.create()
                Foundation.kill(c.pid, SIGKILL)
                #expect(c.becomes("stopped"))
                #expect(c.start().failed)
                #expect(c.delete().succeeded)
            }
        }

        @Test("delete --force in five processes at once: all succeed, nothing is left")
        func concurrentDelete() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached()
                let outcomes = Collected()
                let (root, id) = (c.root, c.id)
                DispatchQueue.concurrentPerform(iterations: 5) { _ in
                    outcomes.append(
                        launch([Runtime.binary, "--root", root, "delete", "--force", id]))
                }
                let strict = Runtime.kind == .swrunc
                #expect(outcomes.all.allSatisfy(\.succeeded) || !strict, "\(outcomes.all)")
                c.expectNothingLeft()
            }
        }

        @Test("state, kill, exec and delete at once never crash or hang")
        func storm() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.runDetached()
                let outcomes = Collected()
                let (root, id) = (c.root, c.id)
                let commands = [
                    ["state", id], ["exec", id, "true"], ["kill", id, "KILL"], ["list"],
                    ["delete", id], ["state", id], ["delete", "--force", id], ["start", id],
                ]
                DispatchQueue.concurrentPerform(iterations: commands.count) { index in
                    outcomes.append(
                        launch([Runtime.binary, "--root", root] + commands[index]))
                }
                for outcome in outcomes.all {
                    if case .exited = outcome.status { continue }
                    Issue.record("\(outcome)")
                }
                c.delete("--force")
                c.expectNothingLeft()
            }
        }
    }
}
