import Foundation
import Testing

/// The far end of `listenerPath`: gets the notify descriptor and the container process state.
final class Agent {
    let path: String
    private let listener: Int32

    init(path: String) throws {
        self.path = path
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard withUnixAddress(path, { bind(listener, $0, $1) }) == 0, listen(listener, 4) == 0
        else { throw HarnessError("agent socket: \(String(cString: strerror(errno)))") }
    }

    deinit { close(listener) }

    /// Takes one container in: its state, and the descriptor.
    func accept() throws -> (state: JSON, notify: Int32) {
        guard becomesReadable(listener) else { throw HarnessError("nobody came to the agent") }
        let connection = accept4(
            listener, __SOCKADDR_ARG(__sockaddr__: nil), nil, Int32(SOCK_CLOEXEC.rawValue))
        defer { close(connection) }
        var bytes: [UInt8] = []
        let notify = try receiveDescriptor(connection, &bytes)
        return (try JSON(parsing: String(decoding: bytes, as: UTF8.self)), notify)
    }

    /// Answers one call with a value (`seccomp_unotify(2)`): its number and the caller's pid.
    static func answer(_ notify: Int32, value: Int64) throws -> (call: Int32, pid: UInt32) {
        let receive: UInt = 0xc050_2100
        let send: UInt = 0xc018_2101
        // struct seccomp_notif { u64 id; u32 pid, flags; struct seccomp_data { int nr; … } }
        var request = [UInt64](repeating: 0, count: 10)
        guard becomesReadable(notify), ioctl(notify, receive, &request) == 0 else {
            throw HarnessError("no notification: \(String(cString: strerror(errno)))")
        }
        // struct seccomp_notif_resp { u64 id; s64 val; s32 error; u32 flags; }
        var response = [request[0], UInt64(bitPattern: value), 0]
        guard ioctl(notify, send, &response) == 0 else {
            throw HarnessError("no answer: \(String(cString: strerror(errno)))")
        }
        return (Int32(truncatingIfNeeded: request[2]), UInt32(truncatingIfNeeded: request[1]))
    }
}

extension Conformance.Seccomp {
    /// config-linux.md, seccomp: listenerPath, listenerMetadata; the container process state.
    @Suite struct Notify {
        private func agent(_ c: Container, noNewPrivileges: Bool) throws -> Agent {
            let agent = try Agent(path: c.directory + "/agent")
            c.config.filter(rule("munlockall", "NOTIFY"))
            c.config.linux.seccomp.listenerPath = .string(agent.path)
            c.config.linux.seccomp.listenerMetadata = "about this one"
            c.config.process.noNewPrivileges = .bool(noNewPrivileges)
            return agent
        }

        /// - Parameter container: what the state says of the container, and not of the process.
        private func check(
            _ state: JSON, _ c: Container, pid: Int? = nil, container: (status: String, pid: Int)
        ) {
            #expect(state.state.status.string == container.status)
            #expect(state.state.pid.int == container.pid)
            #expect(state.fds.array.compactMap(\.string) == ["seccompFd"])
            #expect(state.metadata.string == "about this one")
            #expect(state.state.id.string == c.id)
            #expect(state.state.bundle.string == c.bundle)
            if let pid { #expect(state.pid.int == pid) }
        }

        @Test(
            "the agent gets the state and the descriptor, and answers a call",
            arguments: [true, false])
        func start(noNewPrivileges: Bool) throws {
            try withContainer { c in
                let agent = try agent(c, noNewPrivileges: noNewPrivileges)
                c.config.shell("probe syscall \(Syscall.munlockall)")
                try c.create()
                let pid = c.pid
                let outcome = c.start()
                #expect(outcome.succeeded, "\(outcome)")
                let (state, notify) = try agent.accept()
                defer { close(notify) }
                check(state, c, pid: Int(pid), container: ("creating", Int(pid)))
                let answered = try Agent.answer(notify, value: 4711)
                #expect(answered.call == Int32(Syscall.munlockall))
                #expect(c.prints("result=4711"), "\(c.output)")
            }
        }

        @Test(
            "so it does for exec, with the pid of that process and the state of the container",
            arguments: [true, false], ["CAP_KILL", "CAP_SYS_PTRACE"])
        func exec(noNewPrivileges: Bool, capability: String) throws {
            try withContainer { c in
                let agent = try agent(c, noNewPrivileges: noNewPrivileges)
                c.config.process.capabilities = capabilitySets([capability])
                c.config.program("sleep", "600")
                try #require(c.runDetached().succeeded)
                close(try agent.accept().notify)
                let pid = Int(c.pid)
                var options = LaunchOptions()
                options.whileRunning = { _ in
                    let (state, notify) = try agent.accept()
                    defer { close(notify) }
                    check(
                        state, c, pid: Int(try Agent.answer(notify, value: 4711).pid),
                        container: ("running", pid))
                }
                let outcome = c.exec(
                    [], "probe", "syscall", String(Syscall.munlockall), options: options)
                #expect(outcome.stdout.contains("result=4711"), "\(outcome)")
            }
        }

        @Test(
            "the agent answers a startContainer hook, and the program after it", .swruncOnly,
            arguments: [true, false])
        func hook(noNewPrivileges: Bool) throws {
            try withContainer { c in
                let agent = try agent(c, noNewPrivileges: noNewPrivileges)
                c.config.bind(c.directory, at: c.directory)
                c.addHook(
                    "startContainer",
                    "probe syscall \(Syscall.munlockall) > \(c.directory)/report")
                c.config.shell("probe syscall \(Syscall.munlockall)")
                try c.create()
                var options = LaunchOptions()
                options.whileRunning = { _ in
                    let notify = try agent.accept().notify
                    defer { close(notify) }
                    for value in [4711, 4712] as [Int64] {
                        _ = try Agent.answer(notify, value: value)
                    }
                    #expect(c.prints("result=4712"), "\(c.output)")
                }
                let outcome = c.runtime(["start", c.id], options)
                #expect(outcome.succeeded, "\(outcome)")
                #expect(readText(c.directory + "/report").contains("result=4711"))
            }
        }

        @Test("an agent that is not there fails create, and leaves nothing")
        func missing() throws {
            try withContainer { c in
                _ = try agent(c, noNewPrivileges: true)
                unlink(c.directory + "/agent")
                try #expect(c.run().failed)
                c.expectNothingLeft()
            }
        }
    }
}
