import Glibc
import Sys

extension Performer {
    /// The container is created: tells the host, and blocks until it is started, by a connection to
    /// the start socket or, for `run`, by the host's word.
    mutating func waitForStart() throws(SysError) {
        // From here on the container lives without the process that created it.
        try processControl(.setParentDeathSignal, 0)
        try openOwnNamespaces()
        // Whatever runs in the container until it is started, a hook or an `exec`, finds nothing here.
        try cutOff()
        if prepared.startListener >= 0 {
            // A container that is created can be asked to end, too.
            for number in [SIGHUP, SIGINT, SIGTERM] { exit(on: number) }
        }
        try channel.send(.ready)
        // Without this word the host died before it could write the state down.
        try waitForGo()
        if prepared.startListener < 0 { return }
        if prepared.execListener.socket >= 0 { try handOutNamespaces() }
        let connection = Channel(try acceptConnection(prepared.startListener))
        // A `start` that is killed before its word has failed, and the container with it: the
        // socket may be gone by now, so that nobody else could start it.
        guard let (message, _) = try? connection.receive(), message == .go else { exitNow(255) }
        channel = connection
    }

    private mutating func openOwnNamespaces() throws(SysError) {
        let kinds = prepared.execListener.types.map(\.kind)
        if kinds.isEmpty { return }
        let own = try openFile(at: prepared.procfs, "self", O_PATH | O_DIRECTORY)
        ownNamespaces = try openNamespaces(kinds, ofDirectory: own.raw)
    }

    /// To whoever asks for them, until somebody asks for the start. They are the container's own, and lead
    /// nowhere else: a process of the same user that is not dumpable would show them to nobody, though
    /// the user owns them (`ptrace(2)`, "Ptrace access mode checking").
    private mutating func handOutNamespaces() throws(SysError) {
        let listener = prepared.execListener.socket
        while try !pollEither(prepared.startListener, listener, milliseconds: -1).first {
            let connection = Channel(try acceptConnection(listener))
            for (kind, fd) in ownNamespaces {
                // Who has gone without all of them does not go on.
                guard (try? connection.send(.namespace(kind), passing: fd)) != nil else { break }
            }
        }
        closeDescriptor(listener)
        for (_, fd) in ownNamespaces { closeDescriptor(fd) }
        ownNamespaces = []
    }
}
