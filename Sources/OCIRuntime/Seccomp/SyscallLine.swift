import Spec

/// What happens on every system call number of one `arch`: ranges of numbers with the same outcome.
struct SyscallLine {
    /// What happens on a number.
    enum Outcome {
        /// The same whatever the arguments.
        case value(UInt32)
        /// The first test that holds, or else the default.
        case tests(Int)
    }

    /// The outcomes, each from its number up to the next one's; the first starts at 0.
    private(set) var ranges: [(start: UInt32, outcome: Outcome)]
    /// What `Outcome.tests` counts.
    private(set) var tests: [[Test]] = []
    private let defaultValue: UInt32

    /// Conditions that must all hold, and what the filter then returns.
    struct Test {
        var value: UInt32
        var conditions: [SeccompArg]
        var isWide: Bool
    }

    init(_ profile: SeccompProfile, _ family: ABIFamily) {
        defaultValue = profile.defaultValue
        ranges = []
        ranges.reserveCapacity(512)
        // Numbers of an ABI that is not listed kill, as does its `arch`.
        add(0, .value(SeccompProfile.killThread))
        for abi in family.members.sorted(by: { $0.numbers.lowerBound < $1.numbers.lowerBound }) {
            add(abi, profile)
        }
        // -1 is what a tracer leaves of a call that it skips: not a call of any ABI.
        add(UInt32.max, .value(defaultValue))
    }

    /// Adds an ABI's numbers, which lie above all that were added before.
    ///
    /// Above the largest number that the profile mentions is what the kernel learned later. glibc and
    /// others try such a call, and fall back to an older one on ENOSYS but not on EPERM; so those
    /// get ENOSYS, as with runc. The numbers in between that nobody mentions stay with the default.
    private mutating func add(_ abi: SyscallABI, _ profile: SeccompProfile) {
        let defaultOutcome = Outcome.value(profile.defaultValue)
        let mentions = Mentions(abi, profile)
        add(abi.numbers.lowerBound, defaultOutcome)
        var newest = mentions.newest.map { $0 + 1 }
        func hideNewCalls(below number: UInt32, _ line: inout SyscallLine) {
            guard profile.hidesNewCalls, let from = newest, from <= number else { return }
            newest = nil
            line.add(from, .value(SeccompProfile.notImplemented))
            if from < abi.privateNumbers, abi.privateNumbers < abi.numbers.upperBound {
                line.add(abi.privateNumbers, defaultOutcome)
            }
        }
        var rest = mentions.keys[...]
        while let first = rest.first {
            let number = first.number
            let group = rest.prefix { $0.number == number }
            rest = rest[group.endIndex...]
            hideNewCalls(below: number, &self)
            add(number, outcome(group, abi, profile))
            add(number + 1, defaultOutcome)
        }
        hideNewCalls(below: abi.numbers.upperBound, &self)
        if abi.numbers.upperBound < UInt32.max {
            add(abi.numbers.upperBound, .value(SeccompProfile.killThread))
        }
    }

    /// What the rules for one number come to.
    private mutating func outcome(
        _ keys: ArraySlice<Mentions.Key>, _ abi: SyscallABI, _ profile: SeccompProfile
    ) -> Outcome {
        var found: [Test] = []
        for key in keys {
            let rule = profile.rules[key.rule]
            let unconditional = rule.alternatives.count == 1 && rule.alternatives[0].isEmpty
            if key.call == 0 && unconditional { return .value(rule.value) }
            if key.call == 0 {
                for conditions in rule.alternatives {
                    found.append(
                        Test(value: rule.value, conditions: conditions, isWide: abi.isWide))
                }
                continue
            }
            // The multiplexer's arguments lie in memory, out of a filter's sight. A rule that
            // forbids some of the calls then forbids all; one that permits some permits none.
            guard
                unconditional
                    || SeccompProfile.strictness(rule.value)
                        < SeccompProfile.strictness(profile.defaultValue)
            else { continue }
            let call = SeccompArg(index: 0, value: UInt64(key.call), op: .equal)
            found.append(Test(value: rule.value, conditions: [call], isWide: abi.isWide))
        }
        guard let first = found.first else { return .value(profile.defaultValue) }
        if found.contains(where: { $0.value != first.value }) {
            // A stable order: of equally strict ones the first in the config.
            let order = found.indices.sorted {
                let left = SeccompProfile.strictness(found[$0].value)
                let right = SeccompProfile.strictness(found[$1].value)
                return left == right ? $0 < $1 : left < right
            }
            found = order.map { found[$0] }
        }
        tests.append(found)
        return .tests(tests.count - 1)
    }

