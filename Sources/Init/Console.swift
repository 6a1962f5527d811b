import Glibc
import Spec
import Sys

/// `process.terminal`: a pty of the container's own devpts.
extension Performer {
    /// Allocates the pty, puts its slave onto `/dev/console` and the standard streams of this
    /// session's leader, and sends the master to whoever asked for it. A process that joins the container
    /// only lacks the `/dev/console`.
    mutating func openConsole(_ size: Box?) throws(SysError) {
        let isNewContainer = root != nil
        let master = try containerRoot { (root) throws(SysError) in try Self.openMaster(root) }
        let slave = try openPtyPeer(master.raw)
        if let size {
            try setWindowSize(
                slave.raw,
                WindowSize(
                    rows: UInt16(clamping: size.height), columns: UInt16(clamping: size.width)))
        }
        if isNewContainer { try bindConsole(slave) }
        try giveAway(slave)
        if prepared.consoleSocket >= 0 {
            // The receivers expect a name with the descriptor.
            try send(prepared.consoleSocket, Array("/dev/ptmx".utf8), passing: master.raw)
        } else {
            // Relayed to the caller's terminal, which sees to that; what is none gets what was written.
            try TerminalMode(of: slave.raw).withoutCarriageReturns.apply(to: slave.raw)
            try channel.send(.terminal, passing: master.raw)
        }
        if leadsSession { try setControllingTerminal(slave.raw) }
        try replaceStandardStreams(slave.raw, slave.raw, slave.raw)
        terminal = consume slave
    }

    /// Leads a new session, away from the caller's terminal, with the console where it is open.
    mutating func newSession() throws(SysError) {
        try startSession()
        leadsSession = true
        if terminal != nil { try setControllingTerminal(0) }
    }

    /// Only the multiplexer of a devpts will do: an image can put anything there.
    private static func openMaster(_ root: borrowing RootDirectory) throws(SysError) -> Fd {
        let path = "/dev/pts/ptmx"
        let master: Fd
        do throws(SysError) {
            // What stands there is seen before it is opened: it could be a pipe.
            let found = try root.open(path, followingLinks: false)
            try verifyMaster(found)
            master = try root.open(path, O_RDWR | O_NOCTTY, followingLinks: false)
        } catch {
            throw error.hinting("a terminal needs a mount of type devpts at /dev/pts")
        }
        try verifyMaster(master)
        return master
    }

    private static func verifyMaster(_ file: borrowing Fd) throws(SysError) {
        guard try file.status().isDevice(S_IFCHR, 5, 2),
            try file.fileSystemType() == FileSystemMagic.devpts
        else {
            throw .refused("/dev/pts/ptmx is not the multiplexer of a devpts")
        }
    }

    /// By the slave's descriptor, onto what is really there: no link is followed, nothing opened
    /// (CVE-2025-52565, CVE-2026-88264).
    private func bindConsole(_ slave: borrowing Fd) throws(SysError) {
        let path = "/dev/console"
        let parent = try withRoot { (root) throws(SysError) in
            try root.openMakingDirectories("/dev")
        }
        do throws(SysError) {
            try makeFile(at: parent.raw, "console", mode: 0o620)
        } catch let error where error.errno == EEXIST {}
        let target = try openFile(at: parent.raw, "console", O_PATH | O_NOFOLLOW)
        let found = try target.status()
        if found.isSymlink || found.isDirectory {
            throw .refused("\(path) is a \(found.isSymlink ? "symbolic link" : "directory")")
        }
        do throws(SysError) {
            let tree = try cloneMount(at: slave.raw, "", recursive: false)
            try attachMount(tree.raw, on: target.raw, path)
        } catch let error where error.errno == ENOSYS {
            try bindClassic(from: slave, on: target, path, recursive: false)
        }
    }

    /// The terminal belongs to the user that the program runs as, its group stays devpts's own.
    private func giveAway(_ slave: borrowing Fd) throws(SysError) {
        guard let uid = identity?.uid, try slave.status().uid != uid else { return }
        do throws(SysError) {
            try changeOwner(at: slave.raw, uid: uid, gid: UInt32.max)
        } catch let error where error.errno == EINVAL {
            return  // a user that the namespace does not map owns nothing
        }
    }
}
