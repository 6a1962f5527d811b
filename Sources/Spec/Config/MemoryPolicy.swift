/// The NUMA memory policy, as for set_mempolicy(2) (config-linux.md, "Memory policy").
public struct MemoryPolicy: Sendable, Equatable {
    /// The mode.
    public var mode: MemoryPolicyMode
    /// The memory nodes, as a list such as `0-3,7`; or nil.
    public var nodes: String?
    /// The flags.
    public var flags: [MemoryPolicyFlag]

    /// Makes a policy.
    public init(mode: MemoryPolicyMode, nodes: String? = nil, flags: [MemoryPolicyFlag] = []) {
        self.mode = mode
        self.nodes = nodes
        self.flags = flags
    }
}

/// A mode of set_mempolicy(2); the raw value is the kernel's name.
public enum MemoryPolicyMode: String, Sendable, CaseIterable {
    /// The system's default.
    case `default` = "MPOL_DEFAULT"
    /// Only from these nodes.
    case bind = "MPOL_BIND"
    /// Spread over these nodes.
    case interleave = "MPOL_INTERLEAVE"
    /// Spread by weight over these nodes.
    case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"
    /// From one node if possible.
    case preferred = "MPOL_PREFERRED"
    /// From some nodes if possible.
    case preferredMany = "MPOL_PREFERRED_MANY"
    /// From the node of the CPU.
    case local = "MPOL_LOCAL"
}

/// A flag of set_mempolicy(2); the raw value is the kernel's name.
public enum MemoryPolicyFlag: String, Sendable, CaseIterable {
    /// NUMA balancing.
    case numaBalancing = "MPOL_F_NUMA_BALANCING"
    /// The nodes are relative to the allowed ones.
    case relativeNodes = "MPOL_F_RELATIVE_NODES"
    /// The nodes stay as given.
    case staticNodes = "MPOL_F_STATIC_NODES"
}

extension MemoryPolicy {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            mode: try object.required("mode").word(),
            nodes: try object.nonEmpty("nodes"),
            flags: try object.words("flags") ?? [])
    }
}
