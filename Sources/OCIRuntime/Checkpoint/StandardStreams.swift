import Glibc
import Spec
import Sys

/// What the standard streams of a container's first process are: pipes and files of the host, which a
/// checkpoint leaves out. A restore puts its own streams in their places.
struct StandardStreams: Equatable {
    /// The file beside the images, the same as runc's: what the streams are, by their numbers.
    static let file = "descriptors.json"

    /// `pipe:[INODE]`, which is CRIU's key; `file[MOUNT:INODE]:PATH`, where the key ends with the
    /// bracket; or what else they are.
    private(set) var names: [String] = []

    /// Those of a process.
    init(of pid: Int32) throws(SysError) {
        let process = "/proc/\(pid)"
        let mounts = try readFile("\(process)/mountinfo").split(separator: UInt8(ascii: "\n"))
            .map { Array($0.prefix { $0 != UInt8(ascii: " ") }) }
        for number in 0...2 {
            do throws(SysError) {
                names.append(try Self.lastingName(process, number, mounts))
            } catch  where error.errno == ENOENT {
                names.append("")
            }
        }
    }

    /// A shell puts a file of the container in a stream's place for as long as one command of it runs.
    private static func lastingName(
        _ process: String, _ number: Int, _ mounts: [[UInt8]]
    ) throws(SysError) -> String {
        let path = "\(process)/fd/\(number)"
        var name = try name(of: path, process, number, mounts)
        var tries = 0
        while name.utf8.first == UInt8(ascii: "/"), !name.utf8.starts(with: "/dev/".utf8),
            tries < 20
        {
            sleep(nanoseconds: 1_000_000)
            name = try self.name(of: path, process, number, mounts)
            tries += 1
        }
        return name
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
        return "file[\(String(mount, radix: 16)):\(String(inode, radix: 16))]:\(link)"
    }

    /// The keys of files of the host, each once.
    var files: [String] { all.filter { $0.file != nil }.map(\.key) }

    /// What a restore has something to put in place of, each once, with the number of its own stream.
    private var all: [(key: String, file: String?, stream: Int32)] {
        var all: [(key: String, file: String?, stream: Int32)] = []
        for (number, name) in names.enumerated() {
            var (key, file) = (name, nil as String?)
            if name.utf8.starts(with: "file[".utf8) {
                let parts = name.utf8.split(separator: UInt8(ascii: "]"), maxSplits: 1)
                key = "\(Substring(parts[0]))]"
                file = parts.count > 1 ? String(Substring(parts[1].dropFirst())) : ""
            } else if !name.utf8.starts(with: "pipe:".utf8) {
                continue
            }
            if !all.contains(where: { $0.key == key }) { all.append((key, file, Int32(number))) }
        }
        return all
    }

    /// What takes their places: this process's own streams, but `null` for the null device.
    /// - Throws: a file for which there is none, as CRIU sets its position.
    func replacements(null: Int32) throws(SysError) -> [(key: String, fd: Int32)] {
        var replacements: [(key: String, fd: Int32)] = []
        for (key, file, stream) in all {
            let isNull = file?.utf8.elementsEqual("/dev/null".utf8) == true
            if let file, !isNull, !Fd.isSeekable(stream) {
                throw .refused(
                    "stream \(stream) of the container's program was the file \(file), and that of "
                        + "this restore is none", hint: "redirect it to a file")
            }
            replacements.append((key, isNull ? null : stream))
        }
        return replacements
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
            at: directory, Self.file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK,
            mode: 0o600)
        try file.write(writer.bytes)
    }

    /// Those that were written beside the images; none where the file is missing.
    init(from directory: Int32) throws(RuntimeError) {
        let bytes: [UInt8]
        do throws(SysError) {
            // A pipe in its place would keep whoever opens it waiting.
            let file = try openFile(at: directory, Self.file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            let limit = 1 << 16
            let status = try file.status()
            if !status.isRegular || status.size > limit {
                throw .refused("\(Self.file) of the images is not the file that checkpoint wrote")
            }
            bytes = try file.readAll(limit: limit)
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
