import Glibc
import Sys

extension Performer {
    /// The container is created: tells the host, and blocks until it is started, by a connection to
    /// the start socket or, for `run`, by the host's word.
    mutating func waitForStart() throws(SysError) {
        // From here on the container lives without the process that created it.
        try processControl(.setParentDeathSignal, 0)
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
        let connection = Channel(try acceptConnection(prepared.startListener))
        // A `start` that is killed before its word has failed, and the container with it: the
        // socket may be gone by now, so that nobody else could start it.
        guard let (message, _) = try? connection.receive(), message == .go else { exitNow(255) }
        channel = connection
    }
}
