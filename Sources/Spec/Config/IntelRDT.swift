/// Resource Director settings (config-linux.md, "IntelRdt").
public struct IntelRDT: Sendable, Equatable {
    /// The class of service, `/` for the default one, or nil for one named after the container.
    public var closID: String?
    /// Lines for the `schemata` file, written last.
    public var schemata: [String]
    /// The L3 cache line, or nil.
    public var l3CacheSchema: String?
    /// The memory bandwidth line, or nil.
    public var memBwSchema: String?
    /// Whether the container gets a monitoring group of its own.
    public var enableMonitoring: Bool

    /// Makes a set of settings.
    public init(
        closID: String? = nil, schemata: [String] = [], l3CacheSchema: String? = nil,
        memBwSchema: String? = nil, enableMonitoring: Bool = false
    ) {
        self.closID = closID
        self.schemata = schemata
        self.l3CacheSchema = l3CacheSchema
        self.memBwSchema = memBwSchema
        self.enableMonitoring = enableMonitoring
    }
}

extension IntelRDT {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            closID: try object.nonEmpty("closID"),
            schemata: try object.strings("schemata") ?? [],
            l3CacheSchema: try object.nonEmpty("l3CacheSchema"),
            memBwSchema: try object.nonEmpty("memBwSchema"),
            enableMonitoring: try object.bool("enableMonitoring") ?? false)
    }
}
