import Arguments
import CEntry
import Glibc

/// The arguments of this process, to be read from the first after the program's name.
///
/// Taken from the C array, because `CommandLine.arguments` repairs what is not UTF-8: a path would
/// silently become another one. And not by way of `CommandLine`: reaching it costs a page of the
/// standard library's that nothing else on the start-up path lies in.
func commandLine() -> Parser {
    var number: Int32 = 0
    guard let vector = unsafe swrunc_arguments(&number) else { return Parser([], from: 0) }
    let count = Int(number)
    var arguments: [String] = []
    var notText: [Int] = []
    arguments.reserveCapacity(count)
    for index in 0..<count {
        guard let argument = unsafe vector[index] else { break }
        if let text = unsafe String(validatingCString: argument) {
            arguments.append(text)
        } else {
            arguments.append("?")
            notText.append(index)
        }
    }
    return Parser(arguments, notText: notText, from: 1)
}

/// The descriptor of the mount that `SelfExecutable` speaks of; -1 where none is open.
func executableMount() -> Int32 { swrunc_executable_mount() }
