import Foundation
import Testing

extension Conformance {
    /// A bus played by the test, with peers on it that no systemd would be.
    @Suite(.swruncOnly) struct Bus {}
}

/// A bus with one connection at a time, which answers calls as it is told to (D-Bus Specification).
private final class PlayedBus: @unchecked Sendable {
    typealias Answer = @Sendable (_ member: String, _ serial: UInt32) -> [[UInt8]]
    private let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)

    init(path: String, _ answer: @escaping Answer) {
        _ = withUnixAddress(path) { bind(listener, $0, $1) }
        listen(listener, 4)
        Thread.detachNewThread { [self] in serve(answer) }
    }

    func end() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ answer: Answer) {
        defer { close(listener) }
        while true {
            let connection = accept4(listener, .init(__sockaddr__: nil), nil, 0)
            if connection < 0 { return }
            serve(connection, answer)
            close(connection)
        }
    }

    private func serve(_ connection: Int32, _ answer: Answer) {
        var bytes: [UInt8] = []
        var isAuthenticated = false
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(connection, &buffer, buffer.count)
            if count <= 0 { return }
            bytes += buffer[..<count]
            if !isAuthenticated, bytes.suffix(7).elementsEqual("BEGIN\r\n".utf8) {
                bytes = []
                isAuthenticated = true
                say(Array("DATA\r\nOK 0123456789abcdef0123456789abcdef\r\n".utf8), connection)
            }
            while isAuthenticated, bytes.count >= 16 {
                let number = { (at: Int) in
                    bytes[at..<(at + 4)].reversed().reduce(0) { $0 << 8 | Int($1) }
                }
                let length = (16 + number(12) + 7) / 8 * 8 + number(4)
                guard bytes.count >= length else { break }
                let header = String(decoding: bytes[..<length], as: UTF8.self)
                for member in ["Hello", "AddMatch", "StartTransientUnit", "ResetFailedUnit", "Get"]
                where header.contains(member + "\0") {
                    for message in answer(member, UInt32(number(8))) { say(message, connection) }
                }
                bytes.removeFirst(length)
            }
        }
    }

    private func say(_ bytes: [UInt8], _ connection: Int32) {
        _ = bytes.withUnsafeBytes {
            send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }
}

/// A message of the bus, little-endian.
private struct Message {
    var bytes: [UInt8] = []

    private mutating func align(_ size: Int) {
        while bytes.count % size != 0 { bytes.append(0) }
    }
    private mutating func number(_ number: Int) {
        align(4)
        for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }
    private mutating func text(_ text: String) {
        number(text.utf8.count)
        bytes += Array(text.utf8) + [0]
    }
    private mutating func field(_ code: UInt8, _ type: String, _ text: String) {
        align(8)
        bytes += [code, 1] + Array(type.utf8) + [0]
        switch type {
        case "u": number(Int(text) ?? 0)
        case "g": bytes += [UInt8(text.utf8.count)] + Array(text.utf8) + [0]
        default: self.text(text)
        }
    }

    private init(kind: UInt8, from sender: String, signature: String, _ arguments: [String]) {
        var body = Message()
        for (type, argument) in zip(signature, arguments) {
            if type == "u" { body.number(Int(argument) ?? 0) } else { body.text(argument) }
        }
        self.init()
        bytes = [UInt8(ascii: "l"), kind, 1, 1]
        number(body.bytes.count)
        number(1)
        number(0)
        field(7, "s", sender)
        field(8, "g", signature)
        self.body = body.bytes
    }
    private init() {}
    private var body: [UInt8] = []

    private func finished() -> [UInt8] {
        var message = self
        let length = message.bytes.count - 16
        for (index, shift) in [0, 8, 16, 24].enumerated() {
            message.bytes[12 + index] = UInt8(truncatingIfNeeded: length >> shift)
        }
        message.align(8)
        return message.bytes + body
    }

    /// The job that a call has started.
    static func reply(to serial: UInt32, from sender: String, job: String) -> [UInt8] {
        var message = Message(kind: 2, from: sender, signature: "o", [job])
        message.field(5, "u", "\(serial)")
        return message.finished()
    }

    /// A property whose value is an empty string.
    static func empty(to serial: UInt32, from sender: String) -> [UInt8] {
        var message = Message(kind: 2, from: sender, signature: "v", [])
        message.body = [1, UInt8(ascii: "s"), 0, 0, 0, 0, 0, 0, 0]
        message.bytes[4] = UInt8(message.body.count)
        message.field(5, "u", "\(serial)")
        return message.finished()
    }

