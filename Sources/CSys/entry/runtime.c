// Keeps two parts of the Swift runtime out of the executable, which would otherwise work at every start.
// The linker leaves a part of libswiftCore.a out when what the rest asks of it is defined here. All is
// weak, so that a runtime whose parts are cut in another way links as ever.

#include "entry.h"

#include <stdbool.h>

// Backtraces: the runtime would look for `swift-backtrace` beside the executable and for
// SWIFT_BACKTRACE in the environment, and a crash in a container's root could execute what the image
// has under that name. All zero is "off".
__attribute__((weak)) struct {
    _Alignas(16) unsigned char off[256];
} _swift_backtraceSettings;

__attribute__((weak)) bool _swift_backtrace_isThunkFunction(const char *name) {
    (void)name;
    return false;
}

// The command line: the runtime would search the stack for it, by what /proc/self/maps says of it.
// glibc hands it to constructors.
static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int count, char **vector) {
    argument_count = count;
    arguments = vector;
}

char **swrunc_arguments(int *count) {
    *count = argument_count;
    return arguments;
}

__attribute__((weak)) char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
    return swrunc_arguments(count);
}

__attribute__((weak)) void _swift_stdlib_overrideUnsafeArgvArgc(char **vector, int count) {
    keep_arguments(count, vector);
}
