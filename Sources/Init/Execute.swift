import Glibc
import Spec
import Sys

/// The last steps: from the container's root to the user's program, which ``findExecutable()`` found.
extension Performer {
    /// The identity that the rest of the plan takes on.
    var identity: IdentityPlan? {
        for step in plan.steps[current...] {
            if case .setIdentity(let identity) = step.action { return identity }
        }
        return nil
    }

    /// Loads the filter; a notify descriptor goes to the listener together with the state.
    mutating func applySeccomp() throws(SysError) {
        guard let program = prepared.seccomp else {
            throw .refused("the seccomp filter was not prepared")
        }
        try refuseUnexecutable(program)
        guard let notify = program.notify else {
            try settle()
            try program.load()
            return
        }
        let newListener: UInt32 = 8
        var state = plan.state
        try settle()
        // Of the container, which a process that joins it is not.
        state.pid = prepared.containerInit >= 0 ? prepared.containerPid : hostPid
        let message = ContainerProcessState(
            pid: hostPid, metadata: notify.metadata.isEmpty ? nil : notify.metadata, state: state
        ).json()
        let listener = Fd(
            owning: try setSeccompFilter(program.filter, flags: program.flags | newListener))
        try send(prepared.seccompListener, message, passing: listener.raw)
    }

    /// What remains to be done with system calls that a seccomp filter may deny, the last word to the
    /// host among it. A failure after that word is still told, as far as the filter lets it.
    private mutating func settle() throws(SysError) {
        if isSettled { return }
        isSettled = true
        try cutOff()
        if !limitsOpenFiles { try OpenFilesLimit.restore() }
        try processControl(.setParentDeathSignal, 0)
        resetSignals()
        try unblockAllSignals()
        if !hasMoved { try channel.send(.executing) }
    }

    /// Closes everything of the host's but the sockets, which lead nowhere, before anybody of the
    /// container sees this process, or can wait for it. Nothing is left to close-on-exec: the program's
    /// path is the image's to choose, and `/proc/self/fd/N/../…` would be a program of the host, whose
    /// file could then be written through `/proc/self/exe` (CVE-2024-21626).
    mutating func cutOff() throws(SysError) {
        if isCutOff { return }
        isCutOff = true
        if prepared.seccomp?.notify != nil {
            hostPid = Int32(try readLink(at: prepared.procfs, "self")) ?? 0
        }
        // By their owners, who would otherwise close whatever has got their numbers by then.
        root = nil
        masks = Masks()
        nodeDirectory = nil
        terminal = nil
        try closeDescriptors(
            from: 3 + prepared.preservedFds,
            keeping: [
                channel.raw, prepared.startListener, prepared.seccompListener,
                prepared.hookOutput.stdout, prepared.hookOutput.stderr,
                prepared.execListener.socket,
            ] + ownNamespaces.map { $0.fd },
            procfs: prepared.procfs)
    }

    /// Becomes the program's user, to whom its standard streams are given first.
    func becomeUser(_ identity: IdentityPlan) throws(SysError) {
        try giveStandardStreams(to: identity.uid)
        try Performer.setIdentity(identity)
    }

    /// The program may open its standard streams again by `/proc/self/fd` only where they are its
    /// user's. Files of the host, such as a log, stay whose they are.
    private func giveStandardStreams(to user: UInt32) throws(SysError) {
        if user == 0 { return }
        for stream in 0...2 as ClosedRange<Int32> {
            let file = try status(at: stream, "", AT_EMPTY_PATH)
            guard file.uid != user, file.isPipe || isTerminal(stream) else { continue }
            do throws(SysError) {
                try changeOwner(at: stream, uid: user, gid: UInt32.max)
            } catch  where error.errno == EPERM || error.errno == EINVAL || error.errno == EROFS {
                // Not this user namespace's to give away: the program has the open stream all the same.
                continue
            }
        }
    }

    /// Executes the program. Every descriptor but the standard ones and those to be preserved is
    /// closed by the kernel at that moment, the channel too: its end is the sign of success.
    mutating func execute() throws(SysError) {
        try settle()
        guard let executable, let program else {
            throw .refused("the program was not looked up")
        }
        throw explained(Sys.execute(executable, program), executable)
    }
}
