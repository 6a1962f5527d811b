import Glibc
import Init
import Spec
import Sys
import Testing

@testable import OCIRuntime

@Suite struct SeccompCompilerTests {
    typealias Call = SeccompInterpreter.Call

    /// Runs the compiled program over calls and compares with what the profile means.
    func check(
        _ profile: Seccomp, numbers: [UInt32], arguments: [[UInt64]] = [[0, 0, 0, 0, 0, 0]]
    ) throws {
        let program = try SeccompCompiler.compile(profile)
        let interpreter = try #require(SeccompInterpreter(program.filter))
        let reference = SeccompReference(profile: profile)
        var newest: [UInt32: UInt32] = [:]
        for token in [SeccompReference.x86_64, SeccompReference.x86, SeccompReference.x32] {
            newest[token] = reference.newest(token)
        }
        var wrong: [String] = []
        for architecture in [SeccompReference.x86_64, SeccompReference.x86, 0x4000_0028] {
            for number in numbers {
                for list in arguments {
                    let call = Call(architecture: architecture, number: number, arguments: list)
                    let expected = reference.evaluate(call, newest: newest)
                    let got = interpreter.run(call)?.value
                    if got != expected {
                        wrong.append(
                            "\(call): \(got.map { String($0, radix: 16) } ?? "stuck"), "
                                + "not \(String(expected, radix: 16))")
                    }
                }
            }
        }
        #expect(wrong.prefix(5) == [])
    }

    static let allNumbers: [UInt32] =
        Array(0...520) + [1000, 0x3fff_ffff]
        + (0...560).map { SeccompReference.x32Bit + $0 }
        + [0x4fff_ffff, 0x7fff_ffff, 0xffff_fffe, 0xffff_ffff]

    static func fixture(_ name: String) throws -> Seccomp {
        let directory = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try readFile("/\(directory)/conformance/fixtures/\(name).json")
        let config = try JSONValue(parsing: bytes).object()
        let linux = try #require(config.member("linux")).object()
        return try Seccomp(json: try #require(linux.member("seccomp")))
    }

    @Test(arguments: ["docker-default", "podman-default", "containerd-ctr-seccomp"])
    func engineProfiles(name: String) throws {
        let profile = try Self.fixture(name)
        let arguments: [[UInt64]] = [
            [0, 0, 0, 0, 0, 0], [8, 0, 0, 0, 0, 0], [0x20000, 0, 9, 0, 0, 0],
            [0xffff_ffff, 0, 0, 0, 0, 0], [16, 0, 9, 0, 0, 0], [16, 0, 8, 0, 0, 0],
            [0x7e02_0000, 0, 0, 0, 0, 0], [0x11, 0, 0, 0, 0, 0],
        ]
        try check(profile, numbers: Self.allNumbers, arguments: arguments)
    }

    /// What libseccomp makes of the same profile decides the same, below the calls that are newer
    /// than the profile.
    @Test(arguments: ["docker-default", "podman-default", "containerd-ctr-seccomp"])
    func agreesWithLibseccomp(name: String) throws {
        let profile = try Self.fixture(name)
        let ours = try #require(SeccompInterpreter(try SeccompCompiler.compile(profile).filter))
        let theirs = try #require(SeccompInterpreter(libseccompProgram(profile)))
        var longest = 0
        for architecture in [SeccompReference.x86_64, SeccompReference.x86] {
            for number in Self.allNumbers {
                for first: UInt64 in [0, 8, 16, 0x20000, 0x7e02_0000, 0xffff_ffff] {
                    for third: UInt64 in [0, 9] {
                        let call = Call(
                            architecture: architecture, number: number,
                            arguments: [first, 1, third, 0, 0, 0])
                        let (value, steps) = try #require(ours.run(call))
                        if value == SeccompReference.enosys { continue }
                        let expected = try #require(theirs.run(call)).value
                        #expect(value == expected, "\(call)")
                        longest = max(longest, steps)
                    }
                }
            }
        }
        #expect(longest < 48)
        #expect(ours.instructions.count * 5 / 2 < theirs.instructions.count)
    }

    static let edges: [UInt64] = [
        0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001,
        0x1_ffff_ffff, 0x2_0000_0000, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000,
        0xffff_ffff_0000_0000, 0xffff_ffff_ffff_fffe, 0xffff_ffff_ffff_ffff,
    ]

    @Test(arguments: SeccompOperator.allCases, [SeccompAction.errno, .allow])
    func operators(op: SeccompOperator, defaultAction: SeccompAction) throws {
        for value in Self.edges {
            for index: UInt32 in [0, 5] {
                let condition = SeccompArg(
                    index: index, value: value, valueTwo: 0x1_8000_0001 & value, op: op)
                let profile = Seccomp(
                    defaultAction: defaultAction, architectures: [.x86, .x32],
                    syscalls: [
                        SeccompSyscall(
                            names: ["read", "write"], action: .errno, errnoRet: 7,
                            args: [condition])
                    ])
                try check(
                    profile, numbers: [0, 1, 2, 3, 4, 0x4000_0001],
                    arguments: Self.edges.map { edge in
                        (0..<6).map { $0 == index ? edge : 1 }
                    })
            }
        }
    }

    /// libseccomp agrees on every operator and edge, on the ABIs where it looks at whole arguments.
    @Test(arguments: SeccompOperator.allCases)
    func operatorsAgreeWithLibseccomp(op: SeccompOperator) throws {
        for value in Self.edges {
            let condition = SeccompArg(
                index: 1, value: value, valueTwo: 0xf_0000_000f, op: op)
            let profile = Seccomp(
                defaultAction: .errno, architectures: [.x86],
                syscalls: [SeccompSyscall(names: ["read"], action: .allow, args: [condition])])
            let ours = try #require(SeccompInterpreter(try SeccompCompiler.compile(profile).filter))
            let theirs = try #require(SeccompInterpreter(libseccompProgram(profile)))
            for edge in Self.edges {
                let list = [0, edge, 0, 0, 0, 0]
                for call in [
                    Call(architecture: SeccompReference.x86_64, number: 0, arguments: list),
                    // The kernel hands a filter 32-bit arguments with a clear upper half.
                    Call(
                        architecture: SeccompReference.x86, number: 3,
                        arguments: [0, edge & 0xffff_ffff, 0, 0, 0, 0]),
                ] {
                    #expect(
                        ours.run(call)?.value == theirs.run(call)?.value,
                        "\(op) \(String(value, radix: 16)): \(call)")
                }
            }
        }
    }

