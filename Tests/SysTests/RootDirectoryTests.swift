import Glibc
import Sys
import Testing

/// What a resolution comes to: a place below the top, or an errno.
enum Outcome: Equatable, CustomStringConvertible {
    case at(String)
    case errno(Int32)

    var description: String {
        switch self {
        case .at(let place): "at \"\(place)\""
        case .errno(let number): String(cString: strerror(number))
        }
    }
}

private let long = String(repeating: "n", count: 255)
private let unicode = "with space/\u{fc}\u{2013}\u{65e5}\u{672c}"

/// ```
/// a/b/c/  a/file  a/b/up → ..  with space/…  nnn…/  outer → a/b  absolute → /a/b
/// dangling → missing/target  escape → ../../../../../../etc/passwd  escape-absolute → /../../etc
/// loop1 ⇄ loop2  self → .  chain40 → … → chain1 → a  slashed → a/b/  to-file → a/file
/// file-slashed → a/file/
/// ```
private func sampleTree() throws -> TemporaryTree {
    let tree = try TemporaryTree()
    try tree.directory("a/b/c")
    try tree.file("a/file")
    try tree.link("a/b/up", to: "..")
    try tree.directory(unicode)
    try tree.directory(long)
    try tree.link("outer", to: "a/b")
    try tree.link("absolute", to: "/a/b")
    try tree.link("dangling", to: "missing/target")
    try tree.link("escape", to: "../../../../../../etc/passwd")
    try tree.link("escape-absolute", to: "/../../etc")
    try tree.link("loop1", to: "loop2")
    try tree.link("loop2", to: "loop1")
    try tree.link("self", to: ".")
    try tree.link("slashed", to: "a/b/")
    try tree.link("to-file", to: "a/file")
    try tree.link("file-slashed", to: "a/file/")
    try tree.link("chain1", to: "a")
    for number in 2...41 { try tree.link("chain\(number)", to: "chain\(number - 1)") }
    return tree
}

private let resolutions: [(path: String, flags: Int32, outcome: Outcome)] = [
    ("/", O_PATH, .at(".")),
    ("//", O_PATH, .at(".")),
    (".", O_PATH, .at(".")),
    ("./", O_PATH, .at(".")),
    ("..", O_PATH, .at(".")),
    ("/../..", O_PATH, .at(".")),
    ("", O_PATH, .errno(ENOENT)),
    ("a/b/c", O_PATH, .at("a/b/c")),
    ("/a/b/c", O_PATH, .at("a/b/c")),
    ("//a//b/.//c//", O_PATH, .at("a/b/c")),
    ("a/b/c/..", O_PATH, .at("a/b")),
    ("a/b/c/../..", O_PATH, .at("a")),
    ("a/../../../a/file", O_PATH, .at("a/file")),
    ("a/file", O_RDONLY, .at("a/file")),
    ("a/file/", O_PATH, .errno(ENOTDIR)),
    ("a/file/.", O_PATH, .errno(ENOTDIR)),
    ("a/file/..", O_PATH, .errno(ENOTDIR)),
    ("a/file/x", O_PATH, .errno(ENOTDIR)),
    ("a/file", O_PATH | O_DIRECTORY, .errno(ENOTDIR)),
    ("a/b", O_PATH | O_DIRECTORY, .at("a/b")),
    ("a/b", O_RDONLY | O_DIRECTORY, .at("a/b")),
    ("a/b/..", O_RDONLY | O_DIRECTORY, .at("a")),
    ("nothing", O_PATH, .errno(ENOENT)),
    ("nothing/below", O_PATH, .errno(ENOENT)),
    (unicode, O_PATH, .at(unicode)),
    (long, O_PATH, .at(long)),
    (long + "n", O_PATH, .errno(ENAMETOOLONG)),
    (String(repeating: "a/../", count: 900), O_PATH, .errno(ENAMETOOLONG)),
    ("outer", O_PATH, .at("a/b")),
    ("outer/c", O_PATH, .at("a/b/c")),
    ("outer/..", O_PATH, .at("a")),
    ("outer/up/file", O_PATH, .at("a/file")),
    ("absolute/c", O_PATH, .at("a/b/c")),
    ("absolute/up/b/up/file", O_PATH, .at("a/file")),
    ("slashed/c", O_PATH, .at("a/b/c")),
    ("slashed", O_PATH | O_DIRECTORY, .at("a/b")),
    ("to-file", O_PATH, .at("a/file")),
    ("to-file", O_RDONLY, .at("a/file")),
    ("to-file", O_PATH | O_DIRECTORY, .errno(ENOTDIR)),
    ("to-file/", O_PATH, .errno(ENOTDIR)),
    ("file-slashed", O_PATH, .errno(ENOTDIR)),
    ("outer", O_PATH | O_NOFOLLOW, .at("outer")),
    ("outer/", O_PATH | O_NOFOLLOW, .at("a/b")),
    ("outer", O_RDONLY | O_NOFOLLOW, .errno(ELOOP)),
    ("outer", O_PATH | O_NOFOLLOW | O_DIRECTORY, .errno(ENOTDIR)),
    ("dangling", O_PATH, .errno(ENOENT)),
    ("dangling", O_PATH | O_NOFOLLOW, .at("dangling")),
    ("escape", O_PATH, .errno(ENOENT)),
    ("escape-absolute/passwd", O_PATH, .errno(ENOENT)),
    ("loop1", O_PATH, .errno(ELOOP)),
    ("loop1/x", O_PATH, .errno(ELOOP)),
    ("self/self/self/a", O_PATH, .at("a")),
    ("chain40/file", O_PATH, .at("a/file")),
    ("chain40", O_PATH, .at("a")),
    ("chain41", O_PATH, .errno(ELOOP)),
    ("chain41/file", O_PATH, .errno(ELOOP)),
    (String(repeating: "self/", count: 40) + "a", O_PATH, .at("a")),
    (String(repeating: "self/", count: 41) + "a", O_PATH, .errno(ELOOP)),
]

