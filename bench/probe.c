// probe: what one system call costs inside a container, in nanoseconds, as the program sees it.
//
// Prints three numbers on one line, each the best of several runs:
//   allowed   getppid: a filter that allows it whatever its arguments is not run at all, because the
//             kernel (5.11 and newer) answers from a bitmap
//   checked   personality(0xffffffff), a query: Docker's profile looks at its argument, so the filter
//             runs on every call
//   refused   uselib, _sysctl and add_key, which Docker's profile answers with EPERM: the filter runs
//             to its end
// With `filtered` as argument it fails if the refused calls are not refused.

#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { CALLS = 200000, RUNS = 5 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void allowed(void) { syscall(SYS_getppid); }
static void checked(void) { syscall(SYS_personality, 0xffffffff); }

static void refused(void)
{
    static const long numbers[] = {SYS_uselib, SYS__sysctl, SYS_add_key};
    static unsigned next;
    syscall(numbers[next++ % 3], 0, 0, 0, 0, 0);
}

static double best(void (*call)(void))
{
    double least = 0;
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        for (int i = 0; i < CALLS; i++) call();
        double each = (now() - start) / CALLS;
        if (run == 0 || each < least) least = each;
    }
    return least;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "filtered") == 0) {
        for (int i = 0; i < 3; i++) {
            errno = 0;
            refused();
            if (errno != EPERM) {
                fprintf(stderr, "probe: a call that the profile refuses was not refused\n");
                return 1;
            }
        }
    }
    printf("%.1f %.1f %.1f\n", best(allowed), best(checked), best(refused));
    return 0;
}