    /// `JobRemoved(u id, o job, s unit, s result)`.
    static func ended(job: String, _ result: String, from sender: String) -> [UInt8] {
        var message = Message(
            kind: 4, from: sender, signature: "uoss", ["1", job, "any.scope", result])
        message.field(1, "o", "/org/freedesktop/systemd1")
        message.field(2, "s", "org.freedesktop.systemd1.Manager")
        message.field(3, "s", "JobRemoved")
        return message.finished()
    }
}

extension Conformance.Bus {
    private func run(
        _ c: Container, _ options: LaunchOptions = LaunchOptions(),
        _ answer: @escaping PlayedBus.Answer
    ) throws -> Outcome {
        let path = c.directory + "/bus"
        let bus = PlayedBus(path: path, answer)
        defer { bus.end() }
        c.globals.append("--systemd-cgroup")
        c.config.linux.cgroupsPath = .string(":swrunc:\(c.id)")
        try c.writeConfig()
        var options = c.intoFiles(options)
        options.environment = [
            "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
            "DBUS_SYSTEM_BUS_ADDRESS": "unix:path=" + path,
        ]
        return c.runtime(["run", "--detach", "--bundle", c.bundle, c.id], options)
    }

    @Test("the end of a job counts from systemd alone, whoever else tells of it")
    func sender() throws {
        try withContainer { c in
            let outcome = try run(c) { member, serial in
                guard member == "StartTransientUnit" else { return [] }
                return [
                    Message.ended(job: "/job/7", "done", from: ":1.66"),
                    Message.reply(to: serial, from: ":1.2", job: "/job/7"),
                    Message.ended(job: "/job/7", "done", from: ":1.66"),
                    Message.ended(job: "/job/7", "canceled", from: ":1.2"),
                ]
            }
            #expect(outcome.failed && outcome.stderr.contains("result is canceled"), "\(outcome)")
            c.expectNothingLeft()
        }
    }

    /// systemd moves the processes of the caller's unit when that is to have other controllers, in one
    /// hierarchy after the other, from a list of before: it may hold an init that has left by then.
    @Test(
        "an init that systemd has carried off is brought back before it goes on",
        .requires(!Host.isUnified, "has cgroup v2"))
    func carriedOff() throws {
        try withContainer { c in
            let scope = "/system.slice/swrunc-\(c.id).scope"
            let named = "/sys/fs/cgroup/systemd"
            let cpu = try #require(Host.controller("cpu"))
            defer {
                for directory in Leaks.cgroups("/system.slice") { rmdir(directory) }
            }
            let bundle = c.bundle
            c.config.program("sleep", "600")
            let outcome = try run(c) { member, serial in
                switch member {
                case "StartTransientUnit":
                    mkdir(named + "/system.slice", 0o755)
                    mkdir(named + scope, 0o755)
                    let holder = Leaks.processes(mentioning: bundle).max() ?? 0
                    try? writeText("\(holder)", to: named + scope + "/cgroup.procs")
                    return [
                        Message.reply(to: serial, from: ":1.2", job: "/job/7"),
                        Message.ended(job: "/job/7", "done", from: ":1.2"),
                    ]
                case "Get":
                    for pid in readText(named + scope + "/cgroup.procs").split(separator: "\n") {
                        try? writeText(String(pid), to: cpu + "/cgroup.procs")
                    }
                    return [Message.empty(to: serial, from: ":1.2")]
                default: return []
                }
            }
            #expect(outcome.succeeded, "\(outcome)")
            c.expectInScope(scope)
            #expect(c.delete("--force").succeeded)
        }
    }

    private func isZombie(_ pid: pid_t) -> Bool {
        readText("/proc/\(pid)/stat").contains(") Z ")
    }

    @Test("what holds the scope's place has nothing open, and ends with the runtime")
    func holder() throws {
        try withContainer { c in
            var options = LaunchOptions()
            var holders: [pid_t] = []
            options.whileRunning = { pid in
                let children = "/proc/\(pid)/task/\(pid)/children"
                // But who makes namespaces meanwhile, and ends.
                let found = eventually {
                    holders = readText(children).split(separator: " ").compactMap { pid_t($0) }
                        .filter { pid in eventually(within: 0.5) { isZombie(pid) } == false }
                    return !holders.isEmpty
                }
                #expect(found)
                for holder in holders {
                    let isEmpty = eventually {
                        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(holder)/fd"))?
                            .isEmpty == true
                    }
                    #expect(isEmpty, "\(launch(["ls", "-l", "/proc/\(holder)/fd"]))")
                }
                kill(pid, SIGKILL)
            }
            let outcome = try run(c, options) { _, _ in [] }
            #expect(outcome.status == .signalled(SIGKILL))
            #expect(holders.count == 1)
            for holder in holders { #expect(eventually { kill(holder, 0) != 0 }) }
            #expect(c.delete("--force").succeeded)
        }
    }
}
