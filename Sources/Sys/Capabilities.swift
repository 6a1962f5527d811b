import CSys
import Glibc

/// Three of the sets of `capabilities(7)`, as masks of `1 << number`.
package struct ThreadCapabilities: Equatable, Sendable {
    package var effective: UInt64
    package var permitted: UInt64
    package var inheritable: UInt64

    package init(effective: UInt64, permitted: UInt64, inheritable: UInt64) {
        self.effective = effective
        self.permitted = permitted
        self.inheritable = inheritable
    }

    /// Those of this process (`capget(2)`).
    package init() throws(SysError) {
        var sets = csys_capabilities()
        try check(unsafe csys_capget(&sets), "capget()")
        self.init(
            effective: sets.effective, permitted: sets.permitted, inheritable: sets.inheritable)
    }

    /// Makes them this process's (`capset(2)`).
    package func apply() throws(SysError) {
        try check(
            csys_capset(effective, permitted, inheritable),
            "capset(effective \(hex(effective)), permitted \(hex(permitted)), "
                + "inheritable \(hex(inheritable)))")
    }
}

/// The bounding set of this process and the kernel's last capability (`PR_CAPBSET_READ`).
package func boundingCapabilities() -> (mask: UInt64, last: UInt8) {
    let read: Int32 = 23
    var mask: UInt64 = 0
    for number in 0..<63 as Range<UInt8> {
        let result = csys_prctl(read, UInt(number), 0, 0, 0)
        if result < 0 { return (mask, number &- 1) }
        if result > 0 { mask |= 1 << UInt64(number) }
    }
    return (mask, 62)
}

/// Drops every capability but those of the mask from the bounding set (`PR_CAPBSET_DROP`).
package func dropBoundingCapabilities(except keep: UInt64) throws(SysError) {
    let drop: Int32 = 24
    for number in 0..<63 as Range<UInt> where keep & (1 << UInt64(number)) == 0 {
        let result = csys_prctl(drop, number, 0, 0, 0)
        if result == -Int(EINVAL) { return }  // past the kernel's last capability
        try check(result, "prctl(PR_CAPBSET_DROP, \(number))")
    }
}
