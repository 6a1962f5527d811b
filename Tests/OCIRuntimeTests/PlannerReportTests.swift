import Init
import Spec
import Testing

@testable import OCIRuntime

/// Steps in words.
@Suite struct PlannerReport {
    @Test(arguments: [
        ("/proc", "mount /mounts/0 (/proc)"), ("/a b", "mount /mounts/0 (/a b)"),
    ])
    func titles(_ destination: String, _ title: String) throws {
        let mount = Mount(destination: destination, type: "proc")
        let plan = try Config.plain.with { $0.mounts = [mount] }.plan()
        #expect(plan.step("mount")?.title == title)
        #expect(plan.step("wait for start")?.title == "wait for start")
        #expect(plan.step("pivot_root")?.title == "pivot_root /root/path")
    }

    @Test func everyStepHasANameAndOneLine() throws {
        let plan = try PlannerOrder.full(true).plan()
        for step in plan.steps {
            #expect(!step.action.name.isEmpty)
            #expect(!step.action.summary.contains("\n"))
            #expect(step.title.hasPrefix(step.action.name))
        }
        // Only the last one executes: names are not mixed up.
        #expect(plan.steps.count { $0.action.name == "execute" } == 1)
    }

    @Test func text() throws {
        let plan = try Config.plain.with {
            $0.linux.resources = Resources(memory: .init(limit: 4096))
            $0.mounts = [
                Mount(destination: "/a\u{1b}[2J", source: "/s", options: ["bind", "sync"])
            ]
        }.plan()
        let lines = PlanReport(plan).text.split(separator: "\n")
        #expect(lines.count == 1 + plan.steps.count + plan.warnings.count)
        #expect(lines.first?.hasPrefix(" #  actor  step") == true)
        let widest = try #require(plan.steps.map(\.action.name.count).max())
        for (step, line) in zip(plan.steps, lines.dropFirst()) {
            #expect(!line.utf8.contains(0x1b))
            // The columns line up: number, actor and step before the place.
            #expect(line.dropFirst(2 + 2 + 5 + 2 + widest + 2).hasPrefix(step.place))
            #expect(line.dropFirst(2 + 2 + 5 + 2).hasPrefix(step.action.name))
        }
        #expect(lines.last?.hasPrefix("warning: /mounts/0/options: ") == true)
    }

    @Test func json() throws {
        let hooks = Hooks(poststart: [Hook(path: "/h")])
        let plan = try Config.plain.with { $0.hooks = hooks }.plan()
        let text = String(decoding: PlanReport(plan).json, as: UTF8.self)
        #expect(
            text.hasPrefix(
                """
                {
                  "id": "c1",
                  "bundle": "/bundle",
                  "steps": [
                    {
                      "actor": "host",
                      "step": "create cgroup",
                      "place": "",
                """))
        #expect(text.contains("\"place\": \"/hooks/poststart/0\""))
        #expect(text.hasSuffix("\n}\n"))
        #expect(text.split(separator: "\"actor\"").count == plan.steps.count + 2)
    }
}
