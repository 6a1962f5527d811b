import Init
import Spec
import Sys

/// What annotations ask of the runtime: crun's, by which Podman and CRI-O reach what the config has no
/// property for. One that cannot be honoured fails, like a property of the config.
package struct Annotations {
    /// `run.oci.keep_original_groups`: the program keeps the caller's additional groups.
    private(set) var keepsGroups = false
    /// `run.oci.mount_context_type`: the mount option that carries `linux.mountLabel`.
    private(set) var mountContext = "context"
    /// `run.oci.seccomp_fail_unknown_syscall`
    private(set) var failsOnUnknownCalls = false
    /// `run.oci.seccomp_bpf_data`: the filter itself, in place of `linux.seccomp`.
    private(set) var filter: [UInt8]?
    /// `run.oci.systemd.force_cgroup_v1`: where the mount is that becomes systemd's own hierarchy.
    private(set) var systemdHierarchy: String?
    /// `run.oci.systemd.subgroup`: below the scope, with a leading slash; empty for none.
    private(set) var subgroup = ""
    /// `run.oci.delegate-cgroup`: below the container's cgroup, with a leading slash; empty for none.
    private(set) var delegated = ""
    private(set) var warnings: [String] = []

    static let prefix = "run.oci."
    static let receiver = "run.oci.seccomp.receiver"
    static let pidfdReceiver = "run.oci.pidfd_receiver"
    static let subgroup = "run.oci.systemd.subgroup"
    static let delegated = "run.oci.delegate-cgroup"
    static let filter = "run.oci.seccomp_bpf_data"

    static func place(_ key: String) -> String { "/annotations/\(pointerMember(key))" }

    package init(_ config: Config) throws(PlanError) {
        for entry in config.annotations {
            if entry.key.utf8.starts(with: Self.prefix.utf8) {
                try read(entry.key, entry.value, in: config)
            } else if entry.key.utf8.elementsEqual("module.wasm.image/variant".utf8) {
                try refuseHandler(entry.key, entry.value, in: config)
            }
        }
    }

    private mutating func read(
        _ key: String, _ value: String, in config: Config
    ) throws(PlanError) {
        switch key {
        case "run.oci.keep_original_groups": keepsGroups = isOn(value)
        case "run.oci.seccomp_fail_unknown_syscall": failsOnUnknownCalls = isOn(value)
        case Self.filter: filter = try decodedFilter(value)
        case "run.oci.mount_context_type":
            guard ["context", "fscontext", "defcontext", "rootcontext"].contains(value) else {
                throw PlanError(
                    Self.place(key), "\(quoted(value)) is no type of context",
                    hint: "it is context, fscontext, defcontext or rootcontext")
            }
            mountContext = value
        case "run.oci.systemd.force_cgroup_v1": systemdHierarchy = value
        case Self.subgroup: subgroup = try subPath(key, value)
        case Self.delegated: delegated = try subPath(key, value)
        case "run.oci.seccomp.plugins":
            throw PlanError(
                Self.place(key), "plug-ins are not supported",
                hint: "an agent that listens on a socket is: listenerPath in /linux/seccomp")
        case "run.oci.handler": try refuseHandler(key, value, in: config)
        // By whom they are looked up when they are needed.
        case Self.receiver, Self.pidfdReceiver, HookStream.stdout.annotation,
            HookStream.stderr.annotation:
            break
        default: warnings.append("\(Self.place(key)): nobody knows it, ignored")
        }
    }

    /// crun's notion: whatever is not 0.
    private func isOn(_ value: String) -> Bool { !value.utf8.elementsEqual("0".utf8) }

    /// Other programs than a process of Linux's. The smart kinds take only what is WebAssembly, and no
    /// handler is for the pause container of a Kubernetes pod, which has its pod's annotations.
    private func refuseHandler(
        _ key: String, _ value: String, in config: Config
    ) throws(PlanError) {
        if config.annotations["io.kubernetes.cri.container-type"] == "sandbox" { return }
        if value.hasSuffix("-smart") {
            let program = config.process?.args.first ?? ""
            if !program.hasSuffix(".wasm") && !program.hasSuffix(".wat") { return }
        }
        throw PlanError(
            Self.place(key), "the handler \(quoted(value)) is not supported",
            hint: "swrunc runs Linux programs only; crun has builds with handlers")
    }

    /// Component by component: no `..` leads out of the container's cgroup.
    private func subPath(_ key: String, _ value: String) throws(PlanError) -> String {
        var path = ""
        for component in value.utf8.split(separator: UInt8(ascii: "/")) {
            if component.elementsEqual(".".utf8) { continue }
            if component.elementsEqual("..".utf8) {
                throw PlanError(Self.place(key), "\(quoted(value)) has a \"..\" in it")
            }
            path += "/\(Substring(component))"
        }
        return path
    }

    /// `struct sock_filter` after `struct sock_filter`, in base64.
    private func decodedFilter(_ text: String) throws(PlanError) -> [UInt8] {
        guard let bytes = decodedBase64(text), !bytes.isEmpty, bytes.count % 8 == 0,
            bytes.count / 8 <= BPFProgram.limit
        else {
            throw PlanError(
                Self.place(Self.filter), "is not a seccomp filter in base64",
                hint: "8 bytes each for at most \(BPFProgram.limit) instructions")
        }
        return bytes
    }
}

/// nil where it is not base64 (RFC 4648), padding included.
func decodedBase64(_ text: String) -> [UInt8]? {
    let digits = text.utf8.prefix { $0 != UInt8(ascii: "=") }
    let padding = text.utf8.dropFirst(digits.count)
    guard padding.allSatisfy({ $0 == UInt8(ascii: "=") }), padding.count <= 2,
        text.utf8.count % 4 == 0
    else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 4 * 3 + 2)
    var bits: UInt32 = 0
    for (index, digit) in digits.enumerated() {
        let value: UInt8
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): value = 62
        case UInt8(ascii: "/"): value = 63
        default: return nil
        }
        bits = bits << 6 | UInt32(value)
        // Six bits a digit: of four digits the first gives no whole byte yet.
        let ready = UInt32(index % 4) * 2
        if ready > 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> (6 - ready))) }
    }
    return bytes
}

extension Config {
    /// The seccomp agent of a config without `listenerPath`, by crun's older ways to name it.
    mutating func findSeccompAgent() {
        guard linux.seccomp != nil, linux.seccomp?.listenerPath == nil else { return }
        linux.seccomp?.listenerPath =
            annotations[Annotations.receiver] ?? environmentVariable("RUN_OCI_SECCOMP_RECEIVER")
    }
}

extension HookStream {
    var annotation: String { "run.oci.hooks.\(rawValue)" }
}
