import Arguments

/// The user of `exec --user UID[:GID]`, numeric as in the runtime specification.
struct UserSpec: Equatable {
    let uid: UInt32
    /// The group, or nil when only the user was given.
    let gid: UInt32?

    init(uid: UInt32, gid: UInt32?) {
        self.uid = uid
        self.gid = gid
    }

    /// Reads `UID` or `UID:GID`. Anything else is an error: a parser that fell back to 0 ran as root
    /// (CVE-2026-30892).
    init(_ text: String, _ flag: Flag) throws(UsageError) {
        let parts = text.utf8.split(
            separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        let ids = parts.map(identity)
        guard let uid = ids.first.flatMap(\.self) else {
            throw .invalid(text, for: flag, "use UID or UID:GID, in decimal")
        }
        guard ids.count == 2 else {
            self.init(uid: uid, gid: nil)
            return
        }
        guard let gid = ids[1] else {
            throw .invalid(text, for: flag, "use UID or UID:GID, in decimal")
        }
        self.init(uid: uid, gid: gid)
    }
}

/// A user or group id; nil for what is none, the number that means "unchanged" to setresuid(2)
/// included.
func identity(_ digits: some Sequence<UInt8>) -> UInt32? {
    decimal(digits).flatMap { $0 == UInt32.max ? nil : $0 }
}
