import Init
import Spec
import Sys
import Testing

@testable import OCIRuntime

func fixture(_ name: String) throws -> Config {
    let tests = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try Config(parsing: try readFile("/" + tests + "/conformance/fixtures/" + name))
}

@Suite struct PlannerOrder {
    @Test(arguments: ["docker-default.json", "podman-uidmap.json"])
    func show(_ name: String) throws {
        let plan = try Planner.plan(
            try fixture(name), facts: HostFacts(),
            options: PlanOptions(id: "x", bundle: "/b", listensForStart: true, detached: true))
        for step in plan.steps {
            print(step.actor, step.title, "|", step.action.summary)
        }
        print(plan.warnings)
    }
}
