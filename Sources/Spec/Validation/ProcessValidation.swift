extension Process {
    /// Checks what the spec states and can be judged without the host, of a process on its own.
    ///
    /// - Returns: what is worth a warning but stops nothing.
    public func validate() throws(ConfigError) -> [ConfigWarning] {
        var warnings: [ConfigWarning] = []
        try validate(at: "", warnings: &warnings)
        return warnings
    }

    func validate(at place: String, warnings: inout [ConfigWarning]) throws(ConfigError) {
        guard !args.isEmpty else {
            throw ConfigError(place: place + "/args", message: "args must not be empty")
        }
        guard isAbsolute(cwd) else {
            throw ConfigError(
                place: place + "/cwd",
                message: cwd.isEmpty
                    ? "Cwd property must not be empty"
                    : "Cwd must be an absolute path, and \(quoted(cwd)) is not")
        }
        for (index, variable) in env.enumerated() {
            guard let flaw = flaw(ofAssignment: variable) else { continue }
            throw ConfigError(
                place: "\(place)/env/\(index)",
                message: "invalid environment variable: \(flaw)")
        }
        if terminal, let box = consoleSize {
            // struct winsize of tty_ioctl(4) has 16 bits.
            guard box.height <= UInt64(UInt16.max), box.width <= UInt64(UInt16.max) else {
                throw ConfigError(
                    place: place + "/consoleSize", message: "must not be larger than 65535")
            }
        }
        try checkIDs(at: place + "/user")
        if let umask = user.umask, umask > 0o777 {
            throw ConfigError(
                place: place + "/user/umask", message: "must not be larger than 511 (octal 777)")
        }
        if let oomScoreAdj, !(-1000...1000 ~= oomScoreAdj) {
            throw ConfigError(
                place: place + "/oomScoreAdj",
                message: "\(oomScoreAdj) is not from -1000 to 1000")
        }
        try checkRlimits(at: place)
        capabilities?.validate(at: place + "/capabilities", warnings: &warnings)
        try scheduler?.validate(at: place + "/scheduler")
        if let ioPriority, !(0...7 ~= ioPriority.priority) {
            throw ConfigError(
                place: place + "/ioPriority/priority", message: "must be from 0 to 7")
        }
        try checkList(execCPUAffinity?.initial, at: place + "/execCPUAffinity/initial")
        try checkList(execCPUAffinity?.final, at: place + "/execCPUAffinity/final")
    }

    /// setresuid(2) and setresgid(2) take the largest number for "unchanged": the program would run as
    /// the runtime's own user.
    private func checkIDs(at place: String) throws(ConfigError) {
        func check(_ id: UInt32, _ member: @autoclosure () -> String) throws(ConfigError) {
            if id != UInt32.max { return }
            throw ConfigError(place: place + member(), message: "\(id) is no id")
        }
        try check(user.uid, "/uid")
        try check(user.gid, "/gid")
        for (index, gid) in user.additionalGids.enumerated() {
            try check(gid, "/additionalGids/\(index)")
        }
    }

    private func flaw(ofAssignment variable: String) -> String? {
        switch variable.utf8.firstIndex(of: UInt8(ascii: "=")) {
        case nil: "missing '=' in \(quoted(variable))"
        case variable.startIndex: "name cannot be empty, as in \(quoted(variable))"
        default: nil
        }
    }

    private func checkRlimits(at place: String) throws(ConfigError) {
        for (index, rlimit) in rlimits.enumerated() {
            if rlimits[..<index].contains(where: { $0.type == rlimit.type }) {
                throw ConfigError(
                    place: "\(place)/rlimits/\(index)",
                    message: "\(rlimit.type.rawValue) is given twice")
            }
            if rlimit.soft > rlimit.hard {
                throw ConfigError(
                    place: "\(place)/rlimits/\(index)/soft",
                    message: "\(rlimit.soft) is higher than the hard limit \(rlimit.hard) of "
                        + rlimit.type.rawValue)
            }
        }
    }
}

extension Capabilities {
    /// Finds names that are no capability: a warning, never an error (config.md, "Linux Process").
    fileprivate func validate(at place: String, warnings: inout [ConfigWarning]) {
        check(bounding, at: place, "bounding", warnings: &warnings)
        check(effective, at: place, "effective", warnings: &warnings)
        check(inheritable, at: place, "inheritable", warnings: &warnings)
        check(permitted, at: place, "permitted", warnings: &warnings)
        check(ambient, at: place, "ambient", warnings: &warnings)
    }

    private func check(
        _ names: [String], at place: String, _ set: String, warnings: inout [ConfigWarning]
    ) {
        for (index, name) in names.enumerated() where Capability(name: name) == nil {
            warnings.append(
                ConfigWarning(
                    place: "\(place)/\(set)/\(index)",
                    message: "unknown capability \(quoted(name)) is ignored"))
        }
    }
}

extension Scheduler {
    /// What sched_setattr(2) would refuse with a bare EINVAL.
    fileprivate func validate(at place: String) throws(ConfigError) {
        guard -20...19 ~= nice else {
            throw ConfigError(place: place + "/nice", message: "must be from -20 to 19")
        }
        switch policy {
        case .fifo, .roundRobin:
            guard 1...99 ~= priority else {
                throw ConfigError(
                    place: place + "/priority",
                    message: "must be from 1 to 99 for \(policy.rawValue)")
            }
        default:
            guard priority == 0 else {
                throw ConfigError(
                    place: place + "/priority", message: "must be 0 for \(policy.rawValue)")
            }
        }
        if policy == .deadline {
            guard runtime > 0, runtime <= deadline, period == 0 || deadline <= period else {
                throw ConfigError(
                    place: place, message: "SCHED_DEADLINE needs runtime <= deadline <= period")
            }
        } else if runtime != 0 || deadline != 0 || period != 0 {
            throw ConfigError(
                place: place,
                message: "runtime, deadline and period are for SCHED_DEADLINE only")
        }
    }
}
