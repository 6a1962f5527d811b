/*
 * Runs inside a container and prints what it sees, one key=value a line; for what busybox cannot
 * show. Static, so that it starts in any root file system.
 *
 *   probe                      a report on the process itself
 *   probe syscall NR [A…]      the result and errno of one system call
 *   probe open PATH [FLAGS]    r, w, rw, a (O_APPEND), c (O_CREAT)
 *   probe notify TEXT          sends TEXT to $NOTIFY_SOCKET, and its stdin along
 *   probe thread NR [A…]       the call in a second thread; the first one says that it lives
 *   probe int80 NR             the call as a 32 bit x86 program makes it
 *   probe trap NR [A…]         the call with a handler for SIGSYS
 *   probe traced NR [A…]       the call in a child traced for seccomp events
 *   probe ignoring SIGNAL…     ignores the signals, says ready, sleeps
 *   probe exit N | signal N    ends that way
 *   probe eat MB [SECONDS]     touches that much memory, and holds it
 *   probe acl PATH USER REST   rights (a digit each) of user 1000, and of whoever is not the owner
 *   probe deny NR ERRNO … -- COMMAND…   runs it with these system calls failing
 *   probe facts [stay] [PATH…] the report, /dev, what is to be had of the paths, and effects of filters
 *   probe append FILE TEXT     adds a line to a file
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void identity(void) {
    uid_t r, e, s;
    gid_t gr, ge, gs;
    getresuid(&r, &e, &s);
    getresgid(&gr, &ge, &gs);
    printf("uid=%u,%u,%u\ngid=%u,%u,%u\ngroups=", r, e, s, gr, ge, gs);
    gid_t groups[256];
    int count = getgroups(256, groups);
    for (int i = 0; i < count; i++) printf("%s%u", i ? "," : "", groups[i]);
    mode_t mask = umask(0);
    umask(mask);
    printf("\numask=%04o\n", mask);
}

static void privileges(void) {
    struct { uint32_t version; int pid; } header = {0x20080522, 0};
    struct { uint32_t effective, permitted, inheritable; } data[2] = {{0}};
    syscall(SYS_capget, &header, data);
    printf("cap.effective=%08x%08x\n", data[1].effective, data[0].effective);
    printf("cap.permitted=%08x%08x\n", data[1].permitted, data[0].permitted);
    printf("cap.inheritable=%08x%08x\n", data[1].inheritable, data[0].inheritable);
    uint64_t ambient = 0, bounding = 0;
    for (int cap = 0; cap < 64; cap++) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 1) ambient |= 1ULL << cap;
        if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1) bounding |= 1ULL << cap;
    }
    printf("cap.ambient=%016llx\n", (unsigned long long)ambient);
    printf("cap.bounding=%016llx\n", (unsigned long long)bounding);
    printf("securebits=%d\n", prctl(PR_GET_SECUREBITS));
    printf("no_new_privs=%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    printf("seccomp=%d\n", prctl(PR_GET_SECCOMP));
    printf("dumpable=%d\n", prctl(PR_GET_DUMPABLE));
    int death = -1;
    prctl(PR_GET_PDEATHSIG, &death);
    printf("pdeathsig=%d\n", death);
    char keyring[256] = "";
    long serial = syscall(SYS_keyctl, 0 /* GET_KEYRING_ID */, -3 /* session */, 0);
    syscall(SYS_keyctl, 6 /* DESCRIBE */, serial, keyring, sizeof keyring);
    printf("keyring=%ld;%s\n", serial, keyring);
}

static void limits(void) {
    static const struct { const char *name; int resource; } all[] = {
        {"AS", RLIMIT_AS}, {"CORE", RLIMIT_CORE}, {"CPU", RLIMIT_CPU}, {"DATA", RLIMIT_DATA},
        {"FSIZE", RLIMIT_FSIZE}, {"LOCKS", RLIMIT_LOCKS}, {"MEMLOCK", RLIMIT_MEMLOCK},
        {"MSGQUEUE", RLIMIT_MSGQUEUE}, {"NICE", RLIMIT_NICE}, {"NOFILE", RLIMIT_NOFILE},
        {"NPROC", RLIMIT_NPROC}, {"RSS", RLIMIT_RSS}, {"RTPRIO", RLIMIT_RTPRIO},
        {"RTTIME", RLIMIT_RTTIME}, {"SIGPENDING", RLIMIT_SIGPENDING}, {"STACK", RLIMIT_STACK},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct rlimit limit;
        getrlimit(all[i].resource, &limit);
        printf("rlimit.%s=%llu:%llu\n", all[i].name, (unsigned long long)limit.rlim_cur,
               (unsigned long long)limit.rlim_max);
    }
}

