import Foundation
import Testing

extension Conformance {
    /// crun's annotations (crun.1.md, Extensions to OCI), by which Podman and CRI-O ask for what the config
    /// has no property for.
    @Suite struct Annotations {}
}

extension Container {
    fileprivate func annotate(_ key: String, _ value: String) {
        config.annotations[key] = .string(value)
    }

    /// `create` fails, names the annotation, and leaves nothing.
    fileprivate func expectRefused(
        _ key: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try run(sourceLocation: sourceLocation)
        #expect(outcome.failed, "\(outcome)", sourceLocation: sourceLocation)
        #expect(
            outcome.stderr.contains("/annotations/" + key.replacing("/", with: "~1")),
            "\(outcome)", sourceLocation: sourceLocation)
        expectNothingLeft(sourceLocation: sourceLocation)
    }
}

extension Conformance.Annotations {
    @Suite struct Groups {
        private let key = "run.oci.keep_original_groups"
        private let asMember = ["setpriv", "--groups", "1234,2345"]
        private let groups = "sed -n 's/^Groups:[[:space:]]*//p' /proc/self/status"

        private func seen(_ c: Container) throws -> String {
            c.sandbox = asMember
            c.config.process.user.additionalGids = [77]
            return try c.sh(groups)
        }

        @Test(
            "the caller's additional groups stay, and the config's are left out",
            .knownDifference(runc: "knows no such annotation"))
        func kept() throws {
            try withContainer { c in
                c.annotate(key, "1")
                try #expect(seen(c) == "1234 2345")
            }
        }

        @Test("without it, or with 0, they go", arguments: [nil, "0"])
        func left(value: String?) throws {
            try withContainer { c in
                if let value { c.annotate(key, value) }
                try #expect(seen(c) == "77")
            }
        }

        @Test(
            "so it is for exec, also into a user namespace",
            .knownDifference(runc: "knows no such annotation"), arguments: [false, true])
        func exec(mapped: Bool) throws {
            try withRunningContainer { config in
                config.annotations[key] = "1"
                if mapped { config.userNamespace() }
            } _: { c in
                c.sandbox = asMember
                #expect(c.execSh(groups) == "1234 2345")
            }
        }

        @Test(
            "a program for a kept group alone is executed",
            .knownDifference(runc: "knows no such annotation"))
        func executable() throws {
            try withContainer { c in
                let program = c.rootfs + "/members-only"
                try writeText("#!/bin/sh\necho in\n", to: program, mode: 0o750)
                chown(program, 0, 1234)
                c.annotate(key, "1")
                c.sandbox = asMember
                c.config.process.user = ["uid": 1000, "gid": 1000]
                c.config.program("/members-only")
                let outcome = try c.run()
                #expect(outcome.trimmed == "in", "\(outcome)")
            }
        }
    }

    @Suite(.knownDifference(runc: "knows no such annotation"))
    struct HookOutput {
        private let out = "run.oci.hooks.stdout"
        private let err = "run.oci.hooks.stderr"

        @Test("what hooks print goes to the end of the files, of all kinds of hooks")
        func files() throws {
            try withContainer { c in
                let (out, err) = (c.directory + "/out.log", c.directory + "/err.log")
                try writeText("before\n", to: out)
                c.annotate(self.out, out)
                c.annotate(self.err, err)
                for kind in Container.hookKinds {
                    c.addHook(kind, "echo \(kind); echo \(kind) failed >&2")
                }
                try c.create()
                #expect(c.start().succeeded)
                #expect(c.becomes("stopped"))
                #expect(c.delete().succeeded)
                let lines = { readText($0).split(separator: "\n").map(String.init) }
                #expect(lines(out) == ["before"] + Container.hookKinds)
                #expect(lines(err) == Container.hookKinds.map { $0 + " failed" })
            }
        }

        @Test("with one file the other stream still tells why a hook failed")
        func oneOnly() throws {
            try withContainer { c in
                c.annotate(out, "out.log")
                c.addHook("createContainer", "echo said; echo reason >&2; exit 3")
                let outcome = try c.run()
                #expect(outcome.failed && outcome.stderr.contains("reason"), "\(outcome)")
                #expect(!outcome.stderr.contains("said"), "\(outcome)")
                // Relative to the bundle.
                #expect(readText(c.bundle + "/out.log") == "said\n")
            }
        }

        @Test("a file that cannot be opened fails create", arguments: [true, false])
        func missing(stdout: Bool) throws {
            try withContainer { c in
                let key = stdout ? out : err
                c.annotate(key, c.directory + "/missing/file")
                c.addHook("prestart", "true")
                try c.expectRefused(key)
            }
        }
    }

    @Suite(.knownDifference(runc: "knows no such annotation"))
    struct Receivers {
        @Test("run.oci.pidfd_receiver gets a pidfd of the container's process")
        func pidfd() throws {
            try withContainer { c in
                let socket = try ConsoleSocket(path: c.directory + "/s")
                c.annotate("run.oci.pidfd_receiver", socket.path)
                try #expect(c.create().succeeded)
                let pidfd = try socket.descriptor()
                defer { close(pidfd) }
                let pid = readText("/proc/self/fdinfo/\(pidfd)").split(separator: "\n")
                    .first { $0.hasPrefix("Pid:") }?.dropFirst(4).drop { $0.isWhitespace }
                #expect(pid.flatMap { pid_t($0) } == c.pid)
            }
        }

