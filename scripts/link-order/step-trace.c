/* Which functions of a static executable run, and in which order: steps through a command and its
 * children one instruction at a time and prints each address of the text segment the first time it is
 * reached, in hexadecimal.
 *
 * usage: step-trace START END COMMAND [ARGUMENT ...]   (START, END: the text segment) */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 4)
        return 2;
    unsigned long start = strtoul(argv[1], NULL, 16), end = strtoul(argv[2], NULL, 16);
    unsigned char *seen = calloc(end - start + 1, 1);
    pid_t first = fork();
    if (first == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        execv(argv[3], argv + 3);
        _exit(127);
    }
    int status;
    waitpid(first, &status, 0);
    ptrace(PTRACE_SETOPTIONS, first, 0,
           PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL);
    ptrace(PTRACE_SINGLESTEP, first, 0, 0);
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        /* What the command leaves behind, such as a container's init, ends with this process. */
        if (pid < 0 || (pid == first && (WIFEXITED(status) || WIFSIGNALED(status)))) break;
        if (!WIFSTOPPED(status)) continue;
        struct user_regs_struct regs;
        int signal = WSTOPSIG(status);
        if (signal == SIGTRAP || signal == SIGSTOP) signal = 0;
        if (ptrace(PTRACE_GETREGS, pid, 0, &regs) == 0 && regs.rip >= start && regs.rip < end &&
            !seen[regs.rip - start]) {
            seen[regs.rip - start] = 1;
            printf("%llx\n", regs.rip);
        }
        ptrace(PTRACE_SINGLESTEP, pid, 0, signal);
    }
    return 0;
}
