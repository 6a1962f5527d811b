import Foundation
import Testing

/// What became of a launched program.
struct Outcome: Sendable, CustomStringConvertible {
    enum Status: Sendable, Equatable {
        case exited(Int32)
        case signalled(Int32)
        case timedOut
    }

    var arguments: [String]
    var status: Status
    var stdoutBytes: [UInt8]
    var stderrBytes: [UInt8]
    var duration: Duration

    var stdout: String { String(decoding: stdoutBytes, as: UTF8.self) }
    var stderr: String { String(decoding: stderrBytes, as: UTF8.self) }
    /// The lines of stdout without the last newline.
    var lines: [String] {
        stdout.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
    }
    var trimmed: String { stdout.trimmingCharacters(in: .whitespacesAndNewlines) }
    var succeeded: Bool { status == .exited(0) }
    var failed: Bool {
        if case .exited(let code) = status { return code != 0 }
        return false
    }

    var description: String {
        "\(arguments.joined(separator: " ")) → \(status)\nstdout: \(stdout)\nstderr: \(stderr)"
    }
}

/// Where a launched program's standard stream goes.
enum Output {
    /// Collected until the program itself has exited (its children may keep the pipe open).
    case pipe
    /// Appended to a file, which is read back once the program has exited. What a detached
    /// container prints later lands there too.
    case file(String)
    case descriptor(Int32)
}

struct LaunchOptions {
    var input: String = ""
    var stdin: Int32?
    var stdout: Output = .pipe
    var stderr: Output = .pipe
    var environment: [String: String]?
    var directory: String?
    /// Descriptors given to the program as 3, 4, 5 …
    var descriptors: [Int32] = []
    /// The path of a terminal that becomes the program's standard streams and its controlling one.
    var terminal: String?
    /// Seconds until it is killed and the test fails, from when `whileRunning` is over.
    var timeout: Double = 60
    /// Called once the program runs, with its pid; for signals and for terminals.
    var whileRunning: ((pid_t) throws -> Void)?
}

/// Runs a program to its end, or to its deadline, and collects what it printed.
///
/// Foundation's Process can neither pass descriptors nor promise that tests running at the same
/// time do not leak theirs; here every descriptor is close-on-exec and the child closes the rest.
@discardableResult
func launch(
    _ arguments: [String], _ options: LaunchOptions = LaunchOptions(),
    sourceLocation: SourceLocation = #_sourceLocation
) -> Outcome {
    var child = Child(arguments: arguments, options: options)
    let started = ContinuousClock.now
    guard child.spawn() else {
        return Outcome(
            arguments: arguments, status: .exited(127), stdoutBytes: [],
            stderrBytes: Array("posix_spawn: \(child.error)".utf8), duration: .zero)
    }
    if let action = options.whileRunning {
        do { try action(child.pid) } catch { Issue.record(error, sourceLocation: sourceLocation) }
    }
    let status = child.wait(until: .now + .seconds(options.timeout * patience))
    if status == .timedOut {
        Issue.record(
            "deadline of \(options.timeout) s: \(arguments.joined(separator: " "))",
            sourceLocation: sourceLocation)
    }
    let outcome = Outcome(
        arguments: arguments, status: status, stdoutBytes: child.collected(1),
        stderrBytes: child.collected(2), duration: ContinuousClock.now - started)
    if tracing { FileHandle.standardError.write(Data("\(outcome.duration) \(outcome)\n".utf8)) }
    return outcome
}

/// `TRACE=1` prints every command with its outcome, for a clause that fails.
private let tracing = ProcessInfo.processInfo.environment["TRACE"] != nil

/// A program on its way; `spawn` then `wait`, exactly once each.
struct Child {
    let arguments: [String]
    let options: LaunchOptions
    private(set) var pid: pid_t = -1
    private(set) var error = ""
    private var pipes: [Int32: Int32] = [:]
    private var bytes: [Int32: [UInt8]] = [:]
    private var files: [Int32: String] = [:]

    init(arguments: [String], options: LaunchOptions) {
        self.arguments = arguments
        self.options = options
    }

    func collected(_ stream: Int32) -> [UInt8] { bytes[stream] ?? [] }

