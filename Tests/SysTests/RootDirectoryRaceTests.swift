import Glibc
import Sys
import Testing

extension Alone {
    @Suite("Paths beneath a root, while somebody renames") struct RootDirectoryRaceTests {
        /// CVE-2021-30465, CVE-2024-45310: a directory and a link to the outside change places all the
        /// time; whatever is resolved and made stays beneath the root.
        @Test("nothing outside is ever reached", arguments: [true, false])
        func exchange(byKernel: Bool) async throws {
            let outside = try TemporaryTree()
            try outside.file("file", "outside")
            let tree = try TemporaryTree()
            try tree.directory("volume/dir")
            try tree.file("volume/dir/file", "inside")
            try tree.link("volume/link", to: String(repeating: "../", count: 12) + outside.path)
            let root = try tree.root(byKernel: byKernel)
            let volume = try openFile("\(tree.path)/volume", O_PATH | O_DIRECTORY).release()
            defer { close(volume) }
            let exchanger = Task.detached {
                while !Task.isCancelled {
                    _ = renameat2(volume, "dir", volume, "link", UInt32(RENAME_EXCHANGE))
                }
            }
            var reached = 0
            // The exchanger may sleep for many turns, and all of them with the link in the place.
            let deadline = ContinuousClock.now + .seconds(60)
            var turn = 0
            while turn < 3000 || reached == 0 && .now < deadline {
                turn += 1
                if let file = try? root.open("volume/dir/file", O_RDONLY) {
                    #expect(try file.readAll() == Array("inside".utf8))
                    reached += 1
                }
                _ = try? root.openMakingDirectories("volume/dir/made\(turn % 7)/deep")
                _ = try? root.openMakingFile("volume/dir/touched\(turn % 5)")
            }
            exchanger.cancel()
            await exchanger.value
            #expect(reached > 0)
            let left = try openFile(outside.path, O_RDONLY | O_DIRECTORY).names()
            #expect(left == ["file"])
        }
    }
}
