import Init
import Spec
import Testing

@testable import OCIRuntime

@Suite struct PlannerMounts {
    func mounts(_ mounts: Mount...) -> Config { Config.plain.with { $0.mounts = mounts } }

    @Test(
        arguments: [
            (nil, ["bind"], false), ("none", ["rbind"], true), ("bind", [], false),
            ("bind", ["rbind"], true), ("tmpfs", ["bind"], false), ("cgroup", ["rbind"], true),
        ] as [(String?, [String], Bool)])
    func bindMounts(_ type: String?, _ options: [String], _ recursive: Bool) throws {
        let mount = Mount(destination: "/a", type: type, source: "/s", options: options)
        let plan = try mounts(mount).plan()
        #expect(plan.mount(0)?.kind == .bind(source: "/s", recursive: recursive))
    }

    @Test func pathsAreCompleted() throws {
        let plan = try mounts(
            Mount(destination: "data", source: "volumes/data", options: ["bind"])
        ).plan()
        #expect(plan.mount(0)?.destination == "/data")
        #expect(
            plan.mount(0)?.kind == .bind(source: "/bundle/volumes/data", recursive: false))
    }

    @Test(arguments: [
        ("rootfs", "/bundle/rootfs"), ("/srv/root", "/srv/root"), ("../r", "/bundle/../r"),
    ])
    func theRootIsCompleted(_ path: String, _ full: String) throws {
        let plan = try Config.plain.with { $0.root?.path = path }.plan()
        #expect(plan.summaries("open root") == [full])
    }

    @Test func fileSystems() throws {
        let plan = try mounts(
            Mount(
                destination: "/t", type: "tmpfs", source: "shm",
                options: ["nosuid", "sync", "iversion", "size=1m", "strictatime"])
        ).plan()
        let mount = try #require(plan.mount(0))
        #expect(
            mount.kind
                == .fileSystem(
                    FileSystemPlan(
                        type: "tmpfs", source: "shm", superblockFlags: ["sync"],
                        classicFlags: 1 << 23, data: ["size=1m"])))
        #expect(mount.setting == 0x22)
        #expect(plan.warnings.isEmpty)
    }

    @Test func remounts() throws {
        let plan = try mounts(
            Mount(destination: "/", options: ["bind", "remount", "ro"]),
            Mount(destination: "/x", type: "tmpfs", options: ["remount", "rw", "size=2m"])
        ).plan()
        #expect(plan.mount(0)?.kind == .remount(superblock: nil))
        #expect(plan.mount(0)?.setting == 1)
        #expect(
            plan.mount(1)?.kind
                == .remount(
                    superblock:
                        FileSystemPlan(
                            type: "tmpfs", source: nil, superblockFlags: ["rw"], data: ["size=2m"]))
        )
    }

    @Test func whatABindMountIgnoresIsAWarning() throws {
        let plan = try mounts(
            Mount(destination: "/a", source: "/s", options: ["bind", "ro", "sync", "mode=700"])
        ).plan()
        #expect(plan.warnings.count == 1)
        #expect(plan.warnings.first?.hasPrefix("/mounts/0/options: ") == true)
        #expect(plan.warnings.first?.hasSuffix("mode=700,sync") == true)
    }

    @Test func copyingUpIsForTmpfs() throws {
        let plan = try mounts(
            Mount(destination: "/a", type: "tmpfs", options: ["tmpcopyup"]),
            Mount(destination: "/b", type: "proc", options: ["tmpcopyup"])
        ).plan()
        #expect(plan.mount(0)?.copyUp == true)
        #expect(plan.warnings == ["/mounts/1/options: tmpcopyup is for tmpfs only"])
    }

    /// Mount points and devices are still to be made in them.
    @Test func readOnlyTmpfsAndDevBecomeSoAtTheEnd() throws {
        let plan = try mounts(
            Mount(destination: "/dev/", type: "devtmpfs", options: ["ro", "nosuid"]),
            Mount(destination: "/run", type: "tmpfs", options: ["ro"]),
            Mount(destination: "/sys", type: "sysfs", options: ["ro"]),
            Mount(destination: "/b", source: "/b", options: ["bind", "ro"]),
            Mount(destination: "/c", source: "/c", options: ["rbind", "rro"]),
            Mount(destination: "/c/d", type: "tmpfs")
        ).plan()
        #expect(plan.mount(0)?.setting == 0x2)
        #expect(plan.mount(1)?.setting == 0)
        #expect(plan.mount(1)?.kind == .fileSystem(FileSystemPlan(type: "tmpfs", source: nil)))
        #expect(plan.mount(2)?.setting == 1)
        #expect(plan.mount(3)?.setting == 1)
        #expect(plan.mount(4)?.recursiveSetting == 1 && plan.mount(4)?.clearing == 1)
        #expect(plan.summaries("make mount read-only") == ["/dev/", "/run", "/c"])
        #expect(plan.places("make mount read-only") == ["/mounts/0", "/mounts/1", "/mounts/4"])
        let pivot = try #require(plan.first("pivot_root"))
        let last = try #require(plan.first("make mount read-only"))
        #expect(pivot < last)
    }

    @Test(arguments: ["/proc", "/sys", "/dev/mqueue"])
    func specialFileSystemsTakeNoLabel(_ destination: String) throws {
        let types = ["/proc": "proc", "/sys": "sysfs", "/dev/mqueue": "mqueue"]
        let config = mounts(Mount(destination: destination, type: types[destination])).with {
            $0.linux.mountLabel = "label:a,b"
        }
        let plan = try config.plan(facts { $0.seLinux = { true } })
        guard case .fileSystem(let system) = plan.mount(0)?.kind else {
            Issue.record("not a file system")
            return
        }
        #expect(system.data.isEmpty)
    }

    @Test func labels() throws {
        let config = mounts(Mount(destination: "/t", type: "tmpfs", options: ["size=1m"])).with {
            $0.linux.mountLabel = "label:a,b"
        }
        let plan = try config.plan(facts { $0.seLinux = { true } })
        #expect(
            plan.mount(0)?.kind
                == .fileSystem(
                    FileSystemPlan(
                        type: "tmpfs", source: nil, data: ["size=1m", "context=\"label:a,b\""])))
        #expect(
            try config.plan().warnings
                == ["/linux/mountLabel: ignored: SELinux is not enabled on this host"])
    }

    // MARK: cgroups

    let cgroup = Mount(destination: "/sys/fs/cgroup", type: "cgroup", options: ["ro", "nosuid"])

    @Test func classicCgroups() throws {
        let config = mounts(cgroup).with { $0.linux.cgroupsPath = "/x/y" }
        guard case .cgroup(.hierarchies(let own, true)) = try config.plan().mount(0)?.kind else {
            Issue.record("not cgroup v1")
            return
        }
        #expect(own.map(\.name).contains("cpu,cpuacct"))
        #expect(own.allSatisfy { $0.options != nil })
        let shared = config.with { $0.linux.namespaces.removeAll { $0.type == .cgroup } }
        guard case .cgroup(.hierarchies(let binds, true)) = try shared.plan().mount(0)?.kind else {
            Issue.record("not cgroup v1")
            return
        }
        #expect(binds.allSatisfy { $0.options == nil && $0.source.hasSuffix("/x/y") })
    }

    @Test func unifiedCgroups() throws {
        var mount = cgroup
        mount.options += ["nsdelegate,memory_recursiveprot"]
        let config = mounts(mount).with { $0.linux.cgroupsPath = "/x/y" }
        #expect(
            try config.plan(facts(.v2)).mount(0)?.kind
                == .cgroup(
                    .unified(
                        FileSystemPlan(
                            type: "cgroup2", source: "cgroup",
                            data: ["nsdelegate", "memory_recursiveprot"]))))
        let warnings = try config.plan().warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.hasSuffix("nsdelegate,memory_recursiveprot") == true)
        let shared = config.with { $0.linux.namespaces.removeAll { $0.type == .cgroup } }
        #expect(
            try shared.plan(facts(.v2)).mount(0)?.kind
                == .cgroup(.unifiedBind(source: "/sys/fs/cgroup/x/y")))
    }

    // MARK: id mappings

    let ids = [IDMapping(containerID: 0, hostID: 1000, size: 10)]

    @Test(arguments: [(["bind", "idmap"], false), (["rbind", "ridmap"], true), (["bind"], false)])
    func idMappedMounts(_ options: [String], _ recursive: Bool) throws {
        let mount = Mount(
            destination: "/a", source: "/s", options: options, uidMappings: ids, gidMappings: ids)
        // The init has the rights itself.
        let plan = try mounts(mount).plan()
        #expect(plan.mount(0)?.idMap == (recursive ? .recursive : .single))
        #expect(plan.mount(0)?.sourceIsOpen == false)
        #expect(plan.summaries("make id map") == ["uids 0=1000+10; gids 0=1000+10"])
        // In a user namespace the host does it.
        let mapped = try Config.mapped.with { $0.mounts = [mount] }.plan()
        #expect(mapped.mount(0)?.idMap == nil)
        #expect(mapped.mount(0)?.sourceIsOpen == true)
        #expect(
            mapped.summaries("map mount source")
                == ["uids 0=1000+10; gids 0=1000+10" + (recursive ? "; recursive" : "")])
    }

    @Test func mappingsInTheOption() throws {
        let option = "idmap=uids=@0-1-10;gids=0-100-10"
        func mount(_ option: String) -> Mount {
            Mount(destination: "/a", source: "/s", options: ["bind", option])
        }
        let plain = try mounts(
            mount("idmap=uids=0-1-10#10-11-10;gids=0-100-10")
        ).plan()
        #expect(plain.summaries("make id map") == ["uids 0=1+10 10=11+10; gids 0=100+10"])
        #expect(plain.mount(0)?.idMap == .single)
        #expect(throws: PlanError.self) { try mounts(mount(option)).plan() }
        // crun.1, "idmap mount options": relative to the container's user namespace.
        let config = Config.mapped.with {
            $0.linux.uidMappings = [
                IDMapping(containerID: 0, hostID: 0, size: 1),
                IDMapping(containerID: 1, hostID: 2, size: 1000),
            ]
        }
        let relative = try config.with { $0.mounts = [mount("ridmap=gids=0-1-1;uids=@1-3-10")] }
            .plan()
        #expect(relative.summaries("map mount source") == ["uids 1=4+10; gids 0=1+1; recursive"])
        for bad in [
            "", "uids=", "uids=0-1-1", "uids=0-1-1;gids=", "uids=0-1;gids=0-1-1", "x=0-1-1",
            "uids=0-1-1;gids=0--1-1", "uids=0-1-1;gids=0-1-0", "uids=0-1-4294967296;gids=0-1-1",
            "uids=@0-0-2;gids=0-1-1", "uids=@1-2000-1;gids=0-1-1", "uids=0-+1-1;gids=0-1-1",
        ] {
            #expect(throws: PlanError.self, "\(bad)") {
                try config.with { $0.mounts = [mount("idmap=\(bad)")] }.plan()
            }
        }
    }

    @Test func theContainersMappingsServeWhereAMountHasNone() throws {
        let mount = Mount(destination: "/a", source: "/s", options: ["bind", "idmap"])
        let plan = try Config.mapped.with { $0.mounts = [mount] }.plan()
        #expect(
            plan.summaries("map mount source") == ["uids 0=100000+65536; gids 0=100000+65536"])
    }

    @Test func thoseOfAJoinedUserNamespaceServeToo() throws {
        let mount = Mount(destination: "/a", source: "/s", options: ["bind", "idmap"])
        let config = Config.plain.with {
            $0.mounts = [mount]
            $0.linux.namespaces.append(Namespace(type: .user, path: "/proc/1/ns/user"))
        }
        #expect(
            try config.plan().summaries("map mount source")
                == ["those of the joined user namespace"])
        #expect(throws: PlanError.self) {
            try config.with { $0.linux.namespaces.removeLast() }.plan()
        }
    }

    /// A read-only path is bound onto itself.
    @Test func unbindableMountsBecomeSoAtTheEnd() throws {
        let plan = try mounts(Mount(destination: "/t", type: "tmpfs", options: ["unbindable"]))
            .with { $0.linux.readonlyPaths = ["/t/x"] }.plan()
        #expect(plan.mount(0)?.propagation == [])
        #expect(plan.summaries("mount") == ["/t tmpfs", "/t remount: unbindable"])
    }

    @Test func sourcesAreOpenedForAUserNamespace() throws {
        let config = Config.mapped.with {
            $0.mounts = [
                Mount(destination: "/proc", type: "proc"),
                Mount(destination: "/a", source: "/s", options: ["rbind"]),
            ]
        }
        let plan = try config.plan()
        #expect(plan.places("open mount source") == ["/mounts/1"])
        #expect(plan.summaries("open mount source") == ["/s, recursive"])
        #expect(plan.mount(1)?.sourceIsOpen == true)
        // An ordinary user has no more rights than the init.
        let rootless = config.with {
            $0.linux.uidMappings = [IDMapping(containerID: 0, hostID: 1000, size: 1)]
            $0.linux.gidMappings = $0.linux.uidMappings
        }
        #expect(try rootless.plan(ordinaryUser()).places("open mount source").isEmpty)
    }
}
