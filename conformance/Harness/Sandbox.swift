/// Prefixes for commands that would harm the host if the runtime did what it must refuse.
///
/// A clause never bets the host on the runtime being right: crun 1.8.1, told to `delete --force /`,
/// removes the host's files.
enum Sandbox {
    /// Mount, uts, ipc and network namespaces that can be thrown away: a host name, a sysctl or a
    /// pivot_root meant for the host ends here.
    static let namespaces = [
        "unshare", "--mount", "--uts", "--ipc", "--net", "--propagation", "private",
    ]

    /// A pid namespace of its own: a signal to pid 1, or to all, ends here.
    static let processes = ["unshare", "--mount", "--pid", "--fork", "--mount-proc"]

    /// All file systems read-only but for `directory`.
    static func readOnly(but directory: String) -> [String] {
        let script = """
            mount --bind "$0" "$0"
            while read -r _ _ _ _ point _; do
                case $point in "$0"|"$0"/*|/proc|/proc/*) continue;; esac
                mount -o remount,bind,ro "$point"
            done < /proc/self/mountinfo
            if touch /.writable 2> /dev/null; then echo "not read-only" >&2; exit 99; fi
            exec "$@"
            """
        return ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, directory]
    }
}
