import Arguments
import OCIRuntime
import Spec
import Sys

/// `update`: change the resource limits of a container.
struct UpdateCommand: Verb, Equatable {
    static let name = CommandName.update

    let id: String
    let change: Change
    /// Settings of the class of service.
    var schemata = IntelRDT()
    /// Warnings about flags that are taken and change nothing.
    var ignored: [String] = []

    /// Where the limits come from.
    enum Change: Equatable {
        /// A file with `linux.resources` of the specification, or `-` for standard input.
        case file(String)
        case flags(Resources)
    }

    func run(_ session: inout Session) throws(Failure) -> Int32 {
        let id = self.id
        let resources = try resources()
        let schemata = self.schemata
        session.warn(
            try session.perform { (runtime) throws(RuntimeError) in
                try runtime.update(id, resources, schemata: schemata)
            })
        session.warn(ignored)
        return 0
    }

    private func resources() throws(Failure) -> Resources {
        guard case .file(let path) = change else {
            if case .flags(let resources) = change { return resources }
            return Resources()
        }
        let name = path == "-" ? "standard input" : path
        let bytes: [UInt8]
        do throws(SysError) {
            let limit = 16 << 20
            bytes =
                path == "-"
                ? try Fd.duplicate(0).readAll(limit: limit) : try readFile(path, limit: limit)
        } catch {
            throw Failure("\(error)")
        }
        do throws(ConfigError) {
            return try Resources(parsing: bytes)
        } catch {
            throw Failure("\(name): \(error)")
        }
    }
}

extension UpdateCommand {
    init(_ parsed: Parsed) throws(UsageError) {
        self.init(
            id: parsed.positionals[0], change: try Self.change(parsed),
            schemata: IntelRDT(
                l3CacheSchema: Self.text(parsed, Self.l3CacheSchema),
                memBwSchema: Self.text(parsed, Self.memBwSchema)),
            ignored: Self.ignored(parsed))
    }

    private static func ignored(_ parsed: Parsed) -> [String] {
        func given(_ flags: [Flag]) -> [String] {
            flags.filter { parsed.lastGiven($0) != nil }.map { "--" + $0.name }
        }
        let beside = parsed.text(resourcesFlag) == nil ? [] : given(limitFlags)
        return given(obsoleteFlags).map {
            "\($0) changes nothing: it is obsolete, and --memory counts the kernel's part too"
        } + beside.map { "\($0) is ignored beside --resources" }
    }

    private static func change(_ parsed: Parsed) throws(UsageError) -> Change {
        guard let file = parsed.text(resourcesFlag) else {
            let resources = try resources(parsed)
            let others = obsoleteFlags + rdtFlags
            if resources == Resources(), others.allSatisfy({ parsed.lastGiven($0) == nil }) {
                throw UsageError("nothing to update: --resources or a limit is missing")
            }
            return .flags(resources)
        }
        return .file(file)
    }

    private static func resources(_ parsed: Parsed) throws(UsageError) -> Resources {
        var resources = Resources()
        resources.cpu.shares = try number(parsed, cpuShare)
        resources.cpu.period = try number(parsed, cpuPeriod)
        resources.cpu.quota = try number(parsed, cpuQuota)
        resources.cpu.burst = try number(parsed, cpuBurst)
        resources.cpu.realtimePeriod = try number(parsed, cpuRTPeriod)
        resources.cpu.realtimeRuntime = try number(parsed, cpuRTRuntime)
        resources.cpu.idle = try number(parsed, cpuIdle)
        resources.cpu.cpus = text(parsed, cpusetCPUs)
        resources.cpu.mems = text(parsed, cpusetMems)
        resources.memory.limit = try bytes(parsed, memory)
        resources.memory.reservation = try bytes(parsed, memoryReservation)
        resources.memory.swap = try bytes(parsed, memorySwap)
        resources.pidsLimit = try number(parsed, pidsLimit)
        resources.blockIO.weight = try number(parsed, blkioWeight)
        return resources
    }