        @Test("a receiver that is not there fails create")
        func noReceiver() throws {
            try withContainer { c in
                c.annotate("run.oci.pidfd_receiver", c.directory + "/s")
                let outcome = try c.run()
                #expect(outcome.failed && outcome.stderr.contains(c.directory + "/s"), "\(outcome)")
                c.expectNothingLeft()
            }
        }

        private func agent(_ c: Container, annotated: Bool) throws -> Agent {
            let agent = try Agent(path: c.directory + "/agent")
            c.config.filter(rule("munlockall", "NOTIFY"))
            if annotated { c.annotate("run.oci.seccomp.receiver", agent.path) }
            return agent
        }

        @Test(
            "the seccomp agent may be named by annotation or environment, for exec too",
            arguments: [true, false])
        func seccomp(annotated: Bool) throws {
            try withContainer { c in
                let agent = try agent(c, annotated: annotated)
                if !annotated {
                    c.sandbox = ["env", "RUN_OCI_SECCOMP_RECEIVER=\(agent.path)"]
                }
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                close(try agent.accept().notify)
                var options = LaunchOptions()
                options.whileRunning = { _ in
                    let (state, notify) = try agent.accept()
                    defer { close(notify) }
                    #expect(state.state.id.string == c.id)
                    _ = try Agent.answer(notify, value: 4711)
                }
                let exec = c.exec(
                    [], "probe", "syscall", String(Syscall.munlockall), options: options)
                #expect(exec.stdout.contains("result=4711"), "\(exec)")
            }
        }

        @Test(
            "an agent that is not there, or whose path is relative, fails create",
            arguments: ["/nowhere", "agent"])
        func noAgent(path: String) throws {
            try withContainer { c in
                _ = try agent(c, annotated: true)
                c.annotate("run.oci.seccomp.receiver", path)
                try c.expectRefused("run.oci.seccomp.receiver")
            }
        }
    }

    @Suite(.knownDifference(runc: "knows no such annotation"))
    struct Seccomp {
        @Test("run.oci.seccomp_fail_unknown_syscall makes a name that nobody knows an error")
        func unknownCall() throws {
            try withContainer { c in
                c.config.filter(rule("no_such_call", "ERRNO"))
                c.annotate("run.oci.seccomp_fail_unknown_syscall", "0")
                try #expect(c.run().succeeded)
                c.annotate("run.oci.seccomp_fail_unknown_syscall", "1")
                let outcome = try c.run()
                #expect(outcome.failed && outcome.stderr.contains("no_such_call"), "\(outcome)")
                c.config.filter(rule("munlockall", "ERRNO"))
                try #expect(c.run().succeeded)
            }
        }

        /// munlockall fails with errno 77, all else is allowed.
        private let filter = bpf([
            (0x20, 0, 0, 0), (0x15, 0, 1, UInt32(Syscall.munlockall)),
            (0x06, 0, 0, 0x0005_0000 | 77), (0x06, 0, 0, 0x7fff_0000),
        ])

        private static func bpf(
            _ instructions: [(code: UInt16, jt: UInt8, jf: UInt8, k: UInt32)]
        ) -> String {
            var data = Data()
            for one in instructions {
                withUnsafeBytes(of: one.code) { data.append(contentsOf: $0) }
                data.append(contentsOf: [one.jt, one.jf])
                withUnsafeBytes(of: one.k) { data.append(contentsOf: $0) }
            }
            return data.base64EncodedString()
        }

        @Test(
            "run.oci.seccomp_bpf_data is the filter, and linux.seccomp is not",
            arguments: [true, false])
        func filter(hasSection: Bool) throws {
            try withContainer { c in
                c.annotate("run.oci.seccomp_bpf_data", filter)
                if hasSection { c.config.filter(rule("munlockall", "ERRNO", errno: 1)) }
                c.config.shell("probe syscall \(Syscall.munlockall); sleep 600")
                try #require(c.runDetached().succeeded)
                #expect(c.prints("errno=77"), "\(c.output)")
                let exec = c.exec([], "probe", "syscall", String(Syscall.munlockall))
                #expect(exec.stdout.contains("errno=77"), "\(exec)")
            }
        }

        @Test(
            "what is no filter fails create",
            arguments: ["", "AAAA", "!!!!", "AAAAAAAAAAA", "BgAAAAAA/38="])
        func noFilter(data: String) throws {
            try withContainer { c in
                c.annotate("run.oci.seccomp_bpf_data", data)
                // The last one is a whole filter.
                if data.count == 12 {
                    try #expect(c.run().succeeded)
                } else {
                    try c.expectRefused("run.oci.seccomp_bpf_data")
                }
            }
        }
    }

