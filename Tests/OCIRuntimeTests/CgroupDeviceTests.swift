import Spec
import Testing

@testable import OCIRuntime

typealias Rule = Resources.DeviceRule

/// A number generator that gives the same numbers in every run (SplitMix64).
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

private struct Request: CustomStringConvertible {
    var type: Rule.Kind
    var major: Int64
    var minor: Int64
    var access: Rule.Access

    var description: String { "\(type) \(major):\(minor) \(access.rawValue)" }
}

private func matches(_ rule: Rule, _ request: Request) -> Bool {
    (rule.type == .all || rule.type == request.type)
        && (rule.major == nil || rule.major == request.major)
        && (rule.minor == nil || rule.minor == request.minor)
}

/// The meaning of a list: for each access asked for, the last rule about it decides.
private func allows(_ rules: [Rule], _ request: Request) -> Bool {
    for one in [Rule.Access.read, .write, .mknod] where request.access.contains(one) {
        let last = rules.last { $0.access.contains(one) && matches($0, request) }
        if last?.allow != true { return false }
    }
    return true
}

/// Runs the eBPF instructions that device programs are made of.
private func run(_ program: [UInt64], _ request: Request) -> UInt64? {
    let kind: UInt64 = request.type == .block ? 1 : 2
    var bits: UInt64 = 0
    if request.access.contains(.mknod) { bits |= 1 }
    if request.access.contains(.read) { bits |= 2 }
    if request.access.contains(.write) { bits |= 4 }
    let context = [bits << 16 | kind, UInt64(request.major), UInt64(request.minor)]
    var registers = [UInt64?](repeating: nil, count: 11)
    var pc = 0
    while pc >= 0 && pc < program.count {
        let word = program[pc]
        let to = Int(word >> 8 & 15)
        let from = Int(word >> 12 & 15)
        let offset = Int(Int16(truncatingIfNeeded: word >> 16))
        let immediate = UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: word >> 32)))
        pc += 1
        switch word & 0xff {
        case 0x61: registers[to] = from == 1 ? context[offset / 4] : nil
        case 0xb7: registers[to] = immediate
        case 0xbc: registers[to] = registers[from].map { $0 & 0xffff_ffff }
        case 0x54: registers[to] = registers[to].map { $0 & immediate & 0xffff_ffff }
        case 0x74: registers[to] = registers[to].map { ($0 & 0xffff_ffff) >> immediate }
        case 0x15:
            guard let value = registers[to] else { return nil }
            if value == immediate { pc += offset }
        case 0x55:
            guard let value = registers[to] else { return nil }
            if value != immediate { pc += offset }
        case 0x45:
            guard let value = registers[to] else { return nil }
            if value & immediate != 0 { pc += offset }
        case 0x95: return registers[0]
        default: return nil
        }
    }
    return nil
}

/// The instructions that can be reached; the kernel's verifier refuses a program with others.
private func reachable(_ program: [UInt64]) -> Int {
    var seen = Set<Int>()
    var pending = [0]
    while let pc = pending.popLast() {
        guard pc < program.count, seen.insert(pc).inserted else { continue }
        let code = program[pc] & 0xff
        if code == 0x95 { continue }
        pending.append(pc + 1)
        if code & 7 == 5 {
            pending.append(pc + 1 + Int(Int16(truncatingIfNeeded: program[pc] >> 16)))
        }
    }
    return seen.count
}

private func randomRules(_ generator: inout Generator, holes: Bool) -> [Rule] {
    (0..<Int.random(in: 0...9, using: &generator)).map { _ in
        let access = UInt8.random(in: 1...7, using: &generator)
        let all = Int.random(in: 0...2, using: &generator) == 0
        return Rule(
            allow: Bool.random(using: &generator),
            type: [.all, .character, .block][Int.random(in: 0...2, using: &generator)],
            major: Int.random(in: 0...2, using: &generator) == 0
                ? nil : Int64.random(in: 1...3, using: &generator),
            minor: Int.random(in: 0...2, using: &generator) == 0
                ? nil : Int64.random(in: 0...2, using: &generator),
            access: all ? .all : Rule.Access(rawValue: access))
    }
}

private let requests: [Request] = {
    var all: [Request] = []
    for type in [Rule.Kind.character, .block] {
        for major in 1...4 as ClosedRange<Int64> {
            for minor in 0...3 as ClosedRange<Int64> {
                for access in 1...7 as ClosedRange<UInt8> {
                    all.append(
                        Request(
                            type: type, major: major, minor: minor,
                            access: Rule.Access(rawValue: access)))
                }
            }
        }
    }
    return all
}()

private let docker: [Rule] = [
    Rule(allow: false), Rule(allow: true, type: .character, major: 1, minor: 5),
    Rule(allow: true, type: .character, major: 1, minor: 3),
    Rule(allow: true, type: .character, major: 1, minor: 9),
    Rule(allow: true, type: .character, major: 1, minor: 8),
    Rule(allow: true, type: .character, major: 5, minor: 0),
    Rule(allow: true, type: .character, major: 5, minor: 1),
    Rule(allow: false, type: .character, major: 10, minor: 229),
]

@Suite struct DeviceProgramTests {
    @Test(arguments: 0..<8)
    func decidesAsTheRulesDo(seed: Int) {
        var generator = Generator(state: UInt64(seed))
        for _ in 0..<150 {
            let rules = randomRules(&generator, holes: true)
            let program = DeviceProgram(rules).instructions
            #expect(reachable(program) == program.count, "dead code for \(rules)")
            for request in requests
            where run(program, request) != (allows(rules, request) ? 1 : 0) {
                Issue.record("\(request) for \(rules)")
                return
            }
        }
    }

