import Spec

/// One line of the log in the format asked for, with its line end.
///
/// - Parameter time: RFC 3339; containerd drops a message whose time it cannot read.
func logLine(_ format: LogFormat, _ level: LogLevel, _ message: String, time: String) -> [UInt8] {
    var writer = JSONWriter()
    switch format {
    case .text:
        writer.raw(Array("time=\"\(time)\" level=\(level.name) msg=".utf8))
        // As in JSON, so that the message stays on its line.
        writer.string(message)
    case .json:
        writer.object { object in
            object.member("level", level.name)
            object.member("msg", message)
            object.member("time", time)
        }
    }
    writer.newline()
    return writer.bytes
}
