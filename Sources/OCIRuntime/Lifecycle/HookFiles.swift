import Glibc
import Init
import Spec
import Sys

/// Opens a file that hooks write to: at its end, and made where there is none.
func openHookOutput(_ path: String) throws(SysError) -> Fd {
    try openFile(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY, mode: 0o600)
}

/// The files that the annotations `run.oci.hooks.stdout` and `run.oci.hooks.stderr` name, for the hooks
/// of a later command than `create`.
struct HookFiles: ~Copyable {
    private(set) var output = HookOutput()

    /// None.
    init() {}

    init(_ config: Config, bundle: String) throws(SysError) {
        if let path = config.annotations[HookStream.stdout.annotation] {
            output.stdout = try openHookOutput(path.below(bundle)).release()
        }
        if let path = config.annotations[HookStream.stderr.annotation] {
            output.stderr = try openHookOutput(path.below(bundle)).release()
        }
    }

    deinit {
        if output.stdout >= 0 { closeDescriptor(output.stdout) }
        if output.stderr >= 0 { closeDescriptor(output.stderr) }
    }
}
