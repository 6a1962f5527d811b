import Glibc
import Init
import Sys

/// A CRIU process that serves requests over a socket, `criu swrk`, and is this process's child.
struct CRIU: ~Copyable {
    private let process: ClonedProcess
    private let socket: Fd

    /// Where the process runs.
    struct Place {
        /// Its standard streams, which it may hand on to what it restores.
        var streams: (input: Int32, output: Int32, error: Int32)
        /// What it gets besides, by the same numbers.
        var passed: [Int32] = []
        /// Files through which it joins cgroups.
        var cgroupFiles: [Int32] = []
        /// A directory that it sees at another path as well, in a mount namespace of its own: so that
        /// the host's mounts stay as they are, and nothing is left of it at the end.
        var root: (directory: String, path: String)?
    }

    /// The oldest version, which knows external pid namespaces and tells when lazy pages are ready.
    static let oldest = CRIUResponse.Version(major: 3, minor: 15)

    /// Starts it, and asks for its version.
    /// - Parameter program: its path, or its name on `PATH`.
    init(_ program: String, _ place: Place) throws(SysError) {
        let requests = try socketPair().release()
        let outcome = try socketPair().release()
        let socket = Fd(owning: requests.ours)
        let reply = Fd(owning: outcome.ours)
        let vector = CStringArray([program, "swrk", "\(requests.theirs)"])
        defer { vector.free() }
        let newMounts = UInt64(NamespaceKind.mount.rawValue)
        let process = try clone(flags: place.root == nil ? 0 : newMounts) {
            do throws(SysError) {
                try place.enter()
                let passed = place.passed + [requests.theirs]
                try closeDescriptors(from: 3, keeping: passed + [outcome.theirs], procfs: -1)
                for fd in passed { try keepOnExecute(fd) }
                resetSignals()
                try unblockAllSignals()
                throw executeProgram(vector)
            } catch {
                try? send(outcome.theirs, Message.failed(FailedStep(index: 0), error).bytes)
                exitNow(127)
            }
        }
        closeDescriptor(requests.theirs)
        closeDescriptor(outcome.theirs)
        // The end of the socket says that it executes.
        let message = Message(try receive(reply.raw, limit: Message.limit).bytes)
        if case .failed(_, let error)? = message {
            _ = try? wait(pidfd: process.pidfd.raw)
            throw error.hinting(
                "checkpoint and restore need CRIU: install it, or say where it is by --criu")
        }
        self.process = process
        self.socket = socket
    }

    var pid: Int32 { process.pid }

    /// Seconds for what takes CRIU no time: to tell something of itself, and to end.
    private static let patience: Int64 = 10

    /// Makes a request and waits for the answer, however long that takes.
    /// - Parameters:
    ///   - purpose: what CRIU is to do, for the error.
    ///   - isShort: whether CRIU has but a few seconds for it.
    ///   - notified: called for what CRIU comes to on the way, while it waits; the descriptor that came
    ///     with it, or -1, is the callee's. Where it throws, CRIU undoes what it has done.
    @discardableResult
    borrowing func ask(
        _ request: CRIURequest, to purpose: String, _ log: CRIULog, isShort: Bool = false,
        notified: (CRIUResponse.Notification, Int32) throws(RuntimeError) -> Void = { _, _ in }
    ) throws(RuntimeError) -> CRIUResponse {
        var failure: RuntimeError?
        let deadline = isShort ? Deadline(seconds: Self.patience) : nil
        do throws(SysError) {
            try send(socket.raw, request.bytes)
            while let (bytes, fd) = try nextPacket(purpose, deadline) {
                let response = try CRIUResponse(bytes)
                guard let notification = response.notification, response.success else {
                    if response.success { return response }
                    throw log.error(purpose, response)
                }
                do throws(RuntimeError) {
                    try notified(notification, fd)
                } catch {
                    failure = failure ?? error
                }
                try send(socket.raw, CRIURequest(kind: .notify, success: failure == nil).bytes)
            }
        } catch {
            kill()
            throw failure ?? RuntimeError(error)
        }
        kill()
        throw failure ?? RuntimeError(log.explain(.refused("CRIU ended without an answer")))
    }

    /// The next packet and what came with it; nil where there will be none any more.
    private borrowing func nextPacket(
        _ purpose: String, _ deadline: Deadline?
    ) throws(SysError) -> (bytes: [UInt8], fd: Int32)? {
        let ready = try pollEither(
            socket.raw, process.pidfd.raw, milliseconds: deadline?.milliseconds ?? -1)
        if ready.first {
            do throws(SysError) {
                let packet = try receive(socket.raw, limit: 65536)
                return packet.bytes.isEmpty ? nil : packet
            } catch  where error.errno == ECONNRESET {
                return nil
            }
        }
        if ready.second { return nil }
        throw SysError("waiting for CRIU to \(purpose)", ETIMEDOUT)
    }

    /// Of one that has failed nothing goes on: it has undone what it could before it said so.
    private borrowing func kill() {
        try? process.signal(SIGKILL)
        _ = try? wait(pidfd: process.pidfd.raw)
    }

    /// Waits for the process's end after the last answer.
    consuming func end(_ log: CRIULog) throws(RuntimeError) {
        let process = self.process
        _ = consume socket
        do throws(SysError) {
            let milliseconds = Int32(Self.patience) * 1000
            if try poll(process.pidfd.raw, Int32(POLLIN), milliseconds: milliseconds) == 0 {
                try process.signal(SIGKILL)
            }
            let status = try wait(pidfd: process.pidfd.raw)
            if status != .exited(0) {
                throw log.explain(.refused("CRIU ended with \(status)"))
            }
        } catch {
            throw RuntimeError(error)
        }
    }
}

extension CRIU.Place {
    fileprivate func enter() throws(SysError) {
        // What is written holds the memory of the container.
        setUmask(0o077)
        for file in cgroupFiles { try Fd.writeOnce(file, "0") }
        if let root {
            let recursive = MountFlags.recursive
            try mount(
                source: nil, target: "/", type: nil, flags: MountFlags.isSlave | recursive,
                data: nil)
            try mount(
                source: root.directory, target: root.path, type: nil,
                flags: MountFlags.bind | recursive, data: nil)
        }
        try replaceStandardStreams(streams.input, streams.output, streams.error)
    }
}
