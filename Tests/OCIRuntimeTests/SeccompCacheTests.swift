import Glibc
import Init
import Spec
import Sys
import Testing

@testable import OCIRuntime

@Suite struct SeccompCacheTests {
    /// A directory of the test's own.
    final class Scratch {
        let path: String

        init() throws {
            var template = Array("/tmp/swrunc-test-XXXXXX".utf8CString)
            _ = try #require(mkdtemp(&template))
            path = String(
                decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        deinit {
            for name in names { unlink("\(cache)/\(name)") }
            rmdir(cache)
            rmdir(path)
        }

        var cache: String { path + "/cache" }

        var names: [String] {
            (try? openFile(cache, O_RDONLY | O_DIRECTORY).names().sorted()) ?? []
        }

        func write(_ bytes: [UInt8], to name: String) throws {
            try openFile("\(cache)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600).write(bytes)
        }
    }

    static let profile = Seccomp(
        defaultAction: .errno, architectures: [.x86],
        syscalls: [
            SeccompSyscall(names: ["read", "write"], action: .allow),
            SeccompSyscall(
                names: ["personality"], action: .allow,
                args: [SeccompArg(index: 0, value: 8, op: .equal)]),
        ])
    static let key = Digest(of: SeccompContent(profile).bytes)
    /// A program that nothing compiles to: what comes out of the cache is told apart by it.
    static let planted: [UInt8] = [6, 0, 0, 0, 1, 2, 3, 4]

    @Test func hit() throws {
        let scratch = try Scratch()
        let cache = SeccompCache(directory: scratch.cache)
        let compiled = try SeccompCompiler.compile(Self.profile)
        #expect(try cache.program(for: Self.profile) == compiled)
        #expect(scratch.names == [Self.key.hexadecimal])
        #expect(try cache.program(for: Self.profile) == compiled)
        let file = try status(of: "\(scratch.cache)/\(Self.key.hexadecimal)")
        #expect(file.mode & 0o7777 == 0o600)
        #expect(try status(of: scratch.cache).mode & 0o7777 == 0o700)

        try scratch.write(
            SeccompFile.bytes(filter: Self.planted, key: Self.key), to: Self.key.hexadecimal)
        #expect(try cache.program(for: Self.profile).filter == Self.planted)
    }

    @Test func flagsAndNotify() throws {
        let scratch = try Scratch()
        let cache = SeccompCache(directory: scratch.cache)
        var profile = Self.profile
        profile.flags = [.log]
        profile.listenerPath = "/run/agent"
        profile.listenerMetadata = "m"
        profile.syscalls[0].action = .notify
        for _ in 0..<2 {
            let program = try cache.program(for: profile)
            #expect(program.flags == 0b1010)
            #expect(program.notify == .init(metadata: "m"))
        }
        // Not the same profile any more: the program of the other one must not hide the error.
        profile.listenerPath = nil
        #expect(throws: ConfigError.self) { try cache.program(for: profile) }
    }

    /// Whatever happened to a file, the right program comes out, and the file is right again.
    @Test func damagedFiles() throws {
        let scratch = try Scratch()
        let cache = SeccompCache(directory: scratch.cache)
        let compiled = try cache.program(for: Self.profile)
        let name = Self.key.hexadecimal
        let good = try readFile("\(scratch.cache)/\(name)")
        var damaged: [[UInt8]] = [[], good + good, good + [0], Array(repeating: 0, count: 1 << 20)]
        for length in stride(from: 0, to: good.count, by: 5) {
            damaged.append(Array(good[..<length]))
        }
        for index in stride(from: 0, to: good.count, by: 3) {
            var bytes = good
            bytes[index] ^= 1
            damaged.append(bytes)
        }
        // The program of another profile, under this one's name.
        damaged.append(SeccompFile.bytes(filter: Self.planted, key: Digest(of: [1])))
        // Another version's file, whole in itself.
        var foreign = Array(SeccompFile.bytes(filter: Self.planted, key: Self.key).dropLast(32))
        foreign[15] = UInt8(ascii: "0")
        damaged.append(foreign + Digest(of: foreign).bytes)
        // No program at all.
        damaged.append(SeccompFile.bytes(filter: [], key: Self.key))
        damaged.append(SeccompFile.bytes(filter: [1, 2, 3], key: Self.key))
        for bytes in damaged {
            try scratch.write(bytes, to: name)
            #expect(try cache.program(for: Self.profile) == compiled)
            #expect(try readFile("\(scratch.cache)/\(name)") == good)
        }
        #expect(scratch.names == [name])
    }

    @Test(arguments: [mode_t(0o620), 0o602, 0o666])
    func writableByOthers(mode: mode_t) throws {
        let scratch = try Scratch()
        let cache = SeccompCache(directory: scratch.cache)
        let compiled = try cache.program(for: Self.profile)
        let path = "\(scratch.cache)/\(Self.key.hexadecimal)"
        try scratch.write(
            SeccompFile.bytes(filter: Self.planted, key: Self.key), to: Self.key.hexadecimal)
        chmod(path, mode)
        #expect(try cache.program(for: Self.profile) == compiled)
        #expect(try status(of: path).mode & 0o777 == 0o600)

        try scratch.write(
            SeccompFile.bytes(filter: Self.planted, key: Self.key), to: Self.key.hexadecimal)
        chmod(scratch.cache, mode | 0o100)
        #expect(try cache.program(for: Self.profile) == compiled)
        chmod(scratch.cache, 0o700)
        #expect(try cache.program(for: Self.profile).filter == Self.planted)
    }

    @Test(.enabled(if: geteuid() == 0, "only root gives files away"))
    func ownedByOthers() throws {
        let scratch = try Scratch()
        let cache = SeccompCache(directory: scratch.cache)
        let compiled = try cache.program(for: Self.profile)
        try scratch.write(
            SeccompFile.bytes(filter: Self.planted, key: Self.key), to: Self.key.hexadecimal)
        chown("\(scratch.cache)/\(Self.key.hexadecimal)", 1000, 0)
        #expect(try cache.program(for: Self.profile) == compiled)
        try scratch.write(
            SeccompFile.bytes(filter: Self.planted, key: Self.key), to: Self.key.hexadecimal)
        chown(scratch.cache, 1000, 0)
        #expect(try cache.program(for: Self.profile) == compiled)
    }

    @Test func symbolicLinks() throws {
        let scratch = try Scratch()
        let cache = SeccompCache(directory: scratch.cache)
        let compiled = try cache.program(for: Self.profile)
        let path = "\(scratch.cache)/\(Self.key.hexadecimal)"
        try scratch.write(SeccompFile.bytes(filter: Self.planted, key: Self.key), to: "aside")
        unlink(path)
        symlink("aside", path)
        #expect(try cache.program(for: Self.profile) == compiled)
        #expect(try status(at: AT_FDCWD, path, AT_SYMLINK_NOFOLLOW).isRegular)
        #expect(try SeccompFile.filter(in: readFile(path), key: Self.key) == compiled.filter)
    }

    /// A cache that cannot be is no reason to fail.
    @Test(arguments: [
        "/dev/null/cache", "/nonexistent/below/cache", "", "/proc/cache", "/dev/null",
    ])
    func impossibleDirectories(directory: String) throws {
        let program = try SeccompCache(directory: directory).program(for: Self.profile)
        #expect(program == (try SeccompCompiler.compile(Self.profile)))
    }

    @Test func staysSmall() throws {
        let scratch = try Scratch()
        let cache = SeccompCache(directory: scratch.cache)
        _ = try cache.program(for: Self.profile)
        for number in 0..<400 { try scratch.write([], to: "old-\(number)") }
        var profile = Self.profile
        profile.syscalls[0].names.append("close")
        _ = try cache.program(for: profile)
        #expect(scratch.names.count == SeccompCache.limit)
        #expect(scratch.names.contains(Digest(of: SeccompContent(profile).bytes).hexadecimal))
    }

    @Test func writersAtOnce() async throws {
        let scratch = try Scratch()
        let directory = scratch.cache
        let compiled = try SeccompCompiler.compile(Self.profile)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let cache = SeccompCache(directory: directory)
                    return (0..<100).allSatisfy { round in
                        if round % 7 == 0 { unlink("\(directory)/\(Self.key.hexadecimal)") }
                        return (try? cache.program(for: Self.profile)) == compiled
                    }
                }
            }
            for await right in group { #expect(right) }
        }
        #expect(scratch.names == [Self.key.hexadecimal])
    }

