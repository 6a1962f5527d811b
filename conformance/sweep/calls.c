// Which errors a system call may answer: what its manual page names and a kernel, a filter, a limit
// or a security module may bring about without a fault in the caller. That something which is there
// is not (ENOENT, ESRCH, ECHILD, EPIPE) would be a lie, which nobody could see through.

#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static const struct {
    int number;
    int path;  // the argument that is a path, or -1
    int errors[10];
} calls[] = {
    // Files by name.
    {SYS_openat, 1, {EACCES, EMFILE, ENOMEM, EINTR, EPERM, EIO, ENODEV}},
    {SYS_openat2, 1, {ENOSYS, EACCES, EMFILE, EAGAIN, ENOMEM, EPERM, EXDEV}},
    {SYS_faccessat, 1, {EACCES, EIO}},
    {SYS_faccessat2, 1, {ENOSYS, EACCES, EIO, EPERM}},
    {SYS_newfstatat, 1, {EACCES, ENOMEM, EIO}},
    {SYS_statx, 1, {ENOSYS, EACCES, ENOMEM}},
    {SYS_readlinkat, 1, {EACCES, EIO}},
    {SYS_mkdirat, 1, {EACCES, EEXIST, ENOSPC, EROFS, ENOMEM, EIO}},
    {SYS_mknodat, 1, {EPERM, EEXIST, ENOSPC, EROFS, EACCES}},
    {SYS_symlinkat, 2, {EACCES, EEXIST, ENOSPC, EROFS, EIO}},
    {SYS_unlinkat, 1, {EACCES, EBUSY, EPERM, EROFS, EIO,}},
    {SYS_renameat, 3, {EACCES, ENOSPC, EROFS, EIO,}},
    {SYS_renameat2, 3, {ENOSYS, EACCES, ENOSPC, EIO}},
    {SYS_fchmodat, 1, {EPERM, EROFS, EIO}},
    {SYS_fchownat, 1, {EPERM, EROFS, EIO}},
    {SYS_utimensat, 1, {EPERM, EROFS}},
    {SYS_statfs, 0, {EACCES, EIO, ENOSYS}},
    {SYS_chdir, 0, {EACCES, ENOMEM, EIO}},
    {SYS_chroot, 0, {EPERM, EACCES}},
    {SYS_inotify_add_watch, 1, {ENOSPC, ENOMEM, EACCES}},
#ifdef SYS_open  // names that newer machines do without
    {SYS_open, 0, {EACCES, EMFILE, EIO}},
    {SYS_stat, 0, {EACCES, EIO}},
    {SYS_lstat, 0, {EACCES, EIO}},
    {SYS_access, 0, {EACCES,}},
    {SYS_readlink, 0, {EACCES, EIO}},
    {SYS_mkdir, 0, {EACCES, EEXIST, ENOSPC, EROFS}},
    {SYS_rmdir, 0, {EBUSY, EACCES, EIO,}},
    {SYS_unlink, 0, {EACCES, EBUSY, EIO,}},
    {SYS_chmod, 0, {EPERM, EROFS}},
    {SYS_rename, 1, {EACCES, ENOSPC, EIO}},
    {SYS_pipe, -1, {EMFILE, ENFILE}},
    {SYS_fork, -1, {EAGAIN, ENOMEM}},
    {SYS_vfork, -1, {EAGAIN, ENOMEM}},
    {SYS_poll, -1, {EINTR, ENOMEM}},
    {SYS_dup2, -1, {EBUSY, EINTR}},
    {SYS_epoll_wait, -1, {EINTR}},
    {SYS_getpgrp, -1, {0}},
    {SYS_alarm, -1, {0}},
    {SYS_arch_prctl, -1, {0}},
    {SYS_time, -1, {0}},
#endif
    // Descriptors.
    {SYS_read, -1, {EIO, EINTR, ENOMEM, EACCES}},
    {SYS_pread64, -1, {EIO, EINTR}},
    {SYS_readv, -1, {EIO, EINTR}},
    {SYS_write, -1, {EIO, EINTR, ENOSPC, EPERM, EINVAL, EBUSY, ENOMEM}},
    {SYS_writev, -1, {EIO, EINTR, ENOSPC}},
    {SYS_pwrite64, -1, {EIO, EINTR, ENOSPC}},
    {SYS_close, -1, {EIO, EINTR}},
    {SYS_close_range, -1, {ENOSYS, EPERM, ENOMEM}},
    {SYS_fcntl, -1, {EACCES, EMFILE, EPERM, EINVAL}},
    {SYS_dup, -1, {EMFILE}},
    {SYS_dup3, -1, {EMFILE, EBUSY, EINTR}},
    {SYS_lseek, -1, {EINVAL}},
    {SYS_ftruncate, -1, {EIO, EPERM, EINTR}},
    {SYS_fsync, -1, {EIO, ENOSPC}},
    {SYS_fdatasync, -1, {EIO, ENOSPC}},
    {SYS_flock, -1, {EINTR, EAGAIN, ENOLCK}},
    {SYS_fstat, -1, {EIO, ENOMEM}},
    {SYS_fstatfs, -1, {EIO, ENOSYS}},
    {SYS_fchmod, -1, {EPERM, EROFS, EIO}},
    {SYS_fchown, -1, {EPERM, EROFS, EIO}},
    {SYS_fchdir, -1, {EACCES}},
    {SYS_getdents64, -1, {EIO, ENOMEM,}},
    {SYS_ioctl, -1, {ENOTTY, EIO, EPERM, EINTR, ENOSYS}},
    {SYS_pipe2, -1, {EMFILE, ENFILE}},
    {SYS_sendfile, -1, {EIO, EAGAIN, ENOMEM, EINVAL}},
    {SYS_copy_file_range, -1, {ENOSYS, EXDEV, EIO, ENOSPC}},
    {SYS_fgetxattr, -1, {ENOTSUP, ENODATA}},
    {SYS_getcwd, -1, {EACCES, ENOMEM}},
    {SYS_memfd_create, -1, {ENOSYS, EMFILE, ENOMEM, EPERM}},
    {SYS_eventfd2, -1, {EMFILE, ENOMEM}},
    {SYS_signalfd4, -1, {EMFILE, ENOMEM}},
    {SYS_inotify_init1, -1, {EMFILE}},
    {SYS_timerfd_create, -1, {EMFILE}},
    {SYS_timerfd_settime, -1, {EINVAL}},
    {SYS_epoll_create1, -1, {EMFILE, ENOMEM}},
    {SYS_epoll_ctl, -1, {ENOMEM, ENOSPC}},
    {SYS_epoll_pwait, -1, {EINTR}},
    {SYS_ppoll, -1, {EINTR, ENOMEM}},
    {SYS_pselect6, -1, {EINTR, ENOMEM}},
    // Sockets.
    {SYS_socket, -1, {EMFILE, EACCES, EAFNOSUPPORT, ENOBUFS}},
    {SYS_socketpair, -1, {EMFILE, ENOMEM}},
    {SYS_bind, -1, {EACCES, EADDRINUSE, ENOSPC, EROFS}},
    {SYS_listen, -1, {EADDRINUSE}},
    {SYS_accept4, -1, {EINTR, EMFILE, ECONNABORTED, ENOMEM}},
    {SYS_connect, -1, {EINTR, ECONNREFUSED, EACCES, EAGAIN}},
    {SYS_sendmsg, -1, {EINTR, ENOBUFS, ENOMEM, ETOOMANYREFS}},
    {SYS_sendto, -1, {EINTR, ENOBUFS, ENOMEM}},
    {SYS_recvmsg, -1, {EINTR, ENOMEM, EMFILE}},
    {SYS_recvfrom, -1, {EINTR, ENOMEM}},
    {SYS_shutdown, -1, {ENOTCONN}},
    {SYS_setsockopt, -1, {EPERM, ENOMEM, ENOPROTOOPT}},
    {SYS_getsockopt, -1, {ENOPROTOOPT}},
    {SYS_getsockname, -1, {ENOBUFS}},
    // Processes.
    {SYS_clone, -1, {EAGAIN, ENOMEM, EPERM, ENOSPC, EINVAL}},
    {SYS_clone3, -1, {ENOSYS, EAGAIN, ENOMEM, EPERM, ENOSPC, EINVAL, EBUSY}},
    {SYS_execve, 0, {EACCES, ENOMEM, EAGAIN, EPERM, ETXTBSY, EIO}},
    {SYS_execveat, 1, {ENOSYS, EACCES, ENOMEM, EPERM}},
    {SYS_wait4, -1, {EINTR,}},
    {SYS_waitid, -1, {EINTR, EINVAL}},
    {SYS_kill, -1, {EPERM}},
    {SYS_tgkill, -1, {EPERM}},
    {SYS_pidfd_open, -1, {ENOSYS, EMFILE, EPERM, ENOMEM,}},
    {SYS_pidfd_send_signal, -1, {ENOSYS, EPERM,}},
    {SYS_pidfd_getfd, -1, {ENOSYS, EPERM, EMFILE}},
    {SYS_setsid, -1, {EPERM}},
    {SYS_setpgid, -1, {EPERM, EACCES}},
    {SYS_prctl, -1, {EINVAL, EPERM, EACCES, ENOSYS}},
    {SYS_capset, -1, {EPERM, EINVAL}},
    {SYS_capget, -1, {EPERM, EINVAL}},
    {SYS_setuid, -1, {EPERM, EAGAIN, EINVAL}},
    {SYS_setgid, -1, {EPERM, EINVAL}},
    {SYS_setresuid, -1, {EPERM, EAGAIN, EINVAL}},
    {SYS_setresgid, -1, {EPERM, EINVAL}},
    {SYS_setgroups, -1, {EPERM, ENOMEM, EINVAL}},
    {SYS_getgroups, -1, {EINVAL}},
    {SYS_prlimit64, -1, {EPERM, EINVAL}},
    {SYS_setrlimit, -1, {EPERM, EINVAL}},
    {SYS_getrlimit, -1, {EINVAL}},
    {SYS_setpriority, -1, {EPERM, EACCES}},
    {SYS_getpriority, -1, {EPERM}},
    {SYS_sched_setattr, -1, {EPERM, EBUSY, EINVAL, ENOSYS}},
    {SYS_sched_getattr, -1, {EINVAL, ENOSYS}},
    {SYS_sched_setaffinity, -1, {EINVAL, EPERM}},
    {SYS_sched_getaffinity, -1, {EINVAL, EPERM}},
    {SYS_sched_setscheduler, -1, {EPERM, EINVAL}},
    {SYS_ioprio_set, -1, {EPERM, EINVAL}},
    {SYS_ioprio_get, -1, {EINVAL}},
    {SYS_personality, -1, {EINVAL, EPERM}},
    {SYS_seccomp, -1, {ENOSYS, EINVAL, EACCES, ENOMEM, EBUSY}},
    {SYS_bpf, -1, {ENOSYS, EPERM, EINVAL, ENOMEM}},
    {SYS_keyctl, -1, {ENOSYS, EACCES, EDQUOT, ENOMEM, EPERM}},
    {SYS_add_key, -1, {ENOSYS, EACCES, EDQUOT}},
    {SYS_set_mempolicy, -1, {EINVAL, ENOMEM, EPERM}},
    {SYS_getrandom, -1, {ENOSYS, EAGAIN, EINTR}},
    {SYS_nanosleep, -1, {EINTR}},
    {SYS_clock_nanosleep, -1, {EINTR}},
    // Namespaces and mounts.
    {SYS_unshare, -1, {EPERM, ENOMEM, ENOSPC, EINVAL}},
    {SYS_setns, -1, {EPERM, EINVAL, ENOMEM,}},
    {SYS_pivot_root, 0, {EPERM, EBUSY, EINVAL, ENOSYS}},
    {SYS_mount, 1, {EPERM, EACCES, EBUSY, EINVAL, ENOMEM, ENODEV}},
    {SYS_umount2, 0, {EPERM, EBUSY, EINVAL, ENOMEM}},
    {SYS_open_tree, 1, {ENOSYS, EPERM, EACCES, EMFILE, EINVAL}},
    {SYS_move_mount, 3, {ENOSYS, EPERM, EINVAL, EACCES, EBUSY, ENOMEM}},
    {SYS_fsopen, 0, {ENOSYS, EPERM, ENODEV, EMFILE}},
    {SYS_fsconfig, -1, {ENOSYS, EPERM, EINVAL, EBUSY, ENOMEM}},
    {SYS_fsmount, -1, {ENOSYS, EPERM, EMFILE, EINVAL, EBUSY}},
    {SYS_fspick, 1, {ENOSYS, EPERM, EINVAL}},
    {SYS_mount_setattr, 1, {ENOSYS, EPERM, EINVAL, ENOMEM, EBUSY}},
    {SYS_sethostname, -1, {EPERM, EINVAL}},
    {SYS_setdomainname, -1, {EPERM, EINVAL}},
    // What cannot fail, or what a C library does before `main` and on its way out.
    {SYS_exit, -1, {0}}, {SYS_exit_group, -1, {0}}, {SYS_rt_sigreturn, -1, {0}},
    {SYS_restart_syscall, -1, {0}}, {SYS_set_tid_address, -1, {0}}, {SYS_set_robust_list, -1, {0}},
    {SYS_rseq, -1, {0}}, {SYS_getpid, -1, {0}}, {SYS_gettid, -1, {0}}, {SYS_getppid, -1, {0}},
    {SYS_getuid, -1, {0}}, {SYS_geteuid, -1, {0}}, {SYS_getgid, -1, {0}}, {SYS_getegid, -1, {0}},
    {SYS_getpgid, -1, {0}}, {SYS_getsid, -1, {0}}, {SYS_umask, -1, {0}}, {SYS_sched_yield, -1, {0}},
    {SYS_rt_sigaction, -1, {0}}, {SYS_rt_sigprocmask, -1, {0}}, {SYS_clock_gettime, -1, {0}},
    {SYS_uname, -1, {0}}, {SYS_getresuid, -1, {0}}, {SYS_getresgid, -1, {0}}, {SYS_futex, -1, {0}},
    {SYS_sigaltstack, -1, {0}}, {SYS_sysinfo, -1, {0}}, {SYS_rt_sigtimedwait, -1, {0}},
    {SYS_getcpu, -1, {0}}, {SYS_setitimer, -1, {0}}, {SYS_rt_sigpending, -1, {0}},
    // An allocator without memory ends the process; nothing of Swift's could be thrown there.
    {SYS_brk, -1, {0}}, {SYS_mmap, -1, {0}}, {SYS_munmap, -1, {0}}, {SYS_mprotect, -1, {0}},
    {SYS_madvise, -1, {0}}, {SYS_mremap, -1, {0}},
};

