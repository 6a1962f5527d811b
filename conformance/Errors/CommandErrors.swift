import Foundation
import Testing

extension Conformance.Errors {
    @Suite(.swruncOnly) struct Missing {
        @Test("a missing container: the root that was searched is named")
        func root() throws {
            try withContainer { c in
                mkdir(c.root, 0o700)
                for command in ["state", "start", "kill", "delete", "pause"] {
                    let text = c.runtime(command, "no-such").stderr
                    #expect(text.contains("does not exist"), "\(text)")
                    #expect(text.contains("looked in \(c.root)"), "\(text)")
                }
                rmdir(c.root)
                let text = c.runtime("state", "no-such").stderr
                #expect(text.contains("\(c.root) does not exist"), "\(text)")
            }
        }

        @Test("and the other root that it is in")
        func otherRoot() throws {
            try withRunningContainer { c in
                var options = LaunchOptions()
                // The container's own root, as a user's, and another that is searched.
                options.environment = [
                    "XDG_RUNTIME_DIR": c.directory, "PATH": "/usr/bin:/usr/sbin",
                ]
                try FileManager.default.createSymbolicLink(
                    atPath: c.directory + "/swrunc", withDestinationPath: c.root)
                let outcome = launch(
                    [Runtime.binary, "--root", c.directory + "/other", "kill", c.id, "KILL"],
                    options)
                #expect(outcome.failed)
                #expect(
                    outcome.stderr.contains(
                        "one of that name is in \(c.directory)/swrunc: give that as --root"),
                    "\(outcome)")
            }
        }
    }

    @Suite(.swruncOnly) struct Exec {
        @Test("the command line's faults are the command line's")
        func commandLine() throws {
            try withRunningContainer { c in
                let missing = c.exec([], "no-such").stderr
                #expect(
                    missing.contains("find executable COMMAND: exec: \"no-such\""), "\(missing)")
                let cwd = c.exec(["--cwd", "/no/such"], "true").stderr
                #expect(cwd.contains("change directory --cwd (/no/such): chdir to cwd"), "\(cwd)")
                let relative = c.exec(["--cwd", "tmp"], "true").stderr
                #expect(relative.contains("--cwd: Cwd must be an absolute path"), "\(relative)")
                for text in [missing, cwd, relative] {
                    #expect(!text.contains("config.json") && !text.contains("/process"), "\(text)")
                }
            }
        }

        @Test("a process file's faults are the file's, with the place in it")
        func file() throws {
            try withRunningContainer { c in
                let path = c.directory + "/p.json"
                func complaint(_ process: JSON) throws -> String {
                    try writeText(process.text, to: path)
                    return c.runtime("exec", "--process", path, c.id).stderr
                }
                let cwd = try complaint(["args": ["true"], "cwd": "/no/such"])
                #expect(cwd.contains("change directory /cwd in \(path) (/no/such)"), "\(cwd)")
                #expect(!cwd.contains("config.json"), "\(cwd)")
                let type = try complaint(["args": "true", "cwd": "/"])
                #expect(type.contains("/args in \(path): expected an array"), "\(type)")
                let relative = try complaint(["args": ["true"], "cwd": "tmp"])
                #expect(relative.contains("/cwd in \(path): Cwd must be"), "\(relative)")
            }
        }
    }

    @Suite(.swruncOnly) struct Warnings {
        /// A container whose config has something to be warned of.
        private func withWarning(_ body: (Container) throws -> Void) throws {
            try withContainer { c in
                c.config.program("true")
                c.config.process.capabilities.bounding.append("CAP_NO_SUCH")
                try body(c)
            }
        }

        @Test("a terminal shows them, beside a log too; a pipe does not")
        func terminal() throws {
            for hasLog in [false, true] {
                try withWarning { c in
                    let log = c.directory + "/log"
                    if hasLog { c.globals += ["--log", log] }
                    try #expect(c.run().stderr.isEmpty)
                    if hasLog { #expect(readText(log).contains("CAP_NO_SUCH")) }
                    let (terminal, slave) = try Terminal.make()
                    var options = LaunchOptions()
                    options.terminal = slave
                    try #expect(c.run([], options).succeeded)
                    #expect(
                        terminal.prints("swrunc: warning: /process/capabilities/bounding/"),
                        "\(terminal.text)")
                }
            }
        }

        @Test("a failed command has them in its one entry, after the error")
        func failed() throws {
            try withWarning { c in
                let log = c.directory + "/log"
                c.globals += ["--log", log, "--log-format", "json"]
                c.config.bind("/no/such", at: "/mnt")
                let outcome = try c.create()
                #expect(outcome.failed)
                let entry = try JSON(parsing: readText(log))
                #expect(entry.level == "error")
                let message = entry.msg.string ?? ""
                #expect(message.contains("/no/such"), "\(message)")
                #expect(message.contains("; warning: "), "\(message)")
                #expect(message.contains("CAP_NO_SUCH"), "\(message)")
            }
        }
    }
}
