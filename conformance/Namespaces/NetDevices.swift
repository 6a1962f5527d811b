import Foundation
import Testing

/// A network namespace that stands for the host's, with the network devices that a clause is about.
private struct NetworkPlace {
    /// It is that of a container which sleeps: so it goes with it.
    let holder: Container

    var command: [String] { ["nsenter", "--net=/proc/\(holder.pid)/ns/net"] }

    @discardableResult
    func sh(_ script: String) -> Outcome { launch(command + ["sh", "-ec", script]) }

    /// One end of a veth pair, with addresses of each kind; the other end stays.
    func makeDevice(_ name: String, address: Int = 1) -> Bool {
        let made = sh(
            """
            ip link add \(name) type veth peer name peer\(address)
            ip link set peer\(address) up
            ip link set \(name) mtu 1400 address 02:00:00:00:00:0\(address) alias marked up
            ip address add 10.1.\(address).2/24 broadcast + dev \(name)
            ip address add 10.1.\(address).3/24 dev \(name)
            ip address add 10.1.\(address).4/32 valid_lft 5000 preferred_lft 5000 dev \(name)
            ip address add 169.254.\(address).4/16 scope link dev \(name)
            """)
        return made.succeeded
    }

    /// What `ip` tells of a device, without what a move changes of necessity; empty where there is none.
    func shown(_ name: String) -> String {
        let volatile = "s/^[0-9]*: //; s/valid_lft.*//; s/ tentative//; s/ qdisc [a-z]*//"
        return sh("for i in address link; do ip -oneline $i show \(name) | sed '\(volatile)'; done")
            .trimmed
    }

    var names: [String] {
        sh("ip -oneline link | cut -d: -f2 | cut -d@ -f1").stdout.split(separator: "\n")
            .map { $0.trimmingCharacters(in: .whitespaces) }.sorted()
    }
}

private let hasVeth =
    launch(["unshare", "--net", "ip", "link", "add", "v1", "type", "veth", "peer", "name", "v2"])
    .succeeded

private func withPlace(_ body: (NetworkPlace, Container) throws -> Void) throws {
    try withRunningContainer { holder in
        let place = NetworkPlace(holder: holder)
        try withContainer { c in
            c.sandbox = place.command
            try body(place, c)
        }
    }
}

extension Conformance.Namespaces {
    /// config-linux.md, Network Devices. The devices are those of a namespace of the test's own.
    @Suite(
        .knownDifference(runc: "1.1 has no netDevices"),
        .knownDifference(crun: "1.8.1 has no netDevices"),
        .requires(hasVeth, "has no veth devices, or no iproute2"))
    struct NetDevices {
        static let show = "ip -o link show $0; ip -o addr show $0"

        @Test(
            "a device moves in, with its attributes and its permanent global addresses, and is up")
        func moves() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                c.config.linux.netDevices = ["d1": [:]]
                c.config.program("sh", "-c", Self.show, "d1")
                let outcome = try c.run()
                let text = outcome.stdout
                for part in [
                    "d1@", ",UP", "mtu 1400", "02:00:00:00:00:01", "10.1.1.2/24 brd 10.1.1.255",
                    "10.1.1.3/24",
                ] {
                    #expect(text.contains(part), "\(part): \(outcome)")
                }
                for part in ["10.1.1.4", "169.254"] { #expect(!text.contains(part), "\(outcome)") }
                #expect(!place.names.contains("d1"))
            }
        }