    /// Starts a new range, unless it goes on with the same outcome.
    private mutating func add(_ start: UInt32, _ outcome: Outcome) {
        if let last = ranges.last, last.start == start { ranges.removeLast() }
        if case .value(let value) = outcome, case .value(value)? = ranges.last?.outcome { return }
        ranges.append((start, outcome))
    }

    // MARK: the program

    /// Emits the section that decides on this line's numbers, and returns where it starts.
    func emit(into program: inout BPFProgram) -> BPFProgram.Target {
        let root = emit(ranges[...], into: &program)
        if case .exit(let value) = root { return .exit(value) }
        return program.load(offset: BPFProgram.numberOffset)
    }

    /// A binary search over `ranges`.
    private func emit(
        _ ranges: ArraySlice<(start: UInt32, outcome: Outcome)>, into program: inout BPFProgram
    ) -> BPFProgram.Target {
        let first = ranges.startIndex
        if ranges.count == 1 { return emit(ranges[first].outcome, into: &program) }
        if ranges.count == 3, ranges[first + 2].start - ranges[first + 1].start == 1,
            case .value(let around) = ranges[first].outcome,
            case .value(around) = ranges[first + 2].outcome
        {
            // A single number in a range of others.
            let single = emit(ranges[first + 1].outcome, into: &program)
            return program.branch(
                .equal, ranges[first + 1].start, then: single, else: .exit(around))
        }
        let middle = first + ranges.count / 2
        let upper = emit(ranges[middle...], into: &program)
        let lower = emit(ranges[..<middle], into: &program)
        return program.branch(.greaterEqual, ranges[middle].start, then: upper, else: lower)
    }

    private func emit(_ outcome: Outcome, into program: inout BPFProgram) -> BPFProgram.Target {
        switch outcome {
        case .value(let value): return .exit(value)
        case .tests(let index):
            var next = BPFProgram.Target.exit(defaultValue)
            for test in tests[index].reversed() {
                var hit = BPFProgram.Target.exit(test.value)
                for condition in test.conditions.reversed() {
                    hit = program.compare(
                        condition, isWide: test.isWide, then: hit, else: next)
                }
                next = hit
            }
            return next
        }
    }
}

/// Which rules mention which numbers of an ABI.
private struct Mentions {
    /// A number, the rule that mentions it, and the call where the number is a multiplexer's.
    struct Key: Comparable {
        private let packed: UInt64

        init(number: UInt32, rule: Int, call: UInt8 = 0) {
            packed = UInt64(number) << 32 | UInt64(rule & 0xff_ffff) << 8 | UInt64(call)
        }

        var number: UInt32 { UInt32(truncatingIfNeeded: packed >> 32) }
        var rule: Int { Int(packed >> 8 & 0xff_ffff) }
        var call: UInt8 { UInt8(truncatingIfNeeded: packed) }

        static func < (left: Key, right: Key) -> Bool { left.packed < right.packed }
    }

    /// Sorted by number, then in the order of the rules.
    private(set) var keys: [Key] = []
    /// The largest number that the profile mentions, whatever its rule says.
    private(set) var newest: UInt32?

    init(_ abi: SyscallABI, _ profile: SeccompProfile) {
        let multiplexers = abi.multiplexers()
        keys.reserveCapacity(512)
        for (index, rule) in profile.rules.enumerated() {
            let says = rule.value != profile.defaultValue
            for name in rule.names {
                let number = abi.number(of: name)
                if let number = UInt32(exactly: number) {
                    add(number, index, says, abi)
                } else if let multiplexed = multiplexers.call(for: number) {
                    if says {
                        keys.append(
                            Key(
                                number: multiplexed.number, rule: index, call: multiplexed.call))
                    }
                    if let direct = multiplexers.directNumber(of: name) {
                        add(direct, index, says, abi)
                    }
                }
            }
        }
        keys.sort()
    }

    private mutating func add(_ number: UInt32, _ rule: Int, _ says: Bool, _ abi: SyscallABI) {
        guard abi.numbers.contains(number) else { return }
        if number < abi.privateNumbers { newest = max(newest ?? 0, number) }
        if says { keys.append(Key(number: number, rule: rule)) }
    }
}
