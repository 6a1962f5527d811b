import Foundation
import Testing

extension Conformance.BadInput {
    @Suite struct Values {
        /// Properties runc 1.1 does not know, and so ignores.
        private static let newerThanRunc = [
            "scheduler", "ioPriority", "execCPUAffinity", "umask", "timeOffsets", "netDevices",
            "personality", "memoryPolicy", "schemata", "enableMonitoring", "domainname", "burst",
            "idle", "rdma", "Mappings", "checkBeforeUpdate", "unified", "useHierarchy",
        ]

        private static func isKnown(_ place: Place) -> Bool {
            Runtime.kind == .swrunc
                || !newerThanRunc.contains { place.description.contains($0) }
        }

        private static func wrong(for value: JSON) -> JSON {
            switch value {
            case .string: 7
            case .bool: "true"
            case .int, .uint, .double: "7"
            case .array: ["k": 1]
            default: ["x"]
            }
        }

        @Test("every property of the spec with a value of the wrong type is refused and named")
        func wrongTypes() throws {
            try withContainer { c in
                let config = Everything.config(cgroupsPath: c.cgroupsPath)
                for (place, value) in config.everyPlace where Self.isKnown(place) {
                    c.config = place.set(Self.wrong(for: value), in: config)
                    let outcome = try c.create()
                    expectRefusal(outcome, c, naming: place.name, what: "wrong type at \(place):")
                }
            }
        }

        @Test("every string of the spec with a NUL in it is refused and named", .swruncOnly)
        func nul() throws {
            try withContainer { c in
                let config = Everything.config(cgroupsPath: c.cgroupsPath)
                for (place, value) in config.everyPlace where value.string != nil {
                    c.config = place.set("a\0b", in: config)
                    let outcome = try c.create()
                    expectRefusal(outcome, c, naming: place.name, what: "NUL at \(place):")
                }
            }
        }

        @Test(
            "a NUL in a key is refused", .swruncOnly,
            arguments: ["annotations", "sysctl", "unified", "netDevices"])
        func nulInKey(map: String) throws {
            try withContainer { c in
                let members: JSON = ["a\0b": map == "netDevices" ? [:] : "x"]
                switch map {
                case "annotations": c.config.annotations = members
                case "unified": c.config.linux.resources.unified = members
                default: c.config.linux[map] = members
                }
                expectRefusal(try c.create(), c, naming: map)
            }
        }

        @Test(
            "every integer of the spec with a fraction, a number far too large, is refused",
            arguments: ["1.5", "1e400", "99999999999999999999", "-99999999999999999999", "1e3"])
        func noInteger(text: String) throws {
            try withContainer { c in
                let config = Everything.config(cgroupsPath: c.cgroupsPath)
                for (place, value) in config.everyPlace
                where value.int != nil && Self.isKnown(place) {
                    c.config = place.set(.raw(text), in: config)
                    let outcome = try c.create()
                    expectRefusal(outcome, c, naming: place.name, what: "\(text) at \(place):")
                }
            }
        }

        @Test(
            "numbers out of their property's range are refused and named",
            arguments: [
                ("process.user.uid", "4294967296"), ("process.user.uid", "-1"),
                ("process.user.gid", "4294967296"), ("process.user.gid", "-1"),
                ("process.rlimits.0.soft", "-1"), ("process.rlimits.0.hard", "-1"),
                ("process.rlimits.0.hard", "18446744073709551616"),
                ("linux.resources.memory.limit", "9223372036854775808"),
                ("linux.resources.pids.limit", "9223372036854775808"),
                ("linux.resources.cpu.shares", "-1"),
                ("linux.resources.blockIO.weight", "65536"),
                ("linux.resources.blockIO.weight", "-1"),
                ("linux.resources.network.classID", "4294967296"),
                ("linux.resources.hugepageLimits.0.limit", "-1"),
                ("linux.devices.0.fileMode", "4294967296"),
                ("linux.devices.0.uid", "4294967296"),
                ("linux.devices.0.gid", "-1"),
                ("linux.uidMappings.0.size", "4294967296"),
                ("linux.gidMappings.0.hostID", "-1"),
                ("process.user.additionalGids.0", "-1"),
                ("process.user.additionalGids.0", "4294967296"),
                ("process.consoleSize.height", "-1"),
                ("linux.seccomp.syscalls.0.args.0.value", "18446744073709551616"),
                ("linux.seccomp.syscalls.0.args.0.index", "-1"),
                ("linux.seccomp.syscalls.0.errnoRet", "-1"),
            ])
        func outOfRange(path: String, text: String) throws {
            try withContainer { c in
                let place = Self.place(path)
                let config = Everything.config(cgroupsPath: c.cgroupsPath)
                c.config = place.set(.raw(text), in: config)
                expectRefusal(try c.create(), c, naming: place.name)
            }
        }

