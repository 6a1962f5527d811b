import Arguments
import Glibc

/// The arguments of this process, to be read from the first after the program's name.
///
/// Taken from the C array, because `CommandLine.arguments` repairs what is not UTF-8: a path would
/// silently become another one.
func commandLine() -> Parser {
    let count = Int(CommandLine.argc)
    let vector = unsafe CommandLine.unsafeArgv
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