    /// Profiles made of every kind of rule, from a fixed seed.
    @Test(arguments: 0..<120)
    func randomProfiles(seed: Int) throws {
        var random = Random(state: UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1)
        let names = [
            "read", "write", "open", "close", "socket", "connect", "accept4", "shmget", "semop",
            "socketcall", "ipc", "clone", "clone3", "personality", "nonsense", "_llseek", "send",
            "set_tls", "process_madvise", "arch_prctl", "futex", "",
        ]
        let actions = SeccompAction.allCases.filter { $0 != .notify }
        let values: [UInt64] = [0, 1, 2, 3, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, .max]
        func pick<T>(_ list: [T]) -> T { list[Int(random.next() % UInt64(list.count))] }
        var profile = Seccomp(
            defaultAction: pick(actions),
            architectures: pick([[], [.x86], [.x86_64, .x86, .x32], [.x32], [.aarch64, .x86]]))
        for _ in 0..<pick([0, 1, 4, 12, 40]) {
            let action = pick(actions)
            let takesErrno = action == .errno || action == .trace
            profile.syscalls.append(
                SeccompSyscall(
                    names: (0..<pick([1, 2, 5])).map { _ in pick(names) }, action: action,
                    errnoRet: takesErrno ? pick([nil, 1, 38, 0xffff]) : nil,
                    args: (0..<pick([0, 0, 1, 2, 3])).map { _ in
                        SeccompArg(
                            index: pick([0, 1, 2, 5]), value: pick(values), valueTwo: pick(values),
                            op: pick(SeccompOperator.allCases))
                    }))
        }
        var numbers = Set<UInt32>([600, 0x3fff_ffff, 0x4fff_ffff, 0xffff_fffe, 0xffff_ffff])
        for (_, known) in SeccompReference.names {
            for (number, name) in known where names.contains(name) {
                numbers.formUnion([number, number &- 1, number + 1])
            }
        }
        try check(
            profile, numbers: numbers.sorted(),
            arguments: (0..<6).map { _ in (0..<6).map { _ in pick(values) } })
    }

    /// Enough rules that jumps have to go farther than an instruction can.
    @Test func longProgram() throws {
        var profile = Seccomp(defaultAction: .errno, architectures: [.x86, .x32])
        for number in stride(from: UInt32(0), to: 330, by: 2) {
            let names = SeccompReference.names[SeccompReference.x86_64]
            guard let name = names?[number] else { continue }
            profile.syscalls.append(
                SeccompSyscall(
                    names: [name], action: .allow,
                    args: [SeccompArg(index: 3, value: UInt64(number), op: .lessEqual)]))
        }
        try check(
            profile, numbers: Self.allNumbers,
            arguments: [0, 7, 100, 330, .max].map { [0, 0, 0, $0, 0, 0] })
    }