// Newer than what the oldest systems in use have, or what filters of engines leave out.
static const int newer[] = {
    SYS_memfd_create, SYS_execveat, SYS_seccomp, SYS_renameat2, SYS_statx, SYS_copy_file_range,
    SYS_bpf, SYS_getrandom, SYS_sched_setattr, SYS_keyctl, SYS_setns, SYS_pidfd_getfd,
};

enum { COUNT = sizeof calls / sizeof *calls, FIRST_OF_ALL_MACHINES = SYS_pidfd_send_signal };

static int index_of(int number)
{
    for (int i = 0; i < COUNT; i++)
        if (calls[i].number == number) return i;
    return -1;
}

const int *plausible_errors(int number)
{
    int index = index_of(number);
    if (index < 0) die("no errors are known for %s: give it a line in calls.c", call_name(number));
    return calls[index].errors[0] ? calls[index].errors : NULL;
}

int path_argument(int number)
{
    int index = index_of(number);
    return index < 0 ? -1 : calls[index].path;
}

bool takes_descriptor(int number)
{
    static const int numbers[] = {
        SYS_read, SYS_pread64, SYS_write, SYS_pwrite64, SYS_close, SYS_fstat, SYS_fstatfs,
        SYS_fchdir, SYS_getdents64, SYS_ioctl, SYS_fchmod, SYS_fchown, SYS_ftruncate, SYS_flock,
        SYS_setns,
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number) return true;
    return false;
}

bool can_be_short(int number) { return number == SYS_read || number == SYS_write; }

bool is_newer(int number)
{
    for (size_t i = 0; i < sizeof newer / sizeof *newer; i++)
        if (newer[i] == number) return true;
    return number >= FIRST_OF_ALL_MACHINES;
}

const char *call_name(int number)
{
    static char *names[CALL_NUMBERS];
    static char text[16];
    if (number < 0 || number >= CALL_NUMBERS) return "?";
    if (!names[number]) names[number] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
    if (names[number]) return names[number];
    snprintf(text, sizeof text, "%d", number);
    return text;
}

int call_number(const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    return number >= 0 ? number : (int)strtol(name, NULL, 10);
}

const char *error_name(int error) { return strerrorname_np(error); }

int error_number(const char *name)
{
    for (int error = 1; error < 134; error++) {
        const char *known = strerrorname_np(error);
        if (known && strcmp(known, name) == 0) return error;
    }
    return 0;
}
