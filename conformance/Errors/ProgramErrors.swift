import Foundation
import Testing

/// Writes a file into the container's root file system, executable unless `mode` says otherwise.
private func put(_ text: String, _ path: String, _ c: Container, mode: mode_t = 0o755) throws {
    try writeText(text, to: c.rootfs + path)
    chmod(c.rootfs + path, mode)
}

/// Each of these is a bare errno of `execve(2)`, which names the program and means something else.
extension Conformance.Errors {
    @Suite(.swruncOnly) struct Programs {
        /// What `run` says of a program that stands in a file.
        private func complaint(_ text: String, mode: mode_t = 0o755) throws -> String {
            var complaint = ""
            try withContainer { c in
                try put(text, "/bin/x", c, mode: mode)
                c.config.program("/bin/x")
                let outcome = try c.run()
                #expect(outcome.failed && outcome.stderr.contains("execute /process/args/0"))
                #expect(outcome.stderr.split(separator: "\n").count == 1, "\(outcome)")
                complaint = outcome.stderr
            }
            return complaint
        }

        @Test("a script's missing interpreter is named")
        func interpreter() throws {
            let text = try complaint("#! /usr/bin/python3 -u\n")
            #expect(text.contains(#"its interpreter "/usr/bin/python3" does not exist"#), "\(text)")
        }

        @Test("\\r\\n after the interpreter is shown, and what to do")
        func carriageReturn() throws {
            let text = try complaint("#!/bin/sh\r\necho hi\r\n")
            #expect(text.contains(#"\r\n"#) && text.contains(#""/bin/sh\r""#), "\(text)")
            #expect(text.contains("Unix line ends"), "\(text)")
        }

        @Test("a program without #!, and an empty file, are told apart")
        func noProgram() throws {
            let text = try complaint("echo hi\n")
            let words = "neither an ELF program nor a script that begins with #!"
            #expect(text.contains(words), "\(text)")
            #expect(try complaint("").contains("an empty file"))
        }

        @Test("the interpreter's own fault is found: a mode, and an interpreter of its own")
        func chain() throws {
            try withContainer { c in
                try put("#!/bin/y\n", "/bin/x", c)
                try put("#!/bin/sh\n", "/bin/y", c, mode: 0o644)
                c.config.program("/bin/x")
                let text = try c.run().stderr
                #expect(text.contains(#"its interpreter "/bin/y" has mode 0644"#), "\(text)")
            }
            try withContainer { c in
                try put("#!/bin/y\n", "/bin/x", c)
                try put("#!/no/such/z\n", "/bin/y", c)
                c.config.program("/bin/x")
                let text = try c.run().stderr
                #expect(text.contains(#""/no/such/z" does not exist"#), "\(text)")
            }
        }

        /// A program of the host's that names a loader.
        private static let dynamic = "/bin/ls"

