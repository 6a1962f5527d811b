import Arguments
import Spec
import Testing

@testable import swrunc

/// Reads a command line without the program's name, as the program does.
private func read<V: Verb>(_ arguments: [String], as _: V.Type) throws -> (GlobalOptions, V) {
    var parser = Parser(["swrunc"] + arguments, from: 1)
    try parser.readGlobals(GlobalOptions.flags)
    let globals = GlobalOptions(parser.take())
    let name = try #require(try parser.nextWord())
    #expect(CommandName(named: name) == V.name)
    try parser.read(V.command, globals: GlobalOptions.flags)
    return (globals, try V(parser.take()))
}

private func words(_ line: String) -> [String] {
    line.split(separator: " ").map(String.init)
}

private func expect<V: Verb & Equatable>(
    _ line: String, _ verb: V, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    #expect(try read(words(line), as: V.self).1 == verb, sourceLocation: sourceLocation)
}

private func refused<V: Verb>(
    _ arguments: [String], as _: V.Type, _ message: String,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(throws: UsageError(message), sourceLocation: sourceLocation) {
        _ = try read(arguments, as: V.self)
    }
}

/// The calls that containerd's shim (for Docker and ctr) and Podman's conmon were seen to make.
@Suite struct EngineCallTests {
    private static let shim = "--root /run/r --log /b/log.json --log-format json "

    private func expectShim<V: Verb & Equatable>(
        _ line: String, _ verb: V, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let (globals, read) = try read(words(Self.shim + line), as: V.self)
        #expect(read == verb, sourceLocation: sourceLocation)
        var expected = GlobalOptions()
        expected.root = "/run/r"
        expected.log.destination = .file("/b/log.json")
        expected.log.format = .json
        #expect(globals == expected, sourceLocation: sourceLocation)
    }

    @Test func containerd() throws {
        try expectShim(
            "create --bundle /b --pid-file /b/init.pid c1",
            CreateCommand(options: .init(id: "c1", bundle: "/b", pidFile: "/b/init.pid")))
        try expectShim(
            "create --bundle /b --pid-file /b/init.pid --console-socket /tmp/pty26/pty.sock c1",
            CreateCommand(
                options: .init(
                    id: "c1", bundle: "/b", consoleSocket: "/tmp/pty26/pty.sock",
                    pidFile: "/b/init.pid")))
        try expectShim("start c1", StartCommand(id: "c1"))
        try expectShim("delete c1", DeleteCommand(id: "c1"))
        try expectShim("delete --force c1", DeleteCommand(id: "c1", force: true))
        try expectShim(
            "exec --process /run/runc-process11 --detach --pid-file /b/e.pid c1",
            ExecCommand(
                id: "c1", process: .file("/run/runc-process11"), pidFile: "/b/e.pid", detach: true))
        try expectShim("pause c1", PauseCommand(id: "c1"))
        try expectShim("resume c1", ResumeCommand(id: "c1"))
        try expectShim("ps --format json c1", PsCommand(id: "c1", format: .json))
        try expectShim("update --resources - c1", UpdateCommand(id: "c1", change: .file("-")))
        try expectShim("update --resources=- c1", UpdateCommand(id: "c1", change: .file("-")))
        try expectShim("kill c1 9", KillCommand(id: "c1", signal: 9))
        try expectShim("kill --all c1 9", KillCommand(id: "c1", signal: 9, all: true))
        try expectShim("state c1", StateCommand(id: "c1"))
        try expectShim("list --format=json", ListCommand(format: .json))
    }

    @Test func podman() throws {
        try expect(
            "create --bundle /var/lib/u --pid-file /run/u/pidfile c1",
            CreateCommand(options: .init(id: "c1", bundle: "/var/lib/u", pidFile: "/run/u/pidfile"))
        )
        try expect("start c1", StartCommand(id: "c1"))
        try expect("delete --force c1", DeleteCommand(id: "c1", force: true))
        try expect(
            "exec --pid-file /p --process /j --detach --tty c1",
            ExecCommand(
                id: "c1", process: .file("/j"), pidFile: "/p", detach: true, terminal: true))
    }

    @Test func conmonRs() throws {
        let (globals, verb) = try read(
            words(
                "--root=/r --log=journald:c1 --log-level warning create --bundle=/b --pid-file=/p c1"
            ),
            as: CreateCommand.self)
        #expect(globals.root == "/r")
        #expect(globals.log.destination == .journal("c1"))
        #expect(globals.log.level == .warning)
        #expect(verb.options == .init(id: "c1", bundle: "/b", pidFile: "/p"))
    }
}

