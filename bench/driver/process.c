// One command: started, timed, waited for, and made to fail loudly.

#define _GNU_SOURCE
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { DEADLINE_S = 30 };

static int null_fd = -1, output_fd = -1, error_fd = -1;
static volatile pid_t running;
static volatile sig_atomic_t timed_out;
volatile sig_atomic_t interrupted;

double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

void sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) check_interrupted();
}

void die(const char *format, ...)
{
    static bool dying;
    va_list list;
    va_start(list, format);
    fprintf(stderr, "bench: ");
    vfprintf(stderr, format, list);
    fprintf(stderr, "\n");
    va_end(list);
    if (!dying) {
        dying = true;
        remove_everything();
    }
    exit(interrupted ? 130 : 1);
}

void check_interrupted(void)
{
    if (interrupted) die("interrupted");
}

static void on_signal(int number)
{
    if (number == SIGALRM)
        timed_out = 1;
    else
        interrupted = 1;
    if (running > 0) kill(running, SIGKILL);
}

void open_outputs(const char *directory)
{
    char path[PATH_SIZE];
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    snprintf(path, sizeof path, "%s/stdout", directory);
    output_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    snprintf(path, sizeof path, "%s/stderr", directory);
    error_fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (null_fd < 0 || output_fd < 0 || error_fd < 0) die("%s: %s", path, strerror(errno));
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

const char *last_stderr(void)
{
    static char text[4096];
    ssize_t size = pread(error_fd, text, sizeof text - 1, 0);
    text[size > 0 ? size : 0] = 0;
    return text;
}

// 0 lifts the deadline; whether it had passed stays known until the next command.
static void set_deadline(int seconds)
{
    struct itimerval timer = {.it_value.tv_sec = seconds};
    if (seconds > 0) timed_out = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void judge(char *const arguments[], int status)
{
    check_interrupted();
    if (!timed_out && WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
    char line[2048] = "";
    for (int i = 0; arguments[i]; i++) {
        size_t used = strlen(line);
        snprintf(line + used, sizeof line - used, " %s", arguments[i]);
    }
    char how[64];
    if (timed_out)
        snprintf(how, sizeof how, "did not end within %d s", DEADLINE_S);
    else if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "was killed by signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
    die("a command %s:\n %s\n%s", how, line, last_stderr());
}

static struct outcome run_with_output(char *const arguments[], int output, enum strictness strictness)
{
    check_interrupted();
    if (ftruncate(error_fd, 0) < 0) die("ftruncate: %s", strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, null_fd, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, error_fd, 2);
    set_deadline(DEADLINE_S);

    pid_t pid;
    struct outcome outcome;
    struct rusage usage;
    double start = now_ms();
    int error = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
    if (error) die("posix_spawn %s: %s", arguments[0], strerror(error));
    running = pid;
    while (wait4(pid, &outcome.status, 0, &usage) < 0)
        if (errno != EINTR) die("wait4: %s", strerror(errno));
    outcome.ms = now_ms() - start;
    running = 0;

    set_deadline(0);
    posix_spawn_file_actions_destroy(&actions);
    outcome.cpu_ms = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
                     + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
    outcome.rss_kib = usage.ru_maxrss;
    if (strictness == MUST_SUCCEED) judge(arguments, outcome.status);
    return outcome;
}

struct outcome run_command(char *const arguments[], enum strictness strictness)
{
    return run_with_output(arguments, null_fd, strictness);
}

void read_output(char *const arguments[], char *text, size_t size)
{
    if (ftruncate(output_fd, 0) < 0) die("ftruncate: %s", strerror(errno));
    run_with_output(arguments, output_fd, MUST_SUCCEED);
    ssize_t count = pread(output_fd, text, size - 1, 0);
    text[count > 0 ? count : 0] = 0;
}

static long high_water_kib(pid_t pid)
{
    char path[64], line[256];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    fclose(file);
    return kib;
}

// wait4 tells the largest of a process and its children; the process alone is known only while it
// still has its memory, so it is stopped on its way out and read from /proc.
long own_peak_kib(char *const arguments[])
{
    check_interrupted();
    if (ftruncate(error_fd, 0) < 0) die("ftruncate: %s", strerror(errno));
    set_deadline(DEADLINE_S);
    pid_t pid = fork();
    if (pid < 0) die("fork: %s", strerror(errno));
    if (pid == 0) {
        dup2(null_fd, 0);
        dup2(null_fd, 1);
        dup2(error_fd, 2);
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execv(arguments[0], arguments);
        _exit(127);
    }
    running = pid;
    long peak = 0;
    int status;
    bool seized = false;
    for (;;) {
        if (waitpid(pid, &status, __WALL) < 0) {
            if (errno == EINTR) continue;
            die("waitpid: %s", strerror(errno));
        }
        if (!WIFSTOPPED(status)) break;
        int number = WSTOPSIG(status), event = status >> 16, delivered = 0;
        if (!seized && number == SIGTRAP) {
            ptrace(PTRACE_SETOPTIONS, pid, NULL,
                   (void *)(long)(PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL));
            seized = true;
        } else if (event == PTRACE_EVENT_EXIT) {
            peak = high_water_kib(pid);
        } else if (event == 0) {
            delivered = number;
        }
        ptrace(PTRACE_CONT, pid, NULL, (void *)(long)delivered);
    }
    running = 0;
    set_deadline(0);
    judge(arguments, status);
    return peak;
}
