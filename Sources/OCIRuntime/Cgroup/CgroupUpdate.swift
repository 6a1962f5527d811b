import Glibc
import Init
import Spec
import Sys

/// Changing the limits of a cgroup that is in use: all of them or none.
extension Cgroup {
    /// Performs steps of ``CgroupPlanner/plan(updating:layout:)``.
    ///
    /// The kernel compares some settings with others: a quota with the burst, the memory limit with
    /// that of memory plus swap. Which of two goes first depends on what is there, so that what it
    /// finds invalid is tried again after all others.
    /// - Throws: what cannot be changed. What had been changed is put back then.
    mutating func update(_ steps: [Step]) throws(RuntimeError) {
        var undo: [(path: String, value: String)] = []
        do throws(RuntimeError) {
            var invalid: [Step] = []
            for step in steps {
                do throws(SysError) {
                    try change(step, &undo)
                } catch  where error.errno == EINVAL {
                    invalid.append(step)
                } catch {
                    throw RuntimeError(step: step, error)
                }
            }
            for step in invalid {
                do throws(SysError) {
                    try change(step, &undo)
                } catch {
                    throw RuntimeError(step: step, error)
                }
            }
        } catch {
            throw Self.undoing(undo, because: error)
        }
    }

    /// The same comparisons hold on the way back.
    private static func undoing(
        _ undo: [(path: String, value: String)], because cause: RuntimeError
    ) -> RuntimeError {
        var error = cause
        let again = undo.reversed().filter { (try? writeFile($0.path, $0.value)) == nil }
        for (path, value) in again {
            do throws(SysError) {
                try writeFile(path, value)
            } catch let second {
                error.warnings.append("putting the limit back: \(second)")
            }
        }
        return error
    }

    private mutating func change(
        _ step: Step, _ undo: inout [(path: String, value: String)]
    ) throws(SysError) {
        switch step.action {
        case .setCgroup(let controller, let file, let value):
            let old = current(controller, file, value)
            try set(controller, file, value)
            if let old { undo.append(old) }
        case .restrictDevices(let rules):
            try replaceDevices(rules)
        default:
            throw .refused("not a step about a cgroup's limits")
        }
    }

    /// On v1 everything is denied before the new rules allow again: nothing runs meanwhile.
    private func replaceDevices(_ rules: [Resources.DeviceRule]) throws(SysError) {
        let isHeld = isUnified || isFrozen
        if !isHeld { try freeze() }
        defer { if !isHeld { try? thaw() } }
        try restrictDevices(rules)
    }

    /// What a control file holds now, as it has to be written to be the same again; nil where that
    /// cannot be told.
    private func current(
        _ controller: String, _ file: String, _ value: String
    ) -> (path: String, value: String)? {
        guard let directory = controller.isEmpty ? members.first : directory(of: controller) else {
            return nil
        }
        var path = "\(directory.full)/\(file)"
        if !exists(path), let other = substitute(file, value)?.file {
            path = "\(directory.full)/\(other)"
        }
        guard let text = try? String(decoding: readFile(path), as: UTF8.self) else { return nil }
        let lines = text.split(separator: "\n")
        if file == "memory.oom_control" {
            return lines.first?.split(separator: " ").last.map { (path, String($0)) }
        }
        guard let key = Self.key(of: value, in: file) else {
            // Writing nothing at all is no write.
            return (path, lines.first.map { String($0) } ?? "\n")
        }
        if let line = lines.first(where: { $0.utf8.starts(with: "\(key) ".utf8) }) {
            return (path, String(line))
        }
        return Self.withoutLimit(value, key, file).map { (path, $0) }
    }

    /// The device of a line in a file with one line per device.
    private static func key(of value: String, in file: String) -> String? {
        let words = value.split(separator: " ")
        return words.count > 1 && file != "cpu.max" ? words.first.map { String($0) } : nil
    }

    private static func withoutLimit(_ value: String, _ key: String, _ file: String) -> String? {
        if file.hasPrefix("blkio.throttle.") { return "\(key) 0" }
        guard file == "io.max", let equals = value.lastIndex(of: "=") else { return nil }
        return String(value[...equals]) + "max"
    }
}
