#include "csys.h"

/* Swift's runtime looks for its own executable when it is loaded, before main, and aborts without a
 * word about /proc where that is not mounted. Priority 101 is the first that programs may have. */
__attribute__((constructor(101))) static void csys_require_proc(void) {
    char byte;
    if (readlink("/proc/self/exe", &byte, 1) >= 0)
        return;
    static const char message[] =
        "swrunc: /proc is not mounted, or not readable: the runtime needs the host's procfs\n";
    long written = write(2, message, sizeof message - 1);
    _exit(written < 0 ? 2 : 1);
}
