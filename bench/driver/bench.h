// What the parts of the bench's driver share.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MAX_SUBJECTS = 12, MAX_ARGUMENTS = 24, MAX_ROUNDS = 1000, PATH_SIZE = 512 };

// ---- process.c: one command, started, timed and waited for

struct outcome {
    double ms;      // from just before the start until the end was reported
    double cpu_ms;  // user and system time of the process and of what it waited for
    long rss_kib;   // the largest of the process and of what it waited for
    int status;     // as wait(2) tells it
};

// How a command's end is judged.
enum strictness {
    MUST_SUCCEED,  // anything but exit status 0 ends the bench with the command's own words
    MAY_FAIL,      // the caller looks at the status
};

struct outcome run_command(char *const arguments[], enum strictness strictness);
// Standard output of a command that must succeed, its first `size - 1` bytes.
void read_output(char *const arguments[], char *text, size_t size);
// What the last command wrote to standard error.
const char *last_stderr(void);
// Peak resident memory in KiB of the command's own process, without any other.
long own_peak_kib(char *const arguments[]);
// Opens the files that commands write to, below `work`.
void open_outputs(const char *work);
double now_ms(void);
void sleep_ms(int ms);
// Ends the bench: prints the message, removes everything that was started, exits with 1.
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_interrupted(void);
extern volatile sig_atomic_t interrupted;

// ---- runtime.c: the verbs of a runtime, and what has to be removed again

enum kind { RUNTIME, FLOOR_RUN, FLOOR_FULL, FLOOR_START };

struct subject {
    const char *name;
    const char *path;
    enum kind kind;
    char version[128];
    char root[PATH_SIZE];       // where the runtime keeps its state
    char live[32];              // id of the container that `state` and `exec` ask
};

extern struct subject subjects[MAX_SUBJECTS];
extern int subject_count;
extern const char *work;

// A verb's argument vector; `bundle` is a directory below `work`, NULL where the verb takes none.
void command(const struct subject *subject, const char *verb, const char *bundle, const char *id,
             char *arguments[MAX_ARGUMENTS]);
// An id that no other container of this machine has.
void fresh_id(char id[32]);
// What is remembered is deleted when the bench ends, however it ends.
void remember(const struct subject *subject, const char *id);
void forget(const char *id);
// The pid that `create` wrote.
pid_t created_pid(const struct subject *subject, const char *id);
void create_container(const struct subject *subject, const char *bundle, const char *id);
// Waits for the end of the container's init, which is ours to reap once `create` has returned.
void reap(pid_t pid);
void delete_container(const struct subject *subject, const char *id);
void start_live_containers(void);
void remove_everything(void);

// ---- cases.c: what is timed

enum case_id { RUN, RUN_DOCKER, CREATE, START, STATE, EXEC, DELETE, PROCESS, CASES };
enum mode { BACK_TO_BACK, SPACED, MODES };

struct series {
    int count;
    double ms[MAX_ROUNDS];
    double cpu_ms[MAX_ROUNDS];
};

struct peak {
    long own, largest;  // KiB; 0 where not measured
};

extern const char *const case_names[CASES];
extern struct series results[MODES][CASES][MAX_SUBJECTS];
extern struct peak peaks[CASES][MAX_SUBJECTS];
extern int idle_ms;

void run_cases(int rounds, int warm_up);
void measure_peaks(void);

// ---- extras.c: what is measured once

struct crowd {
    // state, exec, create; and a run of the floor, which shows what of it is the kernel's.
    struct series before[4], with[4];
};

extern long smallest_limit_kib[MAX_SUBJECTS];      // 0: none found
extern double call_ns[MAX_SUBJECTS][2][3];         // [0] bare, [1] Docker's profile; see probe.c
extern struct crowd crowds[MAX_SUBJECTS];
extern int crowd_size;

void find_smallest_limits(void);
void measure_calls(void);
void measure_crowds(int size, int rounds);
int read_timeline(char stages[32][64], double us[32], int rounds);

// ---- report.c

double median(const double *values, int count);
void print_report(const char *command_line, int rounds, bool timeline);
