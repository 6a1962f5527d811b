extension IntelRDT {
    package func validate() throws(ConfigError) {
        let place = "/linux/intelRdt"
        // The id becomes a directory of resctrl; "/" is its root.
        if let closID, closID != "/",
            closID == "." || closID == ".." || closID.utf8.contains(where: isSlashOrNewline)
        {
            throw ConfigError(
                place: place + "/closID", message: "\(quoted(closID)) is not a name")
        }
        for (index, line) in schemata.enumerated() where line.utf8.contains(UInt8(ascii: "\n")) {
            throw ConfigError(
                place: "\(place)/schemata/\(index)", message: "must not contain newlines")
        }
        guard let memBwSchema else { return }
        guard memBwSchema.utf8.starts(with: "MB:".utf8),
            !memBwSchema.utf8.contains(UInt8(ascii: "\n"))
        else {
            throw ConfigError(
                place: place + "/memBwSchema",
                message: "must start with \"MB:\" and must not contain newlines")
        }
    }

    private func isSlashOrNewline(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\n")
    }
}

extension MemoryPolicy {
    /// What set_mempolicy(2) would refuse with a bare EINVAL.
    func validate() throws(ConfigError) {
        let place = "/linux/memoryPolicy"
        try checkList(nodes, at: place + "/nodes")
        switch mode {
        case .default, .local:
            guard nodes == nil else {
                throw ConfigError(
                    place: place + "/nodes", message: "must be empty for \(mode.rawValue)")
            }
        case .bind, .interleave, .weightedInterleave, .preferredMany:
            guard nodes != nil else {
                throw ConfigError(
                    place: place + "/nodes", message: "is required for \(mode.rawValue)")
            }
        case .preferred:
            break
        }
        if flags.contains(.staticNodes), flags.contains(.relativeNodes) {
            throw ConfigError(
                place: place + "/flags",
                message: "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
        }
    }
}
