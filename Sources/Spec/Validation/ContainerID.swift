/// A container's id: a name that is safe as a file name and in messages.
///
/// The spec leaves the form to the runtime (runtime.md, "State"); this is the one of runc and crun.
public struct ContainerID: Sendable, Hashable, CustomStringConvertible {
    /// The most bytes an id may have: it is a file's name (`NAME_MAX`).
    public static let maximumLength = 255

    /// The id.
    public let description: String

    /// Checks an id: letters, digits and `_+.-`, not `.` or `..`, from 1 to 255 bytes.
    public init(_ text: String) throws(ConfigError) {
        let isSafe =
            !text.isEmpty && text.utf8.count <= Self.maximumLength && text != "." && text != ".."
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                    UInt8(ascii: "."), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
        guard !text.isEmpty else {
            throw ConfigError(place: "", message: "container id cannot be empty")
        }
        guard isSafe else {
            throw ConfigError(
                place: "", message: "invalid container ID format: \(quoted(text))",
                hint: "an id has 1 to \(Self.maximumLength) letters, digits and _ + . -")
        }
        description = text
    }
}
