import Foundation
import Testing

extension Conformance {
    /// Bad input: a clear error that names it, nothing created, nothing left.
    @Suite struct BadInput {}
}

/// The command failed with a message, which (ours) names `what`, and nothing of it is left.
func expectRefusal(
    _ outcome: Outcome, _ c: Container, naming what: String? = nil, what context: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(outcome.failed, "\(context) \(outcome)", sourceLocation: sourceLocation)
    #expect(
        !outcome.stderr.isEmpty, "\(context) without a message", sourceLocation: sourceLocation)
    if let what, Runtime.kind == .swrunc {
        #expect(
            outcome.stderr.contains(what), "\(context) not naming \(what): \(outcome)",
            sourceLocation: sourceLocation)
    }
    #expect(
        !exists(c.root + "/" + c.id), "\(context) left state", sourceLocation: sourceLocation)
    #expect(
        Leaks.cgroups(c.cgroupsPath).isEmpty, "\(context) left a cgroup",
        sourceLocation: sourceLocation)
}

extension Conformance.BadInput {
    @Suite struct ConfigText {
        /// `create` on whatever config.json the bundle holds now.
        private func create(_ c: Container) -> Outcome {
            c.runtime(["create", "--bundle", c.bundle, c.id], c.intoFiles(LaunchOptions()))
        }

        private func expectRefused(
            text: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            try withContainer { c in
                try writeText(text, to: c.bundle + "/config.json")
                expectRefusal(create(c), c, naming: "config.json")
            }
        }

        @Test("config.json missing")
        func missing() throws {
            try withContainer { c in
                expectConfigRefused(create(c), c)
            }
        }

        @Test("config.json is a directory")
        func directory() throws {
            try withContainer { c in
                mkdir(c.bundle + "/config.json", 0o755)
                expectConfigRefused(create(c), c)
            }
        }

        @Test("the bundle is missing, or a file", arguments: ["/none", "/b/rootfs/etc/passwd"])
        func bundle(path: String) throws {
            try withContainer { c in
                try c.writeConfig()
                let outcome = c.runtime("create", "-b", c.directory + path, c.id)
                expectRefusal(outcome, c, naming: c.directory + path)
            }
        }

        @Test(
            "text that is no config",
            arguments: [
                "", " ", "\n", "null", "true", "7", "\"x\"", "[]", "{", "}", "{}{}", "{}x", "{,}",
                "{\"a\"}", "{\"a\":}", "{'a':1}", "{\"a\":01}", "{\"a\":tru}", "// x\n{}",
                "{\"a\":\"\u{1}\"}", "{\"a\":\"\\x\"}", "{\"a\":1,}", "\u{feff}{", "{\"a\":nan}",
            ])
        func noConfig(text: String) throws {
            try expectRefused(text: text)
        }

        @Test("a config of a few kilobytes, cut at every 13th byte")
        func cut() throws {
            try withContainer { c in
                let whole = Array(c.config.text.utf8)
                for length in stride(from: 0, to: whole.count, by: 13) {
                    let part = String(decoding: whole[..<length], as: UTF8.self)
                    try writeText(part, to: c.bundle + "/config.json")
                    expectConfigRefused(create(c), c, what: "cut at \(length)")
                }
            }
        }

        @Test("a small config, cut at every byte")
        func cutSmall() throws {
            try withContainer { c in
                let small: JSON = [
                    "ociVersion": "1.0.2", "root": ["path": "rootfs"],
                    "process": ["args": ["true"], "cwd": "/", "user": ["uid": 0, "gid": 0]],
                ]
                let whole = Array(small.text.utf8)
                for length in 0..<whole.count {
                    let part = String(decoding: whole[..<length], as: UTF8.self)
                    try writeText(part, to: c.bundle + "/config.json")
                    expectConfigRefused(create(c), c, what: "cut at \(length)")
                }
            }
        }

        @Test(
            "a config nested 100,000 deep, of arrays, of objects, closed or not",
            arguments: ["[", "{\"a\":"], [true, false])
        func nested(opening: String, closed: Bool) throws {
            var text = "{\"annotations\":" + String(repeating: opening, count: 100_000)
            if closed {
                text += "1" + String(repeating: opening == "[" ? "]" : "}", count: 100_000) + "}"
            }
            try expectRefused(text: text)
        }

