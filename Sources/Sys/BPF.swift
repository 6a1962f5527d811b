import CSys
import Glibc

/// The commands of `bpf(2)` that a device program needs, by their number in `linux/bpf.h`.
private enum Command {
    static let load: Int32 = 5
    static let attach: Int32 = 8
    static let detach: Int32 = 9
    static let descriptorByID: Int32 = 13
    static let query: Int32 = 16
}

/// `BPF_CGROUP_DEVICE`.
private let cgroupDevice: UInt32 = 6

/// One `bpf(2)` with its attributes as 32-bit words.
///
/// The buffer is larger than what the kernel is told: from Linux 6.17 on `BPF_PROG_QUERY` writes
/// behind a short `bpf_attr`.
private func bpf(
    _ command: Int32, _ attributes: inout [UInt32], _ call: @autoclosure () -> String
) throws(SysError) -> Int {
    let size = attributes.count * 4
    attributes += [UInt32](repeating: 0, count: 64)
    return try check(unsafe csys_bpf(command, &attributes, UInt32(size)), call())
}

private func halves(_ address: UInt) -> [UInt32] {
    [UInt32(truncatingIfNeeded: address), UInt32(truncatingIfNeeded: address >> 32)]
}

/// Loads a `BPF_PROG_TYPE_CGROUP_DEVICE` program.
/// - Parameter instructions: `struct bpf_insn` each.
package func loadDeviceProgram(_ instructions: [UInt64]) throws(SysError) -> Fd {
    let cgroupDeviceType: UInt32 = 15
    let license: StaticString = "Apache-2.0"
    var program = instructions
    let count = UInt32(clamping: program.count)
    var number = -1
    var error: SysError?
    unsafe program.withUnsafeMutableBytes { code in
        var attributes = [cgroupDeviceType, count]
        attributes += halves(UInt(bitPattern: code.baseAddress))
        attributes += unsafe halves(UInt(bitPattern: license.utf8Start))
        do throws(SysError) {
            number = try bpf(
                Command.load, &attributes,
                "bpf(BPF_PROG_LOAD, BPF_PROG_TYPE_CGROUP_DEVICE, \(count) instructions)")
        } catch let failure {
            error = failure
        }
    }
    if let error { throw error }
    return Fd(owning: number)
}

/// Attaches a device program to a cgroup, besides those that are there (`BPF_F_ALLOW_MULTI`): all of
/// them have to allow.
package func attachDeviceProgram(_ program: Int32, to cgroup: Int32) throws(SysError) {
    let allowMulti: UInt32 = 2
    var attributes = [
        UInt32(bitPattern: cgroup), UInt32(bitPattern: program), cgroupDevice, allowMulti,
    ]
    _ = try bpf(Command.attach, &attributes, "bpf(BPF_PROG_ATTACH, BPF_CGROUP_DEVICE)")
}

/// The ids of the device programs attached to a cgroup.
package func devicePrograms(of cgroup: Int32) throws(SysError) -> [UInt32] {
    // The kernel's limit is 64 programs.
    var ids = [UInt32](repeating: 0, count: 64)
    var found: [UInt32] = []
    var error: SysError?
    unsafe ids.withUnsafeMutableBytes { bytes in
        var attributes = [UInt32(bitPattern: cgroup), cgroupDevice, 0, 0]
        attributes += halves(UInt(bitPattern: bytes.baseAddress))
        attributes += [64, 0]
        do throws(SysError) {
            _ = try bpf(Command.query, &attributes, "bpf(BPF_PROG_QUERY, BPF_CGROUP_DEVICE)")
        } catch let failure {
            error = failure
        }
        found = unsafe Array(bytes.bindMemory(to: UInt32.self).prefix(Int(min(attributes[6], 64))))
    }
    if let error { throw error }
    return found
}

/// Detaches a device program from a cgroup; one that has gone already is fine.
package func detachDeviceProgram(id: UInt32, from cgroup: Int32) throws(SysError) {
    do throws(SysError) {
        var attributes: [UInt32] = [id, 0, 0]
        let program = Fd(
            owning: try bpf(
                Command.descriptorByID, &attributes, "bpf(BPF_PROG_GET_FD_BY_ID, \(id))"))
        attributes = [
            UInt32(bitPattern: cgroup), UInt32(bitPattern: program.raw), cgroupDevice, 0,
        ]
        _ = try bpf(Command.detach, &attributes, "bpf(BPF_PROG_DETACH, BPF_CGROUP_DEVICE)")
    } catch let error where error.errno == ENOENT {
        return
    }
}