    // MARK: what is refused

    @Test func tooLong() throws {
        let arguments = (0..<3000).map { SeccompArg(index: 0, value: UInt64($0), op: .equal) }
        let profile = Seccomp(
            defaultAction: .errno,
            syscalls: [SeccompSyscall(names: ["read"], action: .allow, args: arguments)])
        let error = #expect(throws: ConfigError.self) { try SeccompCompiler.compile(profile) }
        #expect(error?.place == "/linux/seccomp")
    }

    @Test(arguments: [SeccompAction.allow, .kill, .killProcess, .killThread, .trap, .log, .notify])
    func errnoOfAnActionWithoutOne(action: SeccompAction) {
        let rule = SeccompSyscall(names: ["read"], action: action, errnoRet: 1)
        var profile = Seccomp(defaultAction: .errno, listenerPath: "/x", syscalls: [rule])
        let inRule = #expect(throws: ConfigError.self) { try SeccompCompiler.compile(profile) }
        #expect(inRule?.place == "/linux/seccomp/syscalls/0/errnoRet")
        profile = Seccomp(defaultAction: action, defaultErrnoRet: 1)
        let inDefault = #expect(throws: ConfigError.self) { try SeccompCompiler.compile(profile) }
        #expect(inDefault?.place == "/linux/seccomp/defaultErrnoRet")
    }

    @Test func places() {
        func place(_ change: (inout Seccomp) -> Void) -> String? {
            var profile = Seccomp(
                defaultAction: .errno,
                syscalls: [
                    SeccompSyscall(names: ["read"], action: .allow),
                    SeccompSyscall(
                        names: ["write", "sendmsg"], action: .allow,
                        args: [
                            SeccompArg(index: 0, value: 0, op: .equal),
                            SeccompArg(index: 1, value: 0, op: .equal),
                        ]),
                ])
            change(&profile)
            do throws(ConfigError) {
                _ = try SeccompCompiler.compile(profile)
                return nil
            } catch {
                return error.place
            }
        }
        #expect(place { _ in } == nil)
        #expect(
            place { $0.syscalls[1].args[1].index = 6 } == "/linux/seccomp/syscalls/1/args/1/index")
        #expect(
            place { $0.syscalls[1].args[1].index = .max }
                == "/linux/seccomp/syscalls/1/args/1/index")
        #expect(place { $0.defaultErrnoRet = 0x10000 } == "/linux/seccomp/defaultErrnoRet")
        #expect(place { $0.architectures = [.x86, .s390x] } == "/linux/seccomp/architectures/1")
        #expect(place { $0.architectures = [.m68k] } == "/linux/seccomp/architectures/0")
        #expect(place { $0.defaultAction = .notify } == "/linux/seccomp/defaultAction")
        #expect(place { $0.syscalls[0].action = .notify } == "/linux/seccomp/syscalls/0/action")
        #expect(
            place {
                $0.syscalls[1].action = .notify
                $0.listenerPath = "/run/agent"
            } == "/linux/seccomp/syscalls/1/names/1")
    }

    // MARK: what goes with the program

    @Test func flags() throws {
        func flags(_ flags: [SeccompFlag]?, notify: Bool = false) throws -> UInt32 {
            try SeccompCompiler.compile(
                Seccomp(
                    defaultAction: .allow, flags: flags, listenerPath: "/run/agent",
                    syscalls: [
                        SeccompSyscall(names: ["mkdir"], action: notify ? .notify : .errno)
                    ])
            ).flags
        }
        #expect(try flags(nil) == 4)
        #expect(try flags([]) == 0)
        #expect(try flags([.tsync]) == 0)
        #expect(try flags([.log, .specAllow]) == 6)
        #expect(try flags([.waitKillableRecv]) == 0)
        #expect(try flags([.waitKillableRecv, .tsync], notify: true) == 0x28)
        #expect(try flags(nil, notify: true) == 12)
    }

    @Test func notify() throws {
        var profile = Seccomp(
            defaultAction: .allow, listenerPath: "/run/agent", listenerMetadata: "m",
            syscalls: [SeccompSyscall(names: ["mkdir"], action: .notify)])
        #expect(try SeccompCompiler.compile(profile).notify == .init(metadata: "m"))
        profile.syscalls[0].action = .errno
        #expect(try SeccompCompiler.compile(profile).notify == nil)
    }
}

/// Numbers that are the same in every run.
struct Random: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d >> 11
    }
}
