/// The lifecycle hooks, each kind in the order to run (config.md, "POSIX-platform Hooks").
public struct Hooks: Sendable, Equatable {
    /// Deprecated; run in the runtime namespace during `create`.
    public var prestart: [Hook]
    /// Run in the runtime namespace during `create`, before `pivot_root`.
    public var createRuntime: [Hook]
    /// Run in the container namespace during `create`, before `pivot_root`.
    public var createContainer: [Hook]
    /// Run in the container namespace during `start`, before the user's program.
    public var startContainer: [Hook]
    /// Run in the runtime namespace after the user's program was started.
    public var poststart: [Hook]
    /// Run in the runtime namespace after the container was deleted.
    public var poststop: [Hook]

    /// Makes a set of hooks.
    public init(
        prestart: [Hook] = [], createRuntime: [Hook] = [], createContainer: [Hook] = [],
        startContainer: [Hook] = [], poststart: [Hook] = [], poststop: [Hook] = []
    ) {
        self.prestart = prestart
        self.createRuntime = createRuntime
        self.createContainer = createContainer
        self.startContainer = startContainer
        self.poststart = poststart
        self.poststop = poststop
    }
}

/// One hook.
public struct Hook: Sendable, Equatable {
    /// The program: an absolute path.
    public var path: String
    /// The whole argv, its first entry included; empty when the config has none.
    public var args: [String]
    /// The environment, or nil when the config has none.
    public var env: [String]?
    /// Seconds until the hook is aborted, or nil for no limit.
    public var timeout: Int64?

    /// Makes a hook.
    public init(
        path: String, args: [String] = [], env: [String]? = nil, timeout: Int64? = nil
    ) {
        self.path = path
        self.args = args
        self.env = env
        self.timeout = timeout
    }
}

extension Hooks {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            prestart: try object.list("prestart", Hook.init(json:)) ?? [],
            createRuntime: try object.list("createRuntime", Hook.init(json:)) ?? [],
            createContainer: try object.list("createContainer", Hook.init(json:)) ?? [],
            startContainer: try object.list("startContainer", Hook.init(json:)) ?? [],
            poststart: try object.list("poststart", Hook.init(json:)) ?? [],
            poststop: try object.list("poststop", Hook.init(json:)) ?? [])
    }
}

extension Hook {
    package init(json: JSONValue) throws(ConfigError) {
        let object = try json.object()
        self.init(
            path: try object.required("path").string(),
            args: try object.strings("args") ?? [],
            env: try object.strings("env"),
            timeout: try object.integer("timeout"))
    }
}