static void scheduling(void) {
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attr = {0};
    syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0);
    printf("sched=policy:%u flags:%llu nice:%d priority:%u\n", attr.policy,
           (unsigned long long)attr.flags, attr.nice, attr.priority);
    long ioprio = syscall(SYS_ioprio_get, 1, 0);
    printf("ioprio=%ld:%ld\n", ioprio >> 13, ioprio & 0x1fff);
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    printf("affinity=");
    for (int cpu = 0, first = 1; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &set)) {
            printf("%s%d", first ? "" : ",", cpu);
            first = 0;
        }
    printf("\npersonality=%x\n", personality(0xffffffff));
    struct utsname name;
    uname(&name);
    printf("machine=%s\nnodename=%s\ndomainname=%s\n", name.machine, name.nodename,
           name.domainname);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    printf("monotonic=%lld\n", (long long)now.tv_sec);
    clock_gettime(CLOCK_BOOTTIME, &now);
    printf("boottime=%lld\n", (long long)now.tv_sec);
}

static void signals(void) {
    printf("ignored=");
    for (int signal = 1, first = 1; signal < 65; signal++) {
        struct sigaction action;
        if (sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            printf("%s%d", first ? "" : ",", signal);
            first = 0;
        }
    }
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    printf("\nblocked=");
    for (int signal = 1, first = 1; signal < 65; signal++)
        if (sigismember(&blocked, signal) == 1) {
            printf("%s%d", first ? "" : ",", signal);
            first = 0;
        }
    printf("\n");
}

static void descriptors(void) {
    printf("fds=");
    for (int fd = 0, first = 1; fd < 1024; fd++)
        if (fcntl(fd, F_GETFD) >= 0) {
            printf("%s%d", first ? "" : ",", fd);
            first = 0;
        }
    printf("\n");
    for (int fd = 0; fd < 3; fd++) {
        struct stat st = {0};
        fstat(fd, &st);
        printf("fd.%d=%s uid:%u rdev:%u:%u\n", fd,
               S_ISCHR(st.st_mode) ? "char" : S_ISFIFO(st.st_mode) ? "pipe"
               : S_ISREG(st.st_mode) ? "file" : S_ISSOCK(st.st_mode) ? "socket" : "other",
               st.st_uid, major(st.st_rdev), minor(st.st_rdev));
    }
    struct winsize size = {0};
    int terminal = ioctl(0, TIOCGWINSZ, &size) == 0;
    printf("tty=%d,%d,%d\nwinsize=%ux%u\n", isatty(0), isatty(1), isatty(2),
           terminal ? size.ws_row : 0, terminal ? size.ws_col : 0);
    int controlling = open("/dev/tty", O_RDWR | O_CLOEXEC);
    printf("controlling=%d\n", controlling >= 0);
    printf("pid=%d\nppid=%d\nsid=%d\npgid=%d\nforeground=%d\n", getpid(), getppid(), getsid(0),
           getpgrp(), tcgetpgrp(0));
}

static void report(int argc, char **argv) {
    identity();
    privileges();
    limits();
    scheduling();
    signals();
    descriptors();
    char cwd[4096];
    printf("cwd=%s\n", getcwd(cwd, sizeof cwd) ? cwd : strerror(errno));
    for (int i = 0; i < argc; i++) printf("arg.%d=%s\n", i, argv[i]);
    int count = 0;
    for (char **e = environ; *e; e++) printf("env.%d=%s\n", count++, *e);
    printf("envc=%d\nargc=%d\n", count, argc);
}

