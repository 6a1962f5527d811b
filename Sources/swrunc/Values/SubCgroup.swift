import Arguments

/// A cgroup below the container's for `exec --cgroup [CONTROLLER[,CONTROLLER...]:]PATH`.
struct SubCgroup: Equatable {
    /// The v1 controllers whose hierarchies are meant; empty for cgroup v2.
    let controllers: [String]
    /// The path below the container's cgroup.
    let path: String

    /// Reads all values of the flag: one path for cgroup v2, or paths for controllers that each
    /// occur once.
    static func list(_ texts: [String], _ flag: Flag) throws(UsageError) -> [SubCgroup] {
        var list: [SubCgroup] = []
        var seen: [String] = []
        // An engine's empty value: the container's own.
        if texts == [""] { return [] }
        for text in texts {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard let path = parts.last, !path.isEmpty else {
                throw .invalid(text, for: flag, "the path is missing")
            }
            var controllers: [String] = []
            if parts.count == 2 {
                controllers = parts[0].split(separator: ",", omittingEmptySubsequences: false)
                    .map(String.init)
            } else if texts.count > 1 {
                throw .invalid(text, for: flag, "the controller is missing")
            }
            for name in controllers {
                if name.isEmpty { throw .invalid(text, for: flag, "a controller is missing") }
                if seen.contains(name) {
                    throw .invalid(text, for: flag, "controller \(name) was given before")
                }
                seen.append(name)
            }
            list.append(SubCgroup(controllers: controllers, path: String(path)))
        }
        return list
    }
}
