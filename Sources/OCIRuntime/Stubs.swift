import Init
import Spec
import Sys

struct Cgroup {
    var directories: [String]
    var isFrozen: Bool { false }
    var directoryForClone: Int32 { -1 }
    func signalAll(_ signal: Int32) throws(SysError) -> Int { 0 }
    func thaw() throws(SysError) {}
    func remove() throws(SysError) {}
}
struct SeccompCache {
    let directory: String
    func program(for seccomp: Seccomp) throws(SysError) -> SeccompProgram { throw .refused("todo") }
}
extension HostPerformer {
    func performCgroup(_ step: Step) throws(SysError) {}
}
extension Runtime {
    func cgroup(for config: Config, id: String) throws(PlanError) -> Cgroup { Cgroup(directories: []) }
}
