import Glibc
import Spec
import Sys

extension Performer {
    mutating func maskPath(_ path: String) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func makePathReadOnly(_ path: String) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func setSysctl(_ key: String, _ value: String) throws(SysError) {
        throw .refused("not built yet")
    }
}
