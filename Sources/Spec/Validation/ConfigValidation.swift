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
        try checkName(hostname, at: "/hostname")
        try checkName(domainname, at: "/domainname")
        for entry in annotations where entry.key.isEmpty {
            throw ConfigError(place: "/annotations/", message: "the name must not be empty")
        }
        try linux.validate(warnings: &warnings)
        return warnings
    }

    /// The host and domain names belong to the UTS namespace: without one the host's would change.
    private func checkName(_ name: String?, at place: String) throws(ConfigError) {
        guard let name else { return }
        // __NEW_UTS_LEN of the kernel.
        guard name.utf8.count <= 64 else {
            throw ConfigError(place: place, message: "is longer than 64 bytes")
        }
        guard linux.has(.uts) else {
            throw ConfigError(
                place: place,
                message: "unable to set \(place.dropFirst()) without a private UTS namespace",
                hint: "add {\"type\": \"uts\"} to /linux/namespaces")
        }
    }
}

extension Mount {
    package func validate(
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
                message: "id-mapped mounts must have both uid and gid mappings specified")
        }
        try checkMappings(uidMappings, at: "\(place)/\(index)/uidMappings")
        try checkMappings(gidMappings, at: "\(place)/\(index)/gidMappings")
    }
}

extension Hooks {
    fileprivate func validate() throws(ConfigError) {
        try check(prestart, "prestart")
        try check(createRuntime, "createRuntime")
        try check(createContainer, "createContainer")
        try check(startContainer, "startContainer")
        try check(poststart, "poststart")
        try check(poststop, "poststop")
    }

    private func check(_ hooks: [Hook], _ kind: String) throws(ConfigError) {
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
private func majorVersion(_ version: String) -> String? {
    var rest = version.utf8[...]
    guard let major = takeNumber(&rest), take(UInt8(ascii: "."), &rest),
        takeNumber(&rest) != nil, take(UInt8(ascii: "."), &rest), takeNumber(&rest) != nil
    else { return nil }
    if take(UInt8(ascii: "-"), &rest) {
        guard takeIdentifiers(&rest, mayHaveLeadingZeros: false) else { return nil }
    }
    if take(UInt8(ascii: "+"), &rest) {
        guard takeIdentifiers(&rest, mayHaveLeadingZeros: true) else { return nil }
    }
    return rest.isEmpty ? String(Substring(major)) : nil
}

private func take(_ byte: UInt8, _ rest: inout Substring.UTF8View) -> Bool {
    guard rest.first == byte else { return false }
    rest.removeFirst()
    return true
}

/// Takes a decimal number without leading zeros.
private func takeNumber(_ rest: inout Substring.UTF8View) -> Substring.UTF8View? {
    let number = rest.prefix(while: isDigit)
    rest = rest[number.endIndex...]
    return isNumber(number) ? number : nil
}

/// Takes identifiers separated by dots: letters, digits and hyphens.
private func takeIdentifiers(
    _ rest: inout Substring.UTF8View, mayHaveLeadingZeros: Bool
) -> Bool {
    repeat {
        let identifier = rest.prefix { byte in
            isDigit(byte) || byte == UInt8(ascii: "-")
                || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
                || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte
        }
        rest = rest[identifier.endIndex...]
        let isNumeric = identifier.allSatisfy(isDigit)
        guard !identifier.isEmpty, !isNumeric || mayHaveLeadingZeros || isNumber(identifier)
        else { return false }
    } while take(UInt8(ascii: "."), &rest)
    return true
}

private func isDigit(_ byte: UInt8) -> Bool {
    UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
}

/// Whether digits are a number without leading zeros.
private func isNumber(_ digits: Substring.UTF8View) -> Bool {
    digits.count == 1 || (digits.count > 1 && digits.first != UInt8(ascii: "0"))
}
