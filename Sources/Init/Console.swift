import Glibc
import Spec
import Sys

extension Performer {
    mutating func openConsole(_ size: Box?) throws(SysError) {
        throw .refused("not built yet")
    }
}
