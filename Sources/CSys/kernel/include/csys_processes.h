/* Processes, namespaces, signals and time. Included by csys.h, which has what it needs. */
/* ---- processes and namespaces ------------------------------------------------------------ */

/* clone3(2) without CLONE_VM: both sides go on from here. `pidfd` and `cgroup` may be absent
 * (NULL, -1). */
static inline long csys_clone3(uint64_t flags, int *pidfd, int cgroup, int exit_signal) {
    struct clone_args a;
    memset(&a, 0, sizeof a);
    a.flags = flags;
    a.exit_signal = (uint64_t)exit_signal;
    if (pidfd) {
        a.flags |= CLONE_PIDFD;
        a.pidfd = (uint64_t)(uintptr_t)pidfd;
    }
    if (cgroup >= 0) {
        a.flags |= CLONE_INTO_CGROUP;
        a.cgroup = (uint64_t)cgroup;
    }
    return csys_result(syscall(CSYS_NR_clone3, &a, sizeof a));
}
/* clone(2), for where clone3 is missing or forbidden: the flags that fit into 32 bits, no cgroup. */
static inline long csys_clone(uint64_t flags, int *pidfd, int exit_signal) {
    unsigned long all = (unsigned long)flags | CLONE_PIDFD | (unsigned long)exit_signal;
    return csys_result(syscall(SYS_clone, all, 0, pidfd, 0, 0));
}
static inline long csys_setns(int fd, int type) { return csys_result(syscall(SYS_setns, fd, type)); }
static inline long csys_unshare(int flags) { return csys_result(syscall(SYS_unshare, flags)); }
static inline long csys_ns_type(int fd) { return csys_result(ioctl(fd, NS_GET_NSTYPE)); }
/* aside.c: starts a process that makes new namespaces, to be waited for with csys_wait_aside; then
 * csys_made_aside has a descriptor for each of CSYS_ASIDE_KINDS, or -1. */
#define CSYS_ASIDE_KINDS 3
long csys_make_aside(int flags, int procfs, int *pidfd);
int csys_made_aside(int kind, int *flag);
/* Moves this process to another processor, if it is on this one. */
long csys_leave_processor(unsigned number);
static inline long csys_wait_aside(int pidfd) {
    siginfo_t info;
    return csys_result(syscall(SYS_waitid, 3, pidfd, &info, WEXITED | __WALL, NULL));
}
static inline long csys_pidfd_open(int pid) {
    return csys_result(syscall(CSYS_NR_pidfd_open, pid, 0));
}
static inline long csys_pidfd_send_signal(int fd, int signal) {
    return csys_result(syscall(CSYS_NR_pidfd_send_signal, fd, signal, NULL, 0));
}
static inline long csys_kill(int pid, int signal) { return csys_result(kill(pid, signal)); }
static inline long csys_getpid(void) { return syscall(SYS_getpid); }
static inline long csys_getppid(void) { return syscall(SYS_getppid); }
static inline void csys_exit(int status) { _exit(status); }
static inline long csys_setsid(void) { return csys_result(setsid()); }
static inline long csys_execveat(int dir, const char *path, char *const *argv, char *const *envp,
                                 int flags) {
    return csys_result(syscall(SYS_execveat, dir, path, argv, envp, flags));
}
/* The same program again: with this process's environment. */
static inline long csys_execute_fd(int fd, char *const *argv) {
    return csys_result(syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH));
}
/* Found along PATH, with this process's environment. */
static inline long csys_execvp(char *const *argv) { return csys_result(execvp(argv[0], argv)); }
static inline long csys_execve(const char *path, char *const *argv, char *const *envp) {
    return csys_result(execve(path, argv, envp));
}

struct csys_exit {
    int pid, code, status;
};

/* waitid(2): pid 0 in `out` means that nothing had changed (WNOHANG). */
static inline long csys_waitid(int type, int id, struct csys_exit *out, int options) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    long r = syscall(SYS_waitid, type, id, &info, options, NULL);
    if (r < 0)
        return -(long)errno;
    *out = (struct csys_exit){.pid = info.si_pid, .code = info.si_code, .status = info.si_status};
    return 0;
}

