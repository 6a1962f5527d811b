import Foundation
import Testing

extension Conformance {
    /// config-linux.md, seccomp: the filter is felt by system calls made inside.
    @Suite struct Seccomp {}
}

/// Numbers of the calls the clauses make. munlockall(2) takes no argument, always succeeds, and
/// neither a shell nor a runtime calls it.
enum Syscall {
    #if arch(x86_64)
        static let munlockall = 152
        static let getpgid = 121
        static let personality = 135
        static let mount = 165
    #else
        static let munlockall = 231
        static let getpgid = 155
        static let personality = 92
        static let mount = 40
    #endif
    /// munlockall for 32 bit x86.
    static let munlockall32 = 153
}

extension JSON {
    /// A filter that allows all but what `rules` say.
    mutating func filter(_ rules: JSON...) {
        self.linux.seccomp = [
            "defaultAction": "SCMP_ACT_ALLOW",
            "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
            "syscalls": .array(rules),
        ]
        #if !arch(x86_64)
            self.linux.seccomp.architectures = .null
        #endif
    }
}

/// A rule for one call.
func rule(_ name: String, _ action: String, errno: Int? = nil, args: JSON = .null) -> JSON {
    var rule: JSON = ["names": [.string(name)], "action": .string("SCMP_ACT_" + action)]
    rule.errnoRet = errno.map { JSON($0) } ?? .null
    rule["args"] = args
    return rule
}

extension Conformance.Seccomp {
    @Suite struct Actions {
        /// What munlockall gives under the rule.
        private func called(_ rule: JSON, _ verb: String = "syscall") throws -> Outcome {
            var outcome: Outcome?
            try withContainer { c in
                c.config.filter(rule)
                // A shell in between: a namespace's init is not killed by every signal.
                c.config.shell("probe \(verb) \(Syscall.munlockall); echo status=$?")
                outcome = try c.run()
            }
            return try #require(outcome)
        }

        @Test(
            "without seccomp in the config there is no filter",
            .needsNewerCalls("the container is behind that filter"))
        func none() throws {
            try withContainer { c in
                try #expect(c.probe()["seccomp"] == "0")
            }
        }

        @Test("with seccomp in the config there is one")
        func some() throws {
            try withContainer { c in
                c.config.filter()
                try #expect(c.probe()["seccomp"] == "2")
            }
        }

        @Test(
            "ERRNO fails the call with EPERM, or with errnoRet",
            arguments: [(nil, 1), (1, 1), (38, 38), (99, 99)] as [(Int?, Int)])
        func errno(given: Int?, seen: Int) throws {
            let outcome = try called(rule("munlockall", "ERRNO", errno: given))
            #expect(ProbeReport(outcome.stdout)["errno"] == "\(seen)", "\(outcome)")
        }

        @Test("ALLOW lets the call through, against a default that does not")
        func allow() throws {
            try withContainer { c in
                c.config.linux.seccomp = Self.dockers
                c.config.linux.seccomp.defaultAction = "SCMP_ACT_ERRNO"
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "0")
            }
        }

        @Test(
            "LOG lets the call through",
            .requires(
                readText("/proc/sys/kernel/seccomp/actions_avail").contains("log"),
                "has no SECCOMP_RET_LOG"))
        func log() throws {
            let outcome = try called(rule("munlockall", "LOG"))
            #expect(ProbeReport(outcome.stdout)["errno"] == "0", "\(outcome)")
        }

        @Test("KILL_PROCESS kills with SIGSYS")
        func killProcess() throws {
            let outcome = try called(rule("munlockall", "KILL_PROCESS"))
            #expect(outcome.stdout.hasSuffix("status=159\n"), "\(outcome)")
            let threaded = try called(rule("munlockall", "KILL_PROCESS"), "thread")
            #expect(!threaded.stdout.contains("main=alive"), "\(threaded)")
        }

        @Test("KILL and KILL_THREAD kill the one thread", arguments: ["KILL", "KILL_THREAD"])
        func killThread(action: String) throws {
            let outcome = try called(rule("munlockall", action))
            #expect(outcome.stdout.hasSuffix("status=159\n"), "\(outcome)")
            let threaded = try called(rule("munlockall", action), "thread")
            #expect(threaded.stdout.contains("main=alive"), "\(threaded)")
        }

        @Test("TRAP raises SIGSYS, which names the call")
        func trap() throws {
            let report = ProbeReport(try called(rule("munlockall", "TRAP"), "trap").stdout)
            #expect(report["signal"] == "31")
            #expect(report["syscall"] == "\(Syscall.munlockall)")
        }

