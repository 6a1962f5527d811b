import Foundation

extension Container {
    /// Where hooks of this test write; seen at the same path by hooks of every kind.
    var hookLog: String { directory + "/hooks" }

    /// The kinds of hooks in the order of the lifecycle.
    static let hookKinds = [
        "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
    ]

    /// Adds a hook that runs `script`; `$STATE` is what came on its stdin.
    func addHook(
        _ kind: String, _ script: String, timeout: Int? = nil, env: [String] = [],
        args: [String] = []
    ) {
        var hook: JSON = [
            "path": "/bin/sh",
            "args": JSON(["sh", "-c", "STATE=$(cat)\n" + script, "sh"] + args),
            "env": JSON(["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] + env),
        ]
        if let timeout { hook.timeout = JSON(timeout) }
        config.addHook(kind, hook)
    }

    /// Adds a hook of each kind that writes a line `KIND MARK` into the log, `MARK` being the
    /// output of `script`. Container hooks write through the bind mount of the test's directory.
    func addLoggingHooks(_ script: String = "echo", kinds: [String] = Container.hookKinds) {
        config.bind(directory, at: directory)
        for kind in kinds {
            addHook(kind, "echo \"\(kind) $(\(script))\" >> \(hookLog)")
        }
    }

    /// The log's lines, without trailing spaces.
    var hookLines: [String] {
        readText(hookLog).split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }
}
