import Glibc
import Spec
import Sys

extension Performer {
    mutating func setPropagation(_ flags: UInt) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func openRoot(_ path: String) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func pivotRoot() throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func moveRoot() throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func changeRoot(_ path: String) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func setRootPropagation(_ flags: UInt) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func makeRootReadOnly() throws(SysError) {
        throw .refused("not built yet")
    }
}
