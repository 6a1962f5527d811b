public import Init
import Spec

/// A plan as a person or a program reads it. Costly next to planning: only made to be shown.
public struct PlanReport {
    private let plan: Plan

    /// Makes a report of `plan`.
    public init(_ plan: Plan) { self.plan = plan }

    // MARK: Text

    /// A numbered line per step in columns: actor, step, place, details; warnings last.
    public var text: String {
        var lines: [Line] = [Line("#", "actor", "step", "place", "details")]
        for (index, step) in plan.steps.enumerated() {
            lines.append(Line(String(index + 1), step))
        }
        // `start` and `delete` do these; they are no part of the walk that host and init do.
        for step in plan.later { lines.append(Line("-", step)) }
        let widths = Line.widths(lines)
        var text = ""
        for line in lines {
            text += line.aligned(widths)
            text += "\n"
        }
        for warning in plan.warnings { text += "warning: " + printable(warning) + "\n" }
        return text
    }

    private struct Line {
        let cells: [String]

        init(_ cells: String...) { self.cells = cells }

        init(_ number: String, _ step: Step) {
            cells = [
                number, step.actor.rawValue, step.action.name, printable(step.place),
                printable(step.action.summary),
            ]
        }

        /// Of each column but the last; one overlong place does not push all details aside.
        static func widths(_ lines: [Line]) -> [Int] {
            (0..<4).map { column in
                min(lines.map { $0.cells[column].utf8.count }.max() ?? 0, 40)
            }
        }

        func aligned(_ widths: [Int]) -> String {
            var text = ""
            for (column, width) in widths.enumerated() {
                let cell = cells[column]
                let padding = String(repeating: " ", count: max(width - cell.utf8.count, 0))
                text += (column == 0 ? padding + cell : cell + padding) + "  "
            }
            text += cells[4]
            while text.utf8.last == UInt8(ascii: " ") { text.removeLast() }
            return text
        }
    }

    // MARK: JSON

    /// The same as one JSON object: `id`, `bundle`, `steps`, `later`, `warnings`.
    public var json: [UInt8] {
        var writer = JSONWriter(layout: .spaces(2))
        writer.object { object in
            object.member("id", plan.state.id)
            object.member("bundle", plan.state.bundle)
            object.member("steps", array: plan.steps) { PlanReport.write($1, to: &$0) }
            object.member("later", array: plan.later) { PlanReport.write($1, to: &$0) }
            object.member("warnings", plan.warnings)
        }
        writer.newline()
        return writer.bytes
    }

    private static func write(_ step: Step, to writer: inout JSONWriter) {
        writer.object {
            $0.member("actor", step.actor.rawValue)
            $0.member("step", step.action.name)
            $0.member("place", step.place)
            $0.member("details", step.action.summary)
        }
    }
}

/// `text` without control characters, which a config can hold and a terminal obeys.
private func printable(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
        if scalar.value < 0x20 || scalar.value == 0x7f {
            result += scalar.escaped(asASCII: true)
        } else {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
