// One command under ptrace. Everything it makes is traced from its first moment on, until it
// executes another program or the command has ended; then it is let go, for a container outlives
// its command.

#define _GNU_SOURCE
#include "sweep.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registers.h"

enum { MAX_TRACEES = 64, DEADLINE_S = 15, QUIET_MS = 20, EVENT_STOP = 128 };
enum {
    OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
        PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC,
};

struct tracee {
    pid_t pid;
    int number;   // 0 until its parent has said that it made it
    bool waiting; // stopped, until then
    bool failing; // inside the call that is to fail
    int counts[CALL_NUMBERS];
};

static struct tracee tracees[MAX_TRACEES];
static int tracee_count, numbers;
static volatile sig_atomic_t late;
const char *standard_error = "/dev/null";
int patience = 1;

static void on_alarm(int number)
{
    (void)number;
    late = 1;
}

static void set_deadline(int seconds)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval timer = {.it_value.tv_sec = seconds, .it_interval.tv_sec = seconds ? 1 : 0};
    late = 0;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

// ---- without ptrace

static void become(char *const arguments[], const char *output, const char *error)
{
    int in = open("/dev/null", O_RDONLY);
    int out = open(output, O_WRONLY | O_CREAT | O_APPEND, 0644);
    int err = open(error, O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (in < 0 || out < 0 || err < 0) _exit(126);
    dup2(in, 0);
    dup2(out, 1);
    dup2(err, 2);
    for (int fd = 3; fd < 64; fd++) close(fd);
    execv(arguments[0], arguments);
    _exit(127);
}

// Those started and not waited for yet.
static struct {
    pid_t pid;
    bool ended;
    int status;
} started[4];

static int slot_of(pid_t pid)
{
    for (int i = 0; i < 4; i++)
        if (started[i].pid == pid) return i;
    return -1;
}

pid_t start_plain(char *const arguments[], const char *output, const char *error)
{
    int slot = slot_of(0);
    pid_t pid = fork();
    if (pid < 0 || slot < 0) die("fork: %s", strerror(errno));
    if (pid == 0) become(arguments, output, error);
    started[slot].pid = pid;
    started[slot].ended = false;
    return pid;
}

static void note_end(pid_t pid, int status)
{
    int slot = slot_of(pid);
    if (slot < 0) return;
    started[slot].ended = true;
    started[slot].status = status;
}

void reap(void)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0;) note_end(pid, status);
}

// Waits for every other child as well: a pid namespace does not end before its last process is
// waited for, and its orphans are ours.
int wait_plain(pid_t pid)
{
    int mine = slot_of(pid);
    bool killed = false;
    if (mine < 0) die("nobody started process %d", pid);
    set_deadline(DEADLINE_S * patience);
    while (!started[mine].ended) {
        int status;
        pid_t child = waitpid(-1, &status, __WALL);
        if (child > 0) {
            note_end(child, status);
        } else if (errno != EINTR) {
            die("waitpid: %s", strerror(errno));
        } else if (late && !killed) {
            killed = kill(pid, SIGKILL) == 0;
        }
    }
    set_deadline(0);
    started[mine].pid = 0;
    return killed ? -1 : started[mine].status;
}

int run_plain(char *const arguments[], const char *output)
{
    return wait_plain(start_plain(arguments, output, standard_error));
}

// ---- with it

static struct tracee *find(pid_t pid)
{
    for (int i = 0; i < tracee_count; i++)
        if (tracees[i].pid == pid) return &tracees[i];
    return NULL;
}

static struct tracee *add(pid_t pid)
{
    if (tracee_count == MAX_TRACEES) die("a command with more than %d processes", MAX_TRACEES);
    struct tracee *tracee = &tracees[tracee_count++];
    memset(tracee, 0, sizeof *tracee);
    tracee->pid = pid;
    return tracee;
}

static void forget(struct tracee *tracee) { *tracee = tracees[--tracee_count]; }

static void make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if (*c < ' ' || *c > '~') *c = '?';
}

