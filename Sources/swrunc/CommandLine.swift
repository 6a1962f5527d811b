import Glibc

/// The arguments of this process, program name first; nil for one that is not valid UTF-8.
///
/// Read from the C array, because `CommandLine.arguments` repairs what is not UTF-8: a path would
/// silently become another one.
func commandLine() -> [String?] {
    let count = Int(CommandLine.argc)
    let arguments = unsafe CommandLine.unsafeArgv
    return (0..<count).map { index in
        unsafe arguments[index].flatMap { unsafe String(validatingCString: $0) }
    }
}