    // MARK: the key

    @Test func everyPartOfTheProfileIsInTheKey() {
        let changes: [(inout Seccomp) -> Void] = [
            { _ in },
            { $0.defaultAction = .kill },
            { $0.defaultErrnoRet = 0 },
            { $0.defaultErrnoRet = 1 },
            { $0.architectures = [] },
            { $0.architectures = [.x32] },
            { $0.architectures = [.x86, .x32] },
            { $0.flags = [] },
            { $0.flags = [.log] },
            { $0.flags = [.specAllow] },
            { $0.listenerPath = "" },
            { $0.listenerPath = "/a" },
            { $0.listenerMetadata = "/a" },
            { $0.syscalls.removeLast() },
            { $0.syscalls.swapAt(0, 1) },
            { $0.syscalls[0].names = ["read"] },
            { $0.syscalls[0].names = ["readwrite"] },
            { $0.syscalls[0].names = ["rea", "dwrite"] },
            { $0.syscalls[0].action = .log },
            { $0.syscalls[0].errnoRet = 0 },
            { $0.syscalls[1].args = [] },
            { $0.syscalls[1].args[0].index = 1 },
            { $0.syscalls[1].args[0].value = 9 },
            { $0.syscalls[1].args[0].valueTwo = 9 },
            { $0.syscalls[1].args[0].op = .notEqual },
            { $0.syscalls[1].args.append($0.syscalls[1].args[0]) },
        ]
        let keys = changes.map { change in
            var profile = Self.profile
            change(&profile)
            return Digest(of: SeccompContent(profile).bytes).hexadecimal
        }
        #expect(Set(keys).count == changes.count)
        #expect(keys[0] == Self.key.hexadecimal)
    }

    /// Against another implementation of BLAKE2b.
    @Test(arguments: [
        (0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
        (1, "ee155ace9c40292074cb6aff8c9ccdd273c81648ff1149ef36bcea6ebb8a3e25"),
        (127, "f609ab2904b340cd075920018e0e3c6f6a90a3dae3edf03d3cccc0634a81ffe3"),
        (128, "0702c64922fb7635a1b799668a7e89ba9c5fe55ed7bd2fdecb001544073afad9"),
        (129, "490091b32bad7b3380c9e593d341bce9b73ff9d4ebcf0091ff932bdff7279897"),
        (256, "3d0cb2693dfbac42af5a6cc960953fea8714aa39c4bcd054ef61d6b5e98ade4a"),
        (257, "080f7f2ee61cc8ffcf2ad907f7a9824a8445c5e4b194a0106c65f9b9c1ea6787"),
        (1000, "a2ae1ecc90361e0bb07dab9789a4b0a724ee3cf05623ac6cefa1e6af3da4aae8"),
    ])
    func digest(count: Int, expected: String) {
        let content = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7 + count) }
        #expect(Digest(of: content).hexadecimal == expected)
        let digits = Digest(of: content).bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        #expect(digits.joined() == expected)
    }
}