static void devices(void) {
    DIR *stream = opendir("/dev");
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        char path[300], target[256] = "";
        struct stat st = {0};
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/dev/%s", entry->d_name);
        lstat(path, &st);
        if (S_ISLNK(st.st_mode)) readlink(path, target, sizeof target - 1);
        printf("dev.%s=%o %u:%u rdev:%u:%u %s\n", entry->d_name, st.st_mode, st.st_uid, st.st_gid,
               major(st.st_rdev), minor(st.st_rdev), target);
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_name = "lo"};
    int error = ioctl(fd, SIOCGIFFLAGS, &request) ? errno : 0;
    printf("lo=%d %x\n", error, request.ifr_flags);
    close(fd);
}

/* What a mask, a read-only path and a sysctl are for: can it be read, and written? */
static void reachable(const char *path) {
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    printf("path.%s=read:%zd,%s ", path, size, size < 0 ? strerror(errno) : "");
    for (char *c = text; *c && size < 16; c++) putchar(*c < ' ' ? '.' : *c);
    if (fd >= 0) close(fd);
    fd = open(path, O_WRONLY | O_NONBLOCK);
    printf(" write:%s\n", fd < 0 ? strerror(errno) : "yes");
    if (fd >= 0) close(fd);
}

static int facts(int argc, char **argv) {
    int stay = argc > 2 && !strcmp(argv[2], "stay");
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    report(argc, argv);
    devices();
    for (int i = 2 + stay; i < argc; i++) reachable(argv[i]);
    static const long filtered[] = {SYS_kexec_load, SYS_bpf, SYS_userfaultfd};
    for (int i = 0; i < 3; i++) {
        long result = syscall(filtered[i], -1, 0, 0, 0, 0);
        printf("call.%ld=%ld,%d\n", filtered[i], result, result < 0 ? errno : 0);
    }
    errno = 0;
    printf("call.personality=%d\n", personality(8) < 0 ? errno : 0);
    puts("end=1");
    fflush(stdout);
    while (stay) pause();
    return 0;
}

static int append(const char *path, const char *text) {
    umask(0);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    return fd < 0 || dprintf(fd, "%s\n", text) < 0;
}

static long call(char **argv) {
    long a[7] = {0};
    for (int i = 0; i < 7 && argv[i]; i++) a[i] = (long)strtoull(argv[i], NULL, 0);
    errno = 0;
    return syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]);
}

static void print_call(char **argv) {
    long result = call(argv);
    int error = errno;
    printf("result=%ld\nerrno=%d\n", result, result < 0 ? error : 0);
}

static void print_int80(char **argv) {
#ifdef __x86_64__
    long result = atol(argv[0]);
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(0), "c"(0), "d"(0) : "memory", "r8", "r9", "r10", "r11");
    int narrow = (int)result;
    printf("result=%d\nerrno=%d\n", narrow, narrow < 0 ? -narrow : 0);
#else
    (void)argv;
#endif
}

static int open_path(char **argv) {
    const char *flags = argv[1] ? argv[1] : "r";
    int mode = strchr(flags, 'w') ? (strchr(flags, 'r') ? O_RDWR : O_WRONLY) : O_RDONLY;
    if (strchr(flags, 'a')) mode |= O_APPEND;
    if (strchr(flags, 'c')) mode |= O_CREAT;
    int fd = open(argv[0], mode, 0600);
    printf("errno=%d\nerror=%s\n", fd < 0 ? errno : 0, fd < 0 ? strerror(errno) : "none");
    return fd < 0;
}

static int notify(const char *text) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path) return puts("error=no NOTIFY_SOCKET"), 1;
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    if (path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t size = offsetof(struct sockaddr_un, sun_path) + strlen(path);
    struct iovec io = {(void *)text, strlen(text)};
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
    struct msghdr message = {&address, size, &io, 1, control, sizeof control, 0};
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    ssize_t sent = sendmsg(fd, &message, 0);
    printf("sent=%zd\nerror=%s\n", sent, sent < 0 ? strerror(errno) : "none");
    return sent < 0;
}

/* acl(5) as linux/posix_acl_xattr.h has it: version 2, then the owner, a user, the group, the mask and
 * the others. */