@Suite struct CommandTests {
    @Test func create() throws {
        try expect("create c", CreateCommand(options: .init(id: "c")))
        let all = CreationOptions(
            id: "c", bundle: "/b", config: "/f", consoleSocket: "/s", pidfdSocket: "/q",
            pidFile: "/p", noPivot: true, noNewKeyring: true, preserveFds: 2)
        try expect(
            "create -b /b -f /f --console-socket /s --pidfd-socket /q --pid-file /p --no-pivot "
                + "--no-new-keyring --preserve-fds 2 --no-subreaper c", CreateCommand(options: all))
        try expect(
            "create c --bundle=/b -config=/f -console-socket /s -pidfd-socket=/q -pid-file /p "
                + "-no-pivot -no-new-keyring=true -preserve-fds=2", CreateCommand(options: all))
        refused(
            ["create"], as: CreateCommand.self,
            "\"create\" requires exactly 1 argument(s): ID is missing")
    }

    @Test func run() throws {
        try expect("run c", RunCommand(options: .init(id: "c")))
        try expect(
            "run -d --keep -no-subreaper -b /b c",
            RunCommand(
                options: .init(id: "c", bundle: "/b"), detach: true, keep: true, noSubreaper: true))
    }

    @Test func kill() throws {
        try expect("kill c", KillCommand(id: "c", signal: 15))
        try expect("kill c KILL", KillCommand(id: "c", signal: 9))
        try expect("kill c -9", KillCommand(id: "c", signal: 9))
        try expect("kill c 0", KillCommand(id: "c", signal: 0))
        try expect("kill c sighup -a", KillCommand(id: "c", signal: 1, all: true))
        try expect("kill -ar ^c.*$ 2", KillCommand(id: "^c.*$", signal: 2, all: true, regex: true))
        refused(["kill", "c", "NOPE"], as: KillCommand.self, "unknown signal \"NOPE\"")
        refused(["kill", "c", "-65"], as: KillCommand.self, "unknown signal \"65\"")
        refused(
            ["kill", "c", "9", "9"], as: KillCommand.self,
            "\"kill\" requires a maximum of 2 argument(s): \"9\" is one too many")
        #expect(throws: UsageError.self) { try read(["kill", "-r", "("], as: KillCommand.self) }
    }

    @Test func delete() throws {
        try expect("delete -f c", DeleteCommand(id: "c", force: true))
        try expect("delete -f -r c[0-9]+", DeleteCommand(id: "c[0-9]+", force: true, regex: true))
        #expect(throws: UsageError.self) {
            try read(["delete", "-r", "["], as: DeleteCommand.self)
        }
    }

    @Test func listAndPlanAndSpecAndHelp() throws {
        try expect("list", ListCommand())
        try expect("list -q -f json", ListCommand(format: .json, quiet: true))
        try expect("plan", PlanCommand())
        try expect(
            "plan --bundle /b --config f.json --format json c",
            PlanCommand(id: "c", bundle: "/b", config: "f.json", format: .json))
        try expect("spec", SpecCommand())
        try expect(
            "spec -b /b --rootless -f x", SpecCommand(bundle: "/b", file: "x", rootless: true))
        try expect("help", HelpCommand())
        try expect("help run", HelpCommand(topic: "run"))
        refused(
            ["help", "rum"], as: HelpCommand.self, "unknown command: rum; did you mean run?")
        refused(
            ["list", "-f", "xml"], as: ListCommand.self,
            "invalid value \"xml\" for --format: use table or json")
    }

    @Test(arguments: [
        (SpecCommand(), "config.json"), (SpecCommand(bundle: "/b"), "/b/config.json"),
        (SpecCommand(bundle: "b", file: "x"), "b/x"), (SpecCommand(file: "/x"), "/x"),
        (SpecCommand(bundle: "b", file: "/x"), "/x"),
    ])
    func specPath(command: SpecCommand, path: String) {
        #expect(command.path == path)
    }
}

@Suite struct LaterCommandTests {
    @Test func mounts() throws {
        try expect("mounts add c /f", MountsCommand(change: .add, id: "c", file: "/f"))
        try expect("mounts remove c -", MountsCommand(change: .remove, id: "c", file: "-"))
        refused(
            ["mounts", "list", "c", "f"], as: MountsCommand.self,
            "invalid value \"list\" for CHANGE: use add or remove")
    }

