import Glibc
import Init
import Spec
import Sys

/// The host side of a plan: performs the host's steps, clones the init, and keeps in step with it
/// over the ``Channel``.
struct HostPerformer: ~Copyable {
    let plan: Plan
    var prepared: Prepared
    var cgroup: Cgroup?
    /// The scope whose cgroup that is, with the systemd driver.
    let scope: Scope?
    /// What keeps the scope alive until the init is in it.
    var scopeHolder: ClonedProcess?
    let seccompCache: SeccompCache
    /// Where the start socket is made.
    let stateDirectory: String
    /// Namespaces that a container's init has handed out, but those that are entered before the clone.
    var joinedLater: [JoinedNamespace] = []
    /// Descriptors that the init inherits, closed here afterwards.
    private var opened: [Int32] = []
    /// Likewise, closed as soon as it has.
    var mountSources = MountSources()
    private var process: ClonedProcess?
    /// What the init was before it moved (``Action/enterPidNamespace``), to be reaped.
    private var former: ClonedProcess?
    private var channel: Channel?
    /// Whether the init is still to go on as another process (``Action/enterPidNamespace``).
    private var owesMove = false
    /// The step that is next, and whether the init waits for a word before it.
    private(set) var index = 0
    private var owesGo = false
    /// The pty's master where there is no console socket.
    var terminal: Int32 = -1
    var warnings: [String]
    /// New namespaces that are being made since before there was a plan.
    var aside: NamespacesAside?
    /// The locked state directory: the lock is the host's alone.
    let lock: Int32
    /// Where network devices will move, until they do.
    var networkNamespace: Fd?
    /// The network devices that have been moved, as long as they can be given back.
    var netDevices: NetDevices?
    /// The directories of resctrl that have been made.
    var resctrl = ResctrlDirectories()
    /// Whether the container came as far as its hooks: then it owes the poststop hooks.
    var owesPoststop = false

    init(
        plan: Plan, prepared: Prepared, cgroup: Cgroup?, scope: Scope? = nil,
        seccompCache: SeccompCache, stateDirectory: String, lock: Int32 = -1
    ) {
        self.plan = plan
        self.prepared = prepared
        self.cgroup = cgroup
        self.scope = scope
        self.seccompCache = seccompCache
        self.stateDirectory = stateDirectory
        self.lock = lock
        warnings = plan.warnings
        OpenFilesLimit.raise()
        owesMove =
            prepared.containerInit >= 0
            && plan.steps.contains {
                if case .enterPidNamespace = $0.action { true } else { false }
            }
    }

    deinit { for fd in opened { closeDescriptor(fd) } }

    /// What the init has come to.
    enum Reached: Equatable { case ready, executing }

    /// The init's pid as the host sees it; 0 before the clone.
    var pid: Int32 {
        switch process {
        case .some(let process): process.pid
        case .none: 0
        }
    }

    var pidfd: Int32 {
        switch process {
        case .some(let process): process.pidfd.raw
        case .none: -1
        }
    }

    /// Performs the host's steps up to the clone: from then on the init is at work.
    mutating func launch() throws(RuntimeError) {
        while process == nil, index < plan.steps.count { try performNext() }
    }

    /// Walks the plan until the init is ready to start or, in a plan without that, executes.
    mutating func perform() throws(RuntimeError) -> Reached {
        while index < plan.steps.count {
            if plan.steps[index].actor == .host {
                try performNext()
                continue
            }
            if owesGo { try send(.go) }
            owesGo = false
            switch try next(after: index) {
            case .reached(let step): index = step
            case .ready: return .ready
            case .executing: return .executing
            default: throw RuntimeError("the container's init sent an unexpected message")
            }
        }
        throw RuntimeError("the plan ends without a program")
    }

    /// Performs the step that is next, which is the host's.
    private mutating func performNext() throws(RuntimeError) {
        let step = plan.steps[index]
        do throws(SysError) {
            try perform(step)
        } catch {
            throw RuntimeError(step: step, error)
        }
        if case .clone = step.action { owesGo = false } else { owesGo = pid > 0 }
        index += 1
    }