        @Test("a global IPv6 address goes with it")
        func sixth() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                #expect(place.sh("ip address add 2001:db8::5/64 nodad dev d1").succeeded)
                c.config.linux.netDevices = ["d1": [:]]
                try #expect(c.sh("ip -o -6 addr show d1").contains("2001:db8::5/64"))
            }
        }

        @Test("a device that is down is up in the container")
        func down() throws {
            try withPlace { place, c in
                #expect(place.sh("ip link add d1 type veth peer name p1").succeeded)
                c.config.linux.netDevices = ["d1": [:]]
                try #expect(c.sh("ip link show d1").contains(",UP"))
            }
        }

        @Test(
            "name is the device's name in the container",
            arguments: [["inside": "inside"], ["eth%d": "eth0"]])
        func renamed(names: [String: String]) throws {
            let (name, shown) = try #require(names.first)
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                c.config.linux.netDevices = ["d1": ["name": .string(name)]]
                c.config.program("sh", "-c", Self.show, shown)
                let outcome = try c.run()
                #expect(outcome.stdout.contains("10.1.1.2/24"), "\(outcome)")
                #expect(!outcome.stdout.contains("d1"), "\(outcome)")
                #expect(!place.names.contains("d1"))
            }
        }

        @Test("several devices move, one to a name that another has on the host")
        func several() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1") && place.makeDevice("d2", address: 2))
                c.config.linux.netDevices = ["d1": ["name": "d2"], "d2": ["name": "d1"]]
                c.config.shell("ip -o addr show d1; echo; ip -o addr show d2")
                let outcome = try c.run()
                let parts = outcome.stdout.components(separatedBy: "\n\n")
                try #require(parts.count == 2, "\(outcome)")
                #expect(parts[0].contains("10.1.2.2") && parts[1].contains("10.1.1.2"))
            }
        }

        @Test("into a namespace that is joined, where a template finds a number that is free")
        func joined() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                try withRunningContainer { other in
                    let net = "/proc/\(other.pid)/ns/net"
                    let pair = ["ip", "link", "add", "eth0", "type", "veth", "peer", "name", "d1"]
                    #expect(launch(["nsenter", "--net=\(net)"] + pair).succeeded)
                    c.config.namespace("network", path: net)
                    c.config.linux.netDevices = ["d1": ["name": "eth%d"]]
                    try #expect(c.sh("ip -o addr show eth1").contains("10.1.1.2/24"))
                    // It is the namespace that has it, not the container (Namespace Lifecycle).
                    let left = launch(["nsenter", "--net=\(net)", "ip", "-o", "link"]).stdout
                    #expect(left.contains("eth1@"), "\(left)")
                }
            }
        }

        @Test("into a new user namespace's network")
        func userNamespace() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                c.config.userNamespace(base: 100_000)
                launch(["chown", "-R", "100000:100000", c.rootfs])
                c.config.linux.netDevices = ["d1": ["name": "eth0"]]
                try #expect(c.sh("ip -o addr show eth0").contains("10.1.1.2/24"))
            }
        }

        @Test("createRuntime hooks find the device in the container, exec as well")
        func hooks() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                c.config.linux.netDevices = ["d1": ["name": "eth0"]]
                let file = c.directory + "/seen"
                c.config.addHook(
                    "createRuntime",
                    [
                        "path": "/bin/sh",
                        "args": [
                            "sh", "-c",
                            .string(
                                "pid=$(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/' | tr -d '\\n'); "
                                    + "nsenter --net=/proc/$pid/ns/net ip -o addr show eth0 >\(file)"
                            ),
                        ],
                        "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                    ])
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(readText(file).contains("10.1.1.2/24"))
                #expect(c.execSh("ip -o addr show eth0").contains("10.1.1.2/24"))
            }
        }

        static let failures: [(what: String, entries: JSON, says: String)] = [
            ("missing", ["d1": [:], "none": [:]], "\"none\": No such device"),
            ("a name that is taken", ["d1": ["name": "lo"]], "File exists"),
            ("two of one name", ["d1": ["name": "x"], "d2": ["name": "x"]], "a second device"),
            ("no device's name", ["d1": ["name": "a/b"]], "no valid name"),
            ("an empty name", ["d1": ["name": "."]], "no valid name"),
            ("a name that is too long", ["d1": ["name": "sixteen-bytes-xx"]], "no valid name"),
            ("two numbers", ["d1": ["name": "a%d%d"]], "no valid name"),
            ("no number", ["d1": ["name": "a%s"]], "no valid name"),
            ("loopback, which never moves", ["d1": [:], "lo": ["name": "x"]], "/netDevices/lo"),
        ]

        @Test(
            "what cannot be is an error of create, and the devices stay as they were",
            arguments: failures.map(\.what))
        func refused(what: String) throws {
            let failure = try #require(Self.failures.first { $0.what == what })
            try withPlace { place, c in
                #expect(place.makeDevice("d1") && place.makeDevice("d2", address: 2))
                let before = place.shown("d1") + place.shown("d2")
                c.config.linux.netDevices = failure.entries
                let outcome = try c.create()
                #expect(outcome.failed && outcome.stderr.contains(failure.says), "\(outcome)")
                #expect(place.shown("d1") + place.shown("d2") == before)
                c.expectNothingLeft()
            }
        }

        @Test("a create that fails later gives the device back as it was, under its name")
        func givenBack() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1") && place.makeDevice("d2", address: 2))
                #expect(place.sh("ip link set d2 down").succeeded)
                let before = place.shown("d1") + place.shown("d2")
                c.config.linux.netDevices = ["d1": ["name": "eth0"], "d2": ["name": "eth%d"]]
                c.config.program("/no/such/program")
                let outcome = try c.create()
                #expect(outcome.failed && outcome.stderr.contains("/no/such"), "\(outcome)")
                #expect(place.shown("d1") + place.shown("d2") == before)
                c.expectNothingLeft()
            }
        }

        @Test("without a network namespace, or with the host's, there is nowhere to move to")
        func nowhere() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                let before = place.shown("d1")
                c.config.linux.netDevices = ["d1": [:]]
                let path = "/proc/\(place.holder.pid)/ns/net"
                for (path, says) in [(nil, "without a network"), (path, "the runtime's own")] {
                    c.config.removeNamespace("network")
                    if let path { c.config.namespace("network", path: path) }
                    let outcome = try c.create()
                    #expect(outcome.failed && outcome.stderr.contains(says), "\(outcome)")
                    #expect(outcome.stderr.contains("/linux/netDevices/d1"), "\(outcome)")
                }
                #expect(place.shown("d1") == before)
            }
        }

        @Test("who has no right to the host's devices is told so")
        func unprivileged() throws {
            try withPlace { place, c in
                #expect(place.makeDevice("d1"))
                c.sandbox += [
                    "setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin",
                ]
                c.config.linux.netDevices = ["d1": [:]]
                let outcome = try c.create()
                #expect(outcome.failed && outcome.stderr.contains("CAP_NET_ADMIN"), "\(outcome)")
                #expect(place.names.contains("d1"))
            }
        }

        @Test("plan shows the move, and create of a config without devices makes none", .swruncOnly)
        func planned() throws {
            try withContainer { c in
                c.config.linux.netDevices = ["d1": ["name": "eth0"]]
                try c.writeConfig()
                let outcome = c.runtime(["plan", "--bundle", c.bundle, c.id])
                let line = outcome.lines.first { $0.contains("move network device") }
                #expect(line?.contains("/linux/netDevices/d1") == true, "\(outcome)")
                #expect(line?.hasSuffix("d1 as eth0") == true, "\(outcome)")
            }
        }
    }
}
