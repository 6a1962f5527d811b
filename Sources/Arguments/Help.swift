/// How wide help may be, in columns.
let helpWidth = 80

extension Program {
    /// The help of the whole program.
    package var help: String {
        var text = "Usage: \(name) [FLAGS] COMMAND [FLAGS] [ARGUMENTS]\n\n"
        text += capitalised(summary) + ".\n"
        text += section(nil, description)
        let column = commands.filter { !$0.hidden }.map(\.name.utf8.count).max() ?? 0
        for group in groups {
            let rows = group.commands.filter { !$0.hidden }
                .map { Row(left: $0.name, right: $0.summary) }
            if !rows.isEmpty { text += "\n\(group.title):\n" + table(rows, column: column) }
        }
        text += "\nFlags, before the command:\n" + table(flagRows(flags))
        text += "\nRun `\(name) COMMAND --help` for the flags of a command.\n"
        return text
    }
}

extension Command {
    /// The help of one command.
    package func help(program: String) -> String {
        var text = "Usage: \(program) \(name) [FLAGS]"
        for positional in positionals { text += " " + positional.usage }
        text += "\n\n" + capitalised(summary) + ".\n"
        text += section(nil, description)
        if !positionals.isEmpty {
            let rows = positionals.map { Row(left: $0.name, right: $0.fullHelp) }
            text += "\nArguments:\n" + table(rows)
        }
        text += "\nFlags:\n" + table(flagRows(flags))
        if let exitStatus { text += section("Exit status", exitStatus) }
        return text
    }
}

extension Positional {
    /// The help together with the words to choose from.
    package var fullHelp: String {
        if case .words(let words) = values { "\(help) (\(alternatives(words)))" } else { help }
    }

    /// How the argument is shown in a usage line.
    package var usage: String {
        switch arity {
        case .required: name
        case .optional: "[\(name)]"
        case .any: "[\(name)...]"
        }
    }
}

/// One line of a two-column list.
private struct Row {
    let left: String
    let right: String
}

private func flagRows(_ flags: [Flag]) -> [Row] {
    (flags + [Flag.help]).filter { $0.standing == .current }.map { flag in
        let letter = flag.letters.first.map { "-\($0), " } ?? "    "
        let value = flag.value.placeholder.map { " " + $0 } ?? ""
        return Row(left: letter + "--" + flag.name + value, right: flag.fullHelp)
    }
}

extension Flag {
    /// The help together with the choices, the default and whether the flag may be repeated.
    package var fullHelp: String {
        var notes: [String] = []
        if case .choice(_, let words) = value { notes.append(alternatives(words)) }
        if repeats { notes.append("may be repeated") }
        if let fallback { notes.append("default: \(fallback)") }
        return notes.isEmpty ? help : "\(help) (\(notes.joined(separator: "; ")))"
    }
}

/// A two-column list. A left side too long for its column stands on a line of its own.
///
/// - Parameter least: how wide the left column is at least.
private func table(_ rows: [Row], column least: Int = 0) -> String {
    let indent = 2
    let widest = 27
    let column = rows.map(\.left.utf8.count).filter { $0 <= widest }.reduce(least, max)
    let start = indent + column + 2
    var text = ""
    for row in rows {
        text += blanks(indent) + row.left
        let lines = wrap(row.right, width: helpWidth - start)
        if row.left.utf8.count > column {
            text += "\n" + blanks(start)
        } else {
            text += blanks(start - indent - row.left.utf8.count)
        }
        text += lines.joined(separator: "\n" + blanks(start)) + "\n"
    }
    return text
}

/// Paragraphs under an optional heading; nothing at all when there are none.
private func section(_ heading: String?, _ paragraphs: String) -> String {
    if paragraphs.isEmpty { return "" }
    let indent = heading == nil ? 0 : 2
    var text = heading.map { "\n\($0):\n" } ?? "\n"
    var running = ""
    func flush() {
        for line in wrap(running, width: helpWidth - indent) {
            text += blanks(indent) + line + "\n"
        }
        running = ""
    }
    for line in paragraphs.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.isEmpty {
            flush()
            text += "\n"
        } else if line.hasPrefix("  ") {
            flush()
            text += blanks(indent) + line + "\n"
        } else {
            running += (running.isEmpty ? "" : " ") + line
        }
    }
    flush()
    return text
}

/// Breaks a text at blanks into lines of at most `width` columns; a longer word stays whole.
func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
        if !line.isEmpty, line.count + 1 + word.count > width {
            lines.append(line)
            line = ""
        }
        line += (line.isEmpty ? "" : " ") + word
    }
    if !line.isEmpty { lines.append(line) }
    return lines
}

private func blanks(_ count: Int) -> String {
    String(repeating: " ", count: count)
}

func capitalised(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst()
}
