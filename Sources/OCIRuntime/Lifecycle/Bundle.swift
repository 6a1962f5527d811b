import Glibc
import Spec
import Sys

/// A bundle: its directory and its config, read and validated.
struct Bundle {
    /// From the file system's root.
    let path: String
    var config: Config
    /// The file's bytes, to be kept for later commands.
    private(set) var bytes: [UInt8]
    /// The root file system's directory, from the file system's root.
    let rootfs: String
    let warnings: [String]
    /// Why a user namespace that the config does not ask for has the caller's own ids alone, if it has.
    let idLack: String?

    /// Larger configs are refused before they are read.
    private static let limit = 16 << 20

    /// - Parameter config: another file than the bundle's `config.json`.
    init(_ directory: String, config file: String?) throws(RuntimeError) {
        path = try absolutePath(directory)
        let name =
            try file.map { (name) throws(RuntimeError) in try absolutePath(name) }
            ?? "\(path)/config.json"
        do throws(SysError) {
            bytes = try readFile(name, limit: Self.limit)
        } catch  where error.errno == ENOENT {
            let fault = pathFault(name, ENOENT).map { "\($0); " } ?? ""
            throw RuntimeError(
                "JSON specification file \(name) not found: \(error)",
                hint: fault
                    + (file == nil
                        ? "--bundle names the directory that holds config.json"
                        : "--config names the file"))
        } catch  where error.errno == EFBIG {
            throw RuntimeError("the config \(name) is larger than \(Self.limit >> 20) MiB")
        } catch {
            throw RuntimeError(error)
        }
        do throws(ConfigError) {
            config = try Config(parsing: bytes)
            config.findSeccompAgent()
            let own = try config.addOwnUserNamespace()
            if own != nil { bytes = config.json() }
            idLack = own?.lack
            warnings = try config.validate().map { "\($0)" }
        } catch {
            throw RuntimeError(error)
        }
        guard let root = config.root else {
            throw RuntimeError("the config names no root file system", place: "/root")
        }
        rootfs = root.path.utf8.first == UInt8(ascii: "/") ? root.path : "\(path)/\(root.path)"
        try Self.checkDirectory(rootfs)
    }

    private static func checkDirectory(_ rootfs: String) throws(RuntimeError) {
        do throws(SysError) {
            guard try status(of: rootfs).isDirectory else {
                throw SysError("stat(\(quoted(rootfs)))", ENOTDIR)
            }
        } catch {
            throw RuntimeError(
                "\(error)", place: "/root/path",
                hint: "the root file system must be a directory"
                    + (pathFault(rootfs, error.errno).map { ", and \($0)" } ?? ""))
        }
    }
}