        @Test("a config of 100 MB is refused", .swruncOnly)
        func large() throws {
            try withContainer { c in
                try c.writeConfig()
                let path = c.bundle + "/config.json"
                let line = String(repeating: " ", count: 1 << 20)
                let text = readText(path).dropLast() + ",\"x\":\""
                try writeText(text + String(repeating: line, count: 100) + "\"}", to: path)
                let outcome = create(c)
                expectConfigRefused(outcome, c)
            }
        }

        @Test(
            "a key given twice is refused and named", .swruncOnly,
            arguments: [
                ("\"hostname\":\"a\",\"hostname\":\"b\",", "hostname"),
                ("\"annotations\":{\"k\":\"1\",\"k\":\"2\"},", "k"),
            ])
        func duplicateKey(members: String, name: String) throws {
            try withContainer { c in
                c.config.hostname = .null
                let text = "{" + members + c.config.text.dropFirst()
                try writeText(text, to: c.bundle + "/config.json")
                expectRefusal(create(c), c, naming: name)
            }
        }

        @Test(
            "bytes that are not UTF-8 are refused", .swruncOnly,
            arguments: [
                [0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80],
            ] as [[UInt8]])
        func invalidUTF8(bytes: [UInt8]) throws {
            try withContainer { c in
                c.config.hostname = "MARK"
                var text = Array(c.config.text.utf8)
                let at = try #require(text.firstRange(of: Array("MARK".utf8)))
                text.replaceSubrange(at, with: bytes)
                try Data(text).write(to: URL(fileURLWithPath: c.bundle + "/config.json"))
                expectConfigRefused(create(c), c)
            }
        }

        @Test("unknown properties are ignored, at every level (config.md, extensibility)")
        func unknownProperties() throws {
            try withContainer { c in
                let unknown: JSON = ["deep": ["er": [1, .double(2.5), "x", true, .null]]]
                c.config.unknown = unknown
                c.config.process.unknown = unknown
                c.config.process.user.unknown = unknown
                c.config.linux.unknown = unknown
                c.config.linux.resources.unknown = unknown
                c.config["mounts"][0].unknown = unknown
                c.config.linux.namespaces[0].unknown = unknown
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test("null stands for a missing property")
        func nullProperties() throws {
            try withContainer { c in
                c.config.hooks = .raw("null")
                c.config.process.rlimits = .raw("null")
                c.config.linux.seccomp = .raw("null")
                c.config.annotations = .raw("null")
                c.config.process.user.umask = .raw("null")
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test(
            "supported versions of the spec",
            arguments: ["1.0.0", "1.0.0-rc5", "1.0.2-dev", "1.0.2+x", "1.1.0", "1.2.1", "1.3.0"])
        func supported(version: String) throws {
            try withContainer { c in
                c.config.ociVersion = .string(version)
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
            }
        }

        @Test(
            "an ociVersion that is unsupported, or no SemVer, is refused and named",
            .knownDifference(runc: "1.1 does not look at it"),
            .knownDifference(crun: "1.8.1 does not look at it"),
            arguments: ["2.0.0", "0.0.9", "x", "1", "1.0", "1.0.0.0", "", "v1.0.0", "1.-1.0"])
        func unsupported(version: String) throws {
            try withContainer { c in
                c.config.ociVersion = .string(version)
                let outcome = try c.create()
                expectRefusal(outcome, c, naming: "ociVersion")
            }
        }

        @Test(
            "ociVersion missing", .knownDifference(runc: "1.1 does not look at it"),
            .knownDifference(crun: "1.8.1 does not look at it"))
        func noVersion() throws {
            try withContainer { c in
                c.config.ociVersion = .null
                expectRefusal(try c.create(), c, naming: "ociVersion")
            }
        }

        private func expectConfigRefused(
            _ outcome: Outcome, _ c: Container, what: String = "",
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            expectRefusal(
                outcome, c, naming: "config.json", what: what, sourceLocation: sourceLocation)
        }
    }
}
