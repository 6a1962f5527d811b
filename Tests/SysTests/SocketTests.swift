import Foundation
import Synchronization
import Testing

@testable import Sys

extension Alone {
    @Suite struct SocketTests {
        @Test func sendsAllOnAStreamThatTakesItInParts() throws {
            var ends: [Int32] = [-1, -1]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            let ours = Fd(owning: ends[0])
            let theirs = Fd(owning: ends[1])
            // What does not fit is left behind after this time, and the call says how much it took.
            var time = timeval(tv_sec: 4, tv_usec: 0)
            setsockopt(
                ours.raw, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
            let bytes = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
            let reader = theirs.raw
            let received = Mutex<[UInt8]>([])
            let done = DispatchSemaphore(value: 0)
            Thread.detachNewThread {
                // After the first time limit, and long before a second one, which would be an error.
                Thread.sleep(forTimeInterval: 5)
                var buffer = [UInt8](repeating: 0, count: 65536)
                while true {
                    let count = read(reader, &buffer, buffer.count)
                    if count <= 0 { break }
                    received.withLock { $0 += buffer[..<count] }
                }
                done.signal()
            }
            try sendAll(ours.raw, bytes)
            shutdown(ours.raw, Int32(SHUT_WR))
            #expect(done.wait(timeout: .now() + 120) == .success)
            // Not within the macro, which would show two million numbers.
            let isWhole = received.withLock { $0 == bytes }
            #expect(isWhole)
            _ = consume theirs
        }
    }
}