    private static func number<Number: FixedWidthInteger>(
        _ parsed: Parsed, _ flag: Flag
    ) throws(UsageError) -> Number? {
        guard let text = parsed.text(flag), !text.isEmpty else { return nil }
        return try wholeNumber(text, flag)
    }

    private static func text(_ parsed: Parsed, _ flag: Flag) -> String? {
        parsed.text(flag).flatMap { $0.isEmpty ? nil : $0 }
    }

    private static func bytes(_ parsed: Parsed, _ flag: Flag) throws(UsageError) -> Int64? {
        guard let text = parsed.text(flag), !text.isEmpty else { return nil }
        return try byteCount(text, flag)
    }
}

extension UpdateCommand {
    private static let resourcesFlag = Flag(
        "resources", "r", .path("FILE"),
        help: "the limits as JSON, as in linux.resources; - reads standard input")
    private static let blkioWeight = Flag(
        "blkio-weight", "", .text("N"), help: "the share of block I/O, from 10 to 1000")
    private static let cpuPeriod = Flag(
        "cpu-period", "", .text("USEC"), help: "the period in which --cpu-quota counts")
    private static let cpuQuota = Flag(
        "cpu-quota", "", .text("USEC"), help: "the CPU time in each period; -1 for no limit")
    private static let cpuBurst = Flag(
        "cpu-burst", "", .text("USEC"), help: "the unused CPU time that may be saved up")
    private static let cpuShare = Flag(
        "cpu-share", "", .text("N"), help: "the share of CPU time, from 2 to 262144")
    private static let cpuRTPeriod = Flag(
        "cpu-rt-period", "", .text("USEC"), help: "the period in which --cpu-rt-runtime counts")
    private static let cpuRTRuntime = Flag(
        "cpu-rt-runtime", "", .text("USEC"), help: "the real-time CPU time in each period")
    private static let cpuIdle = Flag(
        "cpu-idle", "", .text("0|1"), help: "1 lets the container run only when nothing else does")
    private static let cpusetCPUs = Flag(
        "cpuset-cpus", "", .text("LIST"), help: "the CPUs to use, such as 0-2,7")
    private static let cpusetMems = Flag(
        "cpuset-mems", "", .text("LIST"), help: "the memory nodes to use")
    private static let memory = Flag(
        "memory", "", .text("BYTES"), help: "the memory, such as 512m; -1 for no limit")
    private static let memoryReservation = Flag(
        "memory-reservation", "", .text("BYTES"),
        help: "the memory that is left to it under pressure")
    private static let memorySwap = Flag(
        "memory-swap", "", .text("BYTES"), help: "memory and swap together; -1 for no limit")
    private static let pidsLimit = Flag(
        "pids-limit", "", .text("N"), help: "the most processes and threads; -1 for no limit")

    private static let limitFlags = [
        blkioWeight, cpuPeriod, cpuQuota, cpuBurst, cpuShare, cpuRTPeriod, cpuRTRuntime, cpuIdle,
        cpusetCPUs, cpusetMems, memory, memoryReservation, memorySwap, pidsLimit,
    ]
    private static let obsoleteFlags = ["kernel-memory", "kernel-memory-tcp"].map {
        Flag($0, "", .text("BYTES"), standing: .obsolete, help: "no effect")
    }
    private static let l3CacheSchema = Flag(
        "l3-cache-schema", "", .text("SCHEMA"), help: "the L3 cache of Intel RDT, such as L3:0=ff")
    private static let memBwSchema = Flag(
        "mem-bw-schema", "", .text("SCHEMA"),
        help: "the memory bandwidth of Intel RDT, such as MB:0=20")
    private static let rdtFlags = [l3CacheSchema, memBwSchema]

    static let command = Command(
        name.rawValue, summary: "change the resource limits of a container",
        description: """
            What is not mentioned stays. Where one limit is refused none is changed.
            """,
        positionals: [SharedFlags.id],
        flags: [resourcesFlag] + limitFlags + rdtFlags + obsoleteFlags)
}