extension Alone {
    @Suite("Paths beneath a root") struct RootDirectoryTests {
        @Test("open", arguments: [true, false])
        func open(byKernel: Bool) throws {
            let tree = try sampleTree()
            let root = try tree.root(byKernel: byKernel)
            for (path, flags, expected) in resolutions {
                let found = try outcome(of: path, flags, in: root, tree, expected)
                #expect(found == expected, "\(path.prefix(60)), flags \(flags)")
            }
        }

        @Test("open without following links", arguments: [true, false])
        func openWithoutLinks(byKernel: Bool) throws {
            let tree = try sampleTree()
            let root = try tree.root(byKernel: byKernel)
            for path in ["outer", "outer/c", "absolute", "a/b/up", "dangling", "loop1", "self/a"] {
                for flags in [O_PATH, O_PATH | O_DIRECTORY, O_RDONLY] {
                    let error = #expect(throws: SysError.self, "\(path)") {
                        _ = try root.open(path, flags, followingLinks: false)
                    }
                    #expect(error?.errno == ELOOP, "\(path)")
                }
            }
            for path in ["a/b/c", "/a/b/../file", "/", "a/b/."] {
                _ = try root.open(path, followingLinks: false)
            }
        }

        /// A link of procfs that the kernel would jump through is refused, whichever way it looks.
        @Test("magic links", arguments: [true, false])
        func magicLinks(byKernel: Bool) throws {
            let root = RootDirectory(
                try openFile("/proc/self", O_PATH | O_DIRECTORY), byKernel: byKernel)
            let zero = try openFile("/dev/zero", O_RDONLY)
            for path in ["root", "root/etc", "cwd", "exe", "fd/\(zero.raw)", "ns/mnt"] {
                let error = #expect(throws: SysError.self, "\(path)") {
                    _ = try root.open(path, O_RDONLY)
                }
                #expect(error?.errno == ELOOP, "\(path)")
            }
        }

        @Test("the two ways name the path in their errors", arguments: [true, false])
        func errorsNameThePath(byKernel: Bool) throws {
            let root = try TemporaryTree().root(byKernel: byKernel)
            let error = #expect(throws: SysError.self) { _ = try root.open("/no/such") }
            #expect(error?.call.contains("\"/no/such\"") == true)
        }

        @Test("files are made only beneath the root", arguments: [true, false])
        func makeFiles(byKernel: Bool) throws {
            let tree = try sampleTree()
            let root = try tree.root(byKernel: byKernel)
            let cases: [(path: String, place: String)] = [
                ("new", "new"),
                ("/a/../deep/er/file", "deep/er/file"),
                ("a/file", "a/file"),
                ("dangling", "missing/target"),
                ("outer/file", "a/b/file"),
                ("absolute/../../x y", "x y"),
                ("escape", "etc/passwd"),
                ("../../../../tmp/inside", "tmp/inside"),
            ]
            try tree.link("absolute-dangling", to: "/../var/lib/file")
            for (path, place) in cases + [("absolute-dangling", "var/lib/file")] {
                let made = try root.openMakingFile(path).status()
                #expect(try made == lstatus("\(tree.path)/\(place)"), "\(path)")
                #expect(made.isRegular && made.mode & 0o7777 == 0o644, "\(path)")
            }
            #expect(try lstatus("\(tree.path)/deep/er").mode & 0o7777 == 0o755)
        }

        @Test("directories are made only beneath the root", arguments: [true, false])
        func makeDirectories(byKernel: Bool) throws {
            let tree = try sampleTree()
            let root = try tree.root(byKernel: byKernel)
            let cases: [(path: String, mode: UInt32, place: String)] = [
                ("x/y/z", 0o755, "x/y/z"),
                ("/x/y/w/", 0o700, "x/y/w"),
                ("outer/c", 0o755, "a/b/c"),
                ("outer/../d", 0o1777, "a/d"),
                ("dangling/more", 0o755, "missing/target/more"),
                ("escape-absolute/conf.d", 0o755, "etc/conf.d"),
                ("gone/../kept", 0o755, "kept"),
                ("self/self/\(long)/deep", 0o755, "\(long)/deep"),
            ]
            for (path, mode, place) in cases {
                let made = try root.openMakingDirectories(path, mode: mode).status()
                #expect(try made == lstatus("\(tree.path)/\(place)"), "\(path)")
                #expect(made.isDirectory && made.mode & 0o7777 == mode, "\(path)")
            }
            for (path, errno) in [("a/file/x", ENOTDIR), ("to-file", ENOTDIR), ("loop1/x", ELOOP)] {
                let error = #expect(throws: SysError.self) {
                    _ = try root.openMakingDirectories(path)
                }
                #expect(error?.errno == errno, "\(path)")
            }
            let error = #expect(throws: SysError.self) {
                _ = try root.openMakingDirectories("dangling/more", followingLinks: false)
            }
            #expect(error?.errno == ELOOP)
        }

        @Test("a file that is to be made never replaces a directory", arguments: [true, false])
        func fileOverDirectory(byKernel: Bool) throws {
            let tree = try sampleTree()
            let root = try tree.root(byKernel: byKernel)
            let found = try root.openMakingFile("a/b").status()
            #expect(found.isDirectory)
        }

        @Test("openBeneath keeps to one mount and to no links")
        func beneath() throws {
            let tree = try sampleTree()
            let top = try tree.open()
            #expect(try openBeneath(top.raw, "a/file", O_RDONLY).status().isRegular)
            for (path, errno) in [("outer/c", ELOOP), ("a/b/up/file", ELOOP), ("none", ENOENT)] {
                let error = #expect(throws: SysError.self) {
                    _ = try openBeneath(top.raw, path, O_RDONLY)
                }
                #expect(error?.errno == errno, "\(path)")
            }
            let error = #expect(throws: SysError.self) {
                _ = try openBeneath(top.raw, "../../etc/passwd", O_RDONLY)
            }
            #expect(error?.errno == EXDEV)
        }

        @Test(
            "splitPath",
            arguments: [
                ("/a/b", "/a", "b"), ("/a/b//", "/a", "b"), ("/a", "/", "a"), ("a", ".", "a"),
                ("a/b/c", "a/b", "c"), ("/", ".", ""), ("", ".", ""), ("//a", "/", "a"),
                ("/a b/\u{fc}", "/a b", "\u{fc}"), ("../x", "..", "x"),
            ])
        func split(path: String, parent: String, name: String) {
            let parts = splitPath(path)
            #expect(parts.name.utf8.elementsEqual(name.utf8))
            #expect(parts.parent.utf8.elementsEqual(parent.utf8))
        }

        /// Compares by the inode: equal to the expected place, or the errno.
        private func outcome(
            of path: String, _ flags: Int32, in root: borrowing RootDirectory,
            _ tree: TemporaryTree,
            _ expected: Outcome
        ) throws -> Outcome {
            let found: FileStatus
            do {
                found = try root.open(path, flags).status()
            } catch {
                return .errno(error.errno)
            }
            if case .at(let place) = expected, try lstatus("\(tree.path)/\(place)") == found {
                return expected
            }
            return .at("inode \(found.ino)")
        }
    }
}

private func lstatus(_ path: String) throws -> FileStatus {
    try status(at: AT_FDCWD, path, AT_SYMLINK_NOFOLLOW)
}
