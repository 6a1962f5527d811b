import Glibc
import Sys
import Testing

extension Alone {
    @Suite("Copying a directory's content") struct CopyTreeTests {
        @Test func keepsKindsModesAndBytes() throws {
            let from = try TemporaryTree()
            let to = try TemporaryTree()
            try from.directory("dir/sub")
            try from.file("dir/text", String(repeating: "0123456789", count: 20_000))
            try from.file("empty")
            try from.link("link", to: "/nowhere/../at all")
            #expect(mkfifo("\(from.path)/pipe", 0o600) == 0)
            #expect(chmod("\(from.path)/dir/sub", 0o1711) == 0)
            #expect(chmod("\(from.path)/empty", 0o4555) == 0)
            let notUnicode: [CChar] = [-1, 120, -2, 0]
            let top = try from.open()
            #expect(mkdirat(top.raw, notUnicode, 0o750) == 0)
            #expect(chmod(from.path, 0o751) == 0)
            #expect(chmod(to.path, 0o710) == 0)

            let target = try to.open()
            try copyTree(from: top.raw, to: target.raw)

            #expect(
                try readFile("\(to.path)/dir/text")
                    == Array(String(repeating: "0123456789", count: 20_000).utf8))
            let modes: [(String, UInt32)] = [
                ("", S_IFDIR | 0o710), ("dir/sub", S_IFDIR | 0o1711), ("empty", S_IFREG | 0o4555),
                ("pipe", S_IFIFO | 0o600), ("dir/text", S_IFREG | 0o644),
            ]
            for (name, mode) in modes { #expect(try status(of: "\(to.path)/\(name)").mode == mode) }
            #expect(try readLink("\(to.path)/link") == "/nowhere/../at all")
            var copied = stat()
            #expect(fstatat(target.raw, notUnicode, &copied, 0) == 0)
            #expect(copied.st_mode == S_IFDIR | 0o750)
        }

        @Test func namesWhatFailed() throws {
            let from = try TemporaryTree()
            let to = try TemporaryTree()
            try from.directory("dir")
            try from.file("dir/one")
            try to.directory("dir")
            let source = try from.open()
            let target = try to.open()
            let error = #expect(throws: SysError.self) {
                try copyTree(from: source.raw, to: target.raw)
            }
            #expect(error?.errno == EEXIST)
            #expect(error?.call.contains("\"/dir\"") == true)
        }
    }
}
