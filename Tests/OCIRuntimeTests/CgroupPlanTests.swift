import Init
import Spec
import Testing

@testable import OCIRuntime

/// The plan as a whole.
@Suite struct CgroupPlanTests {
    private func plan(
        _ resources: Resources?, _ layout: CgroupLayout, manager: CgroupManager = .cgroupfs,
        isRootless: Bool = false, path: String? = "/c"
    ) throws -> (steps: [Step], warnings: [String]) {
        try CgroupPlanner.plan(
            for: resources, path: CgroupPath(path, id: "id"), layout: layout, manager: manager,
            isRootless: isRootless)
    }

    @Test func createsFirstAndRestrictsDevicesAlways() throws {
        for layout in [allV1, allV2] {
            let steps = try plan(nil, layout).steps
            #expect(steps.count == 2)
            guard case .createCgroup("/c") = steps[0].action,
                case .restrictDevices(let rules) = steps[1].action
            else {
                Issue.record("not those steps: \(steps)")
                continue
            }
            #expect(rules.first == Resources.DeviceRule(allow: false))
            #expect(rules.count == 12)
        }
    }

    @Test func placesTheStepWhereThePathIs() throws {
        #expect(try plan(nil, allV1).steps[0].place == "/linux/cgroupsPath")
        #expect(try plan(nil, allV1, path: nil).steps[0].place == "")
    }

    @Test func leavesDevicesToTheRightsOfTheUserWhenRootless() throws {
        #expect(try plan(nil, allV2, isRootless: true).steps.count == 1)
        #expect(try plan(nil, bareV1, isRootless: true).steps.count == 1)
    }

    @Test func warnsWhenCgroupsAreDisabled() throws {
        var resources = Resources()
        resources.pidsLimit = 1
        #expect(try plan(resources, .none, manager: .disabled).steps.isEmpty)
        #expect(try plan(resources, .none, manager: .disabled).warnings.count == 1)
        #expect(try plan(Resources(), .none, manager: .disabled).warnings.isEmpty)
    }

    @Test func needsACgroupHierarchy() {
        #expect(throws: PlanError.self) { try plan(nil, .none) }
    }

    @Test func mountsHierarchiesInTheirOwnNamespace() throws {
        let path = try CgroupPath("/docker/x", id: "x")
        let mount = CgroupPlanner.mountPlan(
            layout: allV1, path: path, ownNamespace: true, readOnly: true)
        guard case .hierarchies(let hierarchies, readOnly: true) = mount else {
            Issue.record("not hierarchies: \(mount)")
            return
        }
        #expect(hierarchies.count == allV1.hierarchies.count)
        #expect(
            hierarchies.first { $0.name == "cpu,cpuacct" }
                == CgroupMountPlan.Hierarchy(
                    name: "cpu,cpuacct", options: ["cpu", "cpuacct"],
                    source: "/sys/fs/cgroup/cpu,cpuacct/docker/x", aliases: ["cpu", "cpuacct"]))
        #expect(
            hierarchies.first { $0.name == "systemd" }
                == CgroupMountPlan.Hierarchy(
                    name: "systemd", options: ["none", "name=systemd"],
                    source: "/sys/fs/cgroup/systemd/docker/x", aliases: []))
        #expect(hierarchies.first { $0.name == "memory" }?.aliases == [])
    }

    @Test func bindsTheContainersDirectoriesInTheHostsNamespace() throws {
        let path = try CgroupPath("x", id: "x")
        let mount = CgroupPlanner.mountPlan(
            layout: allV1, path: path, ownNamespace: false, readOnly: false)
        guard case .hierarchies(let hierarchies, readOnly: false) = mount else {
            Issue.record("not hierarchies: \(mount)")
            return
        }
        #expect(hierarchies.allSatisfy { $0.options == nil && $0.source.hasSuffix("/own/x") })
    }

    @Test func fallsBackToTheRuntimesOwnDirectoriesWhenRootless() throws {
        func fallbacks(_ path: CgroupPath, isRootless: Bool = true) -> [String?] {
            let mount = CgroupPlanner.mountPlan(
                layout: allV1, path: path, ownNamespace: false, readOnly: true,
                isRootless: isRootless)
            guard case .hierarchies(let hierarchies, _) = mount else { return [] }
            return hierarchies.map(\.fallback)
        }
        let own = fallbacks(try CgroupPath(nil, id: "x"))
        #expect(own.count == allV1.hierarchies.count)
        #expect(own.allSatisfy { $0?.hasSuffix("/own") == true })
        #expect(fallbacks(try CgroupPath("/x", id: "x")).allSatisfy { $0 == nil })
        #expect(fallbacks(try CgroupPath(nil, id: "x"), isRootless: false).allSatisfy { $0 == nil })
        #expect(
            CgroupPlanner.mountPlan(
                layout: allV2, path: try CgroupPath(nil, id: "x"), ownNamespace: false,
                readOnly: true, isRootless: true)
                == .unifiedBind(source: "/sys/fs/cgroup/a/x", fallback: "/sys/fs/cgroup/a/b"))
    }

    @Test func mountsTheUnifiedHierarchy() throws {
        let path = try CgroupPath("x", id: "x")
        #expect(
            CgroupPlanner.mountPlan(layout: allV2, path: path, ownNamespace: true, readOnly: false)
                == .unified(FileSystemPlan(type: "cgroup2", source: "cgroup")))
        #expect(
            CgroupPlanner.mountPlan(layout: allV2, path: path, ownNamespace: false, readOnly: false)
                == .unifiedBind(source: "/sys/fs/cgroup/a/x"))
    }

    @Test func comesBackFromItsRecords() throws {
        for layout in [allV1, allV2] {
            let made = Cgroup(layout: layout, path: try CgroupPath("/a:b/c", id: "x"))
            let read = Cgroup(directories: made.directories)
            #expect(read.directories == made.directories)
            #expect(read.members == made.members)
            #expect(read.isUnified == layout.isUnified)
            #expect(!made.isMine && read.isMine)
        }
        #expect(Cgroup(directories: ["nonsense", ""]).directories.isEmpty)
    }

    @Test(arguments: ["..", "../x", "a/../../b", "/a/.."])
    func neverLeavesTheContainersCgroup(path: String) throws {
        let cgroup = Cgroup(layout: allV1, path: try CgroupPath("/c", id: "c"))
        #expect(throws: (any Error).self) { try cgroup.descending(to: [([], path)]) }
    }
}
