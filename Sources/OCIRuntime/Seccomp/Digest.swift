/// BLAKE2b with 256 bits (RFC 7693): a name for content that nobody can make another content for.
///
/// Swift's own hashes are seeded per process, and no library that is linked anyway has one.
struct Digest: Equatable {
    /// The 32 bytes, eight to a word, the first one lowest.
    private(set) var words: SIMD4<UInt64>

    init(of content: [UInt8]) {
        // The parameter block: no key, 32 bytes of digest.
        var state = (low: Self.initial.low, high: Self.initial.high)
        state.low[0] ^= 0x0101_0020
        let blockSize = 128
        let blocks = max((content.count + blockSize - 1) / blockSize, 1)
        var padded = content
        padded.append(
            contentsOf: repeatElement(0, count: blocks * blockSize - content.count))
        unsafe padded.withUnsafeBytes { bytes in
            for block in 0..<blocks {
                let message = InlineArray<16, UInt64> {
                    // The padding makes every block whole.
                    unsafe UInt64(
                        littleEndian: bytes.loadUnaligned(
                            fromByteOffset: block * blockSize + $0 * 8, as: UInt64.self))
                }
                let isLast = block == blocks - 1
                Self.compress(
                    &state, message, length: isLast ? content.count : (block + 1) * blockSize,
                    isLast: isLast)
            }
        }
        words = state.low
    }

    /// The bytes.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for index in words.indices {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: words[index] >> shift))
            }
        }
        return bytes
    }

    /// 64 hexadecimal digits.
    var hexadecimal: String {
        let digits: StaticString = "0123456789abcdef"
        let bytes = self.bytes
        return unsafe String(unsafeUninitializedCapacity: 64) { text in
            for (index, byte) in bytes.enumerated() {
                unsafe text[2 * index] = digits.utf8Start[Int(byte >> 4)]
                unsafe text[2 * index + 1] = digits.utf8Start[Int(byte & 15)]
            }
            return 64
        }
    }

    // MARK: the function

    private typealias Row = SIMD4<UInt64>

    private static let initial = (
        low: Row(
            0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b,
            0xa54f_f53a_5f1d_36f1),
        high: Row(
            0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b,
            0x5be0_cd19_137e_2179)
    )

    /// The order of the message's words in each round, a digit each, the first one lowest.
    private static let orders: InlineArray<12, UInt64> = [
        0xfedc_ba98_7654_3210, 0x357b_20c1_6df9_84ae, 0x4917_63ea_df25_0c8b,
        0x8f04_a562_ebcd_1397, 0xd386_cb1e_fa42_7509, 0x91ef_57d4_38b0_a6c2,
        0xb829_3670_a4de_f15c, 0xa268_4f05_931c_e7bd, 0x5a41_7d2c_803b_9ef6,
        0x0dc3_e9bf_5167_482a, 0xfedc_ba98_7654_3210, 0x357b_20c1_6df9_84ae,
    ]

    private static func compress(
        _ state: inout (low: Row, high: Row), _ message: InlineArray<16, UInt64>, length: Int,
        isLast: Bool
    ) {
        var a = state.low
        var b = state.high
        var c = initial.low
        var d = initial.high
        d[0] ^= UInt64(length)
        if isLast { d[2] = ~d[2] }
        for round in 0..<12 {
            let order = orders[round]
            func word(_ position: UInt64) -> UInt64 {
                message[Int(truncatingIfNeeded: order &>> (4 &* position) & 15)]
            }
            mix(
                &a, &b, &c, &d, Row(word(0), word(2), word(4), word(6)),
                Row(word(1), word(3), word(5), word(7)))
            b = Row(b[1], b[2], b[3], b[0])
            c = Row(c[2], c[3], c[0], c[1])
            d = Row(d[3], d[0], d[1], d[2])
            mix(
                &a, &b, &c, &d, Row(word(8), word(10), word(12), word(14)),
                Row(word(9), word(11), word(13), word(15)))
            b = Row(b[3], b[0], b[1], b[2])
            c = Row(c[2], c[3], c[0], c[1])
            d = Row(d[1], d[2], d[3], d[0])
        }
        state.low ^= a ^ c
        state.high ^= b ^ d
    }

    /// `G` of the RFC on four columns, or diagonals, at once.
    @inline(__always)
    private static func mix(
        _ a: inout Row, _ b: inout Row, _ c: inout Row, _ d: inout Row, _ x: Row, _ y: Row
    ) {
        func rotate(_ row: Row, _ count: UInt64) -> Row {
            row &>> Row(repeating: count) | row &<< Row(repeating: 64 - count)
        }
        a = a &+ b &+ x
        d = rotate(d ^ a, 32)
        c = c &+ d
        b = rotate(b ^ c, 24)
        a = a &+ b &+ y
        d = rotate(d ^ a, 16)
        c = c &+ d
        b = rotate(b ^ c, 63)
    }
}
