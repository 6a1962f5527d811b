import Testing

/// Tests of what sets the umask for a moment. It is the whole process's, so they run one at a time.
@Suite(.serialized) enum Alone {}
