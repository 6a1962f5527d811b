// One command with one thing that goes wrong, and all that has to hold all the same.

#define _GNU_SOURCE
#include "sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_COMMANDS = 32, CLEAN_RUNS = 3 };

// What a command comes to when nothing goes wrong.
static struct reference {
    bool known, impossible;
    struct facts facts, volatile_keys;
} references[KINDS][MAX_COMMANDS];

static char answer_path[PATH_SIZE + 16], error_path[PATH_SIZE + 16];
static struct call *recorded;

// ---- names: kill/plain/create/1.openat.7, fault/plain/create/1.openat.7/EMFILE

static const char *const fault_names[] = {
    [KILLED] = "kill",
    [FAILING] = "fault",
    [SHORTENED] = "short",
    [DENIED] = "deny",
};

void name_point(const struct point *point, char name[PATH_SIZE])
{
    const struct fault *fault = &point->fault;
    int used = snprintf(name, PATH_SIZE, "%s/%s/%s/", fault_names[fault->kind],
                        kind_names[point->kind], point->command->name);
    if (fault->kind != DENIED)
        used += snprintf(name + used, (size_t)(PATH_SIZE - used), "%d.", fault->call.process);
    used += snprintf(name + used, (size_t)(PATH_SIZE - used), "%s", call_name(fault->call.number));
    if (fault->kind != DENIED)
        used += snprintf(name + used, (size_t)(PATH_SIZE - used), ".%d", fault->call.occurrence);
    if (fault->error)
        snprintf(name + used, (size_t)(PATH_SIZE - used), "/%s", error_name(fault->error));
}

bool parse_point(const char *name, struct point *point)
{
    char fault[16], kind[32], command[32], call[64], error[32] = "";
    memset(point, 0, sizeof *point);
    if (sscanf(name, "%15[^/]/%31[^/]/%31[^/]/%63[^/]/%31s", fault, kind, command, call, error) < 4)
        return false;
    for (int i = KILLED; i <= DENIED; i++)
        if (!strcmp(fault, fault_names[i])) point->fault.kind = (enum fault_kind)i;
    for (point->kind = 0; point->kind < KINDS && strcmp(kind, kind_names[point->kind]);)
        point->kind++;
    for (int i = 0; i < command_count; i++)
        if (!strcmp(command, commands[i].name)) point->command = &commands[i];
    char number[40];
    if (point->fault.kind == DENIED)
        snprintf(number, sizeof number, "%.39s", call);
    else if (sscanf(call, "%d.%39[^.].%d", &point->fault.call.process, number,
                    &point->fault.call.occurrence) != 3)
        return false;
    point->fault.call.number = call_number(number);
    point->fault.error = error_number(error);
    return point->fault.kind != NO_FAULT && point->kind < KINDS && point->command;
}

// ---- what a command that succeeds promises

static bool is_whole(const struct container *container)
{
    static char text[65536];
    read_text(container->output, text, sizeof text);
    return strstr(text, "\nend=1\n");
}

static bool is_whole_or_dead(void *context)
{
    const struct container *container = context;
    return is_whole(container) || !lives(container->pid);
}

static bool is_dead(void *context) { return !lives(*(pid_t *)context); }

static pid_t pid_in(const char *state)
{
    const char *pid = strstr(state, "\"pid\": ");
    return pid ? atoi(pid + 7) : 0;
}

static const char *facts_after_start(struct container *container, struct facts *facts)
{
    static char text[4096];
    if (command_on(container, text, sizeof text, "state", "ID", NULL) != 0)
        return "`state` fails afterwards";
    container->pid = pid_in(text);
    eventually(is_whole_or_dead, container, 5000);
    if (!is_whole(container)) return "the program does not run";
    facts_of_container(container->kind, container->id, container->pid, container->output, facts);
    return NULL;
}

// What goes wrong in the init once it is created, `start` has to say.
static bool is_told_late(const struct fault *fault, const char *words)
{
    bool is_others = fault && fault->kind == FAILING && fault->call.process > 1;
    return is_others && fault->error != EINTR && words[0];
}

