/* The doors to the kernel: one wrapper per call, no logic. Every wrapper returns a value >= 0 or
 * -errno, so that nothing runs between the call and the reading of errno. */
#ifndef CSYS_H
#define CSYS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Numbers that older headers lack: the same on every architecture since Linux 5.1 or so. */
#define CSYS_NR_open_tree 428
#define CSYS_NR_move_mount 429
#define CSYS_NR_fsopen 430
#define CSYS_NR_fsconfig 431
#define CSYS_NR_fsmount 432
#define CSYS_NR_pidfd_open 434
#define CSYS_NR_clone3 435
#define CSYS_NR_close_range 436
#define CSYS_NR_openat2 437
#define CSYS_NR_mount_setattr 442
#define CSYS_NR_pidfd_send_signal 424

static inline long csys_result(long r) { return r < 0 ? -(long)errno : r; }

/* ---- files ------------------------------------------------------------------------------- */

static inline long csys_openat(int dir, const char *path, int flags, unsigned mode) {
    return csys_result(openat(dir, path, flags, mode));
}

static inline long csys_openat2(int dir, const char *path, int flags, unsigned mode,
                                uint64_t resolve) {
    struct open_how how = {.flags = (uint64_t)(unsigned)flags, .mode = mode, .resolve = resolve};
    return csys_result(syscall(CSYS_NR_openat2, dir, path, &how, sizeof how));
}

static inline long csys_close(int fd) { return csys_result(close(fd)); }

static inline long csys_read(int fd, void *buffer, size_t count) {
    return csys_result(read(fd, buffer, count));
}

static inline long csys_write(int fd, const void *buffer, size_t count) {
    return csys_result(write(fd, buffer, count));
}

struct csys_stat {
    uint64_t dev, ino, rdev, size;
    uint32_t mode, uid, gid, nlink;
};

static inline long csys_statat(int dir, const char *path, int flags, struct csys_stat *out) {
    struct stat s;
    if (fstatat(dir, path, &s, flags) < 0)
        return -(long)errno;
    *out = (struct csys_stat){.dev = s.st_dev, .ino = s.st_ino, .rdev = s.st_rdev,
                              .size = (uint64_t)s.st_size, .mode = s.st_mode, .uid = s.st_uid,
                              .gid = s.st_gid, .nlink = (uint32_t)s.st_nlink};
    return 0;
}

/* The f_type of the file system behind `fd`: an f_type is a 32-bit magic number. */
static inline long csys_fstatfs_type(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? -(long)errno : (long)(uint32_t)s.f_type;
}

/* The ST_* mount flags of the mount that `fd` was opened through. */
static inline long csys_fstatfs_flags(int fd) {
    struct statfs s;
    return fstatfs(fd, &s) < 0 ? -(long)errno : (long)s.f_flags;
}

