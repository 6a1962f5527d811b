import Foundation
import Testing

extension Conformance.Process {
    /// runc 1.3.1: "Container processes will no longer inherit the CPU affinity of runc by default."
    @Suite(
        .enabled(if: ProcessInfo.processInfo.activeProcessorCount > 1, "needs two CPUs"),
        .knownDifference(runc: "1.1 passes its own on"), .knownDifference(crun: "passes its own on")
    )
    struct Affinity {
        private func bound(_ c: Container, _ arguments: [String]) -> ProbeReport {
            let outcome = launch(
                ["taskset", "-c", "0", Runtime.binary, "--root", c.root] + c.globals + arguments)
            #expect(outcome.succeeded, "\(outcome)")
            return ProbeReport(outcome.stdout)
        }

        @Test("the caller's CPUs are not the program's")
        func run() throws {
            try withContainer { c in
                c.config.program("probe")
                try c.writeConfig()
                let report = bound(c, ["run", "--bundle", c.bundle, c.id])
                #expect(report["affinity"].contains("1"))
            }
        }

        @Test("nor those of what is executed")
        func exec() throws {
            try withRunningContainer { c in
                #expect(bound(c, ["exec", c.id, "probe"])["affinity"].contains("1"))
            }
        }

        @Test("execCPUAffinity is kept")
        func kept() throws {
            try withRunningContainer(edit: { $0.process.execCPUAffinity = ["final": "1"] }) { c in
                #expect(bound(c, ["exec", c.id, "probe"])["affinity"] == "1")
            }
        }
    }
}
