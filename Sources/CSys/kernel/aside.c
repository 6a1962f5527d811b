/* Namespaces made by a process beside this one, on another processor.
 *
 * It shares this one's memory and descriptors, which is what makes it cheap. So it may not go on in Swift,
 * nor touch what belongs to this one's thread, such as errno: it makes system calls and ends. */
#include "csys.h"
#include "csys_call.h"

#include <sched.h>

#ifdef CSYS_HAS_CALL

static const struct {
    int flag;
    const char *file;
} kinds[CSYS_ASIDE_KINDS] = {
    {CLONE_NEWNET, "self/ns/net"}, {CLONE_NEWIPC, "self/ns/ipc"}, {CLONE_NEWUTS, "self/ns/uts"}};

/* One at a time. */
static struct {
    int procfs, flags;
    volatile int made[CSYS_ASIDE_KINDS];
    char stack[4096] __attribute__((aligned(16)));
} work;

static int make(void *unused) {
    (void)unused;
    for (int i = 0; i < CSYS_ASIDE_KINDS; i++) {
        if (!(work.flags & kinds[i].flag)) continue;
        if (csys_call(SYS_unshare, kinds[i].flag, 0, 0, 0, 0) == 0)
            work.made[i] = (int)csys_call(SYS_openat, work.procfs, (long)kinds[i].file,
                                          O_RDONLY | O_CLOEXEC, 0, 0);
    }
    return 0;
}

long csys_make_aside(int flags, int procfs, int *pidfd) {
    /* As many processors as the kernel may be built for. */
    cpu_set_t all[8], others[8];
    unsigned here;
    long size = csys_result(syscall(SYS_sched_getaffinity, 0, sizeof all, all));
    if (size < 0 || getcpu(&here, NULL) != 0) return -EINVAL;
    memcpy(others, all, sizeof all);
    CPU_CLR_S(here, (size_t)size, others);
    if (CPU_COUNT_S((size_t)size, others) == 0) return -EAGAIN;

    work.procfs = procfs;
    work.flags = flags;
    for (int i = 0; i < CSYS_ASIDE_KINDS; i++) work.made[i] = -1;
    long pid = csys_result(clone(make, work.stack + sizeof work.stack,
                                 CLONE_VM | CLONE_FILES | CLONE_PIDFD, NULL, pidfd));
    if (pid < 0) return pid;
    /* It often waits for this processor. Once moved to another it may be anywhere: where that one is busy,
     * this one gets it back as soon as it has nothing else to do. */
    syscall(SYS_sched_setaffinity, pid, size, others);
    syscall(SYS_sched_setaffinity, pid, size, all);
    return pid;
}

int csys_made_aside(int kind, int *flag) {
    *flag = kinds[kind].flag;
    return work.made[kind];
}

#else

long csys_make_aside(int flags, int procfs, int *pidfd) {
    (void)flags, (void)procfs, (void)pidfd;
    return -ENOSYS;
}

int csys_made_aside(int kind, int *flag) {
    (void)kind, (void)flag;
    return -1;
}

#endif
