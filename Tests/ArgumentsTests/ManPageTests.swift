import Testing

@testable import Arguments

@Suite struct ManPageTests {
    private static let command = Command(
        "list", summary: "list what `make` made",
        description: """
            .A line that roff would take for a request,
            and back\\slashes.

              kept   as it is

            A second one.
            """,
        positionals: [Positional("ID", help: "the one"), Positional("ARG", .any, help: "more")],
        flags: [
            Flag("format", "f", .choice("FORMAT", ["table", "json"]), help: "how it looks"),
            Flag("ancient", standing: .obsolete, help: "not shown"),
        ],
        exitStatus: "Always 0.")

    @Test func pageOfACommand() {
        #expect(
            Self.command.manPage(program: "prog", version: "prog 1") == #"""
                .TH PROG\-LIST 8 "" "prog 1" "Container runtimes"
                .SH NAME
                prog\-list \- list what make made
                .SH SYNOPSIS
                .B prog list
                [\fIFLAGS\fR] \fIID\fR [\fIARG\fR...]
                .SH DESCRIPTION
                List what \fBmake\fR made.
                .PP
                \&.A line that roff would take for a request,
                and back\eslashes.
                .PP
                .nf
                .RS 4
                kept   as it is
                .RE
                .fi
                .PP
                A second one.
                .SH ARGUMENTS
                .TP
                .I ID
                The one.
                .TP
                .I ARG
                More.
                .SH FLAGS
                .TP
                \fB\-f\fR, \fB\-\-format\fR \fIFORMAT\fR
                How it looks (table or json).
                .TP
                \fB\-h\fR, \fB\-?\fR, \fB\-\-help\fR
                Show this help.
                .SH EXIT STATUS
                Always 0.
                .SH SEE ALSO
                .BR prog (8)

                """#)
    }

    @Test func pageOfTheProgram() {
        let program = Program(
            "prog", summary: "do things", description: "Things are done.",
            flags: [Flag("debug", help: "show more")],
            groups: [
                CommandGroup(
                    "Commands", [Self.command, Command("go", summary: "go on", hidden: true)]),
                CommandGroup("Hidden", [Command("went", summary: "be gone", hidden: true)]),
            ])
        let page = program.manPage(version: "prog 1")
        #expect(page.contains(".SS Commands\n.TP\n.BR prog\\-list (8)\nList what"))
        #expect(!page.contains("Hidden") && !page.contains("prog\\-go"))
        #expect(page.hasSuffix(".SH SEE ALSO\n.BR prog\\-list (8)\n"))
    }
}
