import Arguments
import Glibc
import Spec
import Sys

/// `spec`: write a config.json to start from.
struct SpecCommand: Verb, Equatable {
    static let name = CommandName.spec

    /// The directory to write into; nil for the current one.
    var bundle: String?
    /// The file to write, which may exist; nil for a new config.json.
    var file: String?
    var rootless = false

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let config = rootless ? Config.rootlessTemplate(uid: getuid(), gid: getgid()) : .template
        do throws(SysError) {
            let flags = file == nil ? O_EXCL : O_TRUNC
            let target = try openFile(path, O_WRONLY | O_CREAT | flags, mode: 0o644)
            try target.write(config.json(.tabs) + [UInt8(ascii: "\n")])
        } catch  where error.errno == EEXIST {
            throw Failure(
                "File \(path) exists. Remove it first, or name it with --file to replace it")
        } catch {
            throw Failure("\(error)")
        }
        return 0
    }
}

extension SpecCommand {
    init(_ parsed: Parsed) {
        self.init(
            bundle: parsed.text(SharedFlags.bundle), file: parsed.text(Self.fileFlag),
            rootless: parsed.isOn(Self.rootlessFlag))
    }

    private static let fileFlag = Flag(
        "file", "f", .path("FILE"), default: "config.json",
        help: "the file to write, in the bundle's directory; it is replaced if it exists")
    private static let rootlessFlag = Flag(
        "rootless", help: "for a container that a user without privileges creates")

    static let command = Command(
        name.rawValue, summary: "write a config.json to start from",
        description: """
            The container it describes executes sh, with the files below the directory rootfs. An
            existing config.json is left as it is.
            """,
        flags: [SharedFlags.bundle, fileFlag, rootlessFlag])

    /// Where the configuration goes.
    var path: String {
        let name = file ?? "config.json"
        guard let bundle, !name.utf8.starts(with: "/".utf8) else { return name }
        return bundle + "/" + name
    }
}