        @Test("TRACE fails with ENOSYS without a tracer")
        func traceAlone() throws {
            let outcome = try called(rule("munlockall", "TRACE"))
            #expect(ProbeReport(outcome.stdout)["errno"] == "38", "\(outcome)")
        }

        @Test("TRACE gives the tracer errnoRet", arguments: [7, 4321])
        func trace(message: Int) throws {
            let report = ProbeReport(
                try called(rule("munlockall", "TRACE", errno: message), "traced").stdout)
            #expect(report["event"] == "seccomp")
            #expect(report["message"] == "\(message)")
        }

        @Test("NOTIFY without a listenerPath is refused and named")
        func notify() throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", "NOTIFY"))
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "listenerPath")
            }
        }

        @Test(
            "errnoRet with an action that has none is refused and named",
            .knownDifference(runc: "ignores it"), .knownDifference(crun: "ignores it"),
            arguments: ["KILL", "KILL_PROCESS", "ALLOW", "LOG"])
        func needlessErrno(action: String) throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", action, errno: 5))
                expectRefusal(try c.create(), c, naming: "errnoRet")
            }
        }

        @Test(
            "the default action and defaultErrnoRet are for what no rule names",
            arguments: [(nil, 1), (38, 38), (77, 77)] as [(Int?, Int)])
        func defaultErrno(given: Int?, seen: Int) throws {
            try withContainer { c in
                c.config.linux.seccomp = Self.dockers
                c.config.linux.seccomp.defaultErrnoRet = given.map { JSON($0) } ?? .null
                for index in c.config.linux.seccomp.syscalls.array.indices {
                    let names = c.config.linux.seccomp.syscalls[index].names
                    c.config.linux.seccomp.syscalls[index].names = .array(
                        names.array.filter { $0 != "munlockall" })
                }
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "\(seen)")
            }
        }

        /// Docker's profile, as it wrote it.
        static let dockers: JSON = {
            let path = Runtime.packageRoot + "/conformance/fixtures/docker-default.json"
            return (try? JSON(parsing: readText(path)))?.linux.seccomp ?? .null
        }()
    }

    @Suite struct Arguments {
        private static let large: JSON = 4_294_967_301  // 2^32 + 5

        /// The operator, the rule's value and second value, the call's argument, and whether the
        /// rule matches. Arguments are 64 bits wide.
        static let operators: [(String, JSON, JSON, String, Bool)] = [
            ("EQ", 5, .null, "5", true), ("EQ", 5, .null, "6", false),
            ("EQ", 5, .null, "4294967301", false), ("EQ", large, .null, "4294967301", true),
            ("EQ", large, .null, "5", false), ("EQ", 0, .null, "0", true),
            ("EQ", .uint(.max), .null, "18446744073709551615", true),
            ("NE", 5, .null, "6", true), ("NE", 5, .null, "5", false),
            ("NE", 5, .null, "4294967301", true), ("NE", large, .null, "4294967301", false),
            ("LT", 5, .null, "4", true), ("LT", 5, .null, "5", false),
            ("LT", 5, .null, "4294967296", false), ("LT", large, .null, "6", true),
            ("LT", large, .null, "4294967300", true), ("LT", large, .null, "4294967301", false),
            ("LE", 5, .null, "5", true), ("LE", 5, .null, "6", false),
            ("LE", large, .null, "4294967301", true), ("LE", large, .null, "4294967302", false),
            ("LE", large, .null, "8589934592", false),
            ("GT", 5, .null, "6", true), ("GT", 5, .null, "5", false),
            ("GT", 5, .null, "4294967296", true), ("GT", large, .null, "6", false),
            ("GT", large, .null, "4294967302", true),
            ("GE", 5, .null, "5", true), ("GE", 5, .null, "4", false),
            ("GE", large, .null, "4294967301", true), ("GE", large, .null, "4294967300", false),
            ("GE", large, .null, "8589934592", true),
            ("GE", .uint(1 << 63), .null, "9223372036854775808", true),
            ("GE", .uint(1 << 63), .null, "5", false),
            ("MASKED_EQ", 0xf0, 0x50, "0x5f", true), ("MASKED_EQ", 0xf0, 0x50, "0x6f", false),
            ("MASKED_EQ", 0xf0, 0x50, "0x10000005f", true),
            ("MASKED_EQ", 0x1_0000_0000, 0x1_0000_0000, "0x100000001", true),
            ("MASKED_EQ", 0x1_0000_0000, 0x1_0000_0000, "1", false),
            ("MASKED_EQ", 0xf0, 0, "0x0f", true),
        ]

        @Test("each operator, in both halves of the 64 bits of an argument")
        func comparisons() throws {
            try withContainer { c in
                for (name, value, second, argument, matches) in Self.operators {
                    var condition: JSON = [
                        "index": 0, "value": value, "op": .string("SCMP_CMP_" + name),
                    ]
                    condition.valueTwo = second
                    c.config.filter(rule("getpgid", "ERRNO", errno: 99, args: [condition]))
                    let seen = try c.probe("syscall", "\(Syscall.getpgid)", argument)["errno"]
                    #expect((seen == "99") == matches, "\(argument) \(name) \(value.text)")
                    #expect(seen != "", "the call was not made")
                }
            }
        }

        @Test("each of the six arguments", arguments: 0..<6)
        func index(index: Int) throws {
            try withContainer { c in
                let condition: JSON = ["index": JSON(index), "value": 42, "op": "SCMP_CMP_EQ"]
                c.config.filter(rule("munlockall", "ERRNO", errno: 99, args: [condition]))
                var call = Array(repeating: "7", count: 6)
                let before = try c.probe(["syscall", "\(Syscall.munlockall)"] + call)
                call[index] = "42"
                let after = try c.probe(["syscall", "\(Syscall.munlockall)"] + call)
                #expect(before["errno"] == "0" && after["errno"] == "99")
            }
        }

        @Test(
            "conditions on different arguments must all hold",
            arguments: [("1", "2", true), ("1", "3", false), ("0", "2", false)])
        func all(first: String, second: String, matches: Bool) throws {
            try withContainer { c in
                c.config.filter(
                    rule(
                        "munlockall", "ERRNO", errno: 99,
                        args: [
                            ["index": 0, "value": 1, "op": "SCMP_CMP_EQ"],
                            ["index": 1, "value": 2, "op": "SCMP_CMP_EQ"],
                        ]))
                let seen = try c.probe("syscall", "\(Syscall.munlockall)", first, second)["errno"]
                #expect((seen == "99") == matches)
            }
        }

        @Test(
            "several rules for one call: any that matches",
            arguments: [("1", "97"), ("2", "98"), ("3", "0")])
        func any(argument: String, seen: String) throws {
            try withContainer { c in
                let one: JSON = [["index": 0, "value": 1, "op": "SCMP_CMP_EQ"]]
                let two: JSON = [["index": 0, "value": 2, "op": "SCMP_CMP_EQ"]]
                c.config.filter(
                    rule("munlockall", "ERRNO", errno: 97, args: one),
                    rule("munlockall", "ERRNO", errno: 98, args: two))
                try #expect(
                    c.probe("syscall", "\(Syscall.munlockall)", argument)["errno"] == seen)
            }
        }
    }

    @Suite struct Profile {
        @Test("a call no kernel knows is ignored, for profiles name new ones")
        func unknownCall() throws {
            try withContainer { c in
                c.config.filter(
                    rule("no_such_call", "ERRNO"), rule("munlockall", "ERRNO", errno: 99))
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "99")
            }
        }

        @Test(
            "a rule without names is refused", .knownDifference(runc: "takes it"),
            .knownDifference(crun: "takes it"))
        func noNames() throws {
            try withContainer { c in
                c.config.filter(["names": [], "action": "SCMP_ACT_ERRNO"])
                expectRefusal(try c.create(), c, naming: "names")
            }
        }

        @Test("without architectures the filter is for the native one")
        func nativeOnly() throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", "ERRNO", errno: 99))
                c.config.linux.seccomp.architectures = .null
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "99")
            }
        }

        @Test("a 32 bit call is filtered when its architecture is listed, and refused when not")
        func otherArchitecture() throws {
            #if arch(x86_64)
                try withContainer { c in
                    c.config.shell("probe int80 \(Syscall.munlockall32) | grep errno; echo $?")
                    if try !c.run().stdout.hasPrefix("errno=0") {
                        try Test.cancel("this host has no 32 bit calls")
                    }
                    c.config.filter(rule("munlockall", "ERRNO", errno: 99))
                    try #expect(c.run().lines.first == "errno=99")
                    c.config.linux.seccomp.architectures = ["SCMP_ARCH_X86_64"]
                    try #expect(!c.run().stdout.contains("errno="))
                }
            #endif
        }

        @Test("the calls of the x32 ABI are filtered like those of x86_64")
        func x32() throws {
            #if arch(x86_64)
                try withContainer { c in
                    c.config.filter(rule("munlockall", "ERRNO", errno: 99))
                    let number = "\(0x4000_0000 + Syscall.munlockall)"
                    try #expect(c.probe("syscall", number)["errno"] == "99")
                }
            #endif
        }

        @Test(
            "the flags of seccomp(2)", .knownDifference(runc: "1.1 supports none"),
            arguments: [
                "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG",
                "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
            ])
        func flags(flag: String) throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", "ERRNO", errno: 99))
                c.config.linux.seccomp.flags = [.string(flag)]
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "99")
            }
        }

        @Test("a flag no one knows is refused and named")
        func unknownFlag() throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", "ERRNO"))
                c.config.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NOPE"]
                expectRefusal(try c.create(), c, naming: "SECCOMP_FILTER_FLAG_NOPE")
            }
        }

        @Test(
            "the filter holds for a user without capabilities, with and without noNewPrivileges",
            arguments: [true, false])
        func otherUser(noNewPrivileges: Bool) throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.process.noNewPrivileges = .bool(noNewPrivileges)
                c.config.process.capabilities = capabilitySets([])
                c.config.filter(rule("munlockall", "ERRNO", errno: 99))
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "99")
            }
        }

        @Test(
            "a filter that denies what the runtime itself needs does not hinder it",
            arguments: ["mount", "setgid", "setgroups", "capset", "prctl", "chdir", "sendmsg"])
        func needed(call: String) throws {
            try withContainer { c in
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.filter(rule(call, "ERRNO"))
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("exec has the filter as well")
        func exec() throws {
            try withRunningContainer(edit: { $0.filter(rule("munlockall", "ERRNO", errno: 99)) }) {
                c in
                #expect(c.execProbe([], ["syscall", "\(Syscall.munlockall)"])["errno"] == "99")
                #expect(c.execProbe()["seccomp"] == "2")
            }
        }

        @Test("Docker's profile: what it denies is denied, what it allows works, by argument too")
        func dockers() throws {
            try withRunningContainer(edit: { $0.linux.seccomp = Actions.dockers }) { c in
                func errno(_ call: [Int]) -> String {
                    c.execProbe([], ["syscall"] + call.map { "\($0)" })["errno"]
                }
                #expect(errno([Syscall.munlockall]) == "0")
                #expect(errno([Syscall.mount]) == "1")
                #expect(errno([Syscall.personality, 0xffff_ffff]) == "0")
                #expect(errno([Syscall.personality, 0x20008]) == "0")
                #expect(errno([Syscall.personality, 0x40000]) == "1")
                #expect(c.exec([], "ls", "-l", "/").succeeded)
            }
        }

        @Test(
            "a startContainer hook is under the filter, with the rest of the program's restrictions",
            arguments: [true, false])
        func hook(noNewPrivileges: Bool) throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", "ERRNO", errno: 99))
                c.config.process.noNewPrivileges = .bool(noNewPrivileges)
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.bind(c.directory, at: c.directory)
                chmod(c.directory, 0o777)
                c.addHook(
                    "startContainer",
                    "(probe; probe syscall \(Syscall.munlockall)) > \(c.directory)/report")
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "99")
                let report = ProbeReport(readText(c.directory + "/report"))
                #expect(report["errno"] == "99")
                #expect(report["seccomp"] == "2")
                #expect(report["uid"] == "1000,1000,1000")
            }
        }

        @Test("a hook that the filter kills fails start", .swruncOnly)
        func killedHook() throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", "KILL_PROCESS"))
                c.config.addHook(
                    "startContainer",
                    [
                        "path": "/bin/probe",
                        "args": ["probe", "syscall", .string("\(Syscall.munlockall)")],
                    ])
                c.config.program("true")
                try #require(c.create().succeeded)
                let outcome = c.start()
                #expect(outcome.failed && outcome.stderr.contains("signal 31"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        @Test(
            "what the runtime keeps under its root, broken, never means a container unfiltered",
            .swruncOnly, arguments: ["", "garbage", nil])
        func brokenCache(content: String?) throws {
            try withContainer { c in
                c.config.filter(rule("munlockall", "ERRNO", errno: 99))
                try #expect(c.probe("syscall", "\(Syscall.munlockall)")["errno"] == "99")
                let files = FileManager.default.enumerator(atPath: c.root)?.allObjects ?? []
                for case let name as String in files {
                    let path = c.root + "/" + name
                    var status = stat()
                    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                        continue
                    }
                    // nil: zeroes of the same size, which would be a program that is no program.
                    let zeroes = String(repeating: "\0", count: Int(status.st_size))
                    try writeText(content ?? zeroes, to: path)
                }
                c.config.program("probe", "syscall", "\(Syscall.munlockall)")
                let outcome = try c.run()
                #expect(
                    outcome.failed || ProbeReport(outcome.stdout)["errno"] == "99", "\(outcome)")
            }
        }
    }
}
