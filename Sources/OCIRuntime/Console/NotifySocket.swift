import Glibc
import Spec
import Sys

/// The way of a program's `sd_notify(3)` messages out of its container: a datagram socket in the state
/// directory that is bind-mounted into the container. READY=1 goes on to the caller's own socket,
/// with the program's pid as MAINPID; nothing else does, so that a container cannot speak for the
/// service it runs in.
struct NotifySocket {
    static let name = "notify.sock"

    /// The caller's own socket, `$NOTIFY_SOCKET`.
    let outer: String
    let raw: Int32
    /// The program as the host sees it.
    var pid: Int32 = 0

    /// The caller's `$NOTIFY_SOCKET`, nil where it has none.
    static var requested: String? { environmentVariable("NOTIFY_SOCKET") }

    /// What the container's config needs: the directory, and the variable that names the socket.
    static func adapt(_ config: inout Config, rootfs: String, directory: String) {
        let destination = destination(in: config, rootfs: rootfs)
        config.mounts.append(
            Mount(
                destination: destination, type: "bind", source: directory,
                options: ["bind", "ro", "nosuid", "noexec", "nodev", "rprivate"]))
        config.process?.env.append("NOTIFY_SOCKET=\(destination)/\(name)")
    }

    /// Where the container finds it: in `/run/notify`, as engines know it, unless the root file system
    /// lacks that and takes no mount point. The caller asked for no mount that could fail there.
    private static func destination(in config: Config, rootfs: String) -> String {
        let usual = "/run/notify"
        let isCovered = config.mounts.contains { isSamePath($0.destination, "/run") }
        let hasDev = config.mounts.contains { isDev($0.destination) && $0.type == "tmpfs" }
        guard !isCovered, hasDev, isReadOnly(rootfs), !exists(rootfs + usual) else { return usual }
        return "/dev/notify"
    }

    /// What cannot be told here, the mount tells.
    private static func isReadOnly(_ directory: String) -> Bool {
        guard let file = try? openFile(directory, O_PATH | O_DIRECTORY),
            let flags = try? file.mountFlags()
        else { return false }
        return UInt64(flags) & MountAttributes.readOnly != 0
    }

    /// Makes the socket in `directory`, open to the container's user.
    init(outer: String, directory: String) throws(SysError) {
        self.outer = outer
        let path = "\(directory)/\(Self.name)"
        do throws(SysError) {
            // Of a start that was killed.
            try removeFile(path)
        } catch  where error.errno == ENOENT {}
        raw = try bindSocket(.datagram, path, mode: 0o777).release()
    }

    /// Waits until READY=1 has been passed on, or the program has ended.
    /// - Parameter process: its pidfd, or ``ProcessHandle``.
    func waitForReadiness(of process: Int32) throws(SysError) {
        while true {
            let ready = try waitForEnd(of: process, orInputOn: raw, milliseconds: -1)
            if ready.input, try forward() { return }
            if ready.ended { return try drain() }
        }
    }

    /// Passes on what a program has left that has ended. Others may go on sending for ever.
    func drain() throws(SysError) {
        var rounds = 0
        while rounds < 64, try poll(raw, Int32(POLLIN), milliseconds: 0) != 0 {
            try forward()
            rounds += 1
        }
    }

    /// Reads one message, or drops one that is longer than any of `sd_notify(3)`: a container must not end
    /// its own runtime. True when it was READY=1 and has been passed on, as far as the caller's
    /// socket takes it: that it has gone must not end the container.
    @discardableResult
    func forward() throws(SysError) -> Bool {
        let bytes: [UInt8]
        do throws(SysError) {
            let message = try receive(raw, limit: 4096)
            if message.fd >= 0 { closeDescriptor(message.fd) }
            bytes = message.bytes
        } catch  where error.errno == EMSGSIZE {
            return false
        }
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard lines.contains(where: { $0.elementsEqual("READY=1".utf8) }) else { return false }
        do throws(SysError) {
            let socket = try connectSocket(.datagram, outer)
            try send(socket.raw, Array("READY=1\nMAINPID=\(pid)\n".utf8))
        } catch {
            return true
        }
        return true
    }
}
