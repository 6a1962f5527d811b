import Sys
import Testing

private typealias A = MountAttributes

@Suite("Mount attributes") struct MountAttributesTests {
    @Test(
        "one atime bit clears all of them first",
        arguments: [
            (A(setting: A.noAtime), A(setting: A.noAtime, clearing: A.atimeMask)),
            (A(clearing: A.noAtime), A(clearing: A.atimeMask)),
            (
                A(setting: A.strictAtime | A.readOnly, clearing: A.noDev),
                A(setting: A.strictAtime | A.readOnly, clearing: A.noDev | A.atimeMask)
            ),
            (A(setting: A.noDirAtime), A(setting: A.noDirAtime)),
            (A(setting: A.readOnly), A(setting: A.readOnly)),
            (A(), A()),
        ])
    func normalized(_ given: MountAttributes, _ expected: MountAttributes) {
        #expect(given.normalized == expected)
    }

    @Test(
        "a way to keep access times that is off stays off",
        arguments: [
            (A(clearing: A.noAtime), A.noAtime, A(clearing: A.atimeMask)),
            (A(clearing: A.noAtime), A.strictAtime, A()),
            (A(clearing: A.noAtime | A.noDev), A.noDirAtime, A(clearing: A.noDev)),
            (A(clearing: A.strictAtime), A.strictAtime | A.noExec, A(clearing: A.atimeMask)),
            (A(clearing: A.atimeMask), A.strictAtime, A(clearing: A.atimeMask)),
            (A(setting: A.readOnly), A.noAtime, A(setting: A.readOnly)),
        ])
    func resolved(_ given: MountAttributes, _ there: UInt64, _ expected: MountAttributes) {
        #expect(given.resolved(on: there) == expected)
    }

    @Test(
        "as MS_* bits",
        arguments: [
            (0, 0x20_0000), (A.readOnly, 0x20_0001), (A.noSuid | A.noDev | A.noExec, 0x20_000e),
            (A.noAtime, 0x400), (A.strictAtime, 0x100_0000), (A.noDirAtime, 0x20_0800),
            (A.noSymFollow | A.noAtime, 0x500),
        ] as [(UInt64, UInt)])
    func classic(_ bits: UInt64, _ flags: UInt) { #expect(A.classic(bits) == flags) }

    @Test(
        "by name",
        arguments: [
            (0, ""), (A.readOnly, "ro"), (A.noDev | A.noSuid, "nosuid,nodev"),
            (A.strictAtime | A.noDirAtime, "strictatime,nodiratime"),
            (A.noSymFollow, "nosymfollow"),
        ] as [(UInt64, String)])
    func names(_ bits: UInt64, _ names: String) { #expect(A.names(bits) == names) }
}
