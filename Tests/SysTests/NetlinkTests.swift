import Testing

@testable import Sys

@Suite struct NetlinkTests {
    @Test("a request is aligned, and says how long it is")
    func request() {
        var request = NetlinkRequest(type: 18, flags: 5, sequence: 7, fixed: [1, 2, 3, 4, 5])
        request.add(3, "lo")
        #expect(request.bytes.count == 16 + 8 + 8)
        let message = NetlinkMessage.all(in: request.bytes)?.first
        #expect(message?.type == 18 && message?.flags == 5 && message?.sequence == 7)
        let attributes = message?.attributes(after: 5) ?? []
        #expect(attributes.count == 1 && attributes.first?.type == 3)
        #expect(attributes.first.map { text($0.value) } == "lo")
    }

    @Test("whatever comes in is read within its bounds", arguments: 0..<64)
    func bounds(seed: UInt8) {
        var bytes: [UInt8] = []
        var state = UInt32(seed) &* 2_654_435_761 &+ 1
        for _ in 0..<Int(seed) * 3 {
            state = state &* 1_664_525 &+ 1_013_904_223
            bytes.append(UInt8(truncatingIfNeeded: state >> 24) & (seed % 3 == 0 ? 0xFF : 0x1F))
        }
        var whole = NetlinkRequest(type: 2, flags: 0x200, sequence: 1, fixed: bytes).bytes
        for message in NetlinkMessage.all(in: whole) ?? [] {
            _ = message.outcome
            for fixed in [0, 4, 8, 16, 1000] { _ = message.attributes(after: fixed) }
            _ = NetworkLink(message)
            _ = NetworkAddress(message, of: 1)
        }
        #expect(NetlinkMessage.all(in: bytes)?.count ?? 0 <= bytes.count)
        // Lengths that go beyond the end, and none at all.
        whole[0] &+= 4
        #expect(NetlinkMessage.all(in: whole) == nil)
        whole[0] = 0
        whole[1] = 0
        #expect(NetlinkMessage.all(in: whole) == nil)
    }

    @Test(
        "an acknowledgement is success; an error has the kernel's words", arguments: [true, false])
    func outcomes(isCapped: Bool) {
        #expect(message(2, 0, native(UInt32(0)))?.outcome?.errno == 0)
        #expect(message(3, 0, [])?.outcome?.errno == 0)
        #expect(message(16, 0, native(UInt32(0)))?.outcome == nil)
        var payload = native(UInt32(bitPattern: -17))
        let request = NetlinkRequest(type: 19, flags: 5, sequence: 1, fixed: [0, 0, 0, 0]).bytes
        payload += isCapped ? Array(request.prefix(16)) : request
        payload += native(UInt16(4 + 3)) + native(UInt16(1)) + Array("no\0".utf8)
        let outcome = message(2, isCapped ? 0x300 : 0x200, payload)?.outcome
        #expect(outcome?.errno == 17 && outcome?.words == "no")
    }

    private func message(_ type: UInt16, _ flags: UInt16, _ payload: [UInt8]) -> NetlinkMessage? {
        let bytes = NetlinkRequest(type: type, flags: flags, sequence: 1, fixed: payload).bytes
        return NetlinkMessage.all(in: bytes)?.first
    }
}
