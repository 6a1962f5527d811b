import Init
import Spec
import Sys

struct SeccompCache {
    let directory: String
    func program(for seccomp: Seccomp) throws(SysError) -> SeccompProgram { throw .refused("todo") }
}
