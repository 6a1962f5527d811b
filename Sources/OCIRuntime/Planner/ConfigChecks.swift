import Init
import Spec

/// What the config may not ask for, together or at all: refused before anything is planned.
extension Planner {
    mutating func check() throws(PlanError) {
        guard let root = config.root else { throw PlanError("/root", "is required") }
        if root.path.isEmpty { throw PlanError("/root/path", "is empty") }
        try checkSupported()
        try checkUserNamespace()
        try checkNames()
        try checkTimeOffsets()
        if !namespaces.has(.mount) { try checkWithoutMountNamespace(root) }
        if options.noPivot, let propagation = config.linux.rootfsPropagation,
            propagation == .private || propagation == .rprivate
        {
            throw PlanError(
                "/linux/rootfsPropagation",
                "\(propagation.rawValue) is not safe without pivot_root",
                hint: "leave out --no-pivot")
        }
    }

    /// Properties that nothing acts on yet: better refused than ignored.
    private func checkSupported() throws(PlanError) {
        let linux = config.linux
        if linux.intelRdt != nil { throw PlanError("/linux/intelRdt", "is not supported yet") }
        if !linux.netDevices.isEmpty {
            throw PlanError("/linux/netDevices", "is not supported yet")
        }
        if let personality = linux.personality, !personality.flags.isEmpty {
            throw PlanError("/linux/personality/flags", "no flags are defined")
        }
    }

    private mutating func checkUserNamespace() throws(PlanError) {
        let linux = config.linux
        let hasMappings = !linux.uidMappings.isEmpty || !linux.gidMappings.isEmpty
        if namespaces.isNew(.user) {
            try checkMapsRoot(linux.uidMappings, "/linux/uidMappings")
            try checkMapsRoot(linux.gidMappings, "/linux/gidMappings")
        } else if namespaces.isJoined(.user) {
            if hasMappings {
                warn("/linux/uidMappings", "ignored: the joined user namespace has its own")
            }
        } else if hasMappings {
            let place = linux.uidMappings.isEmpty ? "/linux/gidMappings" : "/linux/uidMappings"
            throw PlanError(place, "needs a user namespace")
        } else if !isPrivileged {
            throw PlanError(
                "/linux/namespaces", "needs a user namespace when not run as root",
                hint: "swrunc spec --rootless writes such a config")
        }
    }

    /// The init becomes the namespace's root, whom whatever it makes belongs to.
    private func checkMapsRoot(_ mappings: [IDMapping], _ place: String) throws(PlanError) {
        if mappings.isEmpty {
            throw PlanError(place, "is required for a new user namespace")
        }
        if !mappings.maps(0) {
            throw PlanError(place, "maps no id 0, which the container is built as")
        }
    }

    private func checkNames() throws(PlanError) {
        guard !namespaces.has(.uts) else { return }
        let hint = "add {\"type\": \"uts\"} to /linux/namespaces"
        if config.hostname != nil {
            throw PlanError("/hostname", "needs a new uts namespace", hint: hint)
        }
        if config.domainname != nil {
            throw PlanError("/domainname", "needs a new uts namespace", hint: hint)
        }
    }

    private func checkTimeOffsets() throws(PlanError) {
        let offsets = config.linux.timeOffsets
        if offsets.isEmpty { return }
        let place = "/linux/timeOffsets"
        guard namespaces.isNew(.time) else {
            throw PlanError(place, "needs a new time namespace")
        }
        for offset in offsets where offset.key != "monotonic" && offset.key != "boottime" {
            throw PlanError(pointer(place, offset.key), "is no clock that has an offset")
        }
    }

    /// Whatever is mounted without one is mounted on the host.
    private func checkWithoutMountNamespace(_ root: Root) throws(PlanError) {
        func refuse(_ place: String) throws(PlanError) {
            throw PlanError(
                place, "needs a new mount namespace",
                hint: "add {\"type\": \"mount\"} to /linux/namespaces")
        }
        let linux = config.linux
        if root.readonly { try refuse("/root/readonly") }
        if !config.mounts.isEmpty { try refuse("/mounts/0") }
        if !linux.devices.isEmpty { try refuse("/linux/devices/0") }
        if !linux.maskedPaths.isEmpty { try refuse("/linux/maskedPaths/0") }
        if !linux.readonlyPaths.isEmpty { try refuse("/linux/readonlyPaths/0") }
        if linux.rootfsPropagation != nil { try refuse("/linux/rootfsPropagation") }
        if config.process?.terminal == true { try refuse("/process/terminal") }
        if namespaces.has(.user) { try refuse("/linux/namespaces") }
    }
}

/// `place/key` as a JSON pointer: `~` and `/` of the key are escaped (RFC 6901).
func pointer(_ place: String, _ key: String) -> String {
    guard key.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else {
        return place + "/" + key
    }
    var escaped = place + "/"
    for character in key.unicodeScalars {
        switch character {
        case "~": escaped += "~0"
        case "/": escaped += "~1"
        default: escaped.unicodeScalars.append(character)
        }
    }
    return escaped
}