static const char *observe(const struct command *command, struct container *container,
                           const struct fault *fault, struct facts *facts)
{
    static char text[65536];
    const char *name = command->name;
    facts->text = NULL;
    if (!strcmp(name, "create")) {
        if (command_on(container, text, sizeof text, "start", "ID", NULL) != 0)
            return is_told_late(fault, text) ? NULL : "`start` fails afterwards";
        return facts_after_start(container, facts);
    }
    if (!strcmp(name, "run") || !strcmp(name, "start")) return facts_after_start(container, facts);
    if (!strcmp(name, "exec") || command->only_asks) {
        read_text(answer_path, text, sizeof text);
        facts_of_text(container->id, container->pid, command->only_asks ? "answer " : "exec ", text,
                      facts);
        return NULL;
    }
    if (!strcmp(name, "kill") || !strcmp(name, "checkpoint"))
        return eventually(is_dead, &container->pid, 3000) ? NULL : "its process lives";
    if (!strncmp(name, "delete", 6)) {
        const char *left = leftovers(container->cgroup);
        return left[0] ? left : NULL;
    }
    facts_of_container(container->kind, container->id, container->pid, NULL, facts);
    return NULL;
}

// ---- without a fault

static bool prepare(const struct command *command, enum kind kind, struct container *container)
{
    snprintf(answer_path, sizeof answer_path, "%s/stdout", work);
    snprintf(error_path, sizeof error_path, "%s/stderr", work);
    unlink(answer_path);
    unlink(error_path);
    standard_error = error_path;
    fresh_container(kind, container);
    return bring_to(container, command->before);
}

static void perform(const struct command *command, struct container *container,
                    const struct fault *fault, struct trace *trace, struct call *record)
{
    char *arguments[MAX_ARGUMENTS];
    bool makes = command->before == NOTHING;
    build(command, container, arguments);
    run_traced(arguments, !strcmp(command->name, "start") ? container->pid : 0,
               makes ? container->output : answer_path, fault, trace, record);
}

static void end_container(const struct container *container)
{
    command_on(container, NULL, 0, "delete", "--force", "ID");
    remove_leftovers(container->cgroup);
}

static bool clean_run(const struct command *command, enum kind kind, struct facts *facts,
                      struct trace *trace)
{
    static const struct fault none = {NO_FAULT, {0}, 0};
    struct container container;
    char words[2048];
    bool prepared = prepare(command, kind, &container);
    if (prepared) perform(command, &container, &none, trace, recorded);
    bool succeeded = prepared && trace->status == 0 && !trace->hung;
    const char *problem = succeeded ? observe(command, &container, NULL, facts) : "it fails";
    if (problem) {
        read_text(error_path, words, sizeof words);
        printf("left out: %s of %s, for without any fault %s: %s\n", command->name,
               kind_names[kind], problem, words);
    }
    end_container(&container);
    return !problem;
}

static struct reference *reference(const struct command *command, enum kind kind,
                                   struct trace *trace)
{
    struct reference *reference = &references[kind][command - commands];
    struct trace unused;
    if (!recorded) recorded = calloc(MAX_CALLS, sizeof *recorded);
    if (reference->known) return reference;
    reference->known = true;
    for (int i = 0; i < CLEAN_RUNS && !reference->impossible; i++) {
        struct facts facts = {0};
        if (!clean_run(command, kind, &facts, trace ? trace : &unused)) {
            reference->impossible = true;
        } else if (facts.text && reference->facts.text) {
            learn_volatile(&reference->facts, &facts, &reference->volatile_keys);
            free_facts(&facts);
        } else if (facts.text) {
            reference->facts = facts;
        }
    }
    if (verbose && reference->volatile_keys.text)
        printf("not compared after %s of %s: %s\n", command->name, kind_names[kind],
               reference->volatile_keys.text);
    return reference;
}

// ---- with one

