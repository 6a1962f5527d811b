import Glibc
import Sys

/// Why a program cannot be executed, for the hint of an error: looked up only after `execve(2)` has
/// failed with `errno`, whose ENOENT names the interpreter's absence and not the program's.
/// - Returns: nil where nothing is found.
func executionFault(_ path: String, _ errno: Int32) -> String? {
    fault(path, errno, of: "it", depth: 0)
}

extension Performer {
    /// The failure of `execve(2)` with what is at fault, as far as a seccomp filter lets that be found.
    func explained(_ error: SysError, _ program: String) -> SysError {
        if mayLookAtProgram, let fault = executionFault(program, error.errno) {
            return error.hinting(fault)
        }
        switch error.errno {
        case ENOENT:
            return error.hinting("the file is there, but its interpreter or loader is not")
        case ENOEXEC:
            return error.hinting("not a program of this architecture, or a script without #!")
        default: return error
        }
    }
}

/// What is wrong with a path that is no program; nil where its errno says it all.
func lookupFault(_ path: String) -> String? {
    do throws(SysError) {
        let file = try status(of: path)
        guard file.isRegular else { return nil }
        if file.mode & 0o111 == 0 {
            return "its mode is \(octal(file.mode)): nobody may execute it"
        }
        let noexec = 8
        return try openFile(path, O_PATH).mountFlags() & noexec != 0
            ? "it is on a file system that is mounted with noexec" : nil
    } catch {
        return pathFault(path, error.errno)
    }
}

/// - Parameters:
///   - subject: what `path` is to the program, as a sentence begins with it.
///   - depth: an interpreter may be a script of its own; the kernel follows five.
private func fault(_ path: String, _ errno: Int32, of subject: String, depth: Int) -> String? {
    if (try? status(at: AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)) == nil, depth > 0, errno != EACCES {
        return "\(subject) does not exist"
    }
    if let fault = pathFault(path, ENOENT) { return depth == 0 ? fault : "\(subject): \(fault)" }
    if errno == EACCES, let fault = accessFault(path, of: subject) { return fault }
    switch errno {
    case ETXTBSY: return "somebody has the file open for writing"
    case E2BIG: return "the arguments and the environment are larger than the kernel takes"
    default: break
    }
    guard let head = try? head(of: path) else { return nil }
    if head.isEmpty { return "\(subject) is an empty file" }
    if let elf = ELFHeader(head) { return fault(of: elf, errno, subject, depth) }
    guard head.starts(with: Array("#!".utf8)) else {
        return errno == ENOEXEC
            ? "\(subject) is neither an ELF program nor a script that begins with #!" : nil
    }
    return depth < 5 ? scriptFault(head, errno, subject, depth) : "its interpreters have no end"
}

private func head(of path: String) throws(SysError) -> [UInt8] {
    // Whatever it is: nobody is waited for.
    let file = try openFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    return try Fd.readSome(file.raw, limit: 65536)
}

private func accessFault(_ path: String, of subject: String) -> String? {
    guard let file = try? status(of: path) else { return pathFault(path, EACCES) }
    if !file.isRegular { return "\(subject) is not a regular file" }
    if file.mode & 0o111 == 0 {
        return "\(subject) has mode \(octal(file.mode)): nobody may execute it"
    }
    let noExec = 8
    if let file = try? openFile(path, O_PATH), let flags = try? file.mountFlags(),
        flags & noExec != 0
    {
        return "\(subject) is on a file system that is mounted with noexec"
    }
    return nil
}

private func fault(of elf: ELFHeader, _ errno: Int32, _ subject: String, _ depth: Int) -> String? {
    if let foreign = elf.foreignness {
        return depth == 0 ? foreign : "\(subject): \(foreign)"
    }
    if let loader = elf.loader, depth < 5 {
        return fault(
            loader, errno, of: "its loader \(quoted(loader)) (PT_INTERP)", depth: depth + 1)
    }
    return errno == ENOEXEC ? "\(subject) is a damaged ELF file" : nil
}

private func scriptFault(
    _ head: [UInt8], _ errno: Int32, _ subject: String, _ depth: Int
) -> String? {
    let line = head.dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }
    let space = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let name = line.drop { space.contains($0) }.prefix { !space.contains($0) }
    let interpreter = String(decoding: name, as: UTF8.self)
    if name.last == UInt8(ascii: "\r") {
        return "its first line ends with \\r\\n, so that the kernel looks for the interpreter "
            + "\"\(interpreter.dropLast())\\r\": give the script Unix line ends"
    }
    if name.isEmpty { return "\(subject) names no interpreter after #!" }
    return fault(
        interpreter, errno, of: "its interpreter \(quoted(interpreter))", depth: depth + 1)
}