    mutating func spawn() -> Bool {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        // dup2 in the child goes source by source: keep every source above all the targets.
        var sources: [Int32] = []
        defer { for source in sources { close(source) } }
        func give(_ descriptor: Int32, as target: Int32) {
            let high = fcntl(descriptor, F_DUPFD_CLOEXEC, 100)
            sources.append(high)
            posix_spawn_file_actions_adddup2(&actions, high, target)
        }
        var flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        if let terminal = options.terminal {
            // A session leader's first terminal becomes its controlling one.
            flags |= Int32(POSIX_SPAWN_SETSID)
            for stream in Int32(0)...2 {
                posix_spawn_file_actions_addopen(&actions, stream, terminal, O_RDWR, 0)
            }
        } else {
            prepareInput { give($0, as: 0) }
            prepareOutput(1, options.stdout) { give($0, as: 1) }
            prepareOutput(2, options.stderr) { give($0, as: 2) }
        }
        for (index, descriptor) in options.descriptors.enumerated() {
            give(descriptor, as: Int32(3 + index))
        }
        posix_spawn_file_actions_addclosefrom_np(&actions, Int32(3 + options.descriptors.count))
        if let directory = options.directory {
            posix_spawn_file_actions_addchdir_np(&actions, directory)
        }
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(flags))
        let environment = options.environment ?? ProcessInfo.processInfo.environment
        let code = withCStrings(arguments) { argv in
            withCStrings(environment.map { "\($0)=\($1)" }) { envp in
                posix_spawnp(&pid, arguments[0], &actions, &attributes, argv, envp)
            }
        }
        if code != 0 {
            error = String(cString: strerror(code))
            for pipe in pipes.values { close(pipe) }
        }
        return code == 0
    }

    /// Waits for the program itself, reading its pipes; then takes what is left in them. A
    /// container that goes on holds the pipes open, so their end is not waited for.
    mutating func wait(until deadline: ContinuousClock.Instant) -> Outcome.Status {
        var status: Int32 = 0
        var result = Outcome.Status.timedOut
        var ended = false
        // Less and less often: looking takes the processor from the program, in a slow machine most.
        var pause: Int32 = 1
        while !ended {
            pause = drain(milliseconds: pause) ? 1 : min(pause * 2, 16)
            let waited = waitpid(pid, &status, WNOHANG)
            if waited == pid {
                result = Self.decode(status)
                ended = true
            } else if waited < 0 && errno != EINTR {
                ended = true
            } else if ContinuousClock.now > deadline {
                kill(pid, SIGKILL)
                waitpid(pid, &status, 0)
                ended = true
            }
        }
        var rounds = 0
        while rounds < 1024 && drain(milliseconds: 0) { rounds += 1 }
        for (stream, path) in files { bytes[stream] = readBytes(path) }
        for pipe in pipes.values { close(pipe) }
        return result
    }

    static func decode(_ status: Int32) -> Outcome.Status {
        let signal = status & 0x7f
        return signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
    }

    private mutating func prepareInput(_ give: (Int32) -> Void) {
        if let given = options.stdin {
            give(given)
        } else if options.input.isEmpty {
            let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
            give(null)
            close(null)
        } else {
            // Small inputs only: they fit the pipe, so that writing them now cannot block.
            var ends: [Int32] = [-1, -1]
            pipe2(&ends, O_CLOEXEC)
            _ = fcntl(ends[1], F_SETPIPE_SZ, 1 << 20)
            _ = Array(options.input.utf8).withUnsafeBytes {
                write(ends[1], $0.baseAddress, $0.count)
            }
            close(ends[1])
            give(ends[0])
            close(ends[0])
        }
    }

    private mutating func prepareOutput(_ stream: Int32, _ output: Output, _ give: (Int32) -> Void)
    {
        switch output {
        case .pipe:
            var ends: [Int32] = [-1, -1]
            pipe2(&ends, O_CLOEXEC)
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            give(ends[1])
            close(ends[1])
            pipes[stream] = ends[0]
        case .file(let path):
            let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            give(file)
            close(file)
            files[stream] = path
        case .descriptor(let descriptor):
            give(descriptor)
        }
    }

    /// Reads once what the pipes hold; true if there was anything, be it their end.
    @discardableResult
    private mutating func drain(milliseconds: Int32) -> Bool {
        let order = pipes.keys.sorted()
        var polled = order.map { pollfd(fd: pipes[$0] ?? -1, events: Int16(POLLIN), revents: 0) }
        poll(&polled, nfds_t(polled.count), milliseconds)
        var any = false
        for (stream, entry) in zip(order, polled) where entry.revents != 0 {
            var count = 0
            let some = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, length in
                count = read(entry.fd, buffer.baseAddress, buffer.count)
                length = max(count, 0)
            }
            if count > 0 {
                // What prints without end must not take the test process with it.
                if bytes[stream, default: []].count < 16 << 20 {
                    bytes[stream, default: []].append(contentsOf: some)
                }
                any = true
            } else if count == 0 {
                close(entry.fd)
                pipes[stream] = nil
                any = true
            }
        }
        return any
    }
}

/// Calls `body` with a null-terminated array of C strings that live as long as the call.
func withCStrings<R>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
) -> R {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}

/// The text of a file, empty when there is none; for procfs and cgroupfs as well.
func readText(_ path: String) -> String { String(decoding: readBytes(path), as: UTF8.self) }

func readBytes(_ path: String) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return [] }
    defer { close(file) }
    var all: [UInt8] = []
    while all.count < 128 << 20 {
        let some = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, length in
            length = max(read(file, buffer.baseAddress, buffer.count), 0)
        }
        if some.isEmpty { break }
        all.append(contentsOf: some)
    }
    return all
}

func writeText(_ text: String, to path: String, mode: mode_t = 0o644) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard file >= 0 else { throw HarnessError("open \(path): \(String(cString: strerror(errno)))") }
    defer { close(file) }
    let bytes = Array(text.utf8)
    var at = 0
    while at < bytes.count {
        let count = bytes[at...].withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        guard count > 0 else {
            throw HarnessError("write \(path): \(String(cString: strerror(errno)))")
        }
        at += count
    }
    fchmod(file, mode)
}

func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
}

struct HarnessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// How many times as long as on a computer everything may take: an emulated one is slow.
let patience = Double(ProcessInfo.processInfo.environment["SWRUNC_PATIENCE"] ?? "") ?? 1

/// Seconds for what comes at once, or never: no machine is so slow or so busy, and to wait for longer than
/// it takes costs nothing.
let longEnough: Double = 30

/// Asks again and again until it holds; false when it did not within `seconds`.
func eventually(within seconds: Double = longEnough, _ holds: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds * patience)
    while true {
        if holds() { return true }
        if ContinuousClock.now > deadline { return false }
        usleep(5000)
    }
}

/// Waits until a descriptor can be read; false when it could not in time.
func becomesReadable(_ descriptor: Int32) -> Bool {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&polled, 1, Int32(longEnough * patience * 1000)) == 1
}