        private func run(_ edit: (inout [UInt8]) -> Void, from: String) throws -> String {
            var complaint = ""
            try withContainer { c in
                var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: from)))
                edit(&bytes)
                try Data(bytes).write(to: URL(fileURLWithPath: c.rootfs + "/bin/x"))
                chmod(c.rootfs + "/bin/x", 0o755)
                c.config.program("/bin/x")
                complaint = try c.run().stderr
            }
            return complaint
        }

        @Test("a missing loader of an ELF program is named (PT_INTERP)")
        func loader() throws {
            let text = try run({ _ in }, from: Self.dynamic)
            #expect(text.contains("its loader \"/lib"), "\(text)")
            #expect(text.contains("(PT_INTERP) does not exist"), "\(text)")
        }

        @Test("a program for another architecture: both are named")
        func architecture() throws {
            // e_machine: SPARC, which none of these hosts is, little-endian as it is not.
            let text = try run({ $0[18] = 2 }, from: "/bin/busybox")
            #expect(text.contains("it is a program for SPARC, and the host is "), "\(text)")
        }

        @Test("a program on a mount with noexec")
        func noExec() throws {
            try withContainer { c in
                mkdir(c.directory + "/src", 0o755)
                try writeText("#!/bin/sh\n", to: c.directory + "/src/x")
                chmod(c.directory + "/src/x", 0o755)
                c.config.bind(c.directory + "/src", at: "/mnt", options: ["noexec"])
                c.config.program("/mnt/x")
                let text = try c.run().stderr
                #expect(text.contains("mounted with noexec"), "\(text)")
            }
        }

        @Test("a directory on the way that the program's user may not search is named")
        func directory() throws {
            try withContainer { c in
                mkdir(c.rootfs + "/secret", 0o700)
                try put("#!/bin/sh\n", "/secret/x", c)
                c.config.program("/secret/x")
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.process.capabilities = [:]
                let text = try c.run().stderr
                #expect(text.contains(#""/secret" (mode 0700)"#), "\(text)")
            }
        }

        @Test("what is no program is told at create: the directory that is missing, the mode")
        func lookup() throws {
            try withContainer { c in
                c.config.program("/no/such/program")
                let outcome = try c.create()
                #expect(outcome.stderr.contains("no such file or directory; there is no \"/no\""))
                try put("", "/bin/x", c, mode: 0o644)
                c.config.program("/bin/x")
                let other = try c.create()
                #expect(other.stderr.contains("permission denied; its mode is 0644"), "\(other)")
            }
        }

        @Test("a hook's missing interpreter is named")
        func hook() throws {
            try withContainer { c in
                let hook = c.directory + "/hook"
                try writeText("#!/no/such/interpreter\n", to: hook)
                chmod(hook, 0o755)
                c.config.hooks = ["createRuntime": [["path": .string(hook)]]]
                let text = try c.create().stderr
                #expect(text.contains("/hooks/createRuntime/0"), "\(text)")
                #expect(text.contains(#""/no/such/interpreter" does not exist"#), "\(text)")
            }
        }

        @Test(
            "a profile that denies execve is named, before it can silence the init",
            arguments: ["ERRNO", "KILL_PROCESS", "TRAP"])
        func seccomp(action: String) throws {
            try withContainer { c in
                c.config.filter(rule("execve", action))
                let outcome = try c.run()
                #expect(outcome.status == .exited(1), "\(outcome)")
                #expect(outcome.stderr.contains("/linux/seccomp"), "\(outcome)")
                #expect(outcome.stderr.contains("the seccomp profile denies execve"), "\(outcome)")
            }
            try withContainer { c in
                c.config.filter(rule("execve", action))
                try #expect(c.create().succeeded)
                let outcome = c.start()
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("apply seccomp /linux/seccomp"), "\(outcome)")
                #expect(outcome.stderr.contains("denies execve"), "\(outcome)")
            }
        }

        @Test("a profile that would kill who looks for the fault does not hide the failure")
        func quiet() throws {
            try withContainer { c in
                try put("#!/no/such/interpreter\n", "/bin/x", c)
                c.config.program("/bin/x")
                c.config.filter(rule("newfstatat", "KILL_PROCESS"), rule("openat", "KILL_PROCESS"))
                let outcome = try c.run()
                #expect(outcome.status == .exited(1), "\(outcome)")
                #expect(outcome.stderr.contains("its interpreter or loader is not"), "\(outcome)")
            }
        }

        @Test("start names step and place, as run does")
        func start() throws {
            try withContainer { c in
                try put("#!/no/such/interpreter\n", "/bin/x", c)
                c.config.program("/bin/x")
                try #expect(c.create().succeeded)
                let outcome = c.start()
                #expect(outcome.failed)
                for words in [
                    "start failed: execute /process/args/0", "/no/such/interpreter",
                    "No such file or directory",
                ] { #expect(outcome.stderr.contains(words), "\(outcome)") }
            }
            try withContainer { c in
                c.config.hooks = ["startContainer": [["path": "/bin/false"]]]
                try #expect(c.create().succeeded)
                let text = c.start().stderr
                let words = "run hook /hooks/startContainer/0 (startContainer)"
                #expect(text.contains(words), "\(text)")
            }
        }
    }
}
