import Arguments
import Testing

@testable import swrunc

private func globals(_ line: String) throws -> GlobalOptions {
    var parser = Parser(line.split(separator: " ").map(String.init), from: 0)
    try parser.readGlobals(GlobalOptions.flags)
    return GlobalOptions(parser.take())
}

@Suite struct GlobalOptionsTests {
    @Test func defaults() throws {
        let options = try globals("run x")
        #expect(options == GlobalOptions())
        #expect(options.root == nil)
        #expect(
            options.log == LogOptions(destination: .standardError, format: .text, level: .error))
        #expect(options.cgroupManager == .cgroupfs)
        #expect(options.rootless == .auto)
        #expect(!options.wantsVersion)
    }

    @Test(arguments: [
        ("--systemd-cgroup", GlobalOptions.CgroupManager.systemd),
        ("-systemd-cgroup", .systemd),
        ("--systemd-cgroup=false", .cgroupfs),
        ("--cgroup-manager systemd", .systemd),
        ("--cgroup-manager=disabled", .disabled),
        ("--systemd-cgroup --cgroup-manager cgroupfs", .cgroupfs),
        ("--cgroup-manager disabled --systemd-cgroup", .systemd),
    ])
    func cgroupManagerGivenLastCounts(line: String, manager: GlobalOptions.CgroupManager) throws {
        #expect(try globals(line).cgroupManager == manager)
    }

    @Test(arguments: [
        ("--debug", LogLevel.debug), ("--log-level debug", .debug),
        ("--log-level=warning", .warning),
        ("--log-level error", .error), ("--debug --log-level error", .debug),
    ])
    func level(line: String, level: LogLevel) throws {
        #expect(try globals(line).log.level == level)
    }

    @Test(arguments: [
        ("/b/log.json", LogDestination.file("/b/log.json")), ("file:/b/log", .file("/b/log")),
        ("log", .file("log")), ("journald:c1", .journal("c1")), ("syslog:c1", .syslog("c1")),
        ("/dev/stderr", .standardError), ("", .standardError), ("journald", .file("journald")),
    ])
    func destination(text: String, destination: LogDestination) {
        #expect(LogDestination(text) == destination)
    }

    @Test(arguments: [("true", GlobalOptions.Rootless.yes), ("false", .no), ("auto", .auto)])
    func rootless(text: String, value: GlobalOptions.Rootless) throws {
        #expect(try globals("--rootless \(text)").rootless == value)
        #expect(try globals("--rootless=\(text)").rootless == value)
    }

    @Test(arguments: ["-v", "-V", "--version", "-version"])
    func version(line: String) throws {
        #expect(try globals(line).wantsVersion)
    }

    @Test(arguments: [
        ("--rootless maybe", "invalid value \"maybe\" for --rootless: use true, false or auto"),
        ("--log-format xml", "invalid value \"xml\" for --log-format: use text or json"),
        ("--log-level loud", "invalid value \"loud\" for --log-level: use error, warning or debug"),
        (
            "--cgroup-manager x",
            "invalid value \"x\" for --cgroup-manager: use cgroupfs, systemd or disabled"
        ),
        ("--log", "flag needs an argument: --log"),
        ("--rot x", "flag provided but not defined: -rot; did you mean --root?"),
    ])
    func refusals(line: String, message: String) {
        #expect(throws: UsageError(message)) { try globals(line) }
    }

    @Test func versionText() {
        #expect(
            Version.text(libseccomp: "2.5.4")
                == "swrunc version 0.1.0\ncommit: \(Version.commit)\nspec: 1.3.0\nlibseccomp: 2.5.4\n"
        )
        #expect(!Version.text(libseccomp: nil).contains("libseccomp"))
    }
}
