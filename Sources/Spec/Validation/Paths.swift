/// Whether a path begins with `/`.
func isAbsolute(_ path: String) -> Bool {
    path.utf8.first == UInt8(ascii: "/")
}

/// The error of a path that does not begin with `/`.
func notAbsolute(_ path: String, at place: String) -> ConfigError {
    ConfigError(place: place, message: "\(quoted(path)) is not an absolute path")
}

/// Checks that all paths of an array are absolute.
func checkAbsolute(_ paths: [String], at place: String) throws(ConfigError) {
    for (index, path) in paths.enumerated() where !isAbsolute(path) {
        throw notAbsolute(path, at: "\(place)/\(index)")
    }
}

/// Whether one of a path's components is `..`.
func hasParentComponent(_ path: String) -> Bool {
    // The dots of the component so far, or nil once it has another byte.
    var dots: Int? = 0
    for byte in path.utf8 {
        switch byte {
        case UInt8(ascii: "/"):
            if dots == 2 { return true }
            dots = 0
        case UInt8(ascii: "."): dots = dots.map { $0 + 1 }
        default: dots = nil
        }
    }
    return dots == 2
}
