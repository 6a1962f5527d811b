import Glibc
import Sys

// A parent that ignores SIGCHLD hands that down, after which no child could be waited for (wait(2),
// "NOTES").
defaultSignal(SIGCHLD)
exitNow(Invocation.run(commandLine()))