    /// Lets an init that is not waiting for the host go first. It often starts on this CPU, where the two
    /// would take turns.
    /// - Parameter hasHooks: they would inherit an affinity (``leaveCPU(_:)``). Who sleeps instead, however
    ///   shortly, often wakes on another CPU.
    mutating func standAside(hasHooks: Bool) {
        guard plan.steps.indices.contains(index), plan.steps[index].actor == .`init` else { return }
        if hasHooks {
            sleep(nanoseconds: 1)
        } else if let number = try? ProcessIdentity.processor(of: pid) {
            leaveCPU(number)
        }
        closeExecutable()
    }

    /// Not before the init has closed it as well: whoever is the last waits for a grace period of the
    /// kernel's.
    private mutating func closeExecutable() {
        guard prepared.executableMount >= 0 else { return }
        closeDescriptor(prepared.executableMount)
        prepared.executableMount = -1
    }

    /// Performs the host's steps that are wanted, of a plan whose init is another program's work.
    mutating func perform(where wanted: (Action) -> Bool) throws(RuntimeError) {
        for step in plan.steps where step.actor == .host && wanted(step.action) {
            do throws(SysError) {
                try perform(step)
            } catch {
                throw RuntimeError(step: step, error)
            }
        }
    }

    /// Takes a child of this process for the container's init.
    mutating func adopt(_ pid: Int32) throws(SysError) {
        let child = ClonedProcess(pid: pid, pidfd: try openPidfd(pid))
        try verifyChild(child)
        process = consume child
    }

    /// Lets a ready init go on.
    mutating func release() throws(RuntimeError) { try send(.go) }

    /// The same before the init has come that far. One that has failed meanwhile has said why, which
    /// ``perform()`` reads.
    func releaseAhead() throws(RuntimeError) {
        do throws(SysError) {
            try withChannel { (channel) throws(SysError) in try channel.send(.go) }
        } catch  where error.errno == EPIPE {
        } catch {
            throw RuntimeError(error)
        }
    }

    /// Waits until a released init has executed the program.
    mutating func waitForExecution() throws(RuntimeError) {
        guard try next(after: plan.steps.count) == .executing else {
            throw RuntimeError("the container's init sent an unexpected message")
        }
        netDevices = nil
    }

    private mutating func send(_ message: Message) throws(RuntimeError) {
        do throws(SysError) {
            try withChannel { (channel) throws(SysError) in try channel.send(message) }
        } catch  where error.errno == EPIPE {
            throw initDied()
        } catch {
            throw RuntimeError(error)
        }
    }

    private borrowing func withChannel<R>(
        _ body: (borrowing Channel) throws(SysError) -> R
    ) throws(SysError) -> R {
        switch channel {
        case .some(let channel): return try body(channel)
        case .none: throw .refused("there is no init yet")
        }
    }

    /// The init's next message but warnings and the terminal. `executing` counts once the init's end
    /// of the channel is closed by the exec.
    private mutating func next(after index: Int) throws(RuntimeError) -> Message {
        closeExecutable()
        var executing = false
        while true {
            let received: (message: Message, fd: Int32)?
            let patience = patience(after: index)
            do throws(SysError) {
                received = try withChannel { (channel) throws(SysError) in
                    try patience.receive(channel)
                }
            } catch {
                throw RuntimeError(error)
            }
            guard let (message, fd) = received else {
                if executing, !owesMove {
                    reapFormer()
                    return .executing
                }
                throw initDied()
            }
            switch message {
            case .warning(let text): warnings.append(text)
            case .terminal: terminal = fd
            case .executing: executing = true
            case .moved(let pid):
                try follow(pid, fd)
                executing = true
            case .failed(let step, let error):
                throw failed(step, error)
            default: return message
            }
        }
    }

    /// The init goes on as another process. Whoever had got hold of the channel could name no other than
    /// a child of this process's.
    private mutating func follow(_ pid: Int32, _ fd: Int32) throws(RuntimeError) {
        let next = ClonedProcess(pid: pid, pidfd: Fd(owning: fd))
        do throws(SysError) {
            guard owesMove else { throw .refused("the container's init moved twice") }
            try verifyChild(next)
        } catch {
            throw RuntimeError(error)
        }
        owesMove = false
        former = process.take()
        process = consume next
    }

    /// The process that the init was before it went on as another: it ends by itself.
    private mutating func reapFormer() {
        if let former = former.take() { _ = try? wait(pidfd: former.pidfd.raw) }
    }

    private mutating func failed(_ step: FailedStep, _ error: SysError) -> RuntimeError {
        if plan.steps.indices.contains(step.index),
            case .runHook = plan.steps[step.index].action
        {
            owesPoststop = true
        }
        return RuntimeError(step: step, error)
    }

