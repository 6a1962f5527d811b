import Foundation
import Testing

extension Conformance {
    /// Cgroups that somebody else made, and left as the kernel makes them.
    @Suite struct CgroupPremade {}
}

extension Conformance.CgroupPremade {
    /// A new cpuset of v1 has no CPUs and no memory nodes: nobody may join it, and nothing below it can
    /// have any.
    @Suite(.requires(Host.controller("cpuset") != nil, "has no cpuset on cgroup v1"))
    struct Cpuset {
        private let hierarchy = Host.controller("cpuset") ?? "/none"

        private func file(_ name: String, _ path: String) -> String {
            readText("\(hierarchy)\(path)/cpuset.\(name)")
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// The path of a cgroup beside the container's, which the clause makes.
        private func withTop(
            _ c: Container, _ body: (_ top: String) throws -> Void
        ) rethrows {
            let top = c.cgroupsPath + "-top"
            mkdir(hierarchy + top, 0o755)
            defer { Leaks.removeCgroups(top) }
            try body(top)
        }

        @Test(
            "below an empty one a container gets what there is, or what it asks for",
            arguments: ["/ctr", "/new/ctr"], [nil, "0"])
        func empty(below: String, cpus: String?) throws {
            try withContainer { c in
                try withTop(c) { top in
                    c.config.linux.cgroupsPath = .string(top + below)
                    if let cpus { c.config.linux.resources.cpu = ["cpus": .string(cpus)] }
                    c.config.program("sleep", "600")
                    let outcome = try c.runDetached()
                    try #require(outcome.succeeded, "\(outcome)")
                    #expect(file("cpus", top) == file("cpus", ""))
                    #expect(file("cpus", top + below) == cpus ?? file("cpus", ""))
                    #expect(file("mems", top + below) == file("mems", ""))
                    #expect(c.delete("--force").succeeded)
                }
            }
        }

        @Test("what somebody has set is kept: above the container, and in its own cgroup")
        func kept() throws {
            try withContainer { c in
                try withTop(c) { top in
                    try writeText("0", to: "\(hierarchy)\(top)/cpuset.cpus")
                    let own = top + "/ctr"
                    mkdir(hierarchy + own, 0o755)
                    c.config.linux.cgroupsPath = .string(own)
                    c.config.program("sleep", "600")
                    let outcome = try c.runDetached()
                    try #require(outcome.succeeded, "\(outcome)")
                    #expect(file("cpus", top) == "0")
                    #expect(file("cpus", own) == "0")
                    #expect(file("mems", own) == file("mems", ""))
                    #expect(c.delete("--force").succeeded)
                }
            }
        }

        @Test(
            "a container's own cgroup that was there keeps its CPUs",
            .requires(ProcessInfo.processInfo.activeProcessorCount > 1, "has one CPU only"))
        func ownKept() throws {
            try withContainer { c in
                mkdir(hierarchy + c.cgroupsPath, 0o755)
                try writeText("1", to: "\(hierarchy)\(c.cgroupsPath)/cpuset.cpus")
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                #expect(file("cpus", c.cgroupsPath) == "1")
            }
        }

        @Test(
            "CPUs that another cgroup has for its own are left to it",
            .requires(ProcessInfo.processInfo.activeProcessorCount > 1, "has one CPU only"))
        func exclusive() throws {
            try withContainer { c in
                try withTop(c) { top in
                    let parent = hierarchy + top
                    try writeText(file("cpus", ""), to: parent + "/cpuset.cpus")
                    try writeText(file("mems", ""), to: parent + "/cpuset.mems")
                    guard (try? writeText("1", to: parent + "/cpuset.cpu_exclusive")) != nil else {
                        try Test.cancel(
                            "this host: other cgroups have CPUs that would be exclusive")
                    }
                    mkdir(parent + "/other", 0o755)
                    try writeText("1", to: parent + "/other/cpuset.cpus")
                    try writeText("1", to: parent + "/other/cpuset.cpu_exclusive")
                    c.config.linux.cgroupsPath = .string(top + "/ctr")
                    c.config.program("sleep", "600")
                    let outcome = try c.runDetached()
                    try #require(outcome.succeeded, "\(outcome)")
                    #expect(!file("cpus", top + "/ctr").contains("1"))
                    #expect(c.delete("--force").succeeded)
                }
            }
        }
    }
}

extension Conformance.CgroupPremade {
    @Suite(.requires(Host.isUnified, "has no cgroup v2 on /sys/fs/cgroup")) struct Unified {
        @Test("below a threaded cgroup the container is threaded as well, as runc has it")
        func threaded() throws {
            try withContainer { c in
                let top = c.cgroupsPath + "-top"
                let directory = "/sys/fs/cgroup" + top
                defer { Leaks.removeCgroups(top) }
                mkdir(directory, 0o755)
                try writeText("threaded", to: directory + "/cgroup.type")
                c.config.linux.cgroupsPath = .string(top + "/inside")
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                #expect(readText(directory + "/inside/cgroup.type") == "threaded\n")
                #expect(c.execSh("echo joined") == "joined")
                #expect(c.delete("--force").succeeded)
            }
        }
    }
}
