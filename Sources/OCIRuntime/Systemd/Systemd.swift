import Glibc
import Sys

/// The systemd that looks after this user's units: the machine's, or the user's own.
struct Systemd {
    /// Whether it is the user's own instance.
    let isUser: Bool

    private static let destination = "org.freedesktop.systemd1"
    private static let path = "/org/freedesktop/systemd1"
    private static let interface = "org.freedesktop.systemd1.Manager"

    /// The most that a request may take: a machine that is starting up has many jobs to do.
    private static let seconds: Int64 = 30

    /// The private socket saves the detour over the bus, and is there without one; an address in the
    /// environment is somebody's wish.
    private var sockets: [(path: String, isBus: Bool)] {
        let variable = isUser ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"
        let given = environmentVariable(variable).flatMap(Self.socketPath)
        guard isUser else {
            if let given { return [(given, true)] }
            return [
                ("/run/systemd/private", false), ("/run/dbus/system_bus_socket", true),
            ]
        }
        let directory = environmentVariable("XDG_RUNTIME_DIR") ?? "/run/user/\(effectiveUser)"
        return [("\(directory)/systemd/private", false), (given ?? "\(directory)/bus", true)]
    }

    /// The path in `unix:path=/run/bus,guid=…;…` (D-Bus Specification, "Server Addresses").
    static func socketPath(_ address: String) -> String? {
        let prefix = "unix:path="
        for part in address.utf8.split(separator: UInt8(ascii: ";"))
        where part.starts(with: prefix.utf8) {
            return String(
                Substring(part.dropFirst(prefix.utf8.count).prefix { $0 != UInt8(ascii: ",") }))
        }
        return nil
    }

    private func connect() throws(SysError) -> DBusConnection {
        do throws(SysError) {
            return try DBusConnection(sockets, deadline: Deadline(seconds: Self.seconds))
        } catch {
            throw error.hinting(
                isUser
                    ? "the user's systemd cannot be reached: is XDG_RUNTIME_DIR set, and does the "
                        + "user have a session (loginctl enable-linger)? --cgroup-manager cgroupfs "
                        + "does without"
                    : "systemd cannot be reached: is it pid 1 here, and are /run/systemd and "
                        + "/run/dbus there? --cgroup-manager cgroupfs does without")
        }
    }

    /// Starts a transient unit and waits until it runs.
    func start(_ unit: String, _ properties: [UnitProperty]) throws(SysError) {
        var connection = try connect()
        var properties = properties
        var hasReset = false
        while true {
            let given = properties
            let serial = call(&connection, "StartTransientUnit", "ssa(sv)a(sa(sv))") {
                $0.string(unit)
                $0.string("fail")
                $0.properties(given)
                $0.array(alignment: 8) { _ in }
            }
            let answer = try job(&connection, serial)
            if answer.errorName.isEmpty {
                guard answer.result == "done" else {
                    throw .refused(
                        "systemd could not start \(unit): the job's result is \(answer.result)",
                        hint: "systemctl status \(unit) says more")
                }
                return
            }
            // An older systemd does not have all properties; what they say is in the cgroup as well.
            // "Cannot set property CPUIdle, or unknown property."
            let words = answer.errorText.split(separator: " ")
            if let unknown = properties.firstIndex(where: { property in
                property.isDispensable && words.contains { $0 == "\(property.name)," }
            }) {
                properties.remove(at: unknown)
            } else if answer.errorName.hasSuffix(".UnitExists"), !hasReset {
                // One that failed stays until somebody has taken note of it.
                hasReset = true
                let reset = call(&connection, "ResetFailedUnit", "s") { $0.string(unit) }
                _ = try reply(&connection, reset)
            } else {
                throw refusal("start \(unit)", answer.errorName, answer.errorText)
            }
        }
    }

