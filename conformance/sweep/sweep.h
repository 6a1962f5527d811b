// What the parts of the sweeps share. docs/security.md says what each sweep does.
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    PATH_SIZE = 256,
    TEXT_SIZE = 120,
    MAX_ARGUMENTS = 32,
    CALL_NUMBERS = 600,
    MAX_CALLS = 20000,
};

// ---- trace.c: one command under ptrace, in which one system call is made to go wrong

// A system call of a command: the `occurrence`-th with this number that its `process`-th process
// makes. Processes are counted as they are made, from 1, which is the command itself.
struct call {
    int process, number, occurrence;
    char text[TEXT_SIZE]; // the path it names, where it names one, or its descriptor does
};

enum fault_kind {
    NO_FAULT,
    KILLED,    // the process gets SIGKILL in place of the call
    FAILING,   // the call fails, without having done anything
    SHORTENED, // a read or a write of half the bytes
    DENIED,    // every call with this number fails, in every process
};

struct fault {
    enum fault_kind kind;
    struct call call;
    int error;
};

struct trace {
    bool hit;       // whether the call was made at all
    bool hung;      // nothing came to an end within the deadline
    int status;     // of the command, as wait(2) tells it
    int crash;      // the signal that a process of the runtime died of by itself, or 0
    int call_count; // of `calls`, where those are recorded
    char text[TEXT_SIZE]; // what the call was about
};

// `also` is a process that is there already and counts as the second one; 0 for none.
void run_traced(char *const arguments[], pid_t also, const char *output, const struct fault *fault,
                struct trace *trace, struct call *record);
// The same without ptrace; the status, -1 when it did not end within the deadline.
int run_plain(char *const arguments[], const char *output);
pid_t start_plain(char *const arguments[], const char *output, const char *error);
int wait_plain(pid_t pid);
// Takes leave of the children that have ended.
void reap(void);
extern const char *standard_error; // where commands write their errors
extern int patience;               // deadlines are so many times longer

// ---- calls.c: which errors a system call may answer

const char *call_name(int number);
int call_number(const char *name);
const char *error_name(int error);
int error_number(const char *name);
// The errors that are plausible, ended by 0; NULL for a call that must not be made to fail.
const int *plausible_errors(int number);
bool can_be_short(int number);
// Whether kernels or filters that are in use do without this call.
bool is_newer(int number);
// The index of the argument that is a path, or -1.
int path_argument(int number);
// Whether its first argument is a descriptor.
bool takes_descriptor(int number);

// ---- place.c: where the containers are, and what they leave there

extern char work[PATH_SIZE];
extern char runtime_path[PATH_SIZE], probe_path[PATH_SIZE];
// Goes into mount, network, ipc and uts namespaces of its own, with an empty /tmp and /run.
void enter_place(const char *runtime, const char *probe, bool keep_run);
void leave_place(void);
void note_place(void);
// What is there that was not when `note_place` was called, as text; "" for nothing.
const char *leftovers(const char *cgroup);
void remove_leftovers(const char *cgroup);
// Children that this process has had all along are not left over.
void keep_children(void);
// Nor is the state of this container.
void keep_state(const char *id);
bool read_text(const char *path, char *text, size_t size);
void write_text(const char *path, const char *text);
bool exists(const char *path);
double now_ms(void);
bool eventually(bool (*condition)(void *), void *context, int ms);
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct hierarchy {
    char mount[PATH_SIZE];
    char own[PATH_SIZE]; // this process's cgroup
};
extern struct hierarchy hierarchies[24];
extern int hierarchy_count;

// ---- bundle.c: the kinds of containers

enum kind { PLAIN, HOOKS, USER, JOINED, JOINED_USER, SYSTEMD, KINDS };

extern const char *const kind_names[KINDS];
bool kind_is_here(enum kind kind);
void prepare_bundles(void);
void end_donors(void);
void write_config(enum kind kind, const char *id, const char *program);
// Below a hierarchy.
void cgroup_of(enum kind kind, const char *id, char path[PATH_SIZE]);

// ---- facts.c: what a container is like, from inside and from outside

struct facts {
    char *text; // "key=value\n", sorted
    size_t size;
};

void facts_of_container(enum kind kind, const char *id, pid_t pid, const char *output,
                        struct facts *facts);
void facts_of_text(const char *id, pid_t pid, const char *prefix, const char *text,
                   struct facts *facts);
void join_facts(struct facts *facts, struct facts *more);
void free_facts(struct facts *facts);

// ---- compare.c

size_t key_size(const char *line);
int compare_keys(const char *left, const char *right);
// Keys whose values differ between two containers made alike become volatile: not compared.
void learn_volatile(struct facts *one, struct facts *two, struct facts *volatile_keys);
// The first differences but those that are tolerated, as text; "" for none.
const char *differences(struct facts *wanted, struct facts *found, struct facts *volatile_keys,
                        const struct fault *fault);

// ---- commands.c: the commands that are swept, and what each promises

enum before { NOTHING, CREATED, RUNNING, PAUSED, STOPPED, HALF };

struct command {
    const char *name;
    enum before before;
    const char *words[10]; // after `--root DIR`; ID, BUNDLE and so on are put in
    bool enters;           // starts a program in the container, or lets it start
    bool only_asks;        // its answer is all that it does
};

extern const struct command commands[];
extern const int command_count;

struct container {
    enum kind kind;
    char id[64];
    char cgroup[PATH_SIZE];
    char output[PATH_SIZE]; // of its program
    pid_t pid;
};

void fresh_container(enum kind kind, struct container *container);
// As far as `before`; false if that failed.
bool bring_to(struct container *container, enum before before);
void build(const struct command *command, const struct container *container,
           char *arguments[MAX_ARGUMENTS]);
// Any command of the runtime's on the container, its status and its words.
int command_on(const struct container *container, char *text, size_t size, const char *verb,
               const char *first, const char *second);
bool lives(pid_t pid);
bool has_started(const struct container *container);

// ---- points.c: the sweeps of single faults

struct point {
    const struct command *command;
    enum kind kind;
    struct fault fault;
};

void name_point(const struct point *point, char name[PATH_SIZE]);
bool parse_point(const char *name, struct point *point);
// Whether it holds; what does not is printed.
bool judge_point(const struct point *point);
// Those of every `shares`-th pair of a command and a kind.
int list_points(struct point **points, int share, int shares);

// ---- races.c, soak.c

void race(unsigned seed, double seconds, int rounds, const char *only);
void soak(int cycles, int live);

// ---- main.c

__attribute__((format(printf, 2, 3))) void finding(const char *how, const char *format, ...);
unsigned random_number(unsigned *state);
extern const char *only_command, *only_kind;
void missed(const char *how);
extern bool verbose;
extern volatile sig_atomic_t interrupted;
