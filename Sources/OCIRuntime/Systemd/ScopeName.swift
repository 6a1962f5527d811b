import Spec

/// The unit that a container's cgroup becomes under systemd: `linux.cgroupsPath` in the form
/// `slice:prefix:name`, as runc and the engines have it.
package struct ScopeName: Sendable, Equatable {
    /// `prefix-name.scope`
    package let unit: String
    /// `machine-vms.slice`; `-.slice` is the root.
    package let slice: String

    /// - Parameters:
    ///   - cgroupsPath: where it is absent the scope is named by the id.
    ///   - isUser: whether the unit is one of the user's own systemd.
    package init(_ cgroupsPath: String?, id: String, isUser: Bool) throws(PlanError) {
        let place = "/linux/cgroupsPath"
        let text = cgroupsPath ?? ":swrunc:\(id)"
        let parts = text.utf8.split(
            separator: UInt8(ascii: ":"), omittingEmptySubsequences: false
        ).map { String(Substring($0)) }
        guard parts.count == 3, !parts[2].isEmpty else {
            throw PlanError(
                place, "\"\(text)\" is not of the form slice:prefix:name",
                hint: "the systemd driver needs it; leave out --systemd-cgroup for cgroupfs")
        }
        slice = parts[0].isEmpty ? (isUser ? "user.slice" : "system.slice") : parts[0]
        unit = (parts[1].isEmpty ? "" : "\(parts[1])-") + "\(parts[2]).scope"
        if Self.path(ofSlice: slice) == nil {
            throw PlanError(place, "\"\(slice)\" is not the name of a slice")
        }
        // systemd.unit(5): at most 255 characters of these.
        let isName = unit.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9"))
                || ($0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z"))
                || ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z"))
                || ":-_.\\@".utf8.contains($0)
        }
        if !isName || unit.utf8.count > 255 {
            throw PlanError(place, "\"\(unit)\" is not a name that systemd takes for a unit")
        }
    }

    /// Below the cgroup of systemd itself.
    package var path: String { "\(Self.path(ofSlice: slice) ?? "")/\(unit)" }

    /// `/a.slice/a-b.slice` of `a-b.slice`: the dashes are the levels (systemd.slice(5)).
    static func path(ofSlice slice: String) -> String? {
        let suffix = ".slice"
        guard slice.utf8.count > suffix.utf8.count, slice.hasSuffix(suffix),
            !slice.utf8.contains(UInt8(ascii: "/"))
        else { return nil }
        let name = slice.utf8.dropLast(suffix.utf8.count)
        if name.elementsEqual("-".utf8) { return "" }
        var path = ""
        var prefix = ""
        for part in name.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false) {
            if part.isEmpty { return nil }
            prefix += (prefix.isEmpty ? "" : "-") + "\(Substring(part))"
            path += "/\(prefix)\(suffix)"
        }
        return path
    }
}
