@testable import OCIRuntime

// Hierarchies that the tests of cgroups plan for: all controllers, and next to none.

let allV1 = CgroupLayout(
    hierarchies: [
        "cpuset", "cpu,cpuacct", "memory", "devices", "freezer", "blkio", "pids", "hugetlb",
        "net_cls,net_prio", "rdma", "perf_event", "name=systemd",
    ].map {
        let directory = $0.hasPrefix("name=") ? String($0.dropFirst(5)) : $0
        return .init(controllers: $0, mountPoint: "/sys/fs/cgroup/\(directory)", own: "/own")
    }, unified: nil)
let bareV1 = CgroupLayout(
    hierarchies: [
        .init(controllers: "devices", mountPoint: "/sys/fs/cgroup/devices", own: "/")
    ], unified: nil)
let root2 = CgroupLayout.Hierarchy(
    controllers: "", mountPoint: "/sys/fs/cgroup", own: "/a/b")
let allV2 = CgroupLayout(
    hierarchies: [], unified: root2,
    unifiedControllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"])
let bareV2 = CgroupLayout(hierarchies: [], unified: root2)
