import Foundation
import Testing

extension Host {
    /// Why CRIU cannot work here; nil where `criu check` is content. Asked once.
    static let criuProblem: String? = {
        let check = launch(["criu", "check"])
        if check.succeeded { return nil }
        if check.status == .exited(127) { return "has no CRIU" }
        let lines = (check.stdout + check.stderr).split(separator: "\n")
        return "`criu check`: \(lines.first { $0.contains("Error") } ?? lines.last ?? "fails")"
    }()
}

extension Trait where Self == ConditionTrait {
    static var requiresCRIU: Self {
        .enabled(if: Host.criuProblem == nil, "this host: \(Host.criuProblem ?? "")")
    }
}

extension Container {
    var images: String { directory + "/images" }

    /// `checkpoint` into `images`.
    @discardableResult
    func checkpoint(
        _ flags: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        runtime(
            ["checkpoint", "--image-path", images, "--work-path", directory + "/logs"] + flags + [
                id
            ],
            sourceLocation: sourceLocation)
    }

    /// `restore --detach` from `images`, with the config as it is now. Its output lands in `output`.
    @discardableResult
    func restore(
        _ flags: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try writeConfig()
        return runtime(
            ["restore", "--detach", "--bundle", bundle, "--image-path", images] + flags + [id],
            intoFiles(LaunchOptions()), sourceLocation: sourceLocation)
    }

    /// Both, expected to succeed.
    /// - Parameter flags: of `checkpoint` alone.
    func moveThroughImages(
        _ flags: String..., alike: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let saved = runtime(
            ["checkpoint", "--image-path", images] + flags + alike + [id],
            sourceLocation: sourceLocation)
        try #require(saved.succeeded, "\(saved)", sourceLocation: sourceLocation)
        #expect(saved.stderr.isEmpty, "\(saved)", sourceLocation: sourceLocation)
        #expect(!exists("\(root)/\(id)"), "it is deleted", sourceLocation: sourceLocation)
        let restored = try restore(alike, sourceLocation: sourceLocation)
        try #require(restored.succeeded, "\(restored)", sourceLocation: sourceLocation)
        #expect(restored.stderr.isEmpty, "\(restored)", sourceLocation: sourceLocation)
        #expect(status == "running", sourceLocation: sourceLocation)
    }
}

/// For a shell: waits until somebody listens on port 7007 (proc(5), /proc/net/tcp).
let untilListening = "until grep -q ':1B5F .*:0000 0A' /proc/net/tcp*; do sleep 0.05; done"

extension Container {
    /// Puts a script in CRIU's place that speaks its protocol; descriptor 3 is the socket. `hear` takes
    /// a request into the file `request`, and `tell_version` the first two, answering the first one.
    func playCRIU(_ script: String) throws {
        let path = directory + "/criu"
        // criu_resp: type VERSION, success, version 3.17.
        let version = #"\010\010\020\001\122\004\010\003\020\021"#
        try writeText(
            """
            #!/bin/bash
            eval "exec 3<&$2"
            hear() { dd bs=65536 count=1 <&3 >\(directory)/request 2>/dev/null; }
            tell_version() { hear; printf '\(version)' >&3; hear; }
            \(script)
            """, to: path)
        chmod(path, 0o755)
        globals += ["--criu", path]
    }
}

extension Container {
    /// `run --detach` with both streams of the program open for writing at `path`.
    func runDetached(
        writingTo path: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let file = Foundation.open(path, O_WRONLY | O_CLOEXEC)
        defer { close(file) }
        var options = LaunchOptions()
        options.stdout = .descriptor(file)
        options.stderr = .descriptor(file)
        let started = try run(["--detach"], options, sourceLocation: sourceLocation)
        try #require(started.succeeded, "\(started)", sourceLocation: sourceLocation)
    }
}

/// A container whose program is a counter.
func withCounter(
    sourceLocation: SourceLocation = #_sourceLocation,
    edit: (Container) throws -> Void = { _ in }, _ body: (Container) throws -> Void
) throws {
    try withContainer(sourceLocation: sourceLocation) { c in
        c.config.shell(Counting.script("/count"))
        try edit(c)
        let started = try c.runDetached(sourceLocation: sourceLocation)
        try #require(started.succeeded, "\(started)", sourceLocation: sourceLocation)
        c.goesOnCounting(sourceLocation: sourceLocation)
        try body(c)
    }
}

extension Container {
    func goesOnCounting(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(throws: Never.self, sourceLocation: sourceLocation) {
            try Counting(file: self.rootfs + "/count").goesOn()
        }
    }
}