    /// Stops a unit, whose processes are gone already, and forgets it.
    func stop(_ unit: String) throws(SysError) {
        var connection = try connect()
        let serial = call(&connection, "StopUnit", "ss") {
            $0.string(unit)
            $0.string("replace")
        }
        let answer = try job(&connection, serial)
        let reset = call(&connection, "ResetFailedUnit", "s") { $0.string(unit) }
        let forgotten = try reply(&connection, reset)
        for error in [answer.errorName, forgotten.errorName]
        where !error.isEmpty && !error.hasSuffix(".NoSuchUnit") {
            throw refusal("stop \(unit)", error, answer.errorText)
        }
    }

    /// Changes properties of a running unit until the next boot.
    func set(_ properties: [UnitProperty], of unit: String) throws(SysError) {
        if properties.isEmpty { return }
        var connection = try connect()
        let serial = call(&connection, "SetUnitProperties", "sba(sv)") {
            $0.string(unit)
            $0.value(.boolean(true))
            $0.properties(properties)
        }
        let answer = try reply(&connection, serial)
        if !answer.errorName.isEmpty {
            throw refusal("change \(unit)", answer.errorName, answer.text(0))
        }
    }

    /// The cgroup below which the units lie; empty where it is the root.
    func controlGroup() throws(SysError) -> String {
        var connection = try connect()
        let serial = connection.call(
            Self.destination, path: Self.path, "org.freedesktop.DBus.Properties", "Get", "ss"
        ) {
            $0.string(Self.interface)
            $0.string("ControlGroup")
        }
        let answer = try reply(&connection, serial)
        if !answer.errorName.isEmpty {
            throw refusal("tell its cgroup", answer.errorName, answer.text(0))
        }
        return answer.text(0) == "/" ? "" : answer.text(0)
    }

    private func refusal(_ what: String, _ name: String, _ text: String) -> SysError {
        .refused(
            "systemd refused to \(what): \(text.isEmpty ? name : text)",
            hint: name.hasSuffix(".UnitExists")
                ? "another container has that unit: give each a name of its own in cgroupsPath"
                : name.hasSuffix(".AccessDenied") || name.hasSuffix("AuthorizationRequired")
                    ? "this user may not do that with the system's units" : nil)
    }
}

// MARK: - Waiting

extension Systemd {
    private func call(
        _ connection: inout DBusConnection, _ member: String, _ signature: String,
        _ arguments: (inout DBusWriter) -> Void
    ) -> UInt32 {
        connection.call(
            Self.destination, path: Self.path, Self.interface, member, signature, arguments)
    }

    private func reply(
        _ connection: inout DBusConnection, _ serial: UInt32
    ) throws(SysError) -> DBusMessage {
        while true {
            let message = try connection.receive()
            if message.kind != .signal, message.replySerial == serial { return message }
        }
    }

    /// What becomes of the job that a call starts. Its end may be told before the call's answer is
    /// read, which is what says the job's name. It counts only from whom the answer is: anybody on a bus
    /// may send a signal to this connection alone, which no match rule keeps away.
    private func job(
        _ connection: inout DBusConnection, _ serial: UInt32
    ) throws(SysError) -> (result: String, errorName: String, errorText: String) {
        var answer: (job: String, sender: String)?
        var ended: [(job: String, sender: String, result: String)] = []
        while true {
            let message = try connection.receive()
            if message.kind == .signal, message.member == "JobRemoved" {
                // JobRemoved(u id, o job, s unit, s result)
                ended.append((message.text(1), message.sender, message.text(3)))
            } else if message.replySerial == serial, message.kind == .error {
                return ("", message.errorName, message.text(0))
            } else if message.replySerial == serial, message.kind == .reply {
                answer = (message.text(0), message.sender)
            }
            if let answer,
                let end = ended.first(where: {
                    $0.job.utf8.elementsEqual(answer.job.utf8)
                        && $0.sender.utf8.elementsEqual(answer.sender.utf8)
                })
            {
                return (end.result, "", "")
            }
        }
    }
}
