import Foundation
import Testing

extension Conformance.Robustness {
    /// Commands that are killed at any moment, and a state directory that fails.
    @Suite struct Faults {
        private func killed(_ c: Container, after microseconds: Int, _ command: [String]) {
            var options = c.intoFiles(LaunchOptions())
            options.whileRunning = { pid in
                usleep(UInt32(microseconds))
                Foundation.kill(pid, SIGKILL)
            }
            c.runtime(command, options)
        }

        private func expectClean(_ c: Container, _ when: String) {
            let deleted = c.delete("--force")
            #expect(deleted.succeeded, "\(when): \(deleted)")
            c.expectNothingLeft()
        }

        @Test("start killed at any moment", .swruncOnly)
        func start() throws {
            for delay in stride(from: 200, through: 4200, by: 400) as StrideThrough<Int> {
                try withContainer { c in
                    c.config.program("sleep", "600")
                    c.config.addHook(
                        "startContainer",
                        ["path": "/bin/true", "args": ["true"]])
                    try c.create()
                    killed(c, after: delay, ["start", c.id])
                    expectClean(c, "after \(delay) µs")
                }
            }
        }

        @Test(
            "exec killed at any moment leaves a container that goes on", .swruncOnly,
            arguments: ["CAP_KILL", "CAP_SYS_PTRACE"])
        func exec(capability: String) throws {
            try withRunningContainer(edit: {
                $0.process.capabilities = capabilitySets([capability])
            }) { c in
                for delay in stride(from: 200, through: 6200, by: 250) as StrideThrough<Int> {
                    killed(c, after: delay, ["exec", c.id, "sleep", "500"])
                }
                #expect(c.status == "running")
                #expect(c.execSh("echo on") == "on")
                expectClean(c, "after exec")
            }
        }

        @Test("delete killed at any moment: the next one ends it", .swruncOnly)
        func delete() throws {
            for delay in stride(from: 200, through: 4200, by: 400) as StrideThrough<Int> {
                try withContainer { c in
                    c.config.program("sleep", "600")
                    try c.runDetached()
                    killed(c, after: delay, ["delete", "--force", c.id])
                    expectClean(c, "after \(delay) µs")
                }
            }
        }

        /// A file system for the state directory alone, in a mount namespace of its own, where
        /// `script` is run with the runtime's command in "$@".
        private func withStateOn(
            _ mount: String, _ c: Container, _ script: String
        ) -> Outcome {
            mkdir(c.root, 0o700)
            let whole = """
                mount -t tmpfs \(mount) tmpfs "$ROOT" || exit 98
                \(script)
                """
            var options = LaunchOptions()
            options.environment = [
                "ROOT": c.root, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BUNDLE": c.bundle,
                "ID": c.id,
            ]
            return launch(
                [
                    "unshare", "--mount", "--propagation", "private", "sh", "-c", whole, "sh",
                    Runtime.binary, "--root", c.root,
                ], options)
        }

        @Test(
            "a full state directory: create says so, and leaves nothing", .swruncOnly,
            arguments: [4, 8, 12, 16, 20, 24])
        func full(kibibytes: Int) throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                c.config.annotations = ["filler": .string(String(repeating: "x", count: 6000))]
                try c.writeConfig()
                let outcome = withStateOn(
                    "-o size=\(kibibytes)k", c,
                    """
                    "$@" create --bundle "$BUNDLE" "$ID" > /dev/null; echo "create $?"
                    "$@" delete --force "$ID"; echo "delete $?"
                    ls "$ROOT" | grep -v '^@'
                    """)
                if outcome.lines.first == "create 1" {
                    #expect(outcome.stderr.contains("No space left"), "\(outcome)")
                }
                #expect(outcome.lines.last == "delete 0", "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test("a state directory that becomes read-only: every command fails with the reason")
        func readOnly() throws {
            try withContainer { c in
                c.config.program("sleep", "600")
                try c.writeConfig()
                let outcome = withStateOn(
                    "", c,
                    """
                    "$@" create --bundle "$BUNDLE" "$ID" > /dev/null 2>&1
                    mount -o remount,ro "$ROOT"
                    "$@" create --bundle "$BUNDLE" "$ID"2 2>&1 > /dev/null | grep -c 'Read-only'
                    "$@" start "$ID" 2>&1 | grep -c 'Read-only'
                    mount -o remount,rw "$ROOT"
                    "$@" delete --force "$ID" && ls "$ROOT" | grep -v '^@'
                    """)
                #expect(outcome.lines == ["1", "1"], "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "exec where the pids limit is used up fails with the reason, or runs", .swruncOnly,
            arguments: ["CAP_KILL", "CAP_SYS_PTRACE"])
        func pids(capability: String) throws {
            try withRunningContainer(edit: {
                $0.process.capabilities = capabilitySets([capability])
                $0.linux.resources.pids = ["limit": 1]
            }) { c in
                let outcome = c.exec([], "true")
                #expect(outcome.succeeded || outcome.stderr.contains("pids"), "\(outcome)")
                #expect(c.status == "running")
            }
        }
    }
}