// A process that is killed between its word that it executes the program, and the program, is one
// that was started and killed: its command has succeeded.
static bool was_ended(const struct point *point, const struct container *container)
{
    char text[4096];
    if (point->fault.kind != KILLED || point->fault.call.process == 1) return false;
    if (!strcmp(point->command->name, "exec")) return true;
    return command_on(container, text, sizeof text, "state", "ID", NULL) == 0 &&
           strstr(text, "\"stopped\"");
}

static const char *described(const struct point *point)
{
    static char text[PATH_SIZE + 256];
    char name[PATH_SIZE];
    name_point(point, name);
    snprintf(text, sizeof text, "%s%s%s", name, point->fault.call.text[0] ? "  # " : "",
             point->fault.call.text);
    return text;
}

// What the command said, on one line.
static const char *words(void)
{
    static char text[512];
    read_text(error_path, text, sizeof text);
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = c[1] ? '|' : 0;
    return text;
}

static bool judge_success(const struct point *point, struct container *container)
{
    struct reference *wanted = reference(point->command, point->kind, NULL);
    struct facts facts = {0};
    const char *problem = observe(point->command, container, &point->fault, &facts);
    if (problem && was_ended(point, container)) problem = NULL;
    if (!problem && facts.text)
        problem = differences(&wanted->facts, &facts, &wanted->volatile_keys, &point->fault);
    bool holds = !problem || !problem[0];
    if (!holds)
        finding(described(point), "it succeeds, but %s%s%s", problem,
                words()[0] ? "; it said: " : "", words());
    free_facts(&facts);
    return holds;
}

static bool judge_failure(const struct point *point, struct container *container, int status)
{
    const struct command *command = point->command;
    struct stat st;
    bool holds = true;
    bool as_killed = WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGKILL;
    if (!words()[0] && !(as_killed && was_ended(point, container))) {
        finding(described(point), "it fails without a word");
        holds = false;
    }
    if (command->enters) usleep(3000);
    bool runs = command->before == RUNNING ? stat(answer_path, &st) == 0 && st.st_size > 0
                                           : has_started(container);
    // A poststart hook that fails stops a program that was started.
    if (command->enters && runs && !strstr(words(), "poststart")) {
        finding(described(point), "it fails, but its program has run: %s", words());
        holds = false;
    }
    if (command->before == NOTHING) {
        const char *left = leftovers(container->cgroup);
        if (left[0])
            finding(described(point), "it fails and leaves %s; it said: %s", left, words());
        holds &= !left[0];
    }
    if (!strcmp(command->name, "kill") && !lives(container->pid)) {
        finding(described(point), "it fails, but its process is dead: %s", words());
        holds = false;
    }
    return holds;
}

static bool judge_state(const struct point *point, const struct container *container)
{
    char text[4096], status[32] = "";
    int ended = command_on(container, text, sizeof text, "state", "ID", NULL);
    if (!WIFEXITED(ended)) {
        finding(described(point), "`state` afterwards ends with %x", ended);
        return false;
    }
    if (WEXITSTATUS(ended) != 0) return true;
    const char *at = strstr(text, "\"status\": \"");
    if (at) sscanf(at + 11, "%31[a-z]", status);
    pid_t pid = pid_in(text);
    bool alive = lives(pid), claims = strcmp(status, "stopped") != 0;
    // It may have ended, or come to its end, since it was asked.
    if (claims && !alive) {
        command_on(container, text, sizeof text, "state", "ID", NULL);
        claims = strstr(text, "\"status\": ") && !strstr(text, "\"stopped\"") && pid > 0;
    }
    if (claims == alive || !strcmp(status, "creating")) return true;
    finding(described(point), "`state` afterwards says %s, but process %d %s", status, pid,
            alive ? "lives" : "is gone");
    return false;
}