static void read_path(pid_t pid, unsigned long address, char *text, size_t size)
{
    struct iovec here = {text, size - 1}, there = {(void *)address, size - 1};
    ssize_t count = process_vm_readv(pid, &here, 1, &there, 1, 0);
    if (count < 0) {
        // Up to the end of the page.
        there.iov_len = here.iov_len =
            4096 - address % 4096 < size - 1 ? 4096 - address % 4096 : size - 1;
        count = process_vm_readv(pid, &here, 1, &there, 1, 0);
    }
    text[count > 0 ? count : 0] = 0;
    make_printable(text);
}

static void read_descriptor(pid_t pid, int fd, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
    ssize_t count = readlink(path, text, size - 1);
    text[count > 0 ? count : 0] = 0;
    make_printable(text);
}

static bool matches(const struct fault *fault, const struct tracee *tracee, int number)
{
    if (fault->call.number != number) return false;
    if (fault->kind == DENIED) return true;
    return fault->call.process == tracee->number &&
           fault->call.occurrence == tracee->counts[number];
}

static void describe(pid_t pid, const struct __ptrace_syscall_info *info, char *text, size_t size)
{
    int number = (int)info->entry.nr, path = path_argument(number), fd = (int)info->entry.args[0];
    text[0] = 0;
    if (path >= 0) read_path(pid, info->entry.args[path], text, size);
    // What an empty path is about, its descriptor says.
    if (takes_descriptor(number) || (path == 1 && !text[0])) read_descriptor(pid, fd, text, size);
    if (number == SYS_prctl) snprintf(text, size, "%d", fd);
}

static void enter(struct tracee *tracee, const struct __ptrace_syscall_info *info,
                  const struct fault *fault, struct trace *trace, struct call *record)
{
    int number = (int)info->entry.nr;
    if (number < 0 || number >= CALL_NUMBERS) return;
    tracee->counts[number]++;
    if (record && trace->call_count < MAX_CALLS) {
        struct call *call = &record[trace->call_count++];
        *call = (struct call){tracee->number, number, tracee->counts[number], ""};
        describe(tracee->pid, info, call->text, sizeof call->text);
    }
    if (fault->kind == NO_FAULT || (trace->hit && fault->kind != DENIED)) return;
    if (!matches(fault, tracee, number)) return;
    trace->hit = true;
    describe(tracee->pid, info, trace->text, sizeof trace->text);
    switch (fault->kind) {
    case KILLED: kill(tracee->pid, SIGKILL); break;
    case SHORTENED:
        if (info->entry.args[2] > 1) set_third_argument(tracee->pid, info->entry.args[2] / 2);
        break;
    default:
        // A descriptor is closed whatever close(2) answers.
        if (number != SYS_close) skip_call(tracee->pid);
        tracee->failing = true;
    }
}

static void resume(const struct tracee *tracee, const struct fault *fault,
                   const struct trace *trace, int signal)
{
    bool done = trace->hit && fault->kind != DENIED && !tracee->failing;
    ptrace(done ? PTRACE_CONT : PTRACE_SYSCALL, tracee->pid, 0, (long)signal);
}

static bool is_crash(int signal)
{
    return signal == SIGSEGV || signal == SIGILL || signal == SIGBUS || signal == SIGFPE ||
           signal == SIGTRAP || signal == SIGABRT || signal == SIGSYS;
}

static void born(pid_t parent, const struct fault *fault, const struct trace *trace)
{
    unsigned long pid = 0;
    ptrace(PTRACE_GETEVENTMSG, parent, 0, &pid);
    struct tracee *child = find((pid_t)pid);
    if (!child) child = add((pid_t)pid);
    child->number = ++numbers;
    if (child->waiting) {
        child->waiting = false;
        resume(child, fault, trace, 0);
    }
}

