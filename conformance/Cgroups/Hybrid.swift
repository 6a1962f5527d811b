import Foundation
import Testing

extension Conformance {
    /// A host with cgroup v2 beside v1: what goes by v2 sees the container there.
    @Suite(.swruncOnly, .requires(Host.hybrid != nil, "has no cgroup v2 beside v1"))
    struct CgroupHybrid {
        private func directory(_ c: Container) -> String { (Host.hybrid ?? "") + c.cgroupsPath }

        private func unifiedPath(_ text: String) -> String {
            text.split(separator: "\n").first { $0.hasPrefix("0::") }.map {
                String($0.dropFirst(3))
            }
                ?? "none"
        }

        @Test("the container is in v2 as well, before its first hook, and so is what joins it")
        func member() throws {
            try withContainer { c in
                let file = c.directory + "/hook"
                c.config.addHook(
                    "createRuntime",
                    [
                        "path": "/bin/sh",
                        "args": ["sh", "-c", .string("cat \(directory(c))/cgroup.procs >\(file)")],
                    ])
                c.config.program("sleep", "600")
                try c.runDetached()
                #expect(readText(file) == "\(c.pid)\n")
                #expect(unifiedPath(readText("/proc/\(c.pid)/cgroup")) == c.cgroupsPath)
                #expect(unifiedPath(c.execSh("cat /proc/self/cgroup")) == c.cgroupsPath)
                #expect(
                    readText("\(c.root)/\(c.id)/state.json")
                        .contains(":\(Host.hybrid ?? ""):\(c.cgroupsPath)"))
                #expect(c.delete("--force").succeeded)
                c.expectNothingLeft()
            }
        }

        @Test("cgroup.kill ends all of it")
        func kill() throws {
            try withContainer { c in
                c.config.removeNamespace("pid")
                c.config.shell("setsid sleep 601 & echo ready; sleep 600")
                try c.runDetached()
                try #require(c.prints("ready"))
                try writeText("1", to: directory(c) + "/cgroup.kill")
                #expect(eventually { Leaks.processes(inCgroup: c.cgroupsPath).isEmpty })
                #expect(c.becomes("stopped"))
            }
        }

        @Test("where v2 may not be written the container does without, for its whole life")
        func readOnly() throws {
            try withContainer { c in
                c.sandbox = [
                    "unshare", "--mount", "sh", "-ec",
                    "mount -o remount,bind,ro \(Host.hybrid ?? ""); exec \"$@\"", "sh",
                ]
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                #expect(!exists(directory(c)))
                #expect(c.execSh("echo joined") == "joined")
                #expect(c.delete("--force").succeeded)
            }
        }

        @Test("a cgroup of v2 that others live in is left to them")
        func others() throws {
            try withContainer(leaks: .unchecked) { c in
                mkdir(directory(c), 0o755)
                let other = try #require(
                    pid_t(launch(["sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"]).trimmed))
                defer { Foundation.kill(other, SIGKILL) }
                try writeText("\(other)", to: directory(c) + "/cgroup.procs")
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                #expect(c.execSh("echo joined") == "joined")
                #expect(c.delete("--force").succeeded)
                #expect(Foundation.kill(other, 0) == 0)
                #expect(exists(directory(c)))
            }
        }

        @Test("a failed create leaves nothing in v2")
        func failure() throws {
            try withContainer { c in
                c.config.program("/none")
                try #expect(c.run().failed)
                c.expectNothingLeft()
            }
        }

        @Test("below a threaded cgroup the container is threaded as well")
        func threaded() throws {
            try withContainer { c in
                let top = c.cgroupsPath + "-top"
                let directory = (Host.hybrid ?? "") + top
                defer { Leaks.removeCgroups(top) }
                mkdir(directory, 0o755)
                try writeText("threaded", to: directory + "/cgroup.type")
                c.config.linux.cgroupsPath = .string(top + "/inside")
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                #expect(readText(directory + "/inside/cgroup.type") == "threaded\n")
                #expect(c.delete("--force").succeeded)
            }
        }
    }
}
