/// Manual pages in the man(7) macros.
extension Program {
    /// The page of the whole program.
    package func manPage(version: String) -> String {
        var page = heading(name, section: 8, version: version)
        page += "\(name) \\- \(unquoted(summary))\n"
        page += ".SH SYNOPSIS\n"
        page += ".B \(escaped(name))\n[\\fIFLAGS\\fR] \\fICOMMAND\\fR [\\fIFLAGS\\fR] "
        page += "[\\fIARGUMENTS\\fR]\n"
        page += ".SH DESCRIPTION\n" + paragraphs(description)
        page += ".SH COMMANDS\n"
        for group in groups {
            let shown = group.commands.filter { !$0.hidden }
            if !shown.isEmpty { page += ".SS \(escaped(group.title))\n" }
            for command in shown {
                page += ".TP\n.BR \(escaped("\(name)-\(command.name)")) (8)\n"
                page += sentence(command.summary)
            }
        }
        page += ".SH FLAGS\nThese stand before the command.\n" + list(flags)
        page += ".SH EXIT STATUS\n"
        page += "0 for success, 1 for failure, where a command's page does not say otherwise.\n"
        page += ".SH SEE ALSO\n"
        page += seeAlso(commands.filter { !$0.hidden }.map { "\(name)-\($0.name)" })
        return page
    }
}

extension Command {
    /// The page of one command.
    package func manPage(program: String, version: String) -> String {
        var page = heading("\(program)-\(name)", section: 8, version: version)
        page += "\(escaped("\(program)-\(name)")) \\- \(unquoted(summary))\n"
        page += ".SH SYNOPSIS\n.B \(escaped("\(program) \(name)"))\n[\\fIFLAGS\\fR]"
        for positional in positionals { page += " " + positional.synopsis }
        page += "\n.SH DESCRIPTION\n" + sentence(summary)
        if !description.isEmpty { page += ".PP\n" + paragraphs(description) }
        if !positionals.isEmpty {
            page += ".SH ARGUMENTS\n"
            for positional in positionals {
                page += ".TP\n.I \(escaped(positional.name))\n" + sentence(positional.fullHelp)
            }
        }
        page += ".SH FLAGS\n" + list(flags)
        page += ".SH EXIT STATUS\n" + paragraphs(exitStatus ?? "0 for success, 1 for failure.")
        page += ".SH SEE ALSO\n" + seeAlso([program])
        return page
    }
}

extension Positional {
    fileprivate var synopsis: String {
        switch arity {
        case .required: "\\fI\(escaped(name))\\fR"
        case .optional: "[\\fI\(escaped(name))\\fR]"
        case .any: "[\\fI\(escaped(name))\\fR...]"
        }
    }
}

private func heading(_ name: String, section: Int, version: String) -> String {
    let title = escaped(name.uppercased())
    let about = "\"\(escaped(version))\" \"Container runtimes\""
    return ".TH \(title) \(section) \"\" \(about)\n.SH NAME\n"
}

private func list(_ flags: [Flag]) -> String {
    var text = ""
    for flag in (flags + [Flag.help]).filter({ $0.standing == .current }) {
        text += ".TP\n"
        for letter in flag.letters { text += "\\fB\(escaped("-\(letter)"))\\fR, " }
        text += "\\fB\(escaped("--\(flag.name)"))\\fR"
        if let placeholder = flag.value.placeholder { text += " \\fI\(escaped(placeholder))\\fR" }
        text += "\n" + sentence(flag.fullHelp)
    }
    return text
}

private func seeAlso(_ names: [String]) -> String {
    names.map { ".BR \(escaped($0)) (8)" }.joined(separator: ",\n") + "\n"
}

private func sentence(_ text: String) -> String {
    styled(capitalised(text)) + ".\n"
}

/// Paragraphs separated by empty lines; lines that start with two spaces are kept as they are.
private func paragraphs(_ text: String) -> String {
    var page = ""
    var isExample = false
    var owesBreak = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.isEmpty {
            owesBreak = true
            continue
        }
        if line.hasPrefix("  ") != isExample {
            page += isExample ? ".RE\n.fi\n" : ".PP\n.nf\n.RS 4\n"
            isExample.toggle()
            owesBreak = owesBreak && !isExample
        }
        if owesBreak { page += ".PP\n" }
        owesBreak = false
        page += styled(isExample ? String(line.dropFirst(2)) : String(line)) + "\n"
    }
    return page + (isExample ? ".RE\n.fi\n" : "")
}

/// Text for the line that whatis(1) shows, which has no fonts.
private func unquoted(_ text: String) -> String {
    escaped(text.filter { $0 != "`" })
}

/// Text with what stands between backquotes in bold.
private func styled(_ text: String) -> String {
    var page = ""
    let parts = text.split(separator: "`", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
        page += index % 2 == 1 ? "\\fB\(escaped(String(part)))\\fR" : escaped(String(part))
    }
    let first = page.utf8.first
    let isControl = first == UInt8(ascii: ".") || first == UInt8(ascii: "'")
    return isControl ? "\\&" + page : page
}

/// Text in which nothing is taken for a request of roff, and a dash can be copied as one.
private func escaped(_ text: String) -> String {
    var page = ""
    for character in text {
        switch character {
        case "\\": page += "\\e"
        case "-": page += "\\-"
        case "'": page += "\\(aq"
        case "\"": page += "\\(dq"
        case "^": page += "\\(ha"
        case "~": page += "\\(ti"
        default: page.append(character)
        }
    }
    return page
}
