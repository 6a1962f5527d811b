import Foundation
import Testing

extension Conformance.Namespaces {
    @Suite struct Sysctl {
        @Test(
            "a sysctl of the container's own namespaces is set",
            arguments: [
                ("net.ipv4.ip_forward", "1"), ("net.core.somaxconn", "256"),
                ("net.ipv4.ip_local_port_range", "20000\t30000"), ("kernel.shmmax", "1234567"),
                ("kernel.msgmax", "4321"), ("fs.mqueue.msg_max", "7"),
                ("net/ipv4/conf/lo/forwarding", "1"),
            ])
        func set(name: String, value: String) throws {
            try withContainer { c in
                c.config.linux.sysctl = .object([name: .string(value)])
                let path = name.replacingOccurrences(of: ".", with: "/")
                try #expect(c.sh("cat /proc/sys/\(path)") == value)
            }
        }

        @Test("several at once")
        func several() throws {
            try withContainer { c in
                c.config.linux.sysctl = [
                    "net.core.somaxconn": "99", "net.ipv4.ping_group_range": "0 5",
                ]
                let script = "cd /proc/sys/net; cat core/somaxconn ipv4/ping_group_range"
                try #expect(c.sh(script) == "99\n0\t5")
            }
        }

        @Test(
            "a sysctl that is the host's is refused and named, and the host keeps its own",
            arguments: ["vm.swappiness", "kernel.panic", "fs.file-max", "kernel.pid_max"])
        func hosts(name: String) throws {
            try withContainer { c in
                let path = "/proc/sys/" + name.replacingOccurrences(of: ".", with: "/")
                let before = readText(path)
                // A neighbour of the host's own value, which is put back: these are no namespace's.
                let other = (Int(before.trimmingCharacters(in: .newlines)) ?? 0) + 1
                defer { if readText(path) != before { try? writeText(before, to: path) } }
                c.config.linux.sysctl = .object([name: .string("\(other)")])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: name)
                #expect(outcome.stderr.contains(name), "\(outcome)")
                #expect(readText(path) == before)
            }
        }

        @Test("a net sysctl without a network namespace is refused")
        func noNetworkNamespace() throws {
            try withContainer { c in
                c.sandbox = Sandbox.namespaces
                c.config.removeNamespace("network")
                c.config.linux.sysctl = ["net.core.somaxconn": "99"]
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "net.core.somaxconn")
            }
        }

        @Test("an ipc sysctl without an ipc namespace is refused")
        func noIpcNamespace() throws {
            try withContainer { c in
                c.sandbox = Sandbox.namespaces
                c.config.removeNamespace("ipc")
                c.config.removeMount("/dev/mqueue")
                c.config.linux.sysctl = ["kernel.shmmax": "99"]
                expectRefusal(try c.create(), c, naming: "kernel.shmmax")
            }
        }

        @Test(
            "a sysctl the kernel does not have is refused and named",
            arguments: ["net.nope", "net.ipv4.conf.no-such-interface.forwarding"])
        func missing(name: String) throws {
            try withContainer { c in
                c.config.linux.sysctl = .object([name: "1"])
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: name)
            }
        }

        @Test(
            "a sysctl name does not lead out of /proc/sys",
            arguments: ["net/../kernel/panic", "net.....kernel.panic", "../../sys/kernel/panic"])
        func escape(name: String) throws {
            try withContainer { c in
                let before = readText("/proc/sys/kernel/panic")
                defer { try? writeText(before, to: "/proc/sys/kernel/panic") }
                c.config.linux.sysctl = .object([name: "7"])
                expectRefusal(try c.create(), c)
                #expect(readText("/proc/sys/kernel/panic") == before)
            }
        }
    }
}
