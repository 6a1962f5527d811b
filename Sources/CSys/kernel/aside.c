/* Which processor what runs on: namespaces made by a process beside this one, on another.
 *
 * It shares this one's memory and descriptors, which is what makes it cheap. So it may not go on in Swift,
 * nor touch what belongs to this one's thread, such as errno: it makes system calls and ends. */
#include "csys.h"
#include "csys_call.h"

#include <sched.h>

/* As many processors as the kernel may be built for. */
struct processors {
    cpu_set_t all[8], others[8];
    size_t size;
    unsigned here;
};

/* Those that this process may run on; 0 where it is but this one. */
static int count_others(struct processors *p) {
    long size = csys_result(syscall(SYS_sched_getaffinity, 0, sizeof p->all, p->all));
    if (size < 0 || getcpu(&p->here, NULL) != 0) return 0;
    p->size = (size_t)size;
    memcpy(p->others, p->all, sizeof p->all);
    CPU_CLR_S(p->here, p->size, p->others);
    return CPU_COUNT_S(p->size, p->others);
}

/* Once moved to another it may be anywhere again: where that one is busy, this one gets it back as soon as
 * it has nothing else to do. */
static long move_to_others(long pid, const struct processors *p) {
    syscall(SYS_sched_setaffinity, pid, p->size, p->others);
    return csys_result(syscall(SYS_sched_setaffinity, pid, p->size, p->all));
}

long csys_leave_processor(unsigned number) {
    struct processors p;
    return count_others(&p) > 0 && p.here == number ? move_to_others(0, &p) : 0;
}

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
    struct processors p;
    if (count_others(&p) == 0) return -EAGAIN;
    work.procfs = procfs;
    work.flags = flags;
    for (int i = 0; i < CSYS_ASIDE_KINDS; i++) work.made[i] = -1;
    long pid = csys_result(clone(make, work.stack + sizeof work.stack,
                                 CLONE_VM | CLONE_FILES | CLONE_PIDFD, NULL, pidfd));
    if (pid < 0) return pid;
    /* It often waits for this processor. */
    move_to_others(pid, &p);
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
