import Glibc
import Spec
import Sys

extension Performer {
    mutating func mount(_ plan: MountPlan) throws(SysError) {
        throw .refused("not built yet")
    }
}
