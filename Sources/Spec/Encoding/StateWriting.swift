extension State: JSONWritable {
    /// Writes the state.
    public func write(to writer: inout JSONWriter) {
        writer.object { writeMembers(to: &$0) }
    }

    /// Writes the members of the state into an object that may have more (runtime.md, "State").
    public func writeMembers(to object: inout JSONWriter) {
        object.member("ociVersion", ociVersion)
        object.member("id", id)
        object.member("status", status.rawValue)
        object.member("pid", pid)
        object.member("bundle", bundle)
        object.member("annotations", nonEmpty: annotations)
    }
}

extension ContainerProcessState: JSONWritable {
    /// Writes the state.
    public func write(to writer: inout JSONWriter) {
        writer.object { object in
            object.member("ociVersion", ociVersion)
            object.member("fds", fds)
            object.member("pid", pid)
            object.member("metadata", metadata)
            object.member("state", value: state)
        }
    }
}
