import Arguments
import OCIRuntime
import Spec
import Sys

/// `mounts`: change the mounts of a running container.
struct MountsCommand: Verb, Equatable {
    static let name = CommandName.mounts

    enum Change: String, CaseIterable {
        case add, remove
    }

    let change: Change
    let id: String
    /// A JSON array of mounts.
    let file: String

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        try session.protect()
        let bytes: [UInt8]
        do throws(SysError) {
            bytes = try readFile(file == "-" ? "/proc/self/fd/0" : file, limit: 16 << 20)
        } catch {
            throw Failure("\(error)")
        }
        let mounts: [Mount]
        do throws(ConfigError) {
            mounts = try Mount.list(parsing: bytes)
        } catch {
            throw Failure("\(file): \(error)")
        }
        let (change, id) = (self.change, self.id)
        let warnings = try session.perform { (runtime) throws(RuntimeError) in
            switch change {
            case .add: try runtime.addMounts(mounts, to: id)
            case .remove: try runtime.removeMounts(mounts, from: id)
            }
        }
        session.warn(warnings)
        return 0
    }
}

extension MountsCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        guard let change = Change(rawValue: parsed.positionals[0]) else {
            throw UsageError("unknown change \"\(parsed.positionals[0])\"")
        }
        self.init(change: change, id: parsed.positionals[1], file: parsed.positionals[2])
    }

    static let command = Command(
        name.rawValue, summary: "add or remove mounts of a running container",
        description: """
            FILE holds an array of mounts as the configuration has them:

              [{"destination": "/data", "source": "/srv/data", "options": ["bind", "ro"]}]

            They are mounted one after the other; those before one that fails stay. To remove mounts
            only their destinations are looked at. A mount is not entered in the container's
            configuration.
            """,
        positionals: [
            Positional(
                "CHANGE", .required, .words(Change.allCases.map(\.rawValue)), help: "what to do"),
            SharedFlags.id,
            Positional("FILE", .required, .files, help: "the mounts; - reads standard input"),
        ])
}
