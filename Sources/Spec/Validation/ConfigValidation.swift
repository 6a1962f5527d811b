extension Config {
    /// Checks what the spec states and can be judged without the host.
    ///
    /// - Returns: what is worth a warning but stops nothing.
    /// - Throws: the first thing that is wrong, in the order of the document's sections.
    public func validate() throws(ConfigError) -> [ConfigWarning] {
        var warnings: [ConfigWarning] = []
        try checkVersion(ociVersion, at: "/ociVersion")
        guard let root else {
            throw ConfigError(place: "/root", message: "is required but missing")
        }
        guard !root.path.isEmpty else {
            throw ConfigError(place: "/root/path", message: "must not be empty")
        }
        for (index, mount) in mounts.enumerated() {
            try mount.validate(at: "/mounts", index, warnings: &warnings)
        }
        try process?.validate(at: "/process", warnings: &warnings)
        try hooks.validate()
        try checkNames()
        for entry in annotations where entry.key.isEmpty {
            throw ConfigError(place: "/annotations/", message: "the name must not be empty")
        }
        try linux.validate(warnings: &warnings)
        return warnings
    }

    /// The host and domain names belong to the UTS namespace: without one the host's would change.
    private func checkNames() throws(ConfigError) {
        for (place, name) in [("/hostname", hostname), ("/domainname", domainname)] {
            guard let name else { continue }
            // __NEW_UTS_LEN of the kernel.
            guard name.utf8.count <= 64 else {
                throw ConfigError(place: place, message: "is longer than 64 bytes")
            }
            guard linux.namespaces.contains(where: { $0.type == .uts }) else {
                throw ConfigError(
                    place: place, message: "is set without a UTS namespace",
                    hint: "add {\"type\": \"uts\"} to /linux/namespaces")
            }
        }
    }
}

extension Mount {
    fileprivate func validate(
        at place: String, _ index: Int, warnings: inout [ConfigWarning]
    ) throws(ConfigError) {
        guard let first = destination.utf8.first else {
            throw ConfigError(
                place: "\(place)/\(index)/destination", message: "must not be empty")
        }
        if first != UInt8(ascii: "/") {
            // config.md, "Mounts": taken as relative to "/", deprecated.
            warnings.append(
                ConfigWarning(
                    place: "\(place)/\(index)/destination",
                    message: "\(quoted(destination)) is relative, which is deprecated"))
        }
        guard !uidMappings.isEmpty || !gidMappings.isEmpty else { return }
        guard !uidMappings.isEmpty, !gidMappings.isEmpty else {
            throw ConfigError(
                place: "\(place)/\(index)",
                message: "has only one of uidMappings and gidMappings, which go together")
        }
        try checkMappings(uidMappings, at: "\(place)/\(index)/uidMappings")
        try checkMappings(gidMappings, at: "\(place)/\(index)/gidMappings")
    }
}

extension Hooks {
    fileprivate func validate() throws(ConfigError) {
        for (kind, hooks) in [
            ("prestart", prestart), ("createRuntime", createRuntime),
            ("createContainer", createContainer), ("startContainer", startContainer),
            ("poststart", poststart), ("poststop", poststop),
        ] {
            for (index, hook) in hooks.enumerated() {
                if !isAbsolute(hook.path) {
                    throw notAbsolute(hook.path, at: "/hooks/\(kind)/\(index)/path")
                }
                if let timeout = hook.timeout, timeout <= 0 {
                    throw ConfigError(
                        place: "/hooks/\(kind)/\(index)/timeout",
                        message: "must be greater than zero")
                }
            }
        }
    }
}

/// Checks that a version is SemVer 2.0.0 and one that this runtime takes: any of major version 1,
/// as its minor versions are compatible with each other (config.md, "Specification version").
func checkVersion(_ version: String, at place: String) throws(ConfigError) {
    guard let major = majorVersion(version) else {
        throw ConfigError(
            place: place, message: "\(quoted(version)) is not a version in SemVer 2.0.0 format",
            hint: "such as \(specVersion)")
    }
    guard major == "1" else {
        throw ConfigError(
            place: place, message: "unsupported version \(quoted(version))",
            hint: "supported are all versions 1.x of the runtime-spec; this is \(specVersion)")
    }
}

/// The major version of a SemVer 2.0.0 version, or nil if it is none.
private func majorVersion(_ version: String) -> Substring? {
    let build = version.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
    let release = build[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let numbers = release[0].split(separator: ".", omittingEmptySubsequences: false)
    guard numbers.count == 3, numbers.allSatisfy(isNumber) else { return nil }
    for (suffix, mayHaveLeadingZeros) in [
        (release.dropFirst().first, false), (build.dropFirst().first, true),
    ] {
        guard let suffix else { continue }
        for identifier in suffix.split(separator: ".", omittingEmptySubsequences: false) {
            let isNumeric = identifier.utf8.allSatisfy(isDigit)
            guard !identifier.isEmpty, identifier.utf8.allSatisfy(isIdentifierByte),
                !isNumeric || mayHaveLeadingZeros || isNumber(identifier)
            else { return nil }
        }
    }
    return numbers[0]
}

private func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
}

private func isIdentifierByte(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "-") || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
        || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
}

/// Whether a text is a decimal number without leading zeros.
private func isNumber(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, text.utf8.allSatisfy(isDigit) else { return false }
    return text.utf8.count == 1 || first != UInt8(ascii: "0")
}
