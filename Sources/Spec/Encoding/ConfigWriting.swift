extension Config: JSONWritable {
    /// Writes the configuration as `config.json`.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("ociVersion", ociVersion)
            object.member("process", value: process)
            object.member("root", value: root)
            object.member("hostname", hostname)
            object.member("domainname", domainname)
            object.member("mounts", values: mounts)
            if hooks != Hooks() { object.member("hooks", value: hooks) }
            object.member("annotations", nonEmpty: annotations)
            if linux != Linux() { object.member("linux", value: linux) }
        }
    }
}

extension Root: JSONWritable {
    /// Writes the root.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("path", path)
            object.member("readonly", ifTrue: readonly)
        }
    }
}

extension Mount: JSONWritable {
    /// Writes the mount.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("destination", destination)
            object.member("type", type)
            object.member("source", source)
            object.member("options", nonEmpty: options)
            object.member("uidMappings", values: uidMappings)
            object.member("gidMappings", values: gidMappings)
        }
    }
}

extension IDMapping: JSONWritable {
    /// Writes the range.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("containerID", containerID)
            object.member("hostID", hostID)
            object.member("size", size)
        }
    }
}

extension Hooks: JSONWritable {
    /// Writes the hooks.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("prestart", values: prestart)
            object.member("createRuntime", values: createRuntime)
            object.member("createContainer", values: createContainer)
            object.member("startContainer", values: startContainer)
            object.member("poststart", values: poststart)
            object.member("poststop", values: poststop)
        }
    }
}

extension Hook: JSONWritable {
    /// Writes the hook.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("path", path)
            object.member("args", nonEmpty: args)
            object.member("env", env)
            object.member("timeout", timeout)
        }
    }
}