        @Test(
            "numbers in the type's range and out of the property's own are refused and named",
            .swruncOnly,
            arguments: [
                ("process.user.umask", "512"), ("process.user.umask", "-1"),
                ("process.ioPriority.priority", "8"),
                ("linux.devices.0.major", "-1"), ("linux.devices.0.minor", "4294967296"),
                ("linux.resources.memory.swappiness", "101"),
                ("linux.seccomp.syscalls.0.args.0.index", "6"),
                ("hooks.prestart.0.timeout", "0"), ("hooks.poststop.0.timeout", "-1"),
                ("linux.uidMappings.0.size", "0"),
            ])
        func outOfOwnRange(path: String, text: String) throws {
            try withContainer { c in
                let place = Self.place(path)
                takeBlock(of: path, from: Everything.config(cgroupsPath: c.cgroupsPath), into: c)
                c.config = place.set(.raw(text), in: c.config)
                expectRefusal(try c.create(), c, naming: place.name)
            }
        }

        private static func place(_ path: String) -> Place {
            Place(
                steps: path.split(separator: ".").map {
                    Int($0).map(Place.Step.element) ?? .member(String($0))
                })
        }

        /// Of everything only the block in question, so that nothing else is wrong with it.
        private func takeBlock(of path: String, from everything: JSON, into c: Container) {
            let linux = everything.linux
            let process = everything.process
            if path.hasPrefix("linux.seccomp") {
                c.config.linux.seccomp = linux.seccomp
                c.config.linux.seccomp.listenerPath = .null
                c.config.linux.seccomp.listenerMetadata = .null
                c.config.linux.seccomp.defaultErrnoRet = .null
            } else if path.hasPrefix("linux.devices") {
                c.config.linux.devices = linux.devices
            } else if path.hasPrefix("process.rlimits") {
                c.config.process.rlimits = process.rlimits
            } else if path.hasPrefix("process.ioPriority") {
                c.config.process.ioPriority = process.ioPriority
            } else if path.hasPrefix("hooks") {
                c.config.hooks = everything.hooks
            } else if path.hasSuffix("Mappings.0.size") {
                c.config.userNamespace()
            }
        }

        @Test(
            "values that are none of the property's are refused and named",
            arguments: [
                ("linux.namespaces.0.type", "nope"), ("linux.rootfsPropagation", "nope"),
                ("linux.seccomp.defaultAction", "SCMP_ACT_NOPE"),
                ("linux.seccomp.architectures.0", "SCMP_ARCH_NOPE"),
                ("linux.seccomp.syscalls.0.action", "SCMP_ACT_NOPE"),
                ("linux.seccomp.syscalls.0.args.0.op", "SCMP_CMP_NOPE"),
                ("linux.devices.0.type", "x"), ("process.rlimits.0.type", "RLIMIT_NOPE"),
                ("process.cwd", "relative"), ("process.cwd", ""),
            ])
        func noValue(path: String, text: String) throws {
            try withContainer { c in
                let place = Self.place(path)
                takeBlock(of: path, from: Everything.config(cgroupsPath: c.cgroupsPath), into: c)
                c.config = place.set(.string(text), in: c.config)
                expectRefusal(
                    try c.create(), c, naming: text.isEmpty ? place.name : text, what: path)
            }
        }

        @Test(
            "properties the spec requires are missed and named",
            arguments: [
                "process.cwd", "process.args", "root", "root.path",
            ])
        func missing(path: String) throws {
            try withContainer { c in
                let place = Place(steps: path.split(separator: ".").map { .member(String($0)) })
                c.config = place.set(.null, in: c.config)
                expectRefusal(try c.create(), c, naming: place.name)
            }
        }

        @Test("args that are empty are refused", arguments: [[], [""]] as [[String]])
        func emptyArguments(arguments: [String]) throws {
            try withContainer { c in
                c.config.process.args = JSON(arguments)
                expectRefusal(try c.create(), c, naming: "args")
            }
        }

        @Test(
            "env entries that are no NAME=value are refused and named", .swruncOnly,
            arguments: ["=x", "", "=", "NOEQUALS"])
        func badEnvironment(entry: String) throws {
            try withContainer { c in
                c.config.process.env.append(.string(entry))
                let outcome = try c.create()
                // execve takes any string; refusing one must name it, accepting it is runc's way.
                if outcome.failed { expectRefusal(outcome, c, naming: "env") }
            }
        }
    }
}
