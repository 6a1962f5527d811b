import Init
import Spec
import Sys
extension Runtime {
    func execPlan(_ container: borrowing Container, _ config: Config, _ options: ExecOptions) throws(RuntimeError) -> Plan {
        throw RuntimeError("todo")
    }
}
