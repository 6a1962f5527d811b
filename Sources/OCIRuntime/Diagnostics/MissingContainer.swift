import Glibc
import Sys

extension RuntimeError {
    /// There is no container `id` below `root`; where there is one elsewhere, that is told.
    init(missing id: String, root: String) {
        var hint = exists(root) ? "looked in \(root)" : "\(root) does not exist"
        let others = StateRoots.holding(id).filter { !$0.utf8.elementsEqual(root.utf8) }
        if !others.isEmpty {
            hint +=
                "; one of that name is in " + others.joined(separator: " and ")
                + ": give that as --root"
        }
        self.init("container does not exist: \"\(id)\"", hint: hint)
    }
}

/// Where runtimes and the engines that call them keep the state of containers.
private enum StateRoots {
    static func holding(_ id: String) -> [String] {
        all.filter { exists("\($0)/\(id)") }.reduce(into: []) { roots, root in
            if !roots.contains(root) { roots.append(root) }
        }
    }

    private static var all: [String] {
        var roots = ["/run/swrunc", "/run/runc", "/run/crun"]
        for directory in [environmentVariable("XDG_RUNTIME_DIR"), "/run/user/\(effectiveUser)"] {
            guard let directory else { continue }
            roots += ["swrunc", "runc", "crun"].map { "\(directory)/\($0)" }
        }
        // containerd has a root for each of its namespaces, Docker one for each of its runtimes.
        roots += names(in: "/run/containerd/runc").map { "/run/containerd/runc/\($0)" }
        for name in names(in: "/run/docker") where name.hasPrefix("runtime-") {
            roots += names(in: "/run/docker/\(name)").map { "/run/docker/\(name)/\($0)" }
        }
        return roots
    }

    private static func names(in path: String) -> [String] {
        guard let directory = try? openFile(path, O_RDONLY | O_DIRECTORY) else { return [] }
        return ((try? directory.names()) ?? []).sorted()
    }
}
