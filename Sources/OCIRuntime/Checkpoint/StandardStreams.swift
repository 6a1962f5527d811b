import Glibc
import Spec
import Sys

/// What the standard streams of a container's first process are: pipes and files of the host, which a
/// checkpoint leaves out. A restore puts its own streams in their places.
struct StandardStreams: Equatable {
    /// The file beside the images, the same as runc's: what the streams are, by their numbers.
    static let file = "descriptors.json"

    /// `pipe:[INODE]`, `file[MOUNT:INODE]`, which are CRIU's keys, or what else they are.
    private(set) var names: [String] = []

    /// Those of a process.
    init(of pid: Int32) throws(SysError) {
        let process = "/proc/\(pid)"
        let mounts = try readFile("\(process)/mountinfo").split(separator: UInt8(ascii: "\n"))
            .map { Array($0.prefix { $0 != UInt8(ascii: " ") }) }
        for number in 0...2 {
            do throws(SysError) {
                names.append(try Self.name(of: "\(process)/fd/\(number)", process, number, mounts))
            } catch  where error.errno == ENOENT {
                names.append("")
            }
        }
    }

    private static func name(
        of path: String, _ process: String, _ number: Int, _ mounts: [[UInt8]]
    ) throws(SysError) -> String {
        let link = try readLink(path)
        guard link.utf8.first == UInt8(ascii: "/") else { return link }
        let prefix = "mnt_id:\t"
        let entry = words(try readFile("\(process)/fdinfo/\(number)")).first {
            $0.utf8.starts(with: prefix.utf8)
        }
        guard let digits = entry?.utf8.dropFirst(prefix.utf8.count),
            let mount = UInt32(Substring(digits)), !mounts.contains(Array(digits))
        else { return link }
        let inode = try status(of: path).ino
        return "file[\(String(mount, radix: 16)):\(String(inode, radix: 16))]"
    }

    /// The files of the host, each once.
    var files: [String] { keys.map(\.key).filter { $0.utf8.starts(with: "file[".utf8) } }

    /// What a restore has something to put in place of, and the number of its own stream.
    var keys: [(key: String, stream: Int32)] {
        var keys: [(key: String, stream: Int32)] = []
        for (number, name) in names.enumerated()
        where name.utf8.starts(with: "pipe:".utf8) || name.utf8.starts(with: "file[".utf8) {
            if !keys.contains(where: { $0.key == name }) { keys.append((name, Int32(number))) }
        }
        return keys
    }

    /// Writes them beside the images.
    func write(to directory: Int32) throws(SysError) {
        var writer = JSONWriter()
        writer.array {
            for name in names {
                $0.element()
                $0.string(name)
            }
        }
        let file = try openFile(
            at: directory, Self.file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try file.write(writer.bytes)
    }

    /// Those that were written beside the images; none where the file is missing.
    init(from directory: Int32) throws(RuntimeError) {
        let bytes: [UInt8]
        do throws(SysError) {
            let file = try openFile(at: directory, Self.file, O_RDONLY | O_NOFOLLOW)
            bytes = try file.readAll(limit: 1 << 16)
        } catch  where error.errno == ENOENT {
            return
        } catch {
            throw RuntimeError(error)
        }
        do throws(ConfigError) {
            let all = try JSONValue(parsing: bytes).list { (value) throws(ConfigError) in
                try value.string()
            }
            names = Array(all.prefix(3))
        } catch {
            throw RuntimeError("\(Self.file) of the images is damaged: \(error)")
        }
    }
}
