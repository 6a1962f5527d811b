import CSys
import Glibc

/// Runs a program of the host, found along `PATH`, with this process's environment, to its end.
/// - Parameter arguments: the program's name first.
/// - Returns: what it printed on both of its streams, and how it ended: with 127 where it could not
///   be executed, and why is what was printed.
package func output(
    of arguments: [String]
) throws(SysError) -> (output: [UInt8], status: ExitStatus) {
    let null = try openFile("/dev/null", O_RDONLY)
    var pipe = try Pipe()
    let vector = CStringArray(arguments)
    defer { vector.free() }
    // By number: what the child's closure captures, the compiler may end early, since the closure
    // never returns.
    let (stdin, stdout) = (null.raw, pipe.write)
    let process = try clone(flags: 0) {
        do throws(SysError) {
            try replaceStandardStreams(stdin, stdout, stdout)
            resetSignals()
            try unblockAllSignals()
            throw executeProgram(vector)
        } catch {
            try? Fd.writeOnce(2, "\(error)\n")
            exitNow(127)
        }
    }
    pipe.closeWrite()
    var output: [UInt8] = []
    while true {
        let more = try Fd.readSome(pipe.read, limit: 65536)
        if more.isEmpty { break }
        output += more
    }
    return (output, try wait(pidfd: process.pidfd.raw))
}

/// Executes a program of the host, found along `PATH`, with this process's environment; returns only
/// to fail.
/// - Parameter arguments: the program's name first.
package func executeProgram(_ arguments: CStringArray) -> SysError {
    let result = unsafe csys_execvp(arguments.pointers)
    let name = unsafe arguments.pointers[0].map { unsafe String(cString: $0) } ?? ""
    return SysError("exec: \(quoted(name))", Int32(truncatingIfNeeded: -result))
}
