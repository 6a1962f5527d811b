extension Seccomp {
    func validate() throws(ConfigError) {
        let place = "/linux/seccomp"
        try checkErrno(defaultErrnoRet, for: defaultAction, at: place + "/defaultErrnoRet")
        if defaultAction == .notify {
            // Not even the calls by which the runtime hands the listener over would go through.
            throw ConfigError(
                place: place + "/defaultAction",
                message: "SCMP_ACT_NOTIFY cannot be the default action")
        }
        guard listenerMetadata == nil || listenerPath != nil else {
            throw ConfigError(
                place: place + "/listenerMetadata", message: "is set without listenerPath")
        }
        for (index, rule) in syscalls.enumerated() {
            let action = rule.action
            guard !rule.names.isEmpty else {
                throw ConfigError(
                    place: "\(place)/syscalls/\(index)/names",
                    message: "must have at least one entry")
            }
            try checkErrno(
                rule.errnoRet, for: action, at: "\(place)/syscalls/\(index)/errnoRet")
            for (position, arg) in rule.args.enumerated() where arg.index > 5 {
                throw ConfigError(
                    place: "\(place)/syscalls/\(index)/args/\(position)/index",
                    message: "must be from 0 to 5: a system call has six arguments")
            }
            if action == .notify, listenerPath == nil {
                throw ConfigError(
                    place: "\(place)/syscalls/\(index)/action",
                    message: "SCMP_ACT_NOTIFY needs a listenerPath")
            }
        }
    }

    /// "When the action doesn't support an errno, the runtime MUST print and error and fail."
    private func checkErrno(
        _ errno: UInt32?, for action: SeccompAction, at place: @autoclosure () -> String
    ) throws(ConfigError) {
        guard let errno else { return }
        // MAX_ERRNO of the kernel, and the 16 bits of SECCOMP_RET_DATA.
        let highest: UInt32
        switch action {
        case .errno: highest = 4095
        case .trace: highest = 65535
        default:
            throw ConfigError(
                place: place(), message: "is set for \(action.rawValue), which takes no errno")
        }
        guard errno <= highest else {
            throw ConfigError(place: place(), message: "must not be larger than \(highest)")
        }
    }
}
