import Arguments
import OCIRuntime
import Sys

/// One invocation of the program, from the arguments to the exit status.
///
/// The whole command line is understood before anything is opened, so that the log file cannot take
/// the number of a descriptor that the caller meant to pass on.
enum Invocation {
    /// - Parameter parser: at the first argument after the program's name.
    /// - Returns: the exit status of the program.
    static func run(_ parser: consuming Parser) -> Int32 {
        do throws(SysError) {
            try openMissingStandardDescriptors()
        } catch {
            writeLine("\(Program.name): in place of a closed standard stream: \(error)", to: 2)
            return 1
        }
        var globals = GlobalOptions()
        do throws(UsageError) {
            try parser.readGlobals(GlobalOptions.flags)
            let parsed = parser.take()
            globals = GlobalOptions(parsed)
            if parsed.wantsHelp { return show(CommandName.program.help) }
            if globals.wantsVersion {
                return show(Version.text(libseccomp: Runtime.libseccompVersion))
            }
            guard let name = try parser.nextWord() else { return show(CommandName.program.help) }
            guard let command = CommandName(named: name) else {
                throw .unknownCommand(name, program: CommandName.program)
            }
            return perform(command.verb, &parser, globals)
        } catch {
            // What was understood before the error says where errors go.
            globals.adopt(parser.take())
            return refuse(error, command: nil, globals)
        }
    }

    private static func perform<V: Verb>(
        _: V.Type, _ parser: inout Parser, _ globals: GlobalOptions
    ) -> Int32 {
        do throws(UsageError) {
            try parser.read(V.command, globals: GlobalOptions.flags)
        } catch {
            return refuse(error, command: V.name.rawValue, globals)
        }
        let parsed = parser.take()
        if parsed.wantsHelp { return show(V.command.help(program: Program.name)) }
        let verb: V
        let inherited: InheritedDescriptors
        do throws(UsageError) {
            verb = try V(parsed)
            inherited = try InheritedDescriptors(preserving: verb.preservedDescriptors)
        } catch {
            return refuse(error, command: V.name.rawValue, globals, status: V.failureStatus)
        }
        return start(verb, inherited, globals)
    }

    private static func start<V: Verb>(
        _ verb: V, _ inherited: InheritedDescriptors, _ globals: GlobalOptions
    ) -> Int32 {
        let report: Report
        do throws(SysError) {
            report = try Report(globals.log)
        } catch {
            return refuseLog(error)
        }
        var session = Session(globals: globals, inherited: inherited, report: report)
        do throws(Failure) {
            let status = try verb.run(&session)
            session.report.writeHeldWarnings()
            return status
        } catch {
            session.report.error("\(Program.name) \(V.name.rawValue) failed: \(error.message)")
            return V.failureStatus
        }
    }

    /// Reports a command line that cannot be carried out.
    private static func refuse(
        _ error: UsageError, command: String?, _ globals: GlobalOptions, status: Int32 = 1
    ) -> Int32 {
        let prefix = Program.name + (command.map { " " + $0 } ?? "")
        do throws(SysError) {
            var report = try Report(globals.log)
            report.error("\(prefix): \(error.message) (run `\(prefix) --help`)")
        } catch {
            return refuseLog(error)
        }
        return status
    }

    private static func refuseLog(_ error: SysError) -> Int32 {
        let hint = error.hint.map { "; " + $0 } ?? ""
        writeLine("\(Program.name): cannot log: \(error.description)\(hint)", to: 2)
        return 1
    }

    private static func show(_ text: String) -> Int32 {
        do throws(SysError) {
            try write(Array(text.utf8), to: 1)
        } catch {
            writeLine("\(Program.name): \(error.description)", to: 2)
            return 1
        }
        return 0
    }
}