    @Test func deniesWhereReadingIsAllowedAndWritingIsNot() {
        let rules = [
            Rule(allow: true, type: .character, major: 1, minor: 3),
            Rule(allow: false, type: .character, major: 1, minor: 3, access: .write),
        ]
        let program = DeviceProgram(rules).instructions
        var request = Request(type: .character, major: 1, minor: 3, access: [.read, .write])
        #expect(run(program, request) == 0)
        request.access = .read
        #expect(run(program, request) == 1)
    }

    @Test(
        arguments: [
            ([], 2), ([Rule(allow: true)], 2), ([Rule(allow: false)], 2),
            ([Rule(allow: true), Rule(allow: false)], 2),
        ] as [([Rule], Int)])
    func isTwoInstructionsWithoutExceptions(rules: [Rule], count: Int) {
        #expect(DeviceProgram(rules).instructions.count == count)
    }

    @Test func staysSmallForDocker() {
        #expect(DeviceProgram(DeviceRules.effective(docker)).instructions.count <= 64)
    }

    @Test func jumpsOverAsManyRulesAsAreAllowed() {
        let rules = (0..<4096).map {
            Rule(allow: $0 % 2 == 0, type: .character, major: 1, minor: Int64($0), access: .read)
        }
        let program = DeviceProgram([Rule(allow: false)] + rules).instructions
        #expect(program.count < 32767)
        let first = Request(type: .character, major: 1, minor: 0, access: .read)
        #expect(run(program, first) == 1)
        #expect(run(program, Request(type: .character, major: 1, minor: 1, access: .read)) == 0)
    }
}

@Suite struct DeviceListTests {
    private let place = "/linux/resources/devices"

    /// What the kernel's v1 controller makes of exceptions to a default (`devices_cgroup.c`).
    private func kernelAllows(_ rules: [Rule], _ request: Request) -> Bool {
        guard let base = rules.first else { return false }
        let exceptions = rules.dropFirst()
        if base.allow {
            return !exceptions.contains {
                matches($0, request) && !$0.access.isDisjoint(with: request.access)
            }
        }
        return exceptions.contains {
            matches($0, request) && $0.access.isSuperset(of: request.access)
        }
    }

    @Test(arguments: 0..<8)
    func comesToTheSameInTheKernelsTerms(seed: Int) throws {
        var generator = Generator(state: UInt64(seed) &+ 1000)
        var expressible = 0
        for _ in 0..<150 {
            let configured = randomRules(&generator, holes: false)
            guard let list = try? DeviceList(configured, place: place) else { continue }
            expressible += 1
            let all = [Rule(allow: false)] + configured + DeviceRules.defaults
            #expect(list.rules.allSatisfy { $0.type != .all || $0.isTotal })
            // One access at a time: only that is a matter of one exception for the kernel.
            for request in requests
            where [.read, .write, .mknod].contains(request.access)
                && kernelAllows(list.rules, request) != allows(all, request)
            {
                Issue.record("\(request) for \(configured): \(list.rules)")
                return
            }
        }
        #expect(expressible > 30)
    }

    @Test func writesDockersRulesOnce() throws {
        let lines = try DeviceList(docker, place: place).rules.map(\.line)
        #expect(
            lines == [
                "a", "c 1:5 rwm", "c 1:3 rwm", "c 1:9 rwm", "c 1:8 rwm", "c 5:0 rwm", "c 5:1 rwm",
                "c *:* m", "b *:* m", "c 1:7 rwm", "c 5:2 rwm", "c 10:200 rwm", "c 136:* rwm",
            ])
    }

    @Test func opensEverythingForAPrivilegedContainer() throws {
        let rules = try DeviceList([Rule(allow: true)], place: place).rules
        #expect(rules == [Rule(allow: true)])
        #expect(DeviceRules.effective([Rule(allow: true)]) == [Rule(allow: true)])
    }

    @Test func deniesByDefaultWithoutRules() throws {
        let rules = try DeviceList([], place: place).rules
        #expect(rules.first == Rule(allow: false))
        #expect(rules.count == 1 + DeviceRules.defaults.count)
        #expect(DeviceRules.effective([]).first == Rule(allow: false))
    }

    @Test func readsMinusOneAsAll() throws {
        let rule = Rule(allow: true, type: .block, major: -1, minor: -1, access: .read)
        #expect(rule.line == "b *:* r")
        #expect(Rule(allow: false, major: -1, minor: -1).isTotal)
    }

    @Test(arguments: [
        [
            Rule(allow: false), Rule(allow: true, type: .character, major: 1),
            Rule(allow: false, type: .character, major: 1, minor: 5, access: .write),
        ],
        [
            Rule(allow: true), Rule(allow: false, type: .block, major: 8),
            Rule(allow: true, type: .block, minor: 1),
        ],
    ])
    func refusesHoles(rules: [Rule]) {
        let error = #expect(throws: PlanError.self) { try DeviceList(rules, place: place) }
        #expect(error?.place == "\(place)/2")
    }

    @Test func refusesNumbersThatNoDeviceHas() {
        let rules = [Rule(allow: true, type: .block, major: 8, minor: Int64.max)]
        let error = #expect(throws: PlanError.self) { try DeviceRules.check(rules, place: place) }
        #expect(error?.place == "\(place)/0/minor")
    }
}