static inline long csys_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
                              unsigned long d) {
    return csys_result(prctl(option, a, b, c, d));
}
static inline long csys_setgroups(size_t count, const uint32_t *groups) {
    return csys_result(syscall(SYS_setgroups, count, groups));
}
static inline long csys_setresgid(uint32_t gid) {
    return csys_result(syscall(SYS_setresgid, gid, gid, gid));
}
static inline long csys_setresuid(uint32_t uid) {
    return csys_result(syscall(SYS_setresuid, uid, uid, uid));
}
static inline long csys_prlimit(int pid, int resource, uint64_t soft, uint64_t hard) {
    uint64_t limit[2] = {soft, hard};
    return csys_result(syscall(SYS_prlimit64, pid, resource, limit, NULL));
}
static inline long csys_getrlimit(int resource, uint64_t *soft, uint64_t *hard) {
    struct rlimit limit = {0, 0};
    long result = csys_result(prlimit(0, resource, NULL, &limit));
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return result;
}
/* What the number was before, whether or not it changes. */
static inline long csys_setfsuid(uint32_t uid) { return (uint32_t)syscall(SYS_setfsuid, uid); }
static inline long csys_setfsgid(uint32_t gid) { return (uint32_t)syscall(SYS_setfsgid, gid); }
/* The three sets of capget(2) and capset(2), each as one number. */
struct csys_capabilities {
    uint64_t effective, permitted, inheritable;
};
static inline long csys_capget(struct csys_capabilities *out) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    long result = csys_result(syscall(SYS_capget, &header, data));
    *out = (struct csys_capabilities){
        .effective = data[0].effective | (uint64_t)data[1].effective << 32,
        .permitted = data[0].permitted | (uint64_t)data[1].permitted << 32,
        .inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32};
    return result;
}
static inline long csys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)}};
    return csys_result(syscall(SYS_capset, &header, data));
}
static inline long csys_getlimit(int resource, uint64_t *soft, uint64_t *hard) {
    uint64_t limit[2] = {0, 0};
    long r = csys_result(syscall(SYS_prlimit64, 0, resource, NULL, limit));
    *soft = limit[0];
    *hard = limit[1];
    return r;
}
static inline long csys_sethostname(const char *name, size_t length) {
    return csys_result(syscall(SYS_sethostname, name, length));
}
static inline long csys_setdomainname(const char *name, size_t length) {
    return csys_result(syscall(SYS_setdomainname, name, length));
}
static inline long csys_personality(unsigned long persona) {
    return csys_result(syscall(SYS_personality, persona));
}
static inline long csys_ioprio_set(int which, int who, int priority) {
    return csys_result(syscall(SYS_ioprio_set, which, who, priority));
}
static inline long csys_set_mempolicy(int mode, const unsigned long *mask, unsigned long bits) {
    return csys_result(syscall(SYS_set_mempolicy, mode, mask, bits));
}
static inline long csys_sched_setaffinity(int pid, size_t size, const void *mask) {
    return csys_result(syscall(SYS_sched_setaffinity, pid, size, mask));
}
struct csys_sched_attr {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
static inline long csys_sched_setattr(int pid, const struct csys_sched_attr *attributes) {
    return csys_result(syscall(SYS_sched_setattr, pid, attributes, 0));
}
/* keyctl(KEYCTL_JOIN_SESSION_KEYRING): the new keyring's serial number. */
static inline long csys_join_session_keyring(const char *name) {
    return csys_result(syscall(SYS_keyctl, 1, name));
}
static inline long csys_keyctl(int operation, long a, long b, long c) {
    return csys_result(syscall(SYS_keyctl, operation, a, b, c));
}
/* How a seccomp filter sees calls of this architecture; 0 where that is not known here. */
#if defined(__x86_64__)
#define CSYS_AUDIT_ARCHITECTURE 0xc000003eu
#elif defined(__aarch64__)
#define CSYS_AUDIT_ARCHITECTURE 0xc00000b7u
#elif defined(__riscv) && __riscv_xlen == 64
#define CSYS_AUDIT_ARCHITECTURE 0xc00000f3u
#else
#define CSYS_AUDIT_ARCHITECTURE 0u
#endif
enum {
    CSYS_NR_execveat = SYS_execveat,
    CSYS_NR_execve = SYS_execve,
    CSYS_NR_openat = SYS_openat,
    CSYS_NR_read = SYS_read,
    CSYS_NR_close = SYS_close,
    CSYS_NR_newfstatat = SYS_newfstatat,
    CSYS_NR_fstatfs = SYS_fstatfs,
    CSYS_NR_readlinkat = SYS_readlinkat,
};
/* struct sock_fprog, whose filter Swift sees as bytes. */
struct csys_fprog {
    uint16_t count;
    void *filter;
};
static inline long csys_seccomp(unsigned operation, unsigned flags, void *argument) {
    return csys_result(syscall(SYS_seccomp, operation, flags, argument));
}
static inline long csys_bpf(int command, void *attributes, unsigned size) {
    return csys_result(syscall(SYS_bpf, command, attributes, size));
}
static inline long csys_getuid(void) { return syscall(SYS_getuid); }
static inline long csys_getgid(void) { return syscall(SYS_getgid); }
static inline long csys_geteuid(void) { return syscall(SYS_geteuid); }
static inline long csys_getegid(void) { return syscall(SYS_getegid); }

/* ---- signals ----------------------------------------------------------------------------- */

static inline long csys_signal_default(int signal) {
    struct sigaction a = {.sa_handler = SIG_DFL};
    return csys_result(sigaction(signal, &a, NULL));
}
static inline long csys_signal_ignore(int signal) {
    struct sigaction a = {.sa_handler = SIG_IGN};
    return csys_result(sigaction(signal, &a, NULL));
}
static inline void csys_leave(int signal) { _exit(128 + signal); }
/* By a handler: for its default action the kernel spares pid 1 of a pid namespace. */
static inline long csys_signal_exit(int signal) {
    struct sigaction a = {.sa_handler = csys_leave};
    return csys_result(sigaction(signal, &a, NULL));
}
/* Block (1) or unblock (0) every signal of this thread. */
static inline long csys_block_signals(int block) {
    sigset_t all;
    if (block)
        sigfillset(&all);
    else
        sigemptyset(&all);
    return csys_result(sigprocmask(SIG_SETMASK, &all, NULL));
}
/* A signalfd for every signal; the caller has blocked them. */
static inline long csys_signalfd(void) {
    sigset_t all;
    sigfillset(&all);
    return csys_result(signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
}

/* ---- time -------------------------------------------------------------------------------- */

static inline long csys_clock(int clock, int64_t *seconds, int64_t *nanoseconds) {
    struct timespec t;
    if (clock_gettime(clock, &t) < 0)
        return -(long)errno;
    *seconds = t.tv_sec;
    *nanoseconds = t.tv_nsec;
    return 0;
}
static inline long csys_nanosleep(int64_t nanoseconds) {
    struct timespec t = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return csys_result(nanosleep(&t, NULL));
}