    private func patience(after index: Int) -> Patience {
        let plan = self.plan
        return Patience(pid: pid) {
            plan.steps[min(index, plan.steps.count)...].compactMap {
                guard $0.actor == .`init`, case .runHook(_, let hook) = $0.action else {
                    return nil
                }
                return .some(hook.timeout)
            }
        }
    }

    private mutating func initDied() -> RuntimeError {
        reapFormer()
        let status = try? wait(pidfd: pidfd)
        process = nil
        if status == .signalled(SIGKILL), let limit = cgroup?.exhaustedMemoryLimit {
            return RuntimeError(outOfMemory: limit)
        }
        let how =
            switch status {
            case .signalled(let number): "was killed by signal \(number)"
            case .exited(let code): "ended with status \(code)"
            case nil: "is gone"
            }
        let joins = prepared.containerInit >= 0
        return RuntimeError(
            "the \(joins ? "new process" : "container's init") \(how) before it could say why",
            hint: joins && status == .signalled(SIGKILL)
                ? "the container may have ended meanwhile" : nil)
    }

    /// Ends an init that is still there, and reaps it. On cgroup v1 one that somebody has frozen does not
    /// die: it is thawed, unless its cgroup is that of a container that it joins. Then it ends later.
    mutating func killInit() {
        endScopeHolder()
        reapFormer()
        guard pid > 0 else { return }
        try? signal(pidfd, ofChild: pid, SIGKILL)
        if prepared.containerInit < 0 { try? cgroup?.thawAll() }
        let ended = try? poll(pidfd, Int32(POLLIN), milliseconds: 10_000)
        if ended != 0 { _ = try? wait(pidfd: pidfd) }
        process = nil
    }

    // MARK: The host's steps

    private mutating func perform(_ step: Step) throws(SysError) {
        switch step.action {
        case .createCgroup, .startScope, .confirmScope, .setCgroup, .restrictDevices,
            .delegateCgroup, .enterSubCgroup:
            try performCgroup(step)
        case .openCgroup: break  // opened for the clone
        case .openNamespace(let type, let path):
            do throws(SysError) {
                let fd = try openNamespace(path, type.kind)
                prepared.namespaces.append((type.kind, keep(fd)))
            } catch {
                throw namespaceFault(error, path)
            }
        case .openMountSource(let mount, let source, let recursive, let followingLink):
            do throws(SysError) {
                try openMountSource(mount, source, recursive, followingLink)
            } catch let error where error.errno == ENOSYS && prepared.containerInit < 0 {
                // A new init still sees the host's files: it binds the path by mount(2).
            }
        case .openIDMap(let mount, let uid, let gid):
            try openIDMap(mount, IDMappings(uid: uid, gid: gid))
        case .connect(let purpose, let path):
            let socket: Int32
            do throws(SysError) {
                socket = keep(try connectSocket(.stream, path))
            } catch {
                throw socketFault(error, path)
            }
            switch purpose {
            case .console: prepared.consoleSocket = socket
            case .seccompListener: prepared.seccompListener = socket
            }
        case .listenForStart:
            let path = "\(stateDirectory)/\(StateDirectory.startSocket)"
            prepared.startListener = keep(try bindSocket(.packet, path, mode: 0o600))
        case .listenForExec(let types):
            let path = "\(stateDirectory)/\(StateDirectory.execSocket)"
            prepared.execListener = (keep(try bindSocket(.packet, path, mode: 0o600)), types)
        case .receiveNamespaces(let types): try receiveNamespaces(types.map(\.kind))
        case .loadSeccomp(let seccomp):
            do throws(ConfigError) {
                prepared.seccomp = try seccompCache.program(for: seccomp)
            } catch {
                throw .refused("\(error.place): \(error.message)", hint: error.hint)
            }
        case .takeSeccomp(let program): prepared.seccomp = program
        case .openHookOutput(let stream, let path):
            let file = keep(try openHookOutput(path))
            switch stream {
            case .stdout: prepared.hookOutput.stdout = file
            case .stderr: prepared.hookOutput.stderr = file
            }
        case .clone(let new, let join, let offsets):
            if prepared.containerInit >= 0 {
                try takeNamespaces(join.map(\.kind))
            }
            try cloneInit(new, offsets, from: index + 1)
        case .writeIDMappings(let uid, let gid):
            try IDMappings(uid: uid, gid: gid).write(for: pid, procfs: prepared.procfs)
        case .moveNetDevice(let name, let newName): try moveNetDevice(name, to: newName)
        case .openResctrlGroup, .setSchemata, .makeMonitoringGroup, .joinResctrlGroup:
            try resctrl.perform(step.action, pid)
        case .runHook(let kind, let hook):
            var state = plan.state
            state.pid = pid
            let json = state.json()
            owesPoststop = true
            try HookRunner.run(
                hook, kind: kind, state: json, output: prepared.hookOutput, in: state.bundle)
        case .raiseRlimit(let type, let hard): try raiseLimit(type, to: hard)
        case .setOOMScoreAdj(let value):
            // Before the clone: the init inherits it.
            try writeFile(at: prepared.procfs, "self/oom_score_adj", String(value))
        case .setCPUAffinity(let list):
            guard let cpus = parseNumberList(list) else {
                throw .refused("\(quoted(list)) is not a list of CPUs such as 0-3,7")
            }
            try setAffinity(cpus: cpus)
        case .mapMountSource(let mount, let uid, let gid, let recursive):
            try mapMountSource(mount, IDMappings(uid: uid, gid: gid), recursive)
        default:
            throw .refused("a step of the init is not the host's")
        }
    }

