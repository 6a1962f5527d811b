import Glibc
import Sys

/// A namespace file that cannot be opened: mostly, who kept the namespace alive has gone.
func namespaceFault(_ error: SysError, _ path: String) -> SysError {
    guard error.errno == ENOENT else { return error.explaining(path) }
    let parts = path.utf8.split(separator: UInt8(ascii: "/"))
    if parts.count == 4, parts[0].elementsEqual("proc".utf8), let pid = Int32(Substring(parts[1])),
        !exists("/proc/\(pid)")
    {
        return error.hinting(
            "process \(pid) is gone, and the namespace with it: it belonged to the pod's pause "
                + "container, or to the container whose namespace is shared")
    }
    let fault = pathFault(path, ENOENT) ?? "the file is there by now"
    return error.hinting(
        "\(fault): the engine's network setup was not made, or has been taken down, with the pod or "
            + "at a reboot")
}

/// A socket that nobody has made, or on which nobody listens.
func socketFault(_ error: SysError, _ path: String) -> SysError {
    switch error.errno {
    case ECONNREFUSED: error.hinting("nobody listens on it")
    case EPROTOTYPE: error.hinting("it is not a stream socket")
    case ENOENT:
        error.hinting(
            "\(pathFault(path, ENOENT) ?? "it is there by now"): the caller makes the socket and "
                + "listens on it first")
    default: error.explaining(path)
    }
}
