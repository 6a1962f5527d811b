import Foundation
import Testing

/// A dockerd, with a containerd that it starts itself, whose default runtime is the one asked for.
final class DockerEngine: Engine {
    let place: EnginePlace
    let daemon: Daemon

    init(runtime: String, place: EnginePlace) throws {
        self.place = place
        let directory = place.directory
        daemon = try place.start(
            "dockerd",
            [
                "/usr/sbin/dockerd", "--host", "unix://\(directory)/docker.sock",
                "--data-root", directory + "/data", "--exec-root", directory + "/exec",
                "--pidfile", directory + "/docker.pid", "--cgroup-parent", place.cgroup,
                "--exec-opt", "native.cgroupdriver=cgroupfs",
                "--add-runtime", "tested=" + runtime, "--default-runtime", "tested",
            ])
        try daemon.ready { self.docker("version").succeeded }
        try docker("import", try place.makeImage(), "box").mustSucceed()
    }

    @discardableResult
    func docker(
        _ arguments: String..., options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        docker(arguments, options, sourceLocation: sourceLocation)
    }

    @discardableResult
    func docker(
        _ arguments: [String], _ options: LaunchOptions = LaunchOptions(),
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Outcome {
        launch(
            ["/usr/bin/docker", "--host", "unix://\(place.directory)/docker.sock"] + arguments,
            options, sourceLocation: sourceLocation)
    }

    func end() { place.end() }
}

extension Trait where Self == EngineTrait<DockerEngine> {
    static var dockerEngine: Self { EngineTrait() }
}

extension Engines {
    @Suite(.dockerEngine)
    struct Docker {}
}

extension Engines.Docker {
    struct Run {
        @Test("docker run: the program's output and exit status come back")
        func foreground() throws {
            try check(DockerEngine.self) {
                let outcome = $0.docker("run", "--rm", "box", "sh", "-c", "echo out; exit 7")
                try verify(outcome.status == .exited(7) && outcome.trimmed == "out", "\(outcome)")
            }
        }
    }
}