static int acl(char **argv) {
    uint16_t user = (uint16_t)atoi(argv[1]), rest = (uint16_t)atoi(argv[2]);
    struct {
        uint32_t version;
        struct { uint16_t tag, rights; uint32_t id; } entries[5];
    } list = {2, {{1, 7, ~0u}, {2, user, 1000}, {4, rest, ~0u}, {0x10, 7, ~0u}, {0x20, rest, ~0u}}};
    if (setxattr(argv[0], "system.posix_acl_access", &list, sizeof list, 0) == 0) return 0;
    return perror(argv[0]), 1;
}

static int deny(char **argv) {
    struct sock_filter filter[64] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))};
    unsigned short count = 1;
    for (; strcmp(argv[0], "--"); argv += 2) {
        unsigned action = SECCOMP_RET_ERRNO | (unsigned)atoi(argv[1]);
        filter[count++] =
            (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ, (unsigned)atoi(argv[0]), 0, 1);
        filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET, action);
    }
    filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {count, filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) return perror("seccomp"), 1;
    execvp(argv[1], argv + 1);
    return perror(argv[1]), 1;
}

static int in_thread(void *argv) {
    call(argv);
    return 0;
}

/* By clone(2): a filter around the runtime may refuse clone3(2), which pthread_create makes. */
static int thread(char **argv) {
    static char stack[65536] __attribute__((aligned(16)));
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_THREAD;
    struct stat tasks;
    if (clone(in_thread, stack + sizeof stack, flags, argv) < 0) return perror("clone"), 1;
    /* A killed thread is never joined: a link of the directory for each that lives (proc(5)). */
    while (stat("/proc/self/task", &tasks) == 0 && tasks.st_nlink > 3) usleep(1000);
    puts("main=alive");
    _exit(0);
}

static void trapped(int signal, siginfo_t *info, void *context) {
    (void)context;
    printf("signal=%d\ncode=%d\nsyscall=%d\n", signal, info->si_code, info->si_syscall);
    printf("errno=%d\n", info->si_errno);
}

static int traced(char **argv) {
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        call(argv);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, child, 0, 0);
    waitpid(child, &status, 0);
    unsigned long message = 0;
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_SECCOMP << 8))) {
        ptrace(PTRACE_GETEVENTMSG, child, 0, &message);
        printf("event=seccomp\nmessage=%lu\n", message);
    } else {
        printf("event=none\nstatus=%d\n", status);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return 0;
}

int main(int argc, char **argv) {
    const char *verb = argc > 1 ? argv[1] : "";
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!strcmp(verb, "syscall")) {
        print_call(argv + 2);
    } else if (!strcmp(verb, "int80")) {
        print_int80(argv + 2);
    } else if (!strcmp(verb, "open")) {
        return open_path(argv + 2);
    } else if (!strcmp(verb, "notify")) {
        return notify(argv[2]);
    } else if (!strcmp(verb, "thread")) {
        return thread(argv + 2);
    } else if (!strcmp(verb, "trap")) {
        struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
        sigaction(SIGSYS, &action, NULL);
        call(argv + 2);
    } else if (!strcmp(verb, "traced")) {
        return traced(argv + 2);
    } else if (!strcmp(verb, "ignoring")) {
        for (int i = 2; i < argc; i++) signal(atoi(argv[i]), SIG_IGN);
        puts("ready");
        for (;;) pause();
    } else if (!strcmp(verb, "acl")) {
        return acl(argv + 2);
    } else if (!strcmp(verb, "deny")) {
        return deny(argv + 2);
    } else if (!strcmp(verb, "facts")) {
        return facts(argc, argv);
    } else if (!strcmp(verb, "append")) {
        return append(argv[2], argv[3]);
    } else if (!strcmp(verb, "exit")) {
        return atoi(argv[2]);
    } else if (!strcmp(verb, "signal")) {
        signal(atoi(argv[2]), SIG_DFL);
        kill(getpid(), atoi(argv[2]));
        sleep(5);
    } else if (!strcmp(verb, "eat")) {
        size_t size = (size_t)atol(argv[2]) << 20;
        volatile char *memory = malloc(size);
        for (size_t i = 0; i < size; i += 1024) memory[i] = 1;
        printf("eaten=%zu\n", size >> 20);
        if (argc > 3) sleep(atoi(argv[3]));
    } else {
        report(argc, argv);
    }
    return 0;
}
