import Glibc
import Spec
import Sys

extension Performer {
    mutating func makeDevice(_ device: Device) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func bindDevice(_ device: Device) throws(SysError) {
        throw .refused("not built yet")
    }

    mutating func makeSymlink(_ target: String, at path: String) throws(SysError) {
        throw .refused("not built yet")
    }
}
