import Glibc
import Init
import Spec
import Sys

/// The directories of one checkpoint or restore, open for CRIU.
struct Images: ~Copyable {
    let directory: Fd
    private let work: Fd
    private let workPath: String
    private let logName: String
    /// The directories that were not there before.
    private let made: [String]

    /// - Parameter making: whether they are made where they are missing, for root alone: the images
    ///   hold all that the container had in its memory.
    init(_ options: ImageOptions, making: Bool, log: String) throws(RuntimeError) {
        let path = try absolutePath(options.imagePath)
        let workPath = try absolutePath(options.workPath ?? path)
        let missing = [path, workPath].filter { !exists($0) }
        let directory = try Self.open(path, making: making, "--image-path")
        let work = try Self.open(workPath, making: making || options.workPath != nil, "--work-path")
        self.directory = directory
        self.work = work
        self.workPath = workPath
        logName = log
        made = missing
    }

    /// The same as CRIU sees them that has a mount namespace of its own: it mounts something there.
    /// - Parameter criu: its pid.
    init(_ images: borrowing Images, asSeenBy criu: Int32) throws(RuntimeError) {
        do throws(SysError) {
            let directory = try Self.open(images.directory, criu)
            let work = try Self.open(images.work, criu)
            self.directory = directory
            self.work = work
        } catch {
            throw RuntimeError(error)
        }
        workPath = images.workPath
        logName = images.logName
        made = []
    }

    /// Through another process's root, by a path without links, which would lead back into this one's.
    private static func open(_ directory: borrowing Fd, _ pid: Int32) throws(SysError) -> Fd {
        let path = try readLink("/proc/self/fd/\(directory.raw)")
        return try openFile("/proc/\(pid)/root\(path)", O_RDONLY | O_DIRECTORY)
    }

    private static func open(
        _ path: String, making: Bool, _ flag: String
    ) throws(RuntimeError) -> Fd {
        do throws(SysError) {
            if making { try makeDirectories(path, mode: 0o700) }
            return try openFile(path, O_RDONLY | O_DIRECTORY)
        } catch {
            throw RuntimeError("\(flag): \(error)")
        }
    }

    /// Removes what a checkpoint that failed has left in a directory made for it, but not the log of it,
    /// and the directory where that is elsewhere.
    func discard() {
        for path in made {
            guard let directory = try? openFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW),
                let names = try? directory.names()
            else { continue }
            for name in names where !name.utf8.elementsEqual(logName.utf8) {
                try? removeFile(at: directory.raw, name)
            }
            try? removeDirectory(path)
        }
    }

    func log(output: Int32 = -1) -> CRIULog {
        CRIULog(directory: work.raw, path: workPath, name: logName, output: output)
    }

    /// What is the same for a dump and a restore.
    func describe(_ options: ImageOptions, _ request: inout CRIUOptions) {
        // By number: CRIU opens them as this process's.
        request.set(.imagesDirectory, directory.raw)
        request.set(.workDirectory, work.raw)
        request.set(.logLevel, 4)
        request.set(.logFile, logName)
        request.set(.notifyScripts)
        request.set(.manageCgroups)
        let byDefault: Int32 = 6
        request.set(.cgroupsMode, options.cgroupsMode?.number ?? byDefault)
        request.set(.tcpEstablished, options.tcpEstablished)
        request.set(.externalUnixSockets, options.externalUnixSockets)
        request.set(.shellJob, options.shellJob)
        request.set(.fileLocks, options.fileLocks)
        request.set(.lazyPages, options.lazyPages)
        request.set(.autoDedup, options.autoDedup)
        request.set(.orphanPtsMaster)
        // What is in a network namespace of the container's own is for hooks to make again.
        request.set(.emptyNamespaces, NamespaceKind.network.rawValue)
        if let lock = options.networkLock { request.set(.networkLock, lock.number) }
    }
}