static bool judge_aftermath(const struct point *point, const struct container *container,
                            bool promise_held)
{
    char text[4096];
    bool holds = judge_state(point, container);
    int ended = command_on(container, text, sizeof text, "list", NULL, NULL);
    if (ended != 0) finding(described(point), "`list` afterwards ends with %x: %s", ended, text);
    holds &= ended == 0;
    ended = command_on(container, text, sizeof text, "delete", "--force", "ID");
    if (ended != 0) finding(described(point), "`delete --force` ends with %x: %s", ended, text);
    holds &= ended == 0;
    const char *left = leftovers(container->cgroup);
    bool is_known = !strncmp(point->command->name, "delete", 6) && !promise_held;
    if (left[0] && !is_known)
        finding(described(point), "`delete --force` afterwards leaves %s", left);
    return holds && !left[0];
}

// Of a point that was made, with what its call was about.
static bool judge(const struct point *point, struct container *container, const struct trace *trace)
{
    bool holds = true, killed = point->fault.kind == KILLED && point->fault.call.process == 1;
    if (trace->hung) {
        finding(described(point), "it does not end");
        holds = false;
    } else if (trace->crash) {
        finding(described(point), "signal %d: %s", trace->crash, words());
        holds = false;
    }
    if (!trace->hung && !killed)
        holds &= trace->status == 0 ? judge_success(point, container)
                                    : judge_failure(point, container, trace->status);
    return judge_aftermath(point, container, holds) && holds;
}

bool judge_point(const struct point *point)
{
    struct container container;
    struct trace trace = {0};
    if (reference(point->command, point->kind, NULL)->impossible) return true;
    if (!prepare(point->command, point->kind, &container)) {
        finding(described(point), "the container that it needs could not be made: %s", words());
        end_container(&container);
        return false;
    }
    perform(point->command, &container, &point->fault, &trace, NULL);
    struct point made = *point;
    if (trace.hit)
        memcpy(made.fault.call.text, trace.text, TEXT_SIZE);
    else
        missed(described(point));
    bool holds = judge(&made, &container, &trace);
    remove_leftovers(container.cgroup);
    return holds;
}

// ---- all of them

static struct point *all;
static int all_count, all_room;

static void add(const struct command *command, enum kind kind, enum fault_kind fault,
                const struct call *call, int error)
{
    if (all_count == all_room) {
        all_room = all_room ? all_room * 2 : 4096;
        all = realloc(all, (size_t)all_room * sizeof *all);
        if (!all) die("out of memory");
    }
    all[all_count++] = (struct point){command, kind, {fault, *call, error}};
}

static void add_points(const struct command *command, enum kind kind, int count)
{
    bool denied[CALL_NUMBERS] = {false};
    for (int i = 0; i < count; i++) {
        const struct call *call = &recorded[i];
        const int *errors = plausible_errors(call->number);
        add(command, kind, KILLED, call, 0);
        for (; errors && *errors; errors++) add(command, kind, FAILING, call, *errors);
        if (can_be_short(call->number)) add(command, kind, SHORTENED, call, 0);
        if (!is_newer(call->number) || denied[call->number]) continue;
        denied[call->number] = true;
        struct call any = {0, call->number, 0, ""};
        add(command, kind, DENIED, &any, ENOSYS);
        add(command, kind, DENIED, &any, EPERM);
    }
}

// What does not go into a container is the same for most kinds.
static bool is_worth(const struct command *command, enum kind kind)
{
    return command->enters || kind == PLAIN || kind == USER || kind == SYSTEMD ||
           !strncmp(command->name, "delete", 6);
}

int list_points(struct point **points, int share, int shares)
{
    int pair = 0;
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < command_count; i++) {
            const struct command *command = &commands[i];
            struct trace trace = {0};
            if (!kind_is_here(kind) || !is_worth(command, kind)) continue;
            if (only_command && strcmp(only_command, command->name)) continue;
            if (only_kind && strcmp(only_kind, kind_names[kind])) continue;
            if (pair++ % shares != share) continue;
            if (reference(command, kind, &trace)->impossible) continue;
            add_points(command, kind, trace.call_count);
        }
    *points = all;
    return all_count;
}