static inline long csys_faccessat(int dir, const char *path, int mode, int flags) {
    return csys_result(faccessat(dir, path, mode, flags));
}
static inline long csys_mkdirat(int dir, const char *path, unsigned mode) {
    return csys_result(mkdirat(dir, path, mode));
}
static inline long csys_mknodat(int dir, const char *path, unsigned mode, uint32_t major,
                                uint32_t minor) {
    return csys_result(mknodat(dir, path, mode, makedev(major, minor)));
}
static inline uint32_t csys_major(uint64_t dev) { return major(dev); }
static inline uint32_t csys_minor(uint64_t dev) { return minor(dev); }
static inline long csys_symlinkat(const char *target, int dir, const char *path) {
    return csys_result(symlinkat(target, dir, path));
}
static inline long csys_linkat(int from, const char *old, int to, const char *path, int flags) {
    return csys_result(linkat(from, old, to, path, flags));
}
static inline long csys_unlinkat(int dir, const char *path, int flags) {
    return csys_result(unlinkat(dir, path, flags));
}
static inline long csys_renameat(int from, const char *old, int to, const char *path) {
    return csys_result(renameat(from, old, to, path));
}
static inline long csys_readlinkat(int dir, const char *path, char *buffer, size_t size) {
    return csys_result(readlinkat(dir, path, buffer, size));
}
static inline long csys_fchmod(int fd, unsigned mode) { return csys_result(fchmod(fd, mode)); }
static inline long csys_fchmodat(int dir, const char *path, unsigned mode) {
    return csys_result(fchmodat(dir, path, mode, 0));
}
static inline long csys_fchownat(int dir, const char *path, uint32_t uid, uint32_t gid, int flags) {
    return csys_result(fchownat(dir, path, uid, gid, flags));
}
static inline long csys_getdents64(int fd, void *buffer, size_t size) {
    return csys_result(syscall(SYS_getdents64, fd, buffer, size));
}
static inline long csys_lseek(int fd, int64_t offset, int whence) {
    return csys_result(lseek(fd, offset, whence));
}
static inline long csys_flock(int fd, int operation) { return csys_result(flock(fd, operation)); }
static inline long csys_dup3(int from, int to, int flags) {
    return csys_result(dup3(from, to, flags));
}
static inline long csys_fcntl(int fd, int command, long argument) {
    return csys_result(fcntl(fd, command, argument));
}
static inline long csys_pipe2(int *fds, int flags) { return csys_result(pipe2(fds, flags)); }
static inline long csys_close_range(unsigned first, unsigned last, unsigned flags) {
    return csys_result(syscall(CSYS_NR_close_range, first, last, flags));
}
static inline long csys_memfd_create(const char *name, unsigned flags) {
    return csys_result(syscall(SYS_memfd_create, name, flags));
}
static inline long csys_sendfile(int to, int from, size_t count) {
    return csys_result(syscall(SYS_sendfile, to, from, NULL, count));
}
static inline long csys_chdir(const char *path) { return csys_result(chdir(path)); }
static inline long csys_fchdir(int fd) { return csys_result(fchdir(fd)); }
static inline long csys_chroot(const char *path) { return csys_result(chroot(path)); }
static inline long csys_getcwd(char *buffer, size_t size) {
    return csys_result(syscall(SYS_getcwd, buffer, size));
}
static inline unsigned csys_umask(unsigned mask) { return umask(mask); }
static inline long csys_poll(struct pollfd *fds, unsigned long count, int milliseconds) {
    return csys_result(poll(fds, count, milliseconds));
}
static inline long csys_eventfd(unsigned initial, int flags) {
    return csys_result(syscall(SYS_eventfd2, initial, flags));
}
static inline long csys_inotify_init(int flags) {
    return csys_result(syscall(SYS_inotify_init1, flags));
}
static inline long csys_inotify_add_watch(int fd, const char *path, uint32_t mask) {
    return csys_result(syscall(SYS_inotify_add_watch, fd, path, mask));
}

/* ---- mounts ------------------------------------------------------------------------------ */

static inline long csys_mount(const char *source, const char *target, const char *type,
                              unsigned long flags, const char *data) {
    return csys_result(syscall(SYS_mount, source, target, type, flags, data));
}
static inline long csys_umount2(const char *target, int flags) {
    return csys_result(syscall(SYS_umount2, target, flags));
}
static inline long csys_pivot_root(const char *new_root, const char *put_old) {
    return csys_result(syscall(SYS_pivot_root, new_root, put_old));
}
static inline long csys_open_tree(int dir, const char *path, unsigned flags) {
    return csys_result(syscall(CSYS_NR_open_tree, dir, path, flags));
}
static inline long csys_move_mount(int from, const char *from_path, int to, const char *to_path,
                                   unsigned flags) {
    return csys_result(syscall(CSYS_NR_move_mount, from, from_path, to, to_path, flags));
}
static inline long csys_fsopen(const char *type, unsigned flags) {
    return csys_result(syscall(CSYS_NR_fsopen, type, flags));
}
static inline long csys_fsconfig(int fd, unsigned command, const char *key, const char *value,
                                 int aux) {
    return csys_result(syscall(CSYS_NR_fsconfig, fd, command, key, value, aux));
}
static inline long csys_fsmount(int fd, unsigned flags, unsigned attributes) {
    return csys_result(syscall(CSYS_NR_fsmount, fd, flags, attributes));
}
static inline long csys_mount_setattr(int dir, const char *path, unsigned flags, uint64_t set,
                                      uint64_t clear, uint64_t propagation, int userns) {
    struct mount_attr a = {.attr_set = set, .attr_clr = clear, .propagation = propagation,
                           .userns_fd = userns < 0 ? 0 : (uint64_t)userns};
    return csys_result(syscall(CSYS_NR_mount_setattr, dir, path, flags, &a, sizeof a));
}

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
static inline long csys_capget_permitted(uint64_t *permitted) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    long result = csys_result(syscall(SYS_capget, &header, data));
    *permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    return result;
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

/* ---- sockets ----------------------------------------------------------------------------- */

