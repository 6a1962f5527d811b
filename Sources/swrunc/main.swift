import Glibc
import Sys

// The Swift runtime's crash handlers, installed where SWIFT_BACKTRACE is set or a `swift-backtrace`
// lies beside the executable, would execute that program as root. And a parent that ignores SIGCHLD
// hands that down, after which no child could be waited for (wait(2), "NOTES").
for number in [SIGQUIT, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP, SIGCHLD] {
    defaultSignal(number)
}
exitNow(Invocation.run(commandLine()))
