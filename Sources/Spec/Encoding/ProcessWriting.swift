extension Process: JSONWritable {
    /// Writes the process.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("terminal", ifTrue: terminal)
            object.member("consoleSize", value: consoleSize)
            object.member("user", value: user)
            object.member("args", nonEmpty: args)
            object.member("env", nonEmpty: env)
            object.member("cwd", cwd)
            object.member("capabilities", value: capabilities)
            object.member("rlimits", values: rlimits)
            object.member("noNewPrivileges", ifTrue: noNewPrivileges)
            object.member("apparmorProfile", apparmorProfile)
            object.member("oomScoreAdj", oomScoreAdj)
            object.member("scheduler", value: scheduler)
            object.member("selinuxLabel", selinuxLabel)
            object.member("ioPriority", value: ioPriority)
            object.member("execCPUAffinity", value: execCPUAffinity)
        }
    }
}

extension Box: JSONWritable {
    /// Writes the size.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("height", height)
            object.member("width", width)
        }
    }
}

extension User: JSONWritable {
    /// Writes the user.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("uid", uid)
            object.member("gid", gid)
            object.member("umask", umask)
            guard !additionalGids.isEmpty else { return }
            object.member("additionalGids", array: additionalGids) { $0.integer($1) }
        }
    }
}

extension Capabilities: JSONWritable {
    /// Writes the sets.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("bounding", nonEmpty: bounding)
            object.member("effective", nonEmpty: effective)
            object.member("inheritable", nonEmpty: inheritable)
            object.member("permitted", nonEmpty: permitted)
            object.member("ambient", nonEmpty: ambient)
        }
    }
}

extension Rlimit: JSONWritable {
    /// Writes the limit.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("type", type.rawValue)
            object.member("hard", hard)
            object.member("soft", soft)
        }
    }
}

extension Scheduler: JSONWritable {
    /// Writes the attributes.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("policy", policy.rawValue)
            object.member("nice", nice)
            object.member("priority", priority)
            object.member("flags", nonEmpty: flags.map(\.rawValue))
            object.member("runtime", runtime)
            object.member("deadline", deadline)
            object.member("period", period)
        }
    }
}

extension IOPriority: JSONWritable {
    /// Writes the priority.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("class", `class`.rawValue)
            object.member("priority", priority)
        }
    }
}

extension ExecCPUAffinity: JSONWritable {
    /// Writes the affinity.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("initial", initial)
            object.member("final", final)
        }
    }
}