    @Suite(.swruncOnly)
    struct Refusals {
        @Test(
            "what cannot be honoured fails create",
            arguments: [
                ("run.oci.handler", "wasm"), ("run.oci.handler", "krun"),
                ("module.wasm.image/variant", "compat"),
                ("run.oci.seccomp.plugins", "/lib/plugin.so"),
                ("run.oci.mount_context_type", "othercontext"),
                ("run.oci.delegate-cgroup", "a/../../b"),
                ("run.oci.systemd.subgroup", ".."),
            ])
        func refused(key: String, value: String) throws {
            try withContainer { c in
                c.annotate(key, value)
                try c.expectRefused(key)
            }
        }

        @Test("a handler that is only for WebAssembly leaves other programs alone")
        func smart() throws {
            try withContainer { c in
                c.annotate("run.oci.handler", "wasm-smart")
                c.annotate("module.wasm.image/variant", "compat-smart")
                try #expect(c.run().succeeded)
                c.config.program("/module.wasm")
                try c.expectRefused("module.wasm.image/variant")
                c.config.annotations = ["run.oci.handler": "wasm-smart"]
                try c.expectRefused("run.oci.handler")
            }
        }

        @Test("no handler is for the pause container of a pod")
        func sandbox() throws {
            try withContainer { c in
                c.annotate("run.oci.handler", "wasm")
                c.annotate("io.kubernetes.cri.container-type", "sandbox")
                try #expect(c.run().succeeded)
            }
        }

        @Test("one of that kind that nobody knows gets a warning")
        func unknown() throws {
            try withContainer { c in
                c.annotate("run.oci.no_such_thing", "1")
                c.annotate("io.example.run.oci.other", "1")
                c.globals += ["--log-level", "warning"]
                let outcome = try c.run()
                #expect(outcome.succeeded, "\(outcome)")
                #expect(outcome.stderr.contains("run.oci.no_such_thing"), "\(outcome)")
                #expect(!outcome.stderr.contains("other"), "\(outcome)")
            }
        }
    }

    @Suite(.knownDifference(runc: "knows no such annotation"))
    struct Cgroups {
        @Test(
            "run.oci.systemd.force_cgroup_v1 has systemd's own hierarchy alone where the mount is",
            .requires(exists("/sys/fs/cgroup/systemd"), "has no hierarchy of systemd's"),
            arguments: [true, false])
        func systemdHierarchy(ownNamespace: Bool) throws {
            try withContainer { c in
                c.annotate("run.oci.systemd.force_cgroup_v1", "/sys/fs/cgroup")
                c.config.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw", "nosuid"])
                if ownNamespace { c.config.namespace("cgroup") }
                let seen = try c.sh(
                    """
                    ls /sys/fs/cgroup
                    grep -c ' - cgroup .*name=systemd' /proc/self/mountinfo
                    \(ownNamespace ? "mkdir" : "true") /sys/fs/cgroup/systemd/inner
                    """)
                #expect(seen == "systemd\n1")
            }
        }

        @Test(
            "run.oci.delegate-cgroup needs cgroup v2",
            .requires(!Host.isUnified, "has cgroup v2"))
        func onV1() throws {
            try withContainer { c in
                c.annotate("run.oci.delegate-cgroup", "mine")
                try c.expectRefused("run.oci.delegate-cgroup")
            }
        }

        @Test(
            "run.oci.delegate-cgroup is a cgroup below the container's, to be managed by it",
            .requires(Host.isUnified, "has no cgroup v2"), arguments: [true, false])
        func delegated(ownNamespace: Bool) throws {
            try withContainer { c in
                c.annotate("run.oci.delegate-cgroup", "mine/own")
                if ownNamespace { c.config.namespace("cgroup") }
                c.config.linux.resources.pids.limit = 20
                c.config.shell("cat /proc/self/cgroup; sleep 600")
                try #require(c.runDetached().succeeded)
                let path = c.cgroupsPath + "/mine/own"
                #expect(c.prints("0::" + (ownNamespace ? "/mine/own" : path)), "\(c.output)")
                let directory = "/sys/fs/cgroup" + path
                #expect(readText(directory + "/cgroup.controllers").contains("pids"))
                #expect(readText(directory + "/pids.max") == "max\n")
                #expect(readText("/sys/fs/cgroup\(c.cgroupsPath)/pids.max") == "20\n")
                #expect(c.execSh("cat /proc/self/cgroup").contains("/mine/own"))
            }
        }

        @Test(
            "the container's user owns it",
            .requires(Host.isUnified, "has no cgroup v2"))
        func owned() throws {
            try withContainer { c in
                c.annotate("run.oci.delegate-cgroup", "mine")
                c.config.userNamespace(base: 100_000)
                c.config.namespace("cgroup")
                c.config.program("sleep", "600")
                let outcome = try c.runDetached()
                try #require(outcome.succeeded, "\(outcome)")
                var status = stat()
                let directory = "/sys/fs/cgroup\(c.cgroupsPath)/mine"
                #expect(stat(directory + "/cgroup.procs", &status) == 0)
                #expect(status.st_uid == 100_000)
                #expect(stat("/sys/fs/cgroup\(c.cgroupsPath)", &status) == 0)
                #expect(status.st_uid == 0)
            }
        }
    }
}
