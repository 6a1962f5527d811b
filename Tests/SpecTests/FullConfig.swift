/// A config with every property of runtime-spec 1.3's Linux part, none of them empty or zero where
/// that could pass for absent.
let fullConfig = #"""
    {
      "ociVersion": "1.3.0",
      "process": {
        "terminal": true,
        "consoleSize": {"height": 25, "width": 80},
        "user": {"uid": 1, "gid": 2, "umask": 63, "additionalGids": [5, 6]},
        "args": ["sh", "-c", "echo \"h\u00e9llo\" \ud83d\ude00"],
        "env": ["PATH=/bin", "TERM=xterm"],
        "cwd": "/root",
        "capabilities": {
          "bounding": ["CAP_KILL"],
          "effective": ["CAP_KILL"],
          "inheritable": ["CAP_KILL"],
          "permitted": ["CAP_KILL"],
          "ambient": ["CAP_KILL"]
        },
        "rlimits": [
          {"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 1024},
          {"type": "RLIMIT_CORE", "hard": 3, "soft": 2}
        ],
        "noNewPrivileges": true,
        "apparmorProfile": "acme_secure_profile",
        "oomScoreAdj": -100,
        "scheduler": {
          "policy": "SCHED_DEADLINE", "nice": 5, "priority": 3,
          "flags": ["SCHED_FLAG_RESET_ON_FORK"],
          "runtime": 10, "deadline": 20, "period": 30
        },
        "selinuxLabel": "system_u:system_r:svirt_lxc_net_t:s0:c124,c675",
        "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 4},
        "execCPUAffinity": {"initial": "7", "final": "0-3,7"}
      },
      "root": {"path": "rootfs", "readonly": true},
      "hostname": "box",
      "domainname": "box.test",
      "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"]},
        {
          "destination": "/data", "type": "none", "source": "/srv/data",
          "options": ["rbind", "ro", "idmap"],
          "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 10}],
          "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 20}]
        }
      ],
      "hooks": {
        "prestart": [{"path": "/a", "args": ["a", "b"], "env": ["A=1"], "timeout": 1}],
        "createRuntime": [{"path": "/b", "args": ["b"], "env": ["B=1"], "timeout": 2}],
        "createContainer": [{"path": "/c", "args": ["c"], "env": ["C=1"], "timeout": 3}],
        "startContainer": [{"path": "/d", "args": ["d"], "env": ["D=1"], "timeout": 4}],
        "poststart": [{"path": "/e", "args": ["e"], "env": ["E=1"], "timeout": 5}],
        "poststop": [{"path": "/f", "args": ["f"], "env": ["F=1"], "timeout": 6}]
      },
      "annotations": {"com.example/a~b": "1", "com.example.empty": ""},
      "linux": {
        "uidMappings": [{"containerID": 0, "hostID": 100000, "size": 65536}],
        "gidMappings": [{"containerID": 0, "hostID": 200000, "size": 65536}],
        "sysctl": {"net.ipv4.ip_forward": "1", "kernel.shmmax": "67108864"},
        "resources": {
          "devices": [
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"}
          ],
          "memory": {
            "limit": 536870912, "reservation": 268435456, "swap": 1073741824, "kernel": -1,
            "kernelTCP": -1, "swappiness": 10, "disableOOMKiller": true, "useHierarchy": true,
            "checkBeforeUpdate": true
          },
          "cpu": {
            "shares": 1024, "quota": 100000, "burst": 50000, "period": 500000,
            "realtimeRuntime": 950000, "realtimePeriod": 1000000, "cpus": "2-3", "mems": "0-7",
            "idle": 1
          },
          "pids": {"limit": 32771},
          "blockIO": {
            "weight": 10, "leafWeight": 20,
            "weightDevice": [{"major": 8, "minor": 1, "weight": 500, "leafWeight": 300}],
            "throttleReadBpsDevice": [{"major": 8, "minor": 2, "rate": 600}],
            "throttleWriteBpsDevice": [{"major": 8, "minor": 3, "rate": 700}],
            "throttleReadIOPSDevice": [{"major": 8, "minor": 4, "rate": 800}],
            "throttleWriteIOPSDevice": [{"major": 8, "minor": 5, "rate": 900}]
          },
          "hugepageLimits": [{"pageSize": "2MB", "limit": 9223372036854775808}],
          "network": {"classID": 1048577, "priorities": [{"name": "eth0", "priority": 500}]},
          "rdma": {"mlx5_1": {"hcaHandles": 3, "hcaObjects": 10000}},
          "unified": {"memory.high": "100000000", "hugetlb.1GB.max": "1073741824"}
        },
        "cgroupsPath": "/myRuntime/myContainer",
        "namespaces": [
          {"type": "pid", "path": "/proc/1/ns/pid"}, {"type": "network"}, {"type": "mount"},
          {"type": "ipc"}, {"type": "uts"}, {"type": "user"}, {"type": "cgroup"}, {"type": "time"}
        ],
        "devices": [
          {
            "path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 438,
            "uid": 1, "gid": 2
          }
        ],
        "netDevices": {"eth0": {"name": "container_eth0"}},
        "seccomp": {
          "defaultAction": "SCMP_ACT_ERRNO",
          "defaultErrnoRet": 38,
          "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
          "flags": ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"],
          "listenerPath": "/run/agent.sock",
          "listenerMetadata": "opaque",
          "syscalls": [
            {
              "names": ["clone", "read"],
              "action": "SCMP_ACT_TRACE",
              "errnoRet": 1,
              "args": [
                {
                  "index": 1, "value": 18446744073709551615, "valueTwo": 7,
                  "op": "SCMP_CMP_MASKED_EQ"
                }
              ]
            },
            {"names": ["mknod"], "action": "SCMP_ACT_NOTIFY"}
          ]
        },
        "rootfsPropagation": "slave",
        "maskedPaths": ["/proc/kcore"],
        "readonlyPaths": ["/proc/sys"],
        "mountLabel": "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811",
        "intelRdt": {
          "closID": "guaranteed", "schemata": ["L3:0=7f0", "MB:0=20"], "l3CacheSchema": "L3:0=f",
          "memBwSchema": "MB:0=20", "enableMonitoring": true
        },
        "memoryPolicy": {
          "mode": "MPOL_INTERLEAVE", "nodes": "2-3", "flags": ["MPOL_F_STATIC_NODES"]
        },
        "personality": {"domain": "LINUX32", "flags": ["FLAG"]},
        "timeOffsets": {
          "monotonic": {"secs": 172800, "nanosecs": 5}, "boottime": {"secs": -604800, "nanosecs": 6}
        }
      }
    }
    """#
