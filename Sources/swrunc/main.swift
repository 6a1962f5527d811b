import Glibc
import Sys

// A parent that ignores SIGCHLD hands that down, after which no child could be waited for (wait(2),
// "NOTES").
defaultSignal(SIGCHLD)
// A write beyond RLIMIT_FSIZE is to fail, and what was begun to be undone (setrlimit(2)).
ignoreSignal(SIGXFSZ)
exitNow(Invocation.run(commandLine()))
