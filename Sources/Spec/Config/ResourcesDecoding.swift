extension Resources {
    /// Parses and decodes limits, such as the file of `update --resources`.
    public init(parsing document: [UInt8]) throws(ConfigError) {
        try self.init(json: try JSONValue(parsing: document))
    }

    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        let pids = try object.decode("pids") { value throws(ConfigError) in try value.object() }
        self.init(
            devices: try object.list("devices", DeviceRule.init(json:)) ?? [],
            memory: try object.decode("memory", Memory.init(json:)) ?? Memory(),
            cpu: try object.decode("cpu", CPU.init(json:)) ?? CPU(),
            pidsLimit: try pids?.integer("limit"),
            blockIO: try object.decode("blockIO", BlockIO.init(json:)) ?? BlockIO(),
            hugepageLimits: try object.list("hugepageLimits", HugepageLimit.init(json:)) ?? [],
            network: try object.decode("network", Network.init(json:)) ?? Network(),
            rdma: try object.map("rdma", RDMA.init(json:)) ?? [:],
            unified: try object.stringMap("unified") ?? [:])
    }
}

extension Resources.DeviceRule {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            allow: try object.required("allow").bool(),
            type: try object.wordOrEmpty("type") ?? .all,
            major: try object.deviceNumber("major"),
            minor: try object.deviceNumber("minor"),
            access: try object.decode("access", Access.init(json:)) ?? .all)
    }
}

extension Resources.DeviceRule.Access {
    /// A composition of `r`, `w` and `m`; the empty string counts as absent.
    package init(json: JSONValue) throws(ConfigError) {
        let text = try json.string()
        self = text.isEmpty ? .all : []
        for letter in text.utf8 {
            switch letter {
            case UInt8(ascii: "r"): insert(.read)
            case UInt8(ascii: "w"): insert(.write)
            case UInt8(ascii: "m"): insert(.mknod)
            default:
                throw json.error(
                    "unknown access in \(quoted(text))", hint: "known are the letters r, w, m")
            }
        }
    }
}

extension Resources.Memory {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            limit: try object.integer("limit"),
            reservation: try object.integer("reservation"),
            swap: try object.integer("swap"),
            kernel: try object.integer("kernel"),
            kernelTCP: try object.integer("kernelTCP"),
            swappiness: try object.integer("swappiness"),
            disableOOMKiller: try object.bool("disableOOMKiller"),
            useHierarchy: try object.bool("useHierarchy"),
            checkBeforeUpdate: try object.bool("checkBeforeUpdate"))
    }
}

extension Resources.CPU {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            shares: try object.integer("shares"),
            quota: try object.integer("quota"),
            burst: try object.integer("burst"),
            period: try object.integer("period"),
            realtimeRuntime: try object.integer("realtimeRuntime"),
            realtimePeriod: try object.integer("realtimePeriod"),
            cpus: try object.nonEmpty("cpus"),
            mems: try object.nonEmpty("mems"),
            idle: try object.integer("idle"))
    }
}

extension Resources.HugepageLimit {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            pageSize: try object.required("pageSize").string(),
            limit: try object.required("limit").integer())
    }
}

extension Resources.Network {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            classID: try object.integer("classID"),
            priorities: try object.list("priorities", Priority.init(json:)) ?? [])
    }
}

extension Resources.Network.Priority {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            name: try object.required("name").string(),
            priority: try object.required("priority").integer())
    }
}

extension Resources.RDMA {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            hcaHandles: try object.integer("hcaHandles"),
            hcaObjects: try object.integer("hcaObjects"))
    }
}

extension JSONObject {
    /// The number of a device rule, or nil for all; -1 is how runc's own API writes "all".
    fileprivate func deviceNumber(_ name: StaticString) throws(ConfigError) -> Int64? {
        let number: Int64? = try integer(name)
        return number == -1 ? nil : number
    }
}