static inline long csys_socketpair(int type, int *fds) {
    return csys_result(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds));
}
static inline long csys_unix_socket(int type) {
    return csys_result(socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
}
/* SO_SNDTIMEO: how long connect and send may take. */
static inline long csys_send_timeout(int fd, long seconds) {
    struct timeval time = {.tv_sec = seconds};
    return csys_result(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
}
/* SO_RCVTIMEO: how long a receive may take. */
static inline long csys_receive_timeout(int fd, long seconds) {
    struct timeval time = {.tv_sec = seconds};
    return csys_result(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
}
static inline long csys_unix_address(struct sockaddr_un *address, const char *path) {
    size_t length = strlen(path);
    if (length >= sizeof address->sun_path)
        return -ENAMETOOLONG;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length + 1);
    return 0;
}
static inline long csys_connect_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long r = csys_unix_address(&address, path);
    return r < 0 ? r : csys_result(connect(fd, (struct sockaddr *)&address, sizeof address));
}
static inline long csys_bind_unix(int fd, const char *path) {
    struct sockaddr_un address;
    long r = csys_unix_address(&address, path);
    return r < 0 ? r : csys_result(bind(fd, (struct sockaddr *)&address, sizeof address));
}
static inline long csys_listen(int fd, int backlog) { return csys_result(listen(fd, backlog)); }
static inline long csys_accept(int fd) {
    return csys_result(accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}
static inline long csys_peer_pid(int fd) {
    struct ucred c;
    socklen_t size = sizeof c;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &size) < 0 ? -(long)errno : c.pid;
}
/* Bytes and at most one fd (-1: none) in one message; never raises SIGPIPE. */
static inline long csys_send(int fd, const void *bytes, size_t count, int passed) {
    struct iovec io = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1};
    if (passed >= 0) {
        memset(&control, 0, sizeof control);
        m.msg_control = &control;
        m.msg_controllen = sizeof control.room;
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &passed, sizeof passed);
    }
    return csys_result(sendmsg(fd, &m, MSG_NOSIGNAL));
}
/* The counterpart: `passed` is -1 where no fd came. A datagram cut short is -EMSGSIZE, and has none. */
static inline long csys_receive(int fd, void *bytes, size_t count, int *passed) {
    struct iovec io = {.iov_base = bytes, .iov_len = count};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control,
                       .msg_controllen = CMSG_LEN(sizeof(int))};
    *passed = -1;
    long r = csys_result(recvmsg(fd, &m, MSG_CMSG_CLOEXEC));
    if (r < 0)
        return r;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
        memcpy(passed, CMSG_DATA(c), sizeof *passed);
    if (!(m.msg_flags & MSG_TRUNC))
        return r;
    if (*passed >= 0)
        close(*passed);
    *passed = -1;
    return -EMSGSIZE;
}
/* Set IFF_UP on an interface of this network namespace; `fd` is any socket. */
static inline long csys_interface_up(int fd, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return csys_result(ioctl(fd, SIOCSIFFLAGS, &request));
}
static inline long csys_inet_socket(void) {
    return csys_result(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

/* ---- terminals --------------------------------------------------------------------------- */

static inline long csys_unlock_pty(int fd) {
    int zero = 0;
    return csys_result(ioctl(fd, TIOCSPTLCK, &zero));
}
static inline long csys_pty_number(int fd) {
    unsigned number = 0;
    return ioctl(fd, TIOCGPTN, &number) < 0 ? -(long)errno : (long)number;
}
static inline long csys_pty_peer(int fd, int flags) {
    return csys_result(ioctl(fd, TIOCGPTPEER, flags));
}
static inline long csys_set_controlling_terminal(int fd) {
    return csys_result(ioctl(fd, TIOCSCTTY, 0));
}
static inline long csys_get_window_size(int fd, uint16_t *rows, uint16_t *columns) {
    struct winsize w;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0)
        return -(long)errno;
    *rows = w.ws_row;
    *columns = w.ws_col;
    return 0;
}
static inline long csys_set_window_size(int fd, uint16_t rows, uint16_t columns) {
    struct winsize w = {.ws_row = rows, .ws_col = columns};
    return csys_result(ioctl(fd, TIOCSWINSZ, &w));
}
static inline long csys_tcgetattr(int fd, struct termios *t) {
    return csys_result(tcgetattr(fd, t));
}
static inline long csys_tcsetattr(int fd, const struct termios *t) {
    return csys_result(tcsetattr(fd, TCSANOW, t));
}
static inline void csys_make_raw(struct termios *t) { cfmakeraw(t); }

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

#endif