    @Test func completion() throws {
        try expect("completion zsh", CompletionCommand(shell: .zsh))
        try expect("__complete -- exec -", CompleteCommand(words: ["exec", "-"]))
        refused(
            ["completion", "csh"], as: CompletionCommand.self,
            "invalid value \"csh\" for SHELL: use bash, zsh or fish")
    }

    private static let images =
        "--image-path /i --work-path /w --tcp-established --ext-unix-sk --shell-job --file-locks "
        + "--lazy-pages --auto-dedup --manage-cgroups-mode full --empty-ns network "
        + "--network-lock nftables "
    private static let imageOptions = ImageFlags(
        imagePath: "/i", workPath: "/w", tcpEstablished: true, externalUnixSockets: true,
        shellJob: true, fileLocks: true, lazyPages: true, autoDedup: true, cgroupsMode: "full",
        emptyNamespaces: ["network"], networkLock: "nftables")

    @Test func checkpoint() throws {
        try expect("checkpoint c", CheckpointCommand(id: "c"))
        try expect(
            "checkpoint \(Self.images)--parent-path ../p --leave-running --pre-dump "
                + "--tcp-skip-in-flight --link-remap --status-fd 5 --page-server 10.0.0.1:99 c",
            CheckpointCommand(
                id: "c", options: Self.imageOptions, parentPath: "../p", leaveRunning: true,
                preDump: true, skipsInFlight: true, linkRemap: true, statusFd: 5,
                pageServer: "10.0.0.1:99"))
    }

    @Test func restore() throws {
        try expect("restore c", RestoreCommand(id: "c"))
        try expect(
            "restore \(Self.images)-b /b -d --pid-file /p --console-socket /s -no-subreaper "
                + "--no-pivot --tcp-close --lsm-profile selinux:a,b --lsm-mount-context x c",
            RestoreCommand(
                id: "c", options: Self.imageOptions, bundle: "/b", consoleSocket: "/s",
                pidFile: "/p", detach: true, noPivot: true, noSubreaper: true, tcpClose: true,
                lsmProfile: "selinux:a,b", lsmMountContext: "x"))
        // Podman finds out in this way whether the flag is known.
        refused(
            ["restore", "--lsm-mount-context"], as: RestoreCommand.self,
            "flag needs an argument: --lsm-mount-context")
    }

    @Test(arguments: ["--criu /c", "-criu=/c"])
    func criu(flag: String) throws {
        #expect(try read(words("\(flag) list"), as: ListCommand.self).0.criu == "/c")
    }
}

@Suite struct ExecCommandTests {
    @Test func changes() throws {
        try expect(
            "exec c ls -l --help -- x",
            ExecCommand(
                id: "c", process: .changes(.init(arguments: ["ls", "-l", "--help", "--", "x"]))))
        let changes = ProcessChanges(
            arguments: ["sh"], cwd: "/w", env: ["A=1", "B=", "C=x=y"],
            user: UserSpec(uid: 1, gid: 2), additionalGids: [3, 4], processLabel: "l",
            apparmor: "p", noNewPrivs: true, capabilities: ["CAP_KILL", "CAP_CHOWN"])
        try expect(
            "exec --cwd /w -e A=1 --env B= -e C=x=y -u 1:2 -g 3 --additional-gids 4 "
                + "--process-label l --apparmor p --no-new-privs -c CAP_KILL --cap CAP_CHOWN "
                + "-td --pid-file /p --console-socket /s --pidfd-socket /q --preserve-fds 3 "
                + "--cgroup cpu,memory:/a --cgroup pids:b:c --ignore-paused c sh",
            ExecCommand(
                id: "c", process: .changes(changes), consoleSocket: "/s", pidfdSocket: "/q",
                pidFile: "/p", detach: true, terminal: true, preserveFds: 3,
                cgroups: [
                    SubCgroup(controllers: ["cpu", "memory"], path: "/a"),
                    SubCgroup(controllers: ["pids"], path: "b:c"),
                ], ignorePaused: true))
        try expect(
            "exec --tty=false --no-new-privs=false c sh",
            ExecCommand(
                id: "c", process: .changes(.init(arguments: ["sh"], noNewPrivs: false)),
                terminal: false))
    }

