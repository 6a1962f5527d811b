import Glibc
import Init
import Spec
import Sys

extension Container {
    /// The class of service of the container, whose settings in `config` become those of `change`; nil
    /// where that has none.
    func resctrlGroup(
        updating config: inout Config, with change: IntelRDT
    ) throws(RuntimeError) -> ResctrlGroup? {
        if change == IntelRDT() { return nil }
        guard var settings = config.linux.intelRdt else {
            // config-linux.md, IntelRdt: without it resctrl is left alone.
            throw RuntimeError("the container has no class of service: /linux/intelRdt is not set")
        }
        settings.l3CacheSchema = change.l3CacheSchema ?? settings.l3CacheSchema
        settings.memBwSchema = change.memBwSchema ?? settings.memBwSchema
        config.linux.intelRdt = settings
        guard let group = resctrlGroup(of: config) else {
            throw RuntimeError("resctrl is not mounted any more")
        }
        return group
    }

    /// nil where it has none.
    func resctrlGroup(of config: Config) -> ResctrlGroup? {
        guard let settings = config.linux.intelRdt, let mountPoint = Resctrl.mountPoint() else {
            return nil
        }
        return ResctrlGroup(settings, id: record.id, mountPoint: mountPoint)
    }
}

extension ResctrlGroup {
    /// Writes lines to `schemata`.
    /// - Returns: all lines as they were.
    /// - Throws: the line that is refused. Then none has changed.
    func set(_ lines: [(name: String, line: String)]) throws(RuntimeError) -> [String] {
        var before: [String] = []
        var place = ""
        do throws(SysError) {
            before = try schemata().split(separator: "\n").map { String($0.drop { $0 == " " }) }
            for (name, line) in lines {
                place = "/linux/intelRdt/" + name
                try write(line + "\n", to: path + "/schemata")
            }
        } catch {
            restore(before)
            throw RuntimeError("\(error)", place: place, hint: error.hint)
        }
        return before
    }

    /// Writes back what ``set(_:)`` has found.
    func restore(_ lines: [String]) {
        for line in lines { try? write(line + "\n", to: path + "/schemata") }
    }

    func schemata() throws(SysError) -> String {
        String(decoding: try readFile("\(path)/schemata", limit: 1 << 20), as: UTF8.self)
    }
}