static void stopped(pid_t pid, int status, const struct fault *fault, struct trace *trace,
                    struct call *record)
{
    struct tracee *tracee = find(pid);
    int event = status >> 16, signal = WSTOPSIG(status);
    if (!tracee) tracee = add(pid);
    if (tracee->number == 0) {
        tracee->waiting = true;
        return;
    }
    int deliver = 0;
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
        born(pid, fault, trace);
        tracee = find(pid);
    } else if (event == PTRACE_EVENT_EXEC) {
        if (tracee->number != 1) {
            forget(tracee);
            ptrace(PTRACE_DETACH, pid, 0, 0);
            return;
        }
    } else if (event == EVENT_STOP) {
        if (signal != SIGTRAP) {
            ptrace(PTRACE_LISTEN, pid, 0, 0);
            return;
        }
    } else if (event == 0 && signal == (SIGTRAP | 0x80)) {
        struct __ptrace_syscall_info info = {0};
        ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) enter(tracee, &info, fault, trace, record);
        if (info.op == PTRACE_SYSCALL_INFO_EXIT && tracee->failing) {
            set_result(pid, -fault->error);
            tracee->failing = false;
        }
    } else if (event == 0) {
        deliver = signal;
        if (is_crash(signal)) trace->crash = signal;
    }
    resume(tracee, fault, trace, deliver);
}

// Lets go of what is left once the command has ended.
static void let_go(void)
{
    for (int i = 0; i < tracee_count; i++) {
        pid_t pid = tracees[i].pid;
        int status, deliver = 0;
        if (!tracees[i].waiting) {
            if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0) continue;
            if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) continue;
            int event = status >> 16;
            if (event == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80)) deliver = WSTOPSIG(status);
            if (event >= PTRACE_EVENT_FORK && event <= PTRACE_EVENT_CLONE) {
                unsigned long child = 0;
                ptrace(PTRACE_GETEVENTMSG, pid, 0, &child);
                if (!find((pid_t)child)) add((pid_t)child);
            }
        }
        ptrace(PTRACE_DETACH, pid, 0, (long)deliver);
    }
    tracee_count = 0;
}

static void give_up(struct trace *trace)
{
    trace->hung = true;
    for (int i = 0; i < tracee_count; i++) kill(tracees[i].pid, SIGKILL);
}

// The next event; once the command has ended, none after a while of quiet.
static pid_t next_event(int *status, bool ended)
{
    if (!ended) return waitpid(-1, status, __WALL);
    for (int ms = 0; ms < QUIET_MS * patience; ms++) {
        pid_t pid = waitpid(-1, status, __WALL | WNOHANG);
        if (pid != 0) return pid;
        usleep(1000);
    }
    return 0;
}

static pid_t begin(char *const arguments[], pid_t also, const char *output)
{
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) < 0) die("pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0) die("fork: %s", strerror(errno));
    if (pid == 0) {
        char byte;
        close(gate[1]);
        while (read(gate[0], &byte, 1) < 0) {
        }
        become(arguments, output, standard_error);
    }
    tracee_count = numbers = 0;
    if (ptrace(PTRACE_SEIZE, pid, 0, (long)OPTIONS) < 0) die("PTRACE_SEIZE: %s", strerror(errno));
    add(pid)->number = ++numbers;
    if (also > 0 && ptrace(PTRACE_SEIZE, also, 0, (long)OPTIONS) == 0) {
        add(also)->number = ++numbers;
        ptrace(PTRACE_INTERRUPT, also, 0, 0);
    }
    close(gate[0]);
    close(gate[1]);
    return pid;
}

void run_traced(char *const arguments[], pid_t also, const char *output, const struct fault *fault,
                struct trace *trace, struct call *record)
{
    memset(trace, 0, sizeof *trace);
    set_deadline(DEADLINE_S * patience);
    pid_t main_pid = begin(arguments, also, output);
    bool ended = false;
    while (!ended || ((record || (fault->kind != NO_FAULT && !trace->hit)) && tracee_count > 0)) {
        int status;
        pid_t pid = next_event(&status, ended);
        if (pid == 0) break;
        if (pid < 0) {
            if (errno != EINTR) break;
            if (late) give_up(trace);
            continue;
        }
        if (WIFSTOPPED(status)) {
            stopped(pid, status, fault, trace, record);
            continue;
        }
        struct tracee *tracee = find(pid);
        if (tracee) forget(tracee);
        if (pid == main_pid) {
            ended = true;
            trace->status = status;
        }
    }
    let_go();
    set_deadline(0);
}