    @Test func refusals() {
        let empty = "exec args cannot be empty: COMMAND or --process is missing"
        refused(["exec", "c"], as: ExecCommand.self, empty)
        refused(["exec", "-t", "c"], as: ExecCommand.self, empty)
        refused(
            ["exec", "-e", "A", "c", "ls"], as: ExecCommand.self,
            "invalid environment variable: missing '=', in \"A\" of --env")
        refused(
            ["exec", "-e", "=1", "c", "ls"], as: ExecCommand.self,
            "invalid environment variable: name cannot be empty, in \"=1\" of --env")
        refused(
            ["exec", "-g", "-1", "c", "ls"], as: ExecCommand.self,
            "invalid value \"-1\" for --additional-gids: not a group id in decimal")
        refused(
            ["exec", "--cgroup", "a", "--cgroup", "cpu:b", "c", "ls"], as: ExecCommand.self,
            "invalid --cgroup argument: a (missing <controller>: prefix)")
        refused(
            ["exec", "--cgroup", "cpu:a", "--cgroup", "cpu:b", "c", "ls"], as: ExecCommand.self,
            "invalid --cgroup argument(s): controller cpu specified multiple times")
        refused(
            ["exec", "--cgroup", ":a", "c", "ls"], as: ExecCommand.self,
            "invalid --cgroup argument: :a (empty <controller> prefix)")
        refused(
            ["exec", "--cgroup", "cpu:", "c", "ls"], as: ExecCommand.self,
            "invalid --cgroup argument: cpu: (empty path)")
    }

    @Test func whatStandsBesideAProcessFileIsIgnored() throws {
        try expect(
            "exec -p f -e A=1 --cwd /x c ls",
            ExecCommand(
                id: "c", process: .file("f"),
                ignored: ["--cwd", "--env", "\"ls\""].map { "\($0) is ignored beside --process" }))
    }

    @Test func aCapabilityIsAmbientOnlyWhereItIsInheritable() {
        let base = Process(
            args: ["a"], capabilities: Capabilities(inheritable: ["CAP_KILL"], ambient: []))
        let process = ProcessChanges(arguments: ["b"], capabilities: ["CAP_KILL", "CAP_CHOWN"])
            .applied(to: base)
        #expect(process.capabilities?.ambient == ["CAP_KILL"])
        #expect(process.capabilities?.inheritable == ["CAP_KILL"])
    }

    @Test func cgroupV2TakesOnePath() throws {
        try expect(
            "exec --cgroup /a/b c ls",
            ExecCommand(
                id: "c", process: .changes(.init(arguments: ["ls"])),
                cgroups: [SubCgroup(controllers: [], path: "/a/b")]))
    }
}

@Suite struct CommandTableTests {
    @Test(arguments: CommandName.allCases)
    func namesLeadToTheirCommands(name: CommandName) {
        #expect(name.verb.name == name)
        #expect(name.verb.command.name == name.rawValue)
    }

    @Test func flagsOfACommandAreUnambiguous() {
        for flags in CommandName.program.commands.map(\.flags) + [GlobalOptions.flags] {
            let all = flags + [Flag.help]
            #expect(Set(all.map(\.name)).count == all.count)
            let letters = all.flatMap { $0.letters.unicodeScalars }
            #expect(Set(letters).count == letters.count)
        }
    }

    @Test func positionalsAreRequiredThenOptionalThenRepeated() {
        for command in CommandName.program.commands {
            let order = command.positionals.map {
                [.required, .optional, .any].firstIndex(of: $0.arity) ?? 3
            }
            #expect(order == order.sorted(), "\(command.name)")
        }
    }

    @Test func defaultsOfChoicesAreChoices() {
        for flag in CommandName.program.commands.flatMap(\.flags) + GlobalOptions.flags {
            guard case .choice(_, let words) = flag.value, let fallback = flag.fallback else {
                continue
            }
            #expect(words.contains(fallback), "--\(flag.name)")
        }
    }

    @Test func helpShowsEveryFlagWithinEightyColumns() {
        let program = CommandName.program
        var pages = [program.help: program.flags]
        for command in program.commands { pages[command.help(program: "swrunc")] = command.flags }
        #expect(pages.count == program.commands.count + 1)
        for (page, flags) in pages {
            for line in page.split(separator: "\n") {
                #expect(line.count <= 80, "\(line)")
                #expect(line.last != " ", "\(line)")
            }
            for flag in flags + [Flag.help] {
                #expect(
                    page.contains("--\(flag.name) ") == (flag.standing == .current)
                        || page.contains("--\(flag.name)\n"), "\(flag.name)")
                #expect(!flag.help.isEmpty && flag.help.last != ".")
            }
        }
        for command in program.commands {
            #expect(program.help.contains("\n  \(command.name) ") == !command.hidden)
            #expect(CommandName.allCases.count == program.commands.count)
            #expect(!command.summary.isEmpty && command.summary.last != ".")
        }
    }
}
