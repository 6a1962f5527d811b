import Arguments

/// A cgroup below the container's for `exec --cgroup [CONTROLLER[,CONTROLLER...]:]PATH`.
struct SubCgroup: Equatable {
    /// The v1 controllers whose hierarchies are meant; empty for cgroup v2.
    let controllers: [String]
    /// The path below the container's cgroup.
    let path: String

    /// Reads all values of the flag: one path for cgroup v2, or paths for controllers that each
    /// occur once.
    static func list(_ texts: [String]) throws(UsageError) -> [SubCgroup] {
        var list: [SubCgroup] = []
        var seen: [String] = []
        // An engine's empty value: the container's own.
        if texts == [""] { return [] }
        for text in texts {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let path = parts.last, !path.isEmpty else {
                throw argument(text, "empty path")
            }
            var controllers: [String] = []
            if parts.count == 2 {
                controllers = parts[0].split(separator: ",", omittingEmptySubsequences: false)
                    .map(String.init)
            } else if texts.count > 1 {
                throw argument(text, "missing <controller>: prefix")
            }
            for name in controllers {
                if name.isEmpty { throw argument(text, "empty <controller> prefix") }
                if seen.contains(name) {
                    throw UsageError(
                        "invalid --cgroup argument(s): controller \(name) specified multiple times")
                }
                seen.append(name)
            }
            list.append(SubCgroup(controllers: controllers, path: String(path)))
        }
        return list
    }

    private static func argument(_ text: String, _ flaw: String) -> UsageError {
        UsageError("invalid --cgroup argument: \(text) (\(flaw))")
    }
}
