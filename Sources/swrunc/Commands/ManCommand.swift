import Arguments
import Glibc
import Sys

/// `__man`: write the manual pages, for `make man`.
struct ManCommand: Verb, Equatable {
    static let name = CommandName.man

    /// The directory that gets them.
    let directory: String

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let program = CommandName.program
        let version = "\(Program.name) \(Version.number)"
        try write(program.manPage(version: version), to: Program.name)
        for command in program.commands where !command.hidden {
            try write(
                command.manPage(program: Program.name, version: version),
                to: "\(Program.name)-\(command.name)")
        }
        return 0
    }

    private func write(_ page: String, to name: String) throws(Failure) {
        do throws(SysError) {
            let path = "\(directory)/\(name).8"
            let file = try openFile(path, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try file.write(Array(page.utf8))
        } catch {
            throw Failure("\(error)")
        }
    }
}

extension ManCommand {
    init(_ parsed: Parsed) {
        self.init(directory: parsed.positionals[0])
    }

    static let command = Command(
        name.rawValue, summary: "write the manual pages",
        positionals: [Positional("DIR", .required, .files, help: "the directory to write into")],
        hidden: true)
}