    mutating func keep(_ fd: consuming Fd) -> Int32 {
        let raw = fd.release()
        opened.append(raw)
        return raw
    }

    mutating func keep(_ files: [Int32]) { opened += files }

    /// The init inherits a hard limit that is high enough; lowering it needs no right.
    private func raiseLimit(_ type: RlimitType, to hard: UInt64) throws(SysError) {
        let now = try limit(of: type.number, name: type.rawValue)
        if now.hard >= hard { return }
        do throws(SysError) {
            try setLimit(type.number, soft: now.soft, hard: hard, name: type.rawValue)
        } catch  where error.errno == EPERM {
            let most = type == .openFiles ? (try? readFile("/proc/sys/fs/nr_open")) : nil
            throw error.hinting(
                "raising a hard limit needs CAP_SYS_RESOURCE"
                    + (most.map { ", and at most fs.nr_open, which is \(words($0).joined())" } ?? "")
            )
        }
    }

    private mutating func cloneInit(
        _ new: [NamespaceType], _ offsets: [TimeOffsetEntry], from first: Int
    ) throws(SysError) {
        let (ours, theirs) = try socketPair().release()
        channel = Channel(Fd(owning: ours))
        defer { closeDescriptor(theirs) }
        try limitReceiving(ours, seconds: Patience.slice)
        prepared.cgroupTasks = try cgroup?.openJoinFiles() ?? []
        keep(prepared.cgroupTasks)
        prepared.madeNamespaces = aside.take()?.finish() ?? []
        defer { for (_, fd) in prepared.madeNamespaces { closeDescriptor(fd) } }
        try keepNetworkNamespace()
        let left = new.filter { type in !prepared.madeNamespaces.contains { $0.kind == type.kind } }
        var launch = Launch(new: left, timeOffsets: offsets)
        launch.keepsGroups = prepared.namespaces.contains { $0.kind == .user } && plan.keepsGroups
        do throws(SysError) {
            process = try cloneIntoCgroup(launch, ours, theirs, from: first)
        } catch  where error.errno == EAGAIN {
            throw error.hinting("the cgroup's pids.max or the user's RLIMIT_NPROC is used up")
        }
        mountSources = MountSources()
        if cgroup?.isUnified == true { try holdScope(with: pid) }
    }

    func clone(
        _ launch: Launch, _ ours: Int32, _ theirs: Int32, from first: Int
    ) throws(SysError) -> ClonedProcess {
        let plan = self.plan
        let prepared = self.prepared
        let lock = self.lock
        let later = joinedLater
        return try launch.clone(joining: prepared.namespaces, procfs: prepared.procfs) { left in
            // While the init holds the host's end, it would never see the host die.
            closeDescriptor(ours)
            // And it would go on to hold the lock, when the host is killed.
            closeDescriptor(lock)
            if prepared.executableMount >= 0 { closeDescriptor(prepared.executableMount) }
            var mine = prepared
            mine.namespaces = left + later
            Performer(
                plan: plan, prepared: mine, channel: Channel(Fd(owning: theirs)), from: first
            ).run()
        }
    }
}
