import Glibc
import Spec
import Sys

/// The container side: performs the init's steps of a plan, one after the other, and ends in the
/// user's program. There is no policy in it; what to do was decided in the plan.
package struct Performer: ~Copyable {
    package let plan: Plan
    package let prepared: Prepared
    /// To the host; after `ready`, to whoever starts the container.
    var channel: Channel
    /// The container's root file system, once open.
    var root: RootDirectory?
    /// Whether that is a copy that is mounted nowhere: for want of a mount namespace.
    var rootIsDetached = false
    /// What masked paths are covered with.
    var masks = Masks()
    /// The directory of the last device node: the next one's, too, mostly.
    var nodeDirectory: NodeDirectory?
    /// The pty's slave, once open.
    var terminal: Fd?
    /// The program as found in the container.
    var executable: String?
    /// Whether everything of the host's is closed but the sockets to it.
    var isCutOff = false
    /// This process's pid as the host sees it, where a seccomp agent is to be told.
    var hostPid: Int32 = 0
    /// Whether everything that a seccomp filter may deny is done.
    var isSettled = false
    /// Whether the host has been told that it is this process which will execute.
    var hasMoved = false
    /// Whether the program's limit of open files is set, by the config.
    var limitsOpenFiles = false
    /// Whether this process leads a session, and so can have a controlling terminal.
    var leadsSession = false
    /// This process's namespaces, open for an `exec` while it waits to be started.
    var ownNamespaces: [(kind: NamespaceKind, fd: Int32)] = []
    /// The program's arguments and environment.
    var program: ProgramVectors?
    /// The step being performed, for errors.
    var current: Int

    package init(plan: Plan, prepared: Prepared, channel: consuming Channel, from first: Int) {
        self.plan = plan
        self.prepared = prepared
        self.channel = channel
        current = first
    }

    /// Performs the rest of the plan. A failure is sent to the host; the process ends either way.
    package consuming func run() -> Never {
        do throws(SysError) {
            try perform()
        } catch {
            let step =
                plan.steps.indices.contains(current)
                ? FailedStep(index: current, plan.steps[current]) : FailedStep(index: current)
            try? channel.send(.failed(step, error))
        }
        exitNow(255)
    }

    private mutating func perform() throws(SysError) {
        try processControl(.setParentDeathSignal, UInt(SIGKILL))
        for (kind, fd) in prepared.madeNamespaces {
            try joinNamespace(fd, kind.rawValue)
            closeDescriptor(fd)
        }
        if !prepared.unifiedCgroups.isEmpty { try joinUnifiedCgroup() }
        if plan.steps.indices.contains(current), plan.steps[current].actor == .host {
            try waitForGo()
        }
        // Neither other processes of the container's pid namespace nor a tracer may look into this
        // process or reach its executable while it still has the host's rights. Not before the ids are
        // mapped: an ordinary user may not write to the files in /proc of such a process. Until then
        // nobody is in its namespaces; where some are joined, `Launch` has done the same.
        try processControl(.setDumpable, 0)
        while current < plan.steps.count {
            let step = plan.steps[current]
            if step.actor == .host {
                try skipHostSteps()
                continue
            }
            try perform(step)
            current += 1
        }
    }

    /// Hands over to the host and waits until its run of steps is done.
    private mutating func skipHostSteps() throws(SysError) {
        if current > 0, plan.steps[current - 1].actor == .`init` {
            try channel.send(.reached(current))
            try waitForGo()
        }
        while current < plan.steps.count, plan.steps[current].actor == .host { current += 1 }
    }

    mutating func waitForGo() throws(SysError) {
        // The host's death is the end of the socket, and SIGKILL by PR_SET_PDEATHSIG.
        guard let (message, _) = try channel.receive(), message == .go else { exitNow(255) }
    }

    func warn(_ text: String) throws(SysError) { try channel.send(.warning(text)) }
}
