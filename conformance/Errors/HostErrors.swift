import Foundation
import Testing

extension Conformance.Errors {
    /// What the host lacks, or refuses.
    @Suite(.swruncOnly) struct Hints {
        private func complaint(_ edit: (Container) throws -> Void) throws -> String {
            var complaint = ""
            try withContainer { c in
                try edit(c)
                let outcome = try c.run()
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.split(separator: "\n").count == 1, "\(outcome)")
                complaint = outcome.stderr
            }
            return complaint
        }

        @Test("a namespace whose process has gone, one whose file is missing, and another's")
        func namespaces() throws {
            func joining(_ path: String) throws -> String {
                try complaint { $0.config.namespace("network", path: path) }
            }
            let gone = try joining("/proc/4194303/ns/net")
            #expect(gone.contains("process 4194303 is gone"), "\(gone)")
            let missing = try joining("/run/no-such-netns/x")
            #expect(missing.contains("there is no \"/run/no-such-netns\""), "\(missing)")
            #expect(missing.contains("network setup"), "\(missing)")
            #expect(try joining("/proc/self/ns/uts").contains("it is a uts namespace"))
            #expect(try joining("/etc/passwd").contains("it is no namespace"))
        }

        @Test("a root file system that the mapped root cannot reach: the directory is named")
        func unreachableRoot() throws {
            try withContainer { c in
                c.config.userNamespace(base: 100_000)
                chmod(c.directory, 0o700)
                let outcome = try c.run()
                #expect(outcome.failed)
                #expect(
                    outcome.stderr.contains("the directory \"\(c.directory)\" (mode 0700) may not"),
                    "\(outcome)")
                #expect(outcome.stderr.contains("the host's uid 100000"), "\(outcome)")
            }
        }

        @Test(
            "overlay's ENOENT: which directory is missing",
            arguments: ["lowerdir", "upperdir", "workdir"])
        func overlay(missing: String) throws {
            let text = try complaint { c in
                var options: [String] = []
                for name in ["lowerdir", "upperdir", "workdir"] {
                    let path = "\(c.directory)/\(name)"
                    if name != missing { mkdir(path, 0o755) }
                    options.append("\(name)=\(path)")
                }
                c.config.addMount("/mnt", type: "overlay", source: "overlay", options: options)
            }
            #expect(text.contains("; \(missing): there is no \""), "\(text)")
        }

        @Test("a value that a sysctl does not take, and what it holds")
        func sysctl() throws {
            let text = try complaint {
                $0.config.linux.sysctl = ["net.ipv4.ip_unprivileged_port_start": "99999"]
            }
            #expect(text.contains("the kernel does not take \"99999\" there"), "\(text)")
            #expect(text.contains("it holds \"1024\" now"), "\(text)")
        }

        @Test("time offsets out of range: at their own place, with the range")
        func timeOffset() throws {
            let text = try complaint { c in
                c.config.linux.namespaces.append(["type": "time"])
                c.config.linux.timeOffsets = [
                    "boottime": ["secs": 1], "monotonic": ["secs": -1_000_000_000_000],
                ]
            }
            #expect(text.contains("clone /linux/timeOffsets/monotonic"), "\(text)")
            #expect(text.contains("so that secs must be from -"), "\(text)")
        }

        @Test(
            "a file system that cannot be id-mapped: path and file system are named",
            .needsNewerCalls("mount_setattr(2) maps ids"))
        func idMap() throws {
            let mapping: JSON = [["containerID": 0, "hostID": 100_000, "size": 10]]
            let text = try complaint { c in
                c.config.bind("/sys", at: "/mnt", options: ["idmap"])
                c.config.editMount("/mnt") {
                    $0.uidMappings = mapping
                    $0.gidMappings = mapping
                }
            }
            #expect(text.contains("the file system of \"/sys\", sysfs,"), "\(text)")
            #expect(text.contains("cannot be id-mapped"), "\(text)")
        }

        @Test(
            "a descriptor is shown with what it is",
            .needsNewerCalls("openat2(2) is the call with a descriptor here"))
        func descriptor() throws {
            let text = try complaint { c in
                try writeText("", to: c.rootfs + "/file")
                c.config.bind("/tmp", at: "/file")
            }
            #expect(text.firstMatch(of: /\(\[\d+\]<\/[^>]+\/rootfs>, "\/file"/) != nil, "\(text)")
        }

        @Test("no error speaks of runc, though its words are kept")
        func name() throws {
            try withContainer { c in
                c.config.process.terminal = true
                let text = try c.create().stderr
                #expect(text.contains("cannot allocate tty"), "\(text)")
                #expect(text.firstMatch(of: /\brunc\b/) == nil, "\(text)")
                c.config.process.terminal = false
                let other = try c.create(["--console-socket", "/no/such"]).stderr
                #expect(other.contains("cannot use console socket"), "\(other)")
                #expect(other.firstMatch(of: /\brunc\b/) == nil, "\(other)")
            }
        }

        @Test("a socket that is missing, and one on which nobody listens")
        func sockets() throws {
            try withContainer { c in
                c.config.process.terminal = true
                let text = try c.create(["--console-socket", "/no/such.sock"]).stderr
                #expect(text.contains("there is no \"/no\""), "\(text)")
            }
        }

        @Test("the pid file's directory that is missing is named")
        func pidFile() throws {
            try withContainer { c in
                let text = try c.create(["--pid-file", "/no/such/pid"]).stderr
                #expect(text.contains("; there is no \"/no\""), "\(text)")
            }
        }
    }

    @Suite(.swruncOnly) struct Limits {
        private func complaint(_ resources: JSON) throws -> String {
            var complaint = ""
            try withContainer { c in
                for (name, value) in resources.object { c.config.linux.resources[name] = value }
                let outcome = try c.create()
                #expect(outcome.failed, "\(outcome)")
                complaint = outcome.stderr
            }
            return complaint
        }

        @Test("quota and period out of the kernel's range: with the range")
        func range() throws {
            let quota = try complaint(["cpu": ["quota": 500, "period": 100_000]])
            #expect(quota.contains("/linux/resources/cpu/quota"), "\(quota)")
            #expect(quota.contains("must be 1000 µs or more"), "\(quota)")
            let period = try complaint(["cpu": ["quota": 50000, "period": 10]])
            #expect(period.contains("must be from 1000 to 1000000 µs"), "\(period)")
        }

        @Test("a quota above the parent's, on v1", .enabled(if: Host.controller("cpu") != nil))
        func parent() throws {
            guard let cpu = Host.controller("cpu"), !exists("/sys/fs/cgroup/cgroup.controllers")
            else { return }
            try withContainer { c in
                let parent = "/p\(c.id)"
                mkdir(cpu + parent, 0o755)
                defer { rmdir(cpu + parent) }
                try writeText("20000", to: cpu + parent + "/cpu.cfs_quota_us")
                c.config.linux.cgroupsPath = .string(parent + "/c")
                c.config.linux.resources.cpu = ["quota": 50000]
                let outcome = try c.create()
                #expect(outcome.failed)
                #expect(
                    outcome.stderr.contains("the parent cgroup has, 20000 of 100000"),
                    "\(outcome)")
            }
        }

        @Test("processors that the parent does not have: those that it has are named")
        func cpus() throws {
            let text = try complaint(["cpu": ["cpus": "4000"]])
            #expect(text.firstMatch(of: /only what the parent cgroup has .*: \d/) != nil, "\(text)")
        }

        @Test("a pids limit beyond the kernel's, and a device that is not there")
        func others() throws {
            let pids = try complaint(["pids": ["limit": 1_099_511_627_776]])
            #expect(pids.contains("from 0 to 4194304"), "\(pids)")
            if Host.controller("blkio") != nil {
                let device: JSON = [["major": 250, "minor": 77, "rate": 1000]]
                let text = try complaint(["blockIO": ["throttleReadBpsDevice": device]])
                #expect(text.contains("the host has no block device 250:77"), "\(text)")
            }
        }

        @Test("a memory limit below what is in use: with current and peak")
        func memory() throws {
            try withRunningContainer(edit: {
                $0.shell("head -c 30000000 /dev/zero > /dev/shm/x; echo ready; sleep 600")
            }) { c in
                #expect(c.prints("ready"))
                let process: JSON = [
                    "memory": ["limit": 1_000_000, "checkBeforeUpdate": true]
                ]
                try writeText(process.text, to: c.directory + "/r.json")
                let outcome = c.runtime("update", "--resources", c.directory + "/r.json", c.id)
                #expect(outcome.failed, "\(outcome)")
                #expect(outcome.stderr.contains("/linux/resources/memory/limit"), "\(outcome)")
                let numbers = /already uses .*\d{8} bytes.*at most \d{8}/
                #expect(outcome.stderr.firstMatch(of: numbers) != nil, "\(outcome)")
            }
        }
    }
}
