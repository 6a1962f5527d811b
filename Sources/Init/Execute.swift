import Glibc
import Spec
import Sys

extension Performer {
    func joinCgroup() throws(SysError) { throw .refused("todo") }
    func joinNamespaces(_ types: [NamespaceType]) throws(SysError) { throw .refused("todo") }
    func setScheduler(_ scheduler: Scheduler) throws(SysError) { throw .refused("todo") }
    func setIOPriority(_ p: IOPriority) throws(SysError) { throw .refused("todo") }
    func setMemoryPolicy(_ p: MemoryPolicy) throws(SysError) { throw .refused("todo") }
    func setCPUAffinity(_ p: String) throws(SysError) { throw .refused("todo") }
    func setPersonality(of p: PersonalityDomain) throws(SysError) { throw .refused("todo") }
    mutating func runHooks(_ kind: HookKind, _ hooks: [Hook]) throws(SysError) { throw .refused("todo") }
    mutating func findExecutable() throws(SysError) { throw .refused("todo") }
    mutating func waitForStart() throws(SysError) { throw .refused("todo") }
    mutating func changeDirectory(_ path: String) throws(SysError) { throw .refused("todo") }
    mutating func applySeccomp() throws(SysError) { throw .refused("todo") }
    mutating func execute() throws(SysError) { throw .refused("todo") }
}
