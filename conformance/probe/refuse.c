/*
 * Executes RUNTIME behind a seccomp filter that answers ANSWER to every system call of Linux 5.1 and
 * later, as the filter of an engine does that is older than them. What the runtime starts inherits it.
 *
 * To be installed setuid root: with CAP_SYS_ADMIN a filter needs no no_new_privs, which a container
 * would inherit too. The runtime gets the caller's ids.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

/* pidfd_send_signal; from here on the numbers are those of every architecture. */
#define FIRST 424
/* The numbers of x32 begin here, with the oldest. */
#define X32 0x40000000

int main(int argc, char **argv) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE, X32, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JGE, FIRST, 0, 1),
        BPF_STMT(BPF_RET, SECCOMP_RET_ERRNO | ANSWER),
        BPF_STMT(BPF_RET, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (argc < 1 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("refuse: the filter");
        return 125;
    }
    if (setresuid(getuid(), getuid(), getuid())) {
        perror("refuse: setresuid");
        return 125;
    }
    argv[0] = RUNTIME;
    execv(RUNTIME, argv);
    perror(RUNTIME);
    return 127;
}
