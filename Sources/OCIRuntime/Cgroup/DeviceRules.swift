import Glibc
import Spec

/// The device rules that a container really gets (config-linux.md, "Allowed Device list").
enum DeviceRules {
    typealias Rule = Resources.DeviceRule

    /// What every container may do besides its rules, as runc and crun have it: make any node, and
    /// use the devices that config-linux.md ("Default Devices") promises, ptys and `/dev/net/tun`.
    static let defaults: [Rule] = [
        Rule(allow: true, type: .character, access: .mknod),
        Rule(allow: true, type: .block, access: .mknod),
        Rule(allow: true, type: .character, major: 1, minor: 3),  // null
        Rule(allow: true, type: .character, major: 1, minor: 5),  // zero
        Rule(allow: true, type: .character, major: 1, minor: 7),  // full
        Rule(allow: true, type: .character, major: 1, minor: 8),  // random
        Rule(allow: true, type: .character, major: 1, minor: 9),  // urandom
        Rule(allow: true, type: .character, major: 5, minor: 0),  // tty
        Rule(allow: true, type: .character, major: 5, minor: 2),  // ptmx
        Rule(allow: true, type: .character, major: 10, minor: 200),  // net/tun
        Rule(allow: true, type: .character, major: 136),  // pts
    ]

    /// Nothing is allowed that no rule allows, whatever the parent cgroup would pass on.
    static let denyAll = Rule(allow: false)

    /// The rules of the config between ``denyAll`` and the ``defaults``.
    static func effective(_ configured: [Rule]) -> [Rule] {
        // Whatever comes before a rule about everything does not matter.
        let start = configured.lastIndex { $0.isTotal } ?? configured.startIndex
        let rest = configured[start...]
        if rest.count == 1, let only = rest.first, only.isTotal, only.allow { return [only] }
        return (rest.first?.isTotal == true ? [] : [denyAll]) + rest + defaults
    }

    /// Numbers that no device can have are refused, before they reach a kernel that wraps them.
    static func check(_ configured: [Rule], place: String) throws(PlanError) {
        if configured.count > 4096 {
            throw PlanError(place, "\(configured.count) rules; 4096 are the most")
        }
        for (index, rule) in configured.enumerated() {
            for (name, number) in [("major", rule.major), ("minor", rule.minor)] {
                if let number, number > Int64(Int32.max) {
                    throw PlanError(
                        "\(place)/\(index)/\(name)",
                        "\(number) is not a device number")
                }
            }
        }
    }
}

extension Resources.DeviceRule {
    /// About every access to every device.
    var isTotal: Bool {
        type == .all && majorNumber == nil && minorNumber == nil && access == .all
    }

    /// The config's -1 means every one too.
    var majorNumber: Int64? { major.flatMap { $0 < 0 ? nil : $0 } }
    var minorNumber: Int64? { minor.flatMap { $0 < 0 ? nil : $0 } }

    /// The line for `devices.allow` or `devices.deny`: `c 1:3 rwm`, or `a`.
    var line: String {
        if isTotal { return "a" }
        var text = type.rawValue + " "
        text += majorNumber.map { "\($0)" } ?? "*"
        text += ":"
        text += minorNumber.map { "\($0)" } ?? "*"
        text += " "
        if access.contains(.read) { text += "r" }
        if access.contains(.write) { text += "w" }
        if access.contains(.mknod) { text += "m" }
        return text
    }
}

/// What a list of device rules comes to, in the terms of the v1 devices controller: a default, and
/// the exceptions to it.
///
/// The kernel does not evaluate rules in order; it only adds exceptions and removes equal ones. So
/// the rules are evaluated here, the last one that matches wins, and the result is what is written.
struct DeviceList {
    private(set) var allowsByDefault = false
    private(set) var exceptions: [Resources.DeviceRule] = []

    /// - Throws: a rule that takes a part out of an exception, which v1 cannot express.
    init(
        _ configured: [Resources.DeviceRule], place: String
    ) throws(PlanError) {
        for (index, rule) in configured.enumerated() {
            try apply(rule, place: "\(place)/\(index)")
        }
        if allowsByDefault && exceptions.isEmpty { return }
        for rule in DeviceRules.defaults { try apply(rule, place: place) }
    }

    /// The rules to write, in order.
    var rules: [Resources.DeviceRule] {
        [Resources.DeviceRule(allow: allowsByDefault)] + exceptions
    }

    private mutating func apply(
        _ rule: Resources.DeviceRule, place: String
    ) throws(PlanError) {
        if rule.isTotal {
            allowsByDefault = rule.allow
            exceptions = []
            return
        }
        // `a` with numbers or with a part of the accesses: the kernel ignores the rest of the line.
        for type in rule.type == .all ? [.character, .block] : [rule.type] {
            var one = rule
            one.type = type
            one.major = rule.majorNumber
            one.minor = rule.minorNumber
            if rule.allow == allowsByDefault {
                try remove(one, place: place)
            } else {
                add(one)
            }
        }
    }

    private mutating func add(_ rule: Resources.DeviceRule) {
        let same = exceptions.firstIndex {
            $0.type == rule.type && $0.major == rule.major && $0.minor == rule.minor
        }
        if let same {
            exceptions[same].access.formUnion(rule.access)
        } else if !rule.access.isEmpty {
            exceptions.append(rule)
        }
    }

    private mutating func remove(
        _ rule: Resources.DeviceRule, place: String
    ) throws(PlanError) {
        for index in exceptions.indices {
            let exception = exceptions[index]
            guard exception.type == rule.type, !exception.access.isDisjoint(with: rule.access),
                overlaps(exception.major, rule.major), overlaps(exception.minor, rule.minor)
            else { continue }
            guard covers(rule.major, exception.major), covers(rule.minor, exception.minor) else {
                throw PlanError(
                    place,
                    "cgroup v1 cannot take \"\(rule.line)\" out of the "
                        + "\(exception.allow ? "allowed" : "denied") \"\(exception.line)\"",
                    hint: "name the devices one by one")
            }
            exceptions[index].access.subtract(rule.access)
        }
        exceptions.removeAll { $0.access.isEmpty }
    }

    private func overlaps(_ one: Int64?, _ other: Int64?) -> Bool {
        one == nil || other == nil || one == other
    }

    private func covers(_ outer: Int64?, _ inner: Int64?) -> Bool {
        outer == nil || outer == inner
    }
}
