import Glibc
import Testing

@testable import Sys

@Suite struct NewerCallTests {
    /// With whatever rights this process has.
    @Test(
        "EPERM of the kernel's stays what it is",
        .enabled(if: isUnfiltered, "there is a seccomp filter"),
        arguments: NewerCall.allCases)
    func ofTheKernel(call: NewerCall) {
        #expect(call.answer(-Int(EPERM)) == -Int(EPERM))
        #expect(call.answer(-Int(EACCES)) == -Int(EACCES))
        #expect(call.answer(7) == 7)
    }

    @Test("what is not available says since when it is", arguments: NewerCall.allCases)
    func unavailable(call: NewerCall) {
        let error = call.unavailable("call()")
        #expect(error.errno == ENOSYS)
        #expect(error.hint?.contains("the kernel is older than Linux 5.") == true)
    }

    /// The wrappers of calls that are not permitted here: `ENOSYS` is theirs to say.
    @Test("a wrapper throws ENOSYS where the call is not there")
    func wrapper() {
        let error = #expect(throws: SysError.self) {
            try NewerCall.openat2.check(-Int(ENOSYS), "openat2()")
        }
        #expect(error == NewerCall.openat2.unavailable("openat2()"))
    }

    private static var isUnfiltered: Bool {
        guard let status = try? readFile("/proc/self/status") else { return false }
        return String(decoding: status, as: UTF8.self).contains("\nSeccomp:\t0")
    }
}
